"""What an analyst must know of a log within ten seconds: size, span, verdict, and what to mind.

Counted where the file is, in a few passes over single columns; whole users are sampled only for
the pauses between events.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

import duckdb

from core.action_roles import Role, role_of
from core.artifacts import Events, fingerprint
from core.events import engine
from core.events.columns.reading import quoted
from core.events.overview import Overview, Timeline, overview
from core.events.readiness import (
    HEAVY_FROM,
    PLACED_FROM,
    Level,
    Measures,
    Remark,
    judge,
)

VERSION = 1

SAMPLED_EVENTS = 2_000_000
"""Pauses are counted over whole users that have about so many events together."""
_MOST_WORDS = 60
"""Actions told apart; 62 fit into the bits of one number."""
_FUNNEL: tuple[tuple[str, tuple[Role, ...]], ...] = (
    ("looked or searched", ("view", "click", "search")),
    ("kept in mind", ("favourite",)),
    ("put into the cart", ("cart",)),
    ("bought", ("purchase",)),
    ("gave back", ("return",)),
)
"""Stages of the way to a purchase, and the actions that belong to each."""
_CONTENT = ("item", "category", "price", "duration", "quantity", "query")
_CONTENT_NAMES = {"query": "search text"}
PAUSES: tuple[tuple[str, float | None], ...] = (
    ("same time", 1),
    ("under 10 s", 10),
    ("10-30 s", 30),
    ("30-60 s", 60),
    ("1-3 min", 180),
    ("3-10 min", 600),
    ("10-30 min", 1800),
    ("30-60 min", 3600),
    ("1-3 h", 3 * 3600),
    ("3-12 h", 12 * 3600),
    ("12-24 h", 86_400),
    ("1-3 days", 3 * 86_400),
    ("3-7 days", 7 * 86_400),
    ("1-4 weeks", 28 * 86_400),
    ("1-3 months", 91 * 86_400),
    ("longer", None),
)
"""Kinds of pauses by name, each up to but without so many seconds."""


@dataclass(frozen=True, kw_only=True)
class Pauses:
    """How long users wait between two of their events."""

    name: str
    up_to: float | None
    """Seconds; the pause is shorter than this. None where there is no bound."""
    events: int


@dataclass(frozen=True, kw_only=True)
class FunnelStage:
    """Users that did one of the actions of a stage, at any time."""

    name: str
    actions: tuple[str, ...]
    users: int
    also: int
    """Those of the stage before it that did this as well; all users for the first stage."""


@dataclass(frozen=True, kw_only=True)
class Quality:
    """The summary of a log, with all that its charts need."""

    n_rows: int
    n_usable: int
    """Rows with a user and a time."""
    n_users: int
    """Users with a usable row."""
    first: datetime | None
    last: datetime | None
    actions: tuple[str, ...]
    """The most frequent first, at most 60."""
    n_actions: int
    level: Level
    verdict: str
    remarks: tuple[Remark, ...]
    """What weighs most first."""
    overview: Overview
    pauses: tuple[Pauses, ...]
    pauses_of: int
    """Users whose pauses were counted: all, or a sample of them."""
    funnel: tuple[FunnelStage, ...]
    """Empty where the words of the actions name fewer than two stages."""
    fingerprint: str


def quality(events: Events) -> Quality:
    """Count, judge and summarise a typed log before it is cleaned.

    About ten seconds and a gigabyte at most for 20 million events of a million users.
    """
    seen = overview(events)
    with engine.connect() as connection:
        engine.open_events(connection, events.path)
        words = _words(connection)
        _gather_people(connection, words)
        rows = _rows(connection)
        people = _people(connection)
        content = _content(connection, events.present)
        pauses, pauses_of = _pauses(connection, rows["usable"], people["users"])
        funnel = _funnel(connection, words)
        n_actions = _value(connection, "SELECT count(DISTINCT action) FROM events")
    between = sum(found.events for found in pauses)
    verdict = judge(
        Measures(
            **rows,
            **people,
            actions=n_actions,
            top_action=words[0] if words else "",
            content=content,
            same_time=pauses[0].events / between if between else 0.0,
            hole=_hole(seen.timeline, rows["first"], rows["last"]),
        )
    )
    return Quality(
        n_rows=rows["rows"],
        n_usable=rows["usable"],
        n_users=people["users"],
        first=rows["first"],
        last=rows["last"],
        actions=words,
        n_actions=n_actions,
        level=verdict.level,
        verdict=verdict.text,
        remarks=verdict.remarks,
        overview=seen,
        pauses=pauses,
        pauses_of=pauses_of,
        funnel=funnel,
        fingerprint=measured_as(events),
    )


def measured_as(events: Events) -> str:
    """Fingerprint of the quality of a log."""
    return fingerprint(events.fingerprint, "quality", VERSION, {})


def _words(connection: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    found = connection.execute(
        "SELECT action FROM events WHERE action IS NOT NULL "
        f"GROUP BY action ORDER BY count(*) DESC, action LIMIT {_MOST_WORDS}"
    ).fetchall()
    return tuple(word for (word,) in found)


def _gather_people(connection: duckdb.DuckDBPyConnection, words: Sequence[str]) -> None:
    """The table ``people``: every user's usable events, and a bit for each action done."""
    connection.execute("CREATE TEMP TABLE words (word VARCHAR, code INTEGER)")
    if words:
        connection.executemany(
            "INSERT INTO words VALUES (?, ?)", [[word, code] for code, word in enumerate(words)]
        )
    connection.execute(
        'CREATE TEMP TABLE people AS SELECT "user", count(*) AS n, '
        f"bit_or(CAST(1 AS BIGINT) << coalesce(code, {_MOST_WORDS})) AS done "
        "FROM events LEFT JOIN words ON action = word "
        'WHERE "user" IS NOT NULL AND "time" IS NOT NULL GROUP BY "user"'
    )


