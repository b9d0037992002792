"""Dates written without a year: which of them belong to the year after the first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from core.events.columns.reading import Column
from core.events.columns.time_forms import ORDERS, Form, parts

_LEAP = 2000
"""Days are placed in a leap year, so that 29 February has its place."""
_HALF_A_YEAR = 182


@dataclass(frozen=True)
class Years:
    """``sql`` makes SQL of the year, as text, from that of the parts of a date."""

    sql: Callable[[str], str]
    message: str


def year_of_first_event(column: Column, form: Form, order: str, year: int) -> Years:
    """Settle the year of every date, where the first event lies in ``year``.

    A log of less than a year passes at most one new year. It does where the rows, in the order of
    the file, then stand in the order of time, or where more than half a year without any event
    lies between the dates before and those after; otherwise all dates are of one year.
    """
    start = _start(column, form, order)
    if start is None:
        return Years(
            lambda p: f"'{year}'",
            f"The dates in column '{column.name}' name no year; all were taken to be in {year}.",
        )
    key = start.month * 100 + start.day

    def sql(p: str) -> str:
        return f"CASE WHEN {_key(p)} >= {key} THEN '{year}' ELSE '{year + 1}' END"

    return Years(
        sql,
        f"The dates in column '{column.name}' name no year; those from {start:%d %B} on were taken "
        f"to be in {year}, those before it in {year + 1}, as the log passes a new year.",
    )


def _start(column: Column, form: Form, order: str) -> date | None:
    """The day of the year on which the log begins, where it passes a new year; else None."""
    p = parts("cell", form, ORDERS[order])
    days = f"SELECT {_key('p')} AS day, line FROM (SELECT {p} AS p, line FROM cells)"
    rows = column.query(f"SELECT day, min(line) FROM ({days}) GROUP BY day ORDER BY day")
    known = [(found, line) for key, line in rows if (found := _day(key)) is not None]
    if len(known) < 2:
        return None
    first_in_file = min(known, key=lambda found: found[1])[0]
    if first_in_file != known[0][0] and _in_order(column, p, first_in_file):
        return first_in_file
    gap, after = max((two - one, two) for (one, _), (two, _) in pairwise(known))
    return after if gap.days > _HALF_A_YEAR else None


def _in_order(column: Column, p: str, start: date) -> bool:
    """Whether the rows stand in the order of time if the log begins on that day of the year."""
    key = _key("p")
    turned = f"{key} + CASE WHEN {key} >= {start.month * 100 + start.day} THEN 0 ELSE 1300 END"
    days = (
        f"SELECT min(line) AS low, max(line) AS high, turned FROM (SELECT line, {turned} AS turned "
        f"FROM (SELECT {p} AS p, line FROM rows)) WHERE turned IS NOT NULL GROUP BY turned"
    )
    steps = f"SELECT high > lead(low) OVER (ORDER BY turned) AS back FROM ({days})"
    return not column.query(f"SELECT coalesce(bool_or(back), false) FROM ({steps})")[0][0]


def _key(p: str) -> str:
    """SQL of 100 times the month plus the day."""
    return f"(TRY_CAST({p}.month AS INTEGER) * 100 + TRY_CAST({p}.day AS INTEGER))"


def _day(key: int | None) -> date | None:
    try:
        return None if key is None else date(_LEAP, *divmod(key, 100))
    except ValueError:  # no such day
        return None
