"""What a log looks like, in small numbers: for the charts beside the cleaning rules.

Works on a log before and after cleaning alike. Everything is counted where the file is; only
counts come back. Cells without a word are counted under `NONE`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import duckdb

from core.artifacts import CleanEvents, Events
from core.events import engine

VERSION = 1
NONE = "(none)"
"""Name under which cells without a word are counted."""
REST = "(other)"
"""Name under which the less frequent actions are counted together."""

EXACT_EVENTS = 2_000_000
"""Past so many events users are counted by an estimate (HyperLogLog)."""
_MOST_BINS = 120
_MOST_SERIES = 9
"""With `REST` ten lines, which is as many colours as can be told apart."""
_UNITS = {
    "minute": ("1 minute", timedelta(minutes=1)),
    "hour": ("1 hour", timedelta(hours=1)),
    "day": ("1 day", timedelta(days=1)),
    "week": ("7 days", timedelta(days=7)),
    "month": ("1 month", timedelta(days=28)),
    "quarter": ("3 months", timedelta(days=90)),
    "year": ("1 year", timedelta(days=365)),
    "decade": ("10 years", timedelta(days=3652)),
    "century": ("100 years", timedelta(days=36524)),
}
"""Width of a bin as an interval, and at least how long it is."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """How often one action happened in every bin of a timeline."""

    action: str
    counts: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """Events over time; bins without events are there, as zeros."""

    unit: str
    """Width of a bin: "minute", "hour", "day", "week", "month", "quarter", "year" ..."""
    starts: tuple[datetime, ...]
    """Start of every bin (UTC), at most 120 of them; empty where no row has a time."""
    series: tuple[Series, ...]
    """The most frequent actions, falling; the rest as `REST`."""


@dataclass(frozen=True, kw_only=True)
class Bin:
    """Users that have from ``low`` to ``high`` events, both included."""

    low: int
    high: int
    users: int


@dataclass(frozen=True, kw_only=True)
class Count:
    """How often a word stands in the log, and for how many users."""

    name: str
    events: int
    users: int


@dataclass(frozen=True, kw_only=True)
class Overview:
    """All that the charts of one log need."""

    n_events: int
    n_users: int
    first: datetime | None
    last: datetime | None
    timeline: Timeline
    events_per_user: tuple[Bin, ...]
    actions: tuple[Count, ...]
    categories: tuple[Count, ...]


def overview(log: Events | CleanEvents) -> Overview:
    """Size, span, timeline, events per user and most frequent words of a log."""
    with _opened(log) as connection:
        n_events, n_users, first, last = _one(
            connection,
            f'SELECT count(*), {_different(log)}, min("time"), max("time") FROM events',
        )
    return Overview(
        n_events=n_events,
        n_users=n_users,
        first=first,
        last=last,
        timeline=events_over_time(log),
        events_per_user=events_per_user(log),
        actions=action_counts(log),
        categories=category_counts(log),
    )


def events_over_time(log: Events | CleanEvents) -> Timeline:
    """Events per minute, hour, day, week or longer, by action; the finest with at most 120 bins."""
    names = [count.name for count in action_counts(log, limit=_MOST_SERIES)]
    with _opened(log) as connection:
        first, last = _one(connection, 'SELECT min("time"), max("time") FROM events')
        if first is None:
            return Timeline(unit="day", starts=(), series=())
        unit = _unit(last - first)
        starts = connection.execute(
            "SELECT unnest(generate_series(date_trunc($unit, $first::TIMESTAMP), "
            "$last::TIMESTAMP, $width::INTERVAL))",
            {"unit": unit, "first": first, "last": last, "width": _UNITS[unit][0]},
        ).fetchall()
        counted = connection.execute(
            "SELECT CASE WHEN list_contains($names, coalesce(action, $none)) "
            "THEN coalesce(action, $none) ELSE $rest END AS name, "
            'date_trunc($unit, "time") AS start, count(*) '
            'FROM events WHERE "time" IS NOT NULL GROUP BY ALL',
            {"names": names, "none": NONE, "rest": REST, "unit": unit},
        ).fetchall()
    return _timeline(unit, [_moment(start) for (start,) in starts], names, counted)


def events_per_user(log: Events | CleanEvents) -> tuple[Bin, ...]:
    """How many users have 1, 2-3, 4-7, 8-15 ... events: bins that double, from 1 to the most."""
    with _opened(log) as connection:
        counted = dict(
            connection.execute(
                "SELECT CAST(floor(log2(n)) AS INTEGER) AS doubling, count(*) FROM "
                '(SELECT count(*) AS n FROM events WHERE "user" IS NOT NULL GROUP BY "user") '
                "GROUP BY doubling"
            ).fetchall()
        )
    return tuple(
        Bin(low=2**doubling, high=2 ** (doubling + 1) - 1, users=counted.get(doubling, 0))
        for doubling in range(max(counted, default=-1) + 1)
    )


def action_counts(log: Events | CleanEvents, limit: int = 20) -> tuple[Count, ...]:
    """The most frequent actions, falling; ties by name."""
    return _word_counts(log, "action", limit)


def category_counts(log: Events | CleanEvents, limit: int = 20) -> tuple[Count, ...]:
    """The most frequent categories, falling; ties by name. Empty where the log has none."""
    return _word_counts(log, "category", limit) if "category" in log.present else ()


@contextmanager
def _opened(log: Events | CleanEvents) -> Iterator[duckdb.DuckDBPyConnection]:
    with engine.connect() as connection:
        engine.open_events(connection, log.path)
        yield connection


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    found = connection.execute(query).fetchone()
    assert found is not None
    return found


def _word_counts(log: Events | CleanEvents, column: str, limit: int) -> tuple[Count, ...]:
    with _opened(log) as connection:
        counted = connection.execute(
            f'SELECT coalesce("{column}", $none) AS name, count(*) AS n, {_different(log)} '
            "FROM events GROUP BY name ORDER BY n DESC, name LIMIT $limit",
            {"none": NONE, "limit": limit},
        ).fetchall()
    return tuple(Count(name=name, events=n, users=users) for name, n, users in counted)


def _different(log: Events | CleanEvents) -> str:
    """SQL that counts different users; of a large log to within about 2%, in little memory."""
    n_events = log.n_events if isinstance(log, Events) else log.report.events_after
    function = "count(DISTINCT {})" if n_events <= EXACT_EVENTS else "approx_count_distinct({})"
    return function.format('"user"')


def _unit(span: timedelta) -> str:
    """The finest unit of which 120 bins hold the span, wherever in a bin it begins."""
    fitting = (u for u, (_, width) in _UNITS.items() if span / width <= _MOST_BINS - 2)
    return next(fitting, "century")


def _timeline(
    unit: str,
    starts: list[datetime],
    names: list[str],
    counted: list[tuple[str, datetime, int]],
) -> Timeline:
    counts = {(name, _moment(start)): n for name, start, n in counted}
    found = {name for name, _, _ in counted}
    shown = names + ([REST] if REST in found and REST not in names else [])
    series = tuple(
        Series(action=name, counts=tuple(counts.get((name, start), 0) for start in starts))
        for name in shown
    )
    return Timeline(unit=unit, starts=tuple(starts), series=series)


def _moment(start: Any) -> datetime:
    """A date as the midnight it begins with."""
    return start if isinstance(start, datetime) else datetime(start.year, start.month, start.day)