def _rows(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    usable = '"user" IS NOT NULL AND "time" IS NOT NULL'
    return _named(
        connection,
        f"SELECT count(*) AS rows, count(*) FILTER ({usable}) AS usable, "
        'count(*) FILTER ("user" IS NULL) AS no_user, '
        'count(*) FILTER ("user" IS NOT NULL AND "time" IS NULL) AS no_time, '
        f'min("time") FILTER ({usable}) AS first, max("time") FILTER ({usable}) AS last, '
        f'count(*) FILTER ({usable} AND "time" = date_trunc(\'day\', "time")) AS midnight '
        "FROM events",
    )


def _people(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    return _named(
        connection,
        "SELECT count(*) AS users, count(*) FILTER (n = 1) AS single, "
        f"count(*) FILTER (n >= {PLACED_FROM}) AS placed, "
        "coalesce(median(n), 0.0) AS median_events, "
        f"count(*) FILTER (n > {HEAVY_FROM}) AS heavy, "
        f"CAST(coalesce(sum(n) FILTER (n > {HEAVY_FROM}), 0) AS BIGINT) AS heavy_rows, "
        'coalesce(arg_max("user", (n, "user")), \'\') AS top_user, '
        "coalesce(max(n), 0) AS top_rows FROM people",
    )


def _content(connection: duckdb.DuckDBPyConnection, present: Sequence[str]) -> tuple[str, ...]:
    """The columns in which events differ."""
    columns = [column for column in _CONTENT if column in present]
    if not columns:
        return ()
    differ = ", ".join(f"min({quoted(c)}) <> max({quoted(c)}) AS {quoted(c)}" for c in columns)
    found = _named(connection, f"SELECT {differ} FROM events")
    return tuple(_CONTENT_NAMES.get(column, column) for column in columns if found[column])


def _pauses(
    connection: duckdb.DuckDBPyConnection, usable: int, users: int
) -> tuple[tuple[Pauses, ...], int]:
    """Pauses by kind, over every user or, past `SAMPLED_EVENTS`, over each n-th by hash."""
    every = -(-usable // SAMPLED_EVENTS) if usable else 1
    cases = " ".join(
        f"WHEN pause < {limit} THEN {place}" for place, (_, limit) in enumerate(PAUSES) if limit
    )
    counted = dict(
        connection.execute(
            "WITH picked AS ("
            'SELECT "user", epoch_us("time") AS moment FROM events '
            'WHERE "user" IS NOT NULL AND "time" IS NOT NULL AND hash("user") % $every = 0'
            "), waits AS (SELECT (moment - lag(moment) OVER "
            '(PARTITION BY "user" ORDER BY moment)) / 1e6 AS pause FROM picked) '
            f"SELECT CASE {cases} ELSE {len(PAUSES) - 1} END AS kind, count(*) "
            "FROM waits WHERE pause IS NOT NULL GROUP BY kind",
            {"every": every},
        ).fetchall()
    )
    found = tuple(
        Pauses(name=name, up_to=limit, events=counted.get(place, 0))
        for place, (name, limit) in enumerate(PAUSES)
    )
    if every == 1:
        return found, users
    sampled = f'SELECT count(*) FROM people WHERE hash("user") % {int(every)} = 0'
    return found, _value(connection, sampled)


def _funnel(connection: duckdb.DuckDBPyConnection, words: Sequence[str]) -> tuple[FunnelStage, ...]:
    """Users by the stages that the words of the actions name."""
    stages = [
        (name, actions)
        for name, roles in _FUNNEL
        if (actions := tuple(word for word in words if role_of(word) in roles))
    ]
    if len(stages) < 2:
        return ()
    code = {word: place for place, word in enumerate(words)}
    masks = [sum(1 << code[word] for word in actions) for _, actions in stages]
    did = [f"done & {mask} <> 0" for mask in masks]
    counts = [f"count(*) FILTER ({mine})" for mine in did]
    both = ["count(*)"] + [
        f"count(*) FILTER ({before} AND {mine})" for before, mine in pairwise(did)
    ]
    row = connection.execute(f"SELECT {', '.join(counts + both)} FROM people").fetchall()[0]
    return tuple(
        FunnelStage(name=name, actions=actions, users=users, also=also if place else users)
        for place, ((name, actions), users, also) in enumerate(
            zip(stages, row[: len(stages)], row[len(stages) :], strict=True)
        )
    )


def _hole(
    timeline: Timeline, first: datetime | None, last: datetime | None
) -> tuple[datetime, datetime] | None:
    """The longest run of bins without events, from its first moment to the next event's bin."""
    totals = [sum(counts) for counts in zip(*(s.counts for s in timeline.series), strict=True)]
    longest: tuple[datetime, datetime] | None = None
    begun: datetime | None = None
    for start, total in zip(timeline.starts, totals, strict=True):
        if not total:
            begun = begun or start
            continue
        if begun is not None and (longest is None or start - begun > longest[1] - longest[0]):
            longest = (begun, start)
        begun = None
    return longest if first and last else None


def _named(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, Any]:
    found = connection.execute(query)
    names = [column[0] for column in found.description or ()]
    return dict(zip(names, found.fetchall()[0], strict=True))


def _value(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(connection.execute(query).fetchall()[0][0])
