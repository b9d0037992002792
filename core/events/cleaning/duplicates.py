"""Rows that repeat another one to the letter: which they are, and whether they may be real.

A log can hold the same row twice because it was written twice, or because the same thing happened
twice within what its clock can tell (two packs of tea on one receipt). `decide` looks before
anything is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import duckdb

from core.events.cleaning.cleaning_sql import COLUMNS, USABLE
from core.wording import percent

FEWEST_ROWS = 100
"""Of fewer rows nothing can be told; their repeats are taken for slips."""

MANY = 0.001
"""Share of repeats from which they may be real. Where things do happen twice at what the clock
calls one moment they do so all the time; fewer than one in a thousand are slips."""

WHOLE = 0.99
"""Share of times that must be whole minutes for the clock to be called coarse. Of times to the
second one in sixty is whole by chance; the rest allows for a few rows written otherwise."""

CROWDED = 0.1
"""Share of rows that stand beside a different row of the same user at the same moment, from which
the log is called one of lines (receipts, baskets): 59 to 99% there, under 1% where clicks are
counted to the second."""

DOUBLED = 0.9
"""Share of a day's rows that must be repeated for the day to count as written twice."""

LOOKED_AT = 1_000_000
"""So many rows from the start of the log are looked at for `CROWDED`; more would not change it."""

TOGETHER = 20
"""So many repeats one after another, each as far behind its original as the one before, are a
stretch that stands there twice; lines of one receipt repeat at any distance."""

DENSE = 0.5
"""Share of the rows of such a stretch that must be repeats; the rest are unusable rows."""

FEWEST_A_DAY = 20
"""Days with fewer different rows say nothing of that."""

_UNITS = ("day", "hour", "minute")
Decision = Literal["drop", "keep"]
_COPY = "exact duplicate of another row"


@dataclass(frozen=True)
class Verdict:
    """What becomes of the repeats, and what is told of them in the analyst's words."""

    decision: Decision
    told: str = _COPY


