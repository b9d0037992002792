"""Times that can be: what cannot be read, and what lies before or after all events, is listed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from core.artifacts import Problem
from core.events.columns.reading import Kind, Reading, fits, kinds_where, nothing
from core.events.columns.time_column import EARLIEST, Way
from core.events.columns.time_forms import EPOCHS
from core.events.columns.time_zones import stamp_literal
from core.events.problems import plural

_SLACK = timedelta(days=1)
"""How far after now a time may lie: clocks differ, and zones by up to 14 hours."""


_DISBELIEF = {
    "unreadable": "cannot be read as times",
    "early_times": f"{{}} before {EARLIEST:%Y}, which stands for an unknown time",
    "future_times": "{} in the future",
}


def believed(way: Way, reading: Reading, now: datetime | None) -> Reading:
    """Leave out, and list, the times that cannot be read or cannot be.

    Where these are more than the times that can, the column was read in a wrong way: refused.
    """
    latest = (now or datetime.now(UTC).replace(tzinfo=None)) + _SLACK
    low, high = stamp_literal(EARLIEST), stamp_literal(latest)
    kinds = kinds_where(
        way.column,
        {
            "unreadable": "t IS NULL",
            "early_times": f"t < {low}",
            "future_times": f"t > {high}",
            "impossible": f"t IS NULL AND {fits('cell', way.pattern)}",
        },
        f"(SELECT *, {reading.value('cell')} AS t FROM cells)",
    )
    n_believed = way.column.filled - sum(kinds[code].count for code in _DISBELIEF)
    problems = [_problem(way, code, kinds, n_believed) for code in _DISBELIEF if kinds[code].count]
    found = (*reading.problems, *problems)
    if any(problem.severity == "refused" for problem in problems):
        return Reading(nothing("TIMESTAMP"), found)
    if not (kinds["early_times"].count or kinds["future_times"].count):
        return replace(reading, problems=found)
    within = f"CASE WHEN t BETWEEN {low} AND {high} THEN t END"
    # the lambda names the time, so that it is worked out once
    return replace(
        reading,
        value=lambda cell: f"list_transform([{reading.value(cell)}], lambda t: {within})[1]",
        problems=found,
    )


def _problem(way: Way, code: str, kinds: dict[str, Kind], n_believed: int) -> Problem:
    column, kind, impossible = way.column, kinds[code], kinds["impossible"]
    what = _DISBELIEF[code].format("lies" if kind.count == 1 else "lie")
    message = (
        f"{plural(kind.count, 'cell')} in column '{column.name}' (time) {what}, as "
        f"'{kind.example}': {column.spell(kind)}."
    )
    if code == "unreadable" and impossible.count:
        message += (
            f" Dates or hours that do not exist, as '{impossible.example}': "
            f"{column.spell(impossible)}."
        )
    wrong = impossible if code == "unreadable" else kind
    if wrong.count > n_believed:
        message += (
            " These are more than the others, so the column is not what it was taken for. Check "
            f"{_what_to_check(way)}, or choose another column."
        )
        return column.refuse(code, message, kind)
    if way.options.unreadable_times == "refuse":
        message += " Correct them, or set map.unreadable_times to drop."
        return column.refuse(code, message, kind)
    return column.warn(code, f"{message} These rows will be set aside.", kind)


def _what_to_check(way: Way) -> str:
    if way.main in EPOCHS:
        return f"the unit (map.epoch; it was taken as {way.main}) and the clock of this machine"
    if way.main == "excel":
        return "the calendar (map.excel_dates)"
    return (
        "the order of day and month (map.date_order), the year (map.year, map.short_years) and the "
        "clock of this machine"
    )
