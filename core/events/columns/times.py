"""Times in a column of text: one way of writing per column, settled by all its cells together.

A date such as 02/01/2024 says nothing of its order, but 31/12/2023 in the same column does. What
no cell settles is refused, with the option that answers it; it is never guessed.
"""

from __future__ import annotations

import re
from datetime import datetime

from core.artifacts import Problem
from core.events.columns.believed import believed
from core.events.columns.date_order import order_of, year_of
from core.events.columns.reading import (
    NO_CELLS,
    Column,
    Kind,
    Reading,
    count_missing_words,
    kinds_of,
    kinds_where,
)
from core.events.columns.time_column import FEW, TO_ISO, Way, ask, cut_apart, refuse_column
from core.events.columns.time_forms import (
    ANY_DIGITS,
    EPOCHS,
    EXCEL,
    FORMS,
    PLAIN_ISO,
    WORDS,
    Form,
    epoch_time,
    excel_time,
    local_time,
    written_time,
)
from core.events.columns.time_zones import stamp_literal
from core.events.columns.wall_clock import IN_UTC, in_zone
from core.events.map_options import MapOptions
from core.events.problems import plural


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
        return stopped or refuse_column(column, "not_time", _no_time(column, unknown), unknown)
    way = Way(column, options, main, dict(patterns)[main], kinds[main])
    reading = _reading(way)
    if reading.refused:
        return reading
    return believed(way, reading, now)


def _patterns(options: MapOptions) -> list[tuple[str, str]]:
    """The ways of writing in the order in which they are tried."""
    plain = ("year_first", PLAIN_ISO)  # tried first, as it is quick and what most logs hold
    written = [plain, *((form.name, form.pattern) for form in FORMS.values())]
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
        return refuse_column(column, "not_time", _no_time(column, unknown), unknown)
    total = unknown.count + sum(kind.count for kind in kinds.values())
    for name, kind in kinds.items():
        if name != main and kind.count > FEW * total:
            message = (
                f"Column '{column.name}' writes times in two ways: {WORDS[main]} and, on "
                f"{column.spell(kind)}, {WORDS[name]} ('{kind.example}'). Choose another column, "
                f"{TO_ISO}"
            )
            return refuse_column(column, "mixed_times", message, kind)
    missing = count_missing_words(column) if unknown.count else 0
    if (unknown.count - missing) * 2 >= total - missing:
        return refuse_column(column, "not_time", _no_time(column, unknown), unknown)
    return None


def _no_time(column: Column, unknown: Kind) -> str:
    if not unknown.count:
        return f"Column '{column.name}' is blank in every row, so there are no times."
    return (
        f"Column '{column.name}' does not hold times: {plural(unknown.count, 'cell')} cannot be "
        f"read ('{unknown.example}', {column.spell(unknown)}). Choose another column, {TO_ISO}"
    )


def _reading(way: Way) -> Reading:
    if way.main in EPOCHS:
        return _epoch(way)
    if way.main == "excel":
        return _excel(way)
    return _written(way, FORMS[way.main])


def _epoch(way: Way) -> Reading:
    column, unit, pattern = way.column, way.main, way.pattern

    def value(cell: str) -> str:
        return epoch_time(cell, unit, pattern)

    first, last = column.query(
        f"SELECT min(t), max(t) FROM (SELECT {value('cell')} AS t FROM cells) "
        f"WHERE t BETWEEN {stamp_literal(datetime.min)} AND {stamp_literal(datetime.max)}"
    )[0]
    told = "as map.epoch says" if way.options.epoch != "auto" else "by their size"
    span = "" if first is None else f": {first:%Y-%m-%d} to {last:%Y-%m-%d}"
    message = (
        f"The numbers in column '{column.name}' were taken as {unit} since 1970 in UTC, {told}"
        f"{span}."
    )
    return Reading(value, (column.warn("epoch", message, way.kind),), {"epoch": unit})


def _excel(way: Way) -> Reading:
    calendar = way.options.excel_dates
    if calendar == "auto":
        what = (
            f"holds {WORDS['excel']} ('{way.kind.example}'), and Excel has two calendars for them."
        )
        return ask(way, what, "map.excel_dates to 1900 (Windows and new Macs) or 1904 (old Macs)")
    message = (
        f"The numbers in column '{way.column.name}' were read as Excel's day numbers from "
        f"{calendar}, as map.excel_dates says."
    )
    said = way.column.warn("excel_dates", message, way.kind)
    zoned = in_zone(way, lambda cell: excel_time(cell, calendar))
    to_utc = zoned.to_utc
    return Reading(lambda cell: to_utc(excel_time(cell, calendar)), (said, *zoned.problems))


def _written(way: Way, form: Form) -> Reading:
    facts = _facts(way, form)
    order = order_of(way, form)
    if isinstance(order, Reading):
        return order
    if facts["half day"].count and facts["whole day"].count:
        mixed = facts["whole day"]
        message = (
            f"Column '{way.column.name}' writes some times with AM or PM and others without: "
            f"{way.column.spell(mixed)}. Choose another column, {TO_ISO}"
        )
        return refuse_column(way.column, "mixed_times", message, mixed)
    year = year_of(way, form, order.name)
    if isinstance(year, Reading):
        return year

    def local(cell: str) -> str:
        return local_time(cell, form, order.name, year.sql)

    zoned = in_zone(way, local) if facts["no zone"].count else IN_UTC
    problems = [*order.problems, *year.problems, *_said(way, facts), *zoned.problems]
    return Reading(
        lambda cell: written_time(cell, form, order.name, year.sql, zoned.to_utc),
        tuple(problems),
        {"date_order": order.name} if len(form.orders) > 1 else {},
    )


_TESTS = {
    "date only": "p.hour = ''",
    "no zone": "p.zone = ''",
    "half day": "p.half <> ''",
    "whole day": "p.half = '' AND p.hour <> ''",
}


def _facts(way: Way, form: Form) -> dict[str, Kind]:
    """Count, over all cells of the main way of writing, what tells how to read them."""
    return kinds_where(way.column, _TESTS, cut_apart(form))


def _mixed_offsets(way: Way) -> list[Problem]:
    """Say that times of different offsets all became UTC, where there are such."""
    zones = f"SELECT DISTINCT p.zone FROM {cut_apart(FORMS[way.main])} WHERE p.zone <> ''"
    offsets = sorted({_offset(zone) for (zone,) in way.column.query(zones)})
    if len(offsets) < 2:
        return []
    others = " and others" if len(offsets) > 5 else ""
    message = (
        f"The times in column '{way.column.name}' have different offsets ({', '.join(offsets[:5])}"
        f"{others}). All were brought to UTC, so hours and days are those of UTC, not of the place."
    )
    return [way.column.warn("mixed_offsets", message)]


def _offset(zone: str) -> str:
    """A zone in one writing: "UTC+2" and "+0200" are +02:00, "Z" is +00:00."""
    signed = re.sub("^(UTC|GMT|Z)", "", zone.upper()).replace(":", "") or "+00"
    hours, minutes = (signed[1:-2], signed[-2:]) if len(signed) > 3 else (signed[1:], "00")
    sign = "+" if int(hours + minutes) == 0 else signed[0]
    return f"{sign}{hours:0>2}:{minutes}"


def _said(way: Way, facts: dict[str, Kind]) -> list[Problem]:
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
    if zoneless.count < way.kind.count:
        found += _mixed_offsets(way)
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
