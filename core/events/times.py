"""Times in a column of text: one way of writing per column, settled by all its cells together.

A date such as 02/01/2024 says nothing of its order, but 31/12/2023 in the same column does. What
no cell settles is refused, never guessed.
"""

from __future__ import annotations

from core.artifacts import Problem
from core.events.problems import LINES_SHOWN, counted, plural, refused, shown, spell_lines, warning
from core.events.reading import NO_CELLS, Column, Kind, Reading, kinds_of, literal

_CLOCK = r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?: ?([AaPp])\.?[Mm]\.?)?"
_ZONE = r" ?(Z|z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)"
_REST = f"(?:(?:[Tt]| +){_CLOCK}(?:{_ZONE})?)?"
_YEAR_FIRST = rf"(\d{{4}})[-/.](\d{{1,2}})[-/.](\d{{1,2}}){_REST}"
_YEAR_LAST = rf"(\d{{1,2}})[-/.](\d{{1,2}})[-/.](\d{{4}}){_REST}"
_SHORT_YEAR = rf"\d{{1,2}}[-/.]\d{{1,2}}[-/.]\d{{2}}{_REST}"
_SOLID = (
    r"((?:19|20)\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])"
    r"(?:T?([01]\d|2[0-3])([0-5]\d)([0-5]\d)(?:\.(\d{1,9}))?()(Z)?)?"
)
_EXCEL = r"[1-9]\d{4}(?:\.\d+)?"
_EPOCHS = {
    "seconds": (r"\d{9,10}(?:\.\d+)?", 1_000_000),
    "milliseconds": (r"\d{13}(?:\.\d+)?", 1000),
    "microseconds": (r"\d{16}", 1),
}

WRITTEN_DATES = (("year_first", _YEAR_FIRST), ("year_last", _YEAR_LAST), ("short", _SHORT_YEAR))
NUMBER_DATES = (
    ("solid", _SOLID),
    *((unit, pattern) for unit, (pattern, _) in _EPOCHS.items()),
)
_KINDS = (*WRITTEN_DATES, *NUMBER_DATES, ("excel", _EXCEL))
_READABLE = {"year_first": _YEAR_FIRST, "year_last": _YEAR_LAST, "solid": _SOLID}
_NAMES = {
    "year_first": "year-month-day",
    "year_last": "day and month before the year",
    "short": "years of two digits",
    "solid": "yyyymmdd",
    "excel": "numbers of days, as Excel keeps dates",
    **{unit: f"{unit} since 1970" for unit in _EPOCHS},
}
_FEW = 0.01
"""Up to this share of cells in another way of writing are set aside; more is a mixed column."""
_TO_ISO = "Write all times as 2024-01-31 18:30:00 (ISO 8601) and import the file again."


def read_times(column: Column) -> Reading:
    """Settle how a column writes times; the SQL gives timestamps in UTC, without zone."""
    kinds = kinds_of(column, _KINDS)
    unknown = kinds.pop("other", NO_CELLS)
    if not kinds:
        return _refuse(column, "not_time", _no_time(column, unknown), unknown)
    main = max(kinds, key=lambda kind: kinds[kind].count)
    total = unknown.count + sum(kind.count for kind in kinds.values())
    for name, kind in kinds.items():
        if name != main and kind.count > _FEW * total:
            return _refuse(column, "mixed_times", _mixed(column, main, name, kind), kind)
    if unknown.count * 2 >= total:
        return _refuse(column, "not_time", _no_time(column, unknown), unknown)
    if main in _EPOCHS:
        return _epoch(column, main, kinds[main])
    if main in _READABLE:
        return _written(column, main, kinds[main])
    message = (
        f"Column '{column.name}' holds {_NAMES[main]} ('{kinds[main].example}'), which can be "
        f"read in more than one way. {_TO_ISO}"
    )
    return _refuse(column, "unclear_times", message, kinds[main])


def _no_time(column: Column, unknown: Kind) -> str:
    if not unknown.count:
        return f"Column '{column.name}' is blank in every row, so there are no times."
    return (
        f"Column '{column.name}' does not hold times: {plural(unknown.count, 'cell')} cannot be "
        f"read ('{unknown.example}', {spell_lines(unknown.lines, unknown.count)}). {_TO_ISO}"
    )