def find_repeats(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table ``repeats``: the second and later copies of usable rows.

    Rows are compared as typed, and by ``row_hash`` in the columns that play no role too. The label
    is not compared: what is known of users never decides what becomes of their rows.

    Equal rows have equal hashes, so only rows that share their hash with another are compared
    column by column: a few in most logs, and no text of the others is ever read.
    """
    key = _key(connection)
    connection.execute(
        f"CREATE TEMP TABLE alike AS SELECT {key} AS alike FROM events "
        "GROUP BY 1 HAVING count(*) > 1"
    )
    connection.execute(
        'CREATE TEMP TABLE repeats AS SELECT row, line, "user", "time", copy, original FROM ('
        f'SELECT row, line, "user", "time", row_number() OVER same AS copy, min(row) OVER same '
        f"AS original FROM events SEMI JOIN alike ON {key} = alike.alike WHERE {USABLE} "
        f"WINDOW same AS (PARTITION BY {COLUMNS}, unreadable, row_hash ORDER BY line, row)) "
        "WHERE copy > 1"
    )
    connection.execute("DROP TABLE alike")


def decide(connection: duckdb.DuckDBPyConnection) -> Verdict:
    """Whether the repeats of a log may be real, by the table ``repeats``.

    They are dropped where there are few of them (`MANY`), and where most belong to stretches of the
    file (`TOGETHER`) or whole days (`DOUBLED`) that stand there twice, as when exports overlap. Of
    the others those are kept that a coarse clock or several lines of one receipt explain (`WHOLE`,
    `CROWDED`).
    """
    (repeats,) = _one(connection, "SELECT count(*) FROM repeats")
    if not repeats:
        return Verdict("drop")
    _make_days(connection)
    (usable,) = _one(connection, "SELECT CAST(coalesce(sum(n), 0) AS BIGINT) FROM rows_by_day")
    if usable < FEWEST_ROWS or repeats < MANY * usable:
        return Verdict("drop")
    for where, count in (("in stretches", _doubled_stretches), ("on days", _doubled_days)):
        doubled = count(connection) / repeats
        if doubled >= 0.5:
            told = f"{_COPY}; {percent(doubled)} of them {where} that stand there twice"
            return Verdict("drop", told)
    why = _why_real(connection)
    if why is None:
        return Verdict("drop")
    return Verdict(
        "keep",
        f"{repeats:,} rows ({percent(repeats / usable)}) repeat another one; {why}, so they may be "
        "real; kept. clean.duplicates=drop removes them",
    )


def repeats_as_before(decision: Decision) -> Verdict:
    """What became of the repeats of an earlier log becomes of those of this one."""
    if decision == "drop":
        return Verdict("drop")
    return Verdict("keep", f"{_COPY}; kept, as in the log that the limits were drawn from")


def _why_real(connection: duckdb.DuckDBPyConnection) -> str | None:
    """What explains that the same thing stands there twice; None where nothing does."""
    unit = _coarse_unit(connection)
    if unit:
        return f"times are whole {unit}"
    crowded = _crowded_share(connection)
    if crowded >= CROWDED:
        return f"{percent(crowded)} of the rows share user and time with a different row"
    return None


def _key(connection: duckdb.DuckDBPyConnection) -> str:
    """SQL of 64 bits that are equal wherever two rows are."""
    (hashed,) = _one(connection, "SELECT count(*) = count(row_hash) FROM events")
    return "row_hash" if hashed else f"hash({COLUMNS}, unreadable, row_hash)"


def _make_days(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table ``rows_by_day``: a day, its usable rows, and how many are at whole units."""
    whole = ", ".join(
        f"""count(*) FILTER ("time" = date_trunc('{unit}', "time")) AS whole_{unit}"""
        for unit in _UNITS
    )
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE rows_by_day AS
        SELECT date_trunc('day', "time") AS day, count(*) AS n, {whole}
        FROM events WHERE {USABLE} GROUP BY day"""
    )


def _doubled_stretches(connection: duckdb.DuckDBPyConnection) -> int:
    """Repeats that belong to a stretch of rows that stands there twice in the same order."""
    (rows,) = _one(
        connection,
        f"""WITH far AS (
            SELECT row, row - original AS distance,
                lag(row - original) OVER (ORDER BY row) AS before FROM repeats
        ), stretches AS (
            SELECT row, sum(CAST(before IS DISTINCT FROM distance AS INTEGER)) OVER (ORDER BY row)
                AS stretch FROM far
        )
        SELECT coalesce(sum(n), 0) FROM (
            SELECT count(*) AS n, max(row) - min(row) + 1 AS span FROM stretches GROUP BY stretch
        ) WHERE n >= {TOGETHER} AND n >= {DENSE} * span""",
    )
    return int(rows)


def _doubled_days(connection: duckdb.DuckDBPyConnection) -> int:
    """Repeats on days of which nearly every row is repeated, in whatever order."""
    (rows,) = _one(
        connection,
        f"""WITH repeated AS (
            SELECT date_trunc('day', "time") AS day, count(*) AS copies,
                count(*) FILTER (copy = 2) AS originals FROM repeats GROUP BY day
        )
        SELECT coalesce(sum(copies), 0) FROM rows_by_day JOIN repeated USING (day)
        WHERE originals >= {DOUBLED} * (n - copies) AND n - copies >= {FEWEST_A_DAY}""",
    )
    return int(rows)


def _coarse_unit(connection: duckdb.DuckDBPyConnection) -> str | None:
    """The coarsest unit of which nearly all times are a whole number; None below the minute."""
    shares = ", ".join(f"sum(whole_{unit}) / sum(n)" for unit in _UNITS)
    found = zip(_UNITS, _one(connection, f"SELECT {shares} FROM rows_by_day"), strict=True)
    return next((f"{unit}s" for unit, share in found if share >= WHOLE), None)


def _crowded_share(connection: duckdb.DuckDBPyConnection) -> float:
    """Share of different rows that share user and moment with another one, 0 where none is left."""
    rows, crowded = _one(
        connection,
        "SELECT coalesce(sum(n), 0), coalesce(sum(n) FILTER (n > 1), 0) FROM ("
        "SELECT count(*) AS n FROM events ANTI JOIN repeats USING (row) "
        f'WHERE row < {LOOKED_AT} AND {USABLE} GROUP BY "user", "time")',
    )
    return float(crowded / rows) if rows else 0.0


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    found = connection.execute(query).fetchone()
    assert found is not None
    return found
