"""Times in a column of text: one way of writing per column, settled by all its cells together.

A date such as 02/01/2024 says nothing of its order, but 31/12/2023 in the same column does. What
no cell settles is refused, with the option that answers it; it is never guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from core.artifacts import Problem
from core.events.map_options import MapOptions
from core.events.problems import plural
from core.events.reading import (
    NO_CELLS,
    Column,
    Kind,
    Reading,
    fits,
    is_missing_word,
    kinds_of,
    kinds_where,
    nothing,
)
from core.events.time_forms import (
    ANY_DIGITS,
    EPOCHS,
    EXCEL,
    FORMS,
    NO_YEAR,
    ORDERS,
    SHORT,
    WORDS,
    Form,
    epoch_time,
    excel_time,
    local_time,
    parts,
    written_time,
)
from core.events.time_zones import Change, changes, stamp_literal, utc_sql
from core.events.yearless import year_of_first_event

EARLIEST = datetime(1990, 1, 1)
"""Times before it are stand-ins for "unknown" (1970, 1900, day 0 of a program), not events."""
_SLACK = timedelta(days=1)
"""How far after now a time may lie: clocks differ, and zones by up to 14 hours."""
_FEW = 0.01
"""Up to this share of cells in another way of writing are set aside; more is a mixed column."""
_TO_ISO = "or write all times as 2024-01-31 18:30:00 (ISO 8601) and import the file again."
_Sql = Callable[[str], str]


@dataclass(frozen=True)
class _Way:
    """How one column writes its times, so far as it is settled."""

    column: Column
    options: MapOptions
    main: str
    """The form, unit or "excel"."""
    pattern: str
    kind: Kind


def read_times(column: Column, options: MapOptions, now: datetime | None = None) -> Reading:
    """Settle how a column writes times; the values are timestamps in UTC, without zone.

    Times after ``now`` (UTC without zone; default: this moment) and before `EARLIEST` are not
    believed: like what cannot be read, they are listed, and `unreadable_times` says what follows.
    """
    patterns = _patterns(options)
    kinds = kinds_of(column, patterns)
    unknown = kinds.pop("other", NO_CELLS)
    main = max(kinds, key=lambda name: kinds[name].count, default=None)
    stopped = _why_not(column, kinds, main, unknown)
    if stopped is not None or main is None:
        return stopped or _refuse(column, "not_time", _no_time(column, unknown), unknown)
    pattern = dict(patterns)[main]
    way = _Way(column, options, main, pattern, kinds[main])
    reading = _reading(way)
    if reading.refused:
        return reading
    latest = (now or datetime.now(UTC).replace(tzinfo=None)) + _SLACK
    return _believed(way, reading, latest)


def _patterns(options: MapOptions) -> list[tuple[str, str]]:
    """The ways of writing in the order in which they are tried."""
    written = [(form.name, form.pattern) for form in FORMS.values()]
    if options.epoch != "auto":
        digits = [(name, pattern) for name, pattern in written if "solid" in name]
        others = [(name, pattern) for name, pattern in written if "solid" not in name]
        return [*others, (options.epoch, ANY_DIGITS), *digits]
    return [*written, *((unit, pattern) for unit, (pattern, _) in EPOCHS.items()), ("excel", EXCEL)]


def _why_not(
    column: Column, kinds: dict[str, Kind], main: str | None, unknown: Kind
) -> Reading | None:
    """The refusal of a column that holds no times or two ways of writing them; else None."""
    if main is None:
        return _refuse(column, "not_time", _no_time(column, unknown), unknown)
    total = unknown.count + sum(kind.count for kind in kinds.values())
    for name, kind in kinds.items():
        if name != main and kind.count > _FEW * total:
            message = (
                f"Column '{column.name}' writes times in two ways: {WORDS[main]} and, on "
                f"{column.spell(kind)}, {WORDS[name]} ('{kind.example}'). Choose another column, "
                f"{_TO_ISO}"
            )
            return _refuse(column, "mixed_times", message, kind)
    missing = kinds_where(column, {"word": is_missing_word("cell")})["word"].count
    if (unknown.count - missing) * 2 >= total - missing:
        return _refuse(column, "not_time", _no_time(column, unknown), unknown)
    return None


def _no_time(column: Column, unknown: Kind) -> str:
    if not unknown.count:
        return f"Column '{column.name}' is blank in every row, so there are no times."
    return (
        f"Column '{column.name}' does not hold times: {plural(unknown.count, 'cell')} cannot be "
        f"read ('{unknown.example}', {column.spell(unknown)}). Choose another column, {_TO_ISO}"
    )


def _refuse(column: Column, code: str, message: str, kind: Kind) -> Reading:
    return Reading(nothing("TIMESTAMP"), (column.refuse(code, message, kind),))


def _ask(way: _Way, what: str, option: str) -> Reading:
    """Refuse what can be read in more than one way, with the option that settles it."""
    message = f"Column '{way.column.name}' {what} Set {option}, {_TO_ISO}"
    return _refuse(way.column, "unclear_times", message, way.kind)


def _reading(way: _Way) -> Reading:
    if way.main in EPOCHS:
        return _epoch(way)
    if way.main == "excel":
        return _excel(way)
    return _written(way, FORMS[way.main])


def _epoch(way: _Way) -> Reading:
    column, unit, pattern = way.column, way.main, way.pattern

    def value(cell: str) -> str:
        return epoch_time(cell, unit, pattern)

    first, last = column.query(
        f"SELECT min(t), max(t) FROM (SELECT {value('cell')} AS t FROM cells)"
    )[0]
    told = "as map.epoch says" if way.options.epoch != "auto" else "by their size"
    span = "" if first is None else f": {first:%Y-%m-%d} to {last:%Y-%m-%d}"
    message = (
        f"The numbers in column '{column.name}' were taken as {unit} since 1970 in UTC, {told}"
        f"{span}."
    )
    return Reading(value, (column.warn("epoch", message, way.kind),))


def _excel(way: _Way) -> Reading:
    calendar = way.options.excel_dates
    if calendar == "auto":
        what = (
            f"holds {WORDS['excel']} ('{way.kind.example}'), and Excel has two calendars for them."
        )
        return _ask(way, what, "map.excel_dates to 1900 (Windows and new Macs) or 1904 (old Macs)")
    message = (
        f"The numbers in column '{way.column.name}' were read as Excel's day numbers from "
        f"{calendar}, as map.excel_dates says."
    )
    said = way.column.warn("excel_dates", message, way.kind)
    zoned = _in_zone(way, lambda cell: excel_time(cell, calendar))
    to_utc = zoned.to_utc
    return Reading(lambda cell: to_utc(excel_time(cell, calendar)), (said, *zoned.problems))


def _written(way: _Way, form: Form) -> Reading:
    facts = _facts(way, form)
    order = _order(way, form)
    if isinstance(order, Reading):
        return order
    if facts["half day"].count and facts["whole day"].count:
        mixed = facts["whole day"]
        message = (
            f"Column '{way.column.name}' writes some times with AM or PM and others without: "
            f"{way.column.spell(mixed)}. Choose another column, {_TO_ISO}"
        )
        return _refuse(way.column, "mixed_times", message, mixed)
    year = _year(way, form, order.name)
    if isinstance(year, Reading):
        return year

    def local(cell: str) -> str:
        return local_time(cell, form, order.name, year.sql)

    zoned = _in_zone(way, local) if facts["no zone"].count else _Zoned(lambda wall: wall, ())
    problems = [*order.problems, *year.problems, *_said(way, facts), *zoned.problems]
    return Reading(
        lambda cell: written_time(cell, form, order.name, year.sql, zoned.to_utc), tuple(problems)
    )


_TESTS = {
    "date only": "p.hour = ''",
    "no zone": "p.zone = ''",
    "half day": "p.half <> ''",
    "whole day": "p.half = '' AND p.hour <> ''",
}


def _facts(way: _Way, form: Form) -> dict[str, Kind]:
    """Count, over all cells of the main way of writing, what tells how to read them."""
    return kinds_where(way.column, _TESTS, _cut(form))


def _cut(form: Form) -> str:
    """SQL of the cells of a form, cut into their parts ``p``: one, two, three, hour ..."""
    p = parts("cell", form, ("one", "two", "three"))
    return f"(SELECT *, {p} AS p FROM cells WHERE {fits('cell', form.pattern)})"


@dataclass(frozen=True)
class _Order:
    name: str
    problems: tuple[Problem, ...]


def _order(way: _Way, form: Form) -> _Order | Reading:
    """Settle which number is the day: as told, or as the numbers over 12 (or 31) say."""
    column, told = way.column, way.options.date_order
    if len(form.orders) == 1:
        return _Order(form.orders[0], ())
    if told in form.orders:
        message = f"The dates in column '{column.name}' were all read {_worded(told)}, as told."
        return _Order(told, (column.warn("date_order", message),))
    tests = {order: _against(order) for order in form.orders}
    against = kinds_where(column, tests, _cut(form))
    best = min(form.orders, key=lambda order: against[order].count)
    second = min((o for o in form.orders if o != best), key=lambda order: against[order].count)
    allowed = " or ".join(form.orders)
    if against[second].count == 0:
        what = (
            f"writes dates as '{way.kind.example}' ({column.spell(way.kind)}), and no cell settles "
            "whether the day or the month comes first."
        )
        return _ask(way, what, f"map.date_order to {allowed}")
    if against[best].count > _FEW * against[second].count:
        one, two = against[second], against[best]
        message = (
            f"Column '{column.name}' writes dates in two orders: '{one.example}' "
            f"({column.spell(one)}) and '{two.example}' ({column.spell(two)}). Set map.date_order "
            f"to {allowed}, which sets the others aside, {_TO_ISO}"
        )
        return _refuse(column, "unclear_times", message, way.kind)
    settled = against[second]
    line = column.spell(Kind(1, settled.lines[:1], ""))
    message = (
        f"The dates in column '{column.name}' were all read {_worded(best)}, as "
        f"'{settled.example}' on {line} can only be read so."
    )
    return _Order(best, (column.warn("date_order", message, settled),))


def _worded(order: str) -> str:
    return f"with the {order.removesuffix('_first')} first"


def _against(order: str) -> str:
    """SQL that tells whether a date cannot stand in an order."""
    places = dict(zip(ORDERS[order], ("one", "two", "three"), strict=True))
    month, day = (
        f"coalesce(TRY_CAST(p.{places[part]} AS INTEGER), 1)" for part in ("month", "day")
    )
    return f"{month} NOT BETWEEN 1 AND 12 OR {day} NOT BETWEEN 1 AND 31"


@dataclass(frozen=True)
class _Year:
    sql: _Sql
    problems: tuple[Problem, ...] = ()


def _year(way: _Way, form: Form, order: str) -> _Year | Reading:
    """Settle how a year of two digits, or none, becomes one of four."""
    if form.name in SHORT:
        return _short_year(way, form)
    if form.name not in NO_YEAR:
        return _Year(lambda p: f"{p}.year")
    if way.options.year == "auto":
        what = (
            f"writes dates without a year, as '{way.kind.example}' ({way.column.spell(way.kind)})."
        )
        return _ask(way, what, "map.year to the year of the first event")
    found = year_of_first_event(way.column, form, order, int(way.options.year))
    return _Year(found.sql, (way.column.warn("no_year", found.message),))


def _short_year(way: _Way, form: Form) -> _Year | Reading:
    test = {
        "short": "regexp_full_match(p.three, '\\d{2}') AND regexp_full_match(p.one, '\\d{1,2}')"
    }
    short = kinds_where(way.column, test, _cut(form))["short"]
    if not short.count:
        return _Year(lambda p: f"{p}.year")
    century = way.options.short_years
    if century == "auto":
        what = f"has years of two digits, as in '{short.example}' ({way.column.spell(short)})."
        return _ask(way, what, "map.short_years to 1900s or 2000s")
    message = f"The years of two digits in column '{way.column.name}' were taken as {century}."
    first = century[:2]
    return _Year(
        lambda p: f"CASE WHEN length({p}.year) = 2 THEN '{first}' || {p}.year ELSE {p}.year END",
        (way.column.warn("short_years", message, short),),
    )


@dataclass(frozen=True)
class _Zoned:
    to_utc: _Sql
    problems: tuple[Problem, ...]


def _in_zone(way: _Way, local: _Sql) -> _Zoned:
    """How times without a zone become UTC, in the zone that is told."""
    zone, column = way.options.time_zone, way.column
    source = f"(SELECT *, {local('cell')} AS wall FROM cells)"
    bounds = f"wall BETWEEN {stamp_literal(EARLIEST)} AND TIMESTAMP '2199-12-31'"
    first, last = column.query(f"SELECT min(wall), max(wall) FROM {source} WHERE {bounds}")[0]
    if first is None:
        return _Zoned(lambda wall: wall, ())
    start, moved = changes(zone, first, last)
    doubtful = {
        name: " OR ".join(_within(change) for change in moved if change.skipped == skipped)
        for name, skipped in (("never", True), ("twice", False))
    }
    found = kinds_where(column, {name: test or "false" for name, test in doubtful.items()}, source)
    texts = {
        "never": "were skipped when the clocks of {} went forward, and were taken as if they had "
        "not been moved yet",
        "twice": "came twice when the clocks of {} went back, and were taken as the first time",
    }
    return _Zoned(
        lambda wall: utc_sql(wall, start, moved),
        tuple(
            column.warn(
                f"hour_{name}",
                f"{plural(kind.count, 'time')} in column '{column.name}' "
                f"{texts[name].format(zone)}: {column.spell(kind)}.",
                kind,
            )
            for name, kind in found.items()
            if kind.count
        ),
    )


def _within(change: Change) -> str:
    low, high = change.window
    return f"wall >= {stamp_literal(low)} AND wall < {stamp_literal(high)}"


def _said(way: _Way, facts: dict[str, Kind]) -> list[Problem]:
    """Word what was taken for granted: zone, midnight, and digits taken for a date."""
    column, zone, found = way.column, way.options.time_zone, []
    zoneless, dates = facts["no zone"], facts["date only"]
    if way.main == "solid":
        message = f"The digits in column '{column.name}' were read as year, month and day."
        found.append(column.warn("solid_dates", message))
    if zoneless.count == way.kind.count:
        message = f"The times in column '{column.name}' name no time zone and were taken as {zone}."
        found.append(column.warn("no_zone", message))
    elif zoneless.count:
        message = (
            f"{plural(zoneless.count, 'time')} in column '{column.name}' without a time zone, "
            f"among others with one, taken as {zone}: {column.spell(zoneless)}."
        )
        found.append(column.warn("some_no_zone", message, zoneless))
    if dates.count == way.kind.count:
        message = f"Column '{column.name}' holds dates without a time of day, taken as 00:00."
        found.append(column.warn("dates_only", message))
    elif dates.count:
        message = (
            f"{plural(dates.count, 'date')} without a time of day in column '{column.name}', taken "
            f"as 00:00: {column.spell(dates)}."
        )
        found.append(column.warn("some_dates_only", message, dates))
    return found


def _believed(way: _Way, reading: Reading, latest: datetime) -> Reading:
    """Leave out, and list, the times that cannot be read or cannot be."""
    column = way.column
    low, high = stamp_literal(EARLIEST), stamp_literal(latest)
    kinds = kinds_where(
        column,
        {
            "unreadable": f"t IS NULL AND NOT {fits('cell', way.pattern)}",
            "impossible_times": f"t IS NULL AND {fits('cell', way.pattern)}",
            "early_times": f"t < {low}",
            "future_times": f"t > {high}",
            "believed": f"t BETWEEN {low} AND {high}",
        },
        f"(SELECT *, {reading.value('cell')} AS t FROM cells)",
    )
    believed = kinds.pop("believed")
    refuse = way.options.unreadable_times == "refuse"
    worst, most = max(kinds.items(), key=lambda item: item[1].count)
    hopeless = worst != "unreadable" and most.count > believed.count
    problems = [
        (column.refuse if refuse or (hopeless and code == worst) else column.warn)(
            code, _disbelief(column, code, kind, stopped=refuse or hopeless), kind
        )
        for code, kind in kinds.items()
        if kind.count
    ]

    found = (*reading.problems, *problems)
    if any(problem.severity == "refused" for problem in problems):
        return Reading(nothing("TIMESTAMP"), found)
    if not (kinds["early_times"].count or kinds["future_times"].count):
        return Reading(reading.value, found)
    within = f"CASE WHEN t BETWEEN {low} AND {high} THEN t END"
    # the lambda names the time, so that it is worked out once
    return Reading(
        lambda cell: f"list_transform([{reading.value(cell)}], lambda t: {within})[1]", found
    )


_DISBELIEF = {
    "unreadable": "cannot be read as times",
    "impossible_times": "hold a date or hour that does not exist",
    "early_times": f"lie before {EARLIEST:%Y}, which stands for an unknown time",
    "future_times": "lie in the future",
}


def _disbelief(column: Column, code: str, kind: Kind, *, stopped: bool) -> str:
    message = (
        f"{plural(kind.count, 'cell')} in column '{column.name}' (time) {_DISBELIEF[code]}, as "
        f"'{kind.example}': {column.spell(kind)}."
    )
    if stopped:
        return (
            f"{message} Correct them, set map.unreadable_times to drop, or check map.date_order, "
            "map.epoch and map.year."
        )
    return f"{message} These rows will be set aside."