def _mixed(column: Column, main: str, other: str, kind: Kind) -> str:
    return (
        f"Column '{column.name}' writes times in two ways: {_NAMES[main]} and, on "
        f"{spell_lines(kind.lines, kind.count)}, {_NAMES[other]} ('{kind.example}'). {_TO_ISO}"
    )


def _refuse(column: Column, code: str, message: str, kind: Kind) -> Reading:
    found = refused(code, message, counted(kind.lines, kind.count), column.name)
    return Reading("CAST(NULL AS TIMESTAMP)", (found,))


def _epoch(column: Column, unit: str, kind: Kind) -> Reading:
    span = f"SELECT min(t), max(t) FROM (SELECT {_epoch_sql('cell', unit)} AS t FROM cells)"
    first, last = column.query(span)[0]
    message = (
        f"The numbers in column '{column.name}' were taken as {unit} since 1970 in UTC, by their "
        f"size: {first:%Y-%m-%d} to {last:%Y-%m-%d}."
    )
    return Reading(
        _epoch_sql(column.cell, unit),
        (warning("epoch", message, counted(kind.lines, kind.count), column.name),),
    )


def _epoch_sql(cell: str, unit: str) -> str:
    pattern, factor = _EPOCHS[unit]
    micros = f"CAST(round(TRY_CAST({cell} AS DECIMAL(28, 9)) * {factor}) AS BIGINT)"
    return (
        f"CASE WHEN regexp_full_match({cell}, {literal(pattern)}) THEN make_timestamp({micros}) END"
    )


def _written(column: Column, main: str, kind: Kind) -> Reading:
    facts = _facts(column, main)
    order, problems = ("year", "month", "day"), []
    if main == "year_last":
        day_first, stopped = _order(column, facts, kind)
        if stopped or day_first is None:
            return _refuse(column, "unclear_times", stopped, kind)
        order = ("day", "month", "year") if day_first else ("month", "day", "year")
        problems.append(_order_warning(column, facts, day_first=day_first))
    if facts["half day"].count and facts["whole day"].count:
        mixed = facts["whole day"]
        message = (
            f"Column '{column.name}' writes some times with AM or PM and others without: "
            f"{spell_lines(mixed.lines, mixed.count)}. {_TO_ISO}"
        )
        return _refuse(column, "mixed_times", message, mixed)
    problems += _said(column, main, facts, kind.count)
    return Reading(_stamp_sql(_parts(column.cell, main, order)), tuple(problems))


_TESTS = {
    "first over 12": "TRY_CAST(p.one AS INTEGER) > 12",
    "second over 12": "TRY_CAST(p.two AS INTEGER) > 12",
    "date only": "p.hour = ''",
    "no zone": "p.zone = ''",
    "half day": "p.half <> ''",
    "whole day": "p.half = '' AND p.hour <> ''",
}


def _facts(column: Column, main: str) -> dict[str, Kind]:
    """Count, over all cells of the main way of writing, what tells how to read them."""
    wanted = ", ".join(
        f"count(*) FILTER ({test}), min(line, {LINES_SHOWN}) FILTER ({test}), "
        f"arg_min(cell, line) FILTER ({test})"
        for test in _TESTS.values()
    )
    parts = _parts("cell", main, ("one", "two", "three"))
    row = column.query(
        f"SELECT {wanted} FROM (SELECT cell, line, {parts} AS p FROM cells "
        f"WHERE regexp_full_match(cell, {literal(_READABLE[main])}))"
    )[0]
    triples = zip(row[::3], row[1::3], row[2::3], strict=True)
    kinds = [Kind(count, tuple(lines or ()), shown(cell or "")) for count, lines, cell in triples]
    return dict(zip(_TESTS, kinds, strict=True))


def _order(column: Column, facts: dict[str, Kind], kind: Kind) -> tuple[bool | None, str]:
    """Tell whether days come first, or why that cannot be told."""
    days, months = facts["first over 12"], facts["second over 12"]
    if not days.count and not months.count:
        return None, (
            f"Column '{column.name}' writes dates as '{kind.example}', and no cell settles whether "
            f"the day or the month comes first. {_TO_ISO}"
        )
    if min(days.count, months.count) > _FEW * kind.count:
        return None, (
            f"Column '{column.name}' writes dates in two orders: '{days.example}' (line "
            f"{days.lines[0]}) and '{months.example}' (line {months.lines[0]}). {_TO_ISO}"
        )
    return days.count > months.count, ""


def _order_warning(column: Column, facts: dict[str, Kind], *, day_first: bool) -> Problem:
    settled = facts["first over 12" if day_first else "second over 12"]
    word = "day" if day_first else "month"
    message = (
        f"The dates in column '{column.name}' were all read with the {word} first, as "
        f"'{settled.example}' on line {settled.lines[0]} can only be read so."
    )
    return warning("date_order", message, counted(settled.lines, settled.count), column.name)


def _said(column: Column, main: str, facts: dict[str, Kind], count: int) -> list[Problem]:
    """Word what was taken for granted: zone, midnight, and digits taken for a date."""
    found = []
    zoneless, dates = facts["no zone"], facts["date only"]
    if main == "solid":
        message = f"The digits in column '{column.name}' were read as year, month and day."
        found.append(warning("solid_dates", message, None, column.name))
    if zoneless.count == count:
        message = f"The times in column '{column.name}' name no time zone and were taken as UTC."
        found.append(warning("no_zone", message, None, column.name))
    elif zoneless.count:
        message = (
            f"{plural(zoneless.count, 'time')} in column '{column.name}' without a time zone, "
            f"among others with one, taken as UTC: {spell_lines(zoneless.lines, zoneless.count)}."
        )
        where = counted(zoneless.lines, zoneless.count)
        found.append(warning("some_no_zone", message, where, column.name))
    if dates.count == count:
        message = f"Column '{column.name}' holds dates without a time of day, taken as 00:00."
        found.append(warning("dates_only", message, None, column.name))
    elif dates.count:
        message = (
            f"{plural(dates.count, 'date')} without a time of day in column '{column.name}', taken "
            f"as 00:00: {spell_lines(dates.lines, dates.count)}."
        )
        where = counted(dates.lines, dates.count)
        found.append(warning("some_dates_only", message, where, column.name))
    return found


def _parts(cell: str, main: str, order: tuple[str, str, str]) -> str:
    """SQL of a struct of texts: the parts of a written time, "" for what is not there."""
    names = (*order, "hour", "minute", "second", "fraction", "half", "zone")
    listed = ", ".join(literal(name) for name in names)
    return f"regexp_extract({cell}, {literal(f'^(?:{_READABLE[main]})$')}, [{listed}])"


def _stamp_sql(p: str) -> str:
    """SQL of a timestamp in UTC from the parts; NULL for a day or an hour that is none.

    Years outside 1900 .. 2199 are stand-ins for "unknown", not times, and give NULL as well.
    """
    hour = f"TRY_CAST({p}.hour AS INTEGER)"
    in_day = (
        f"CASE WHEN {p}.half = '' THEN coalesce({hour}, 0) WHEN {hour} NOT BETWEEN 1 AND 12 THEN "
        f"NULL ELSE {hour} % 12 + CASE WHEN lower({p}.half) = 'p' THEN 12 ELSE 0 END END"
    )
    stamp = (
        f"{p}.year || '-' || lpad({p}.month, 2, '0') || '-' || lpad({p}.day, 2, '0') || ' ' || "
        f"lpad(CAST({in_day} AS VARCHAR), 2, '0') || ':' || lpad({p}.minute, 2, '0') || ':' || "
        f"lpad({p}.second, 2, '0') || '.' || {p}.fraction || '0'"
    )
    whole = f"abs(TRY_CAST({p}.zone[1:3] AS INTEGER))"
    part = f"CASE WHEN length({p}.zone) > 3 THEN TRY_CAST(right({p}.zone, 2) AS INTEGER) ELSE 0 END"
    minutes = (
        f"CASE WHEN {p}.zone[1] NOT IN ('+', '-') THEN 0 WHEN {whole} > 14 OR {part} > 59 THEN "
        f"NULL ELSE ({whole} * 60 + {part}) * CASE {p}.zone[1] WHEN '-' THEN -1 ELSE 1 END END"
    )
    return (
        f"CASE WHEN TRY_CAST({p}.year AS INTEGER) BETWEEN 1900 AND 2199 THEN "
        f"TRY_CAST({stamp} AS TIMESTAMP) - to_minutes({minutes}) END"
    )
