"""The engine of the event work: an embedded DuckDB, and the one SQL text that cleans a log.

`CLEANING_SQL` sees a table of typed events and bound parameters, and everything in it holds
within the rows of one user. So it runs over a whole file here, and can run unchanged over a
partition of whole users on a distributed engine; what can be known only of the whole log (bounds,
fill values) comes in as parameters, found by the same text with these left open.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

_GIB = 1024**3
_MOST_MEMORY = 4 * _GIB
_LEAST_MEMORY = _GIB // 2
_UNKNOWN_MEMORY = 4 * _GIB
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


@contextmanager
def connect(
    scratch: Path | None = None, *, memory_bytes: int | None = None, threads: int | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield an in-process DuckDB that spills to disk rather than outgrow its memory.

    ``scratch`` is where it may spill (default: the system's temporary folder); nothing stays
    there. ``memory_bytes`` defaults to half of the machine's, from 0.5 to 4 GiB (more was not
    faster on 20 million events); ``threads`` to one per core. Extensions are never fetched, so
    no request leaves the machine.
    """
    with TemporaryDirectory(prefix=".spill-", dir=scratch) as spill:
        config: dict[str, str | bool | int | float | list[str]] = {
            "temp_directory": spill,
            "memory_limit": f"{(memory_bytes or _fair_memory()) // 1024**2}MiB",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        if threads is not None:
            config["threads"] = threads
        connection = duckdb.connect(":memory:", config=config)
        try:
            connection.execute("SET enable_progress_bar = false")
            yield connection
        finally:
            connection.close()


def open_events(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Make the view ``events`` of a Parquet log; ``row`` is the place in the file, from 0.

    ``row_hash`` is NULL where the file has none.
    """
    # The path travels as an argument, never as text of a query.
    relation = connection.read_parquet(str(path), file_row_number=True)
    no_hash = "" if "row_hash" in relation.columns else ", CAST(NULL AS UBIGINT) AS row_hash"
    relation.select(
        '* EXCLUDE (file_row_number) REPLACE (CAST("time" AS TIMESTAMP) AS "time"), '
        f"file_row_number AS row{no_hash}"
    ).create_view("events")


def _fair_memory() -> int:
    """Half of what the machine, or the container around us, has."""
    known = [size for size in (_physical_memory(), _container_memory()) if size is not None]
    whole = min(known, default=_UNKNOWN_MEMORY)
    return max(_LEAST_MEMORY, min(_MOST_MEMORY, whole // 2))


def _physical_memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not on Windows
        return None


def _container_memory() -> int | None:
    try:
        return int(_CGROUP_LIMIT.read_text(encoding="ascii"))
    except (OSError, ValueError):  # no such container, or "max": no limit
        return None


RULES = {
    "no_user": """ "user" IS NULL AND NOT contains(unread, ',user,') """,
    "unreadable_user": """ "user" IS NULL AND contains(unread, ',user,') """,
    "no_time": """ "time" IS NULL AND NOT contains(unread, ',time,') """,
    "unreadable_time": """ "time" IS NULL AND contains(unread, ',time,') """,
    "duplicate": "copies > 1",
    "impossible_price": "price IS NOT NULL AND possible_price IS NULL",
    "impossible_duration": "duration IS NOT NULL AND possible_duration IS NULL",
    "outlier_price": "far_price",
    "outlier_duration": "far_duration",
    "no_action": "action IS NULL",
    "no_category": "category IS NULL",
    "no_item": "item IS NULL",
    "no_price": "possible_price IS NULL AND NOT contains(unread, ',price,')",
    "unreadable_price": "possible_price IS NULL AND contains(unread, ',price,')",
    "no_duration": "possible_duration IS NULL AND NOT contains(unread, ',duration,')",
    "unreadable_duration": "possible_duration IS NULL AND contains(unread, ',duration,')",
}
"""The rules that look at single rows, in the order in which they act, and what each looks for."""

BITS = {rule: 1 << place for place, rule in enumerate(RULES)}
"""The bit that stands for a rule; a lower bit acts earlier."""

INVALID = ("no_user", "unreadable_user", "no_time", "unreadable_time")
"""The rules that make a row unusable; always on."""

_COLUMNS = """ "user", "time", action, item, category, duration, price, quantity, session,
    platform, query """

DISTINCT_SQL = f"""
SELECT {_COLUMNS}, min(line) AS line, unreadable, count(*) AS copies FROM events
GROUP BY {_COLUMNS}, unreadable, row_hash
"""
"""Every distinct row once, as its first copy, with the number of its copies.

Rows are compared as typed, and by ``row_hash`` in the columns that play no role too. The label is
neither compared nor carried on: what is known of users never decides what becomes of their rows.
"""

ALL_ROWS_SQL = f"SELECT {_COLUMNS}, line, unreadable, 1 AS copies FROM events"
"""Every row as it is, where repeats are real."""

_TOUCHED = " | ".join(
    f"(CASE WHEN {condition} THEN {BITS[rule]} ELSE 0 END)" for rule, condition in RULES.items()
)

CLEANING_SQL = f"""
WITH possible AS (
    SELECT *, ',' || coalesce(unreadable, '') || ',' AS unread,
        CASE WHEN isfinite(price) AND price >= 0 THEN price END AS possible_price,
        CASE WHEN isfinite(duration) AND duration >= 0 THEN duration END AS possible_duration
    FROM rows_once
), bounded AS (
    SELECT *,
        coalesce((possible_price < $price_low OR possible_price > $price_high)
            AND (possible_price > 0 OR NOT $positive_only), false) AS far_price,
        coalesce((possible_duration < $duration_low OR possible_duration > $duration_high)
            AND (possible_duration > 0 OR NOT $positive_only), false) AS far_duration
    FROM possible
), touched AS (
    SELECT *, {_TOUCHED} AS all_bits FROM bounded
), dropped AS (
    -- n & -n is the lowest bit of n: the first rule that drops the row, 0 where none does
    SELECT *, (all_bits & $drops) & -(all_bits & $drops) AS dropped_by FROM touched
), cleaned AS (
    SELECT "user", "time", action, item, category,
        coalesce(CASE WHEN far_duration AND $clips
            THEN least(greatest(possible_duration, $duration_low), $duration_high)
            ELSE possible_duration END, $duration_fill) AS duration,
        coalesce(CASE WHEN far_price AND $clips
            THEN least(greatest(possible_price, $price_low), $price_high)
            ELSE possible_price END, $price_fill) AS price,
        quantity, session, platform, query, line, unreadable, copies, dropped_by,
        -- a rule that comes after the one that dropped the row never saw it
        CASE WHEN dropped_by = 0 THEN all_bits ELSE all_bits & (2 * dropped_by - 1) END AS bits
    FROM dropped
)
"""
"""Every row with its cleaned values, the rules that touched it and the one that dropped it.

Reads ``rows_once`` (`DISTINCT_SQL` or `ALL_ROWS_SQL`); a query on ``cleaned`` follows it.
Parameters: bounds and fill values of price and duration (doubles, NULL for none),
``positive_only`` (zero is no outlier), ``clips`` (outliers move to the bound), ``drops`` (the
bits of the rules that drop rows).
"""

TALLY_SQL = f"""{CLEANING_SQL}
SELECT "user", bits, dropped_by, CAST(sum(copies) AS BIGINT) AS copies, count(*) AS distinct_rows
FROM cleaned GROUP BY ALL
"""
"""The table ``tally``: how many rows of each user met which fate. All a report is made of."""

USERS_SQL = """
SELECT "user", CAST(sum(distinct_rows) AS BIGINT) AS n_events
FROM tally WHERE dropped_by = 0 GROUP BY "user"
"""
"""The users that have events left, and how many."""

KEPT_USERS_SQL = f"""
CREATE TEMP TABLE kept_users AS FROM ({USERS_SQL}) WHERE n_events BETWEEN $1 AND $2
"""

CLEAN_ROWS_SQL = f"""{CLEANING_SQL}
SELECT {_COLUMNS}, line, unreadable FROM cleaned
SEMI JOIN kept_users USING ("user") WHERE dropped_by = 0
ORDER BY "user", "time", line
"""
"""The rows that stay, of the users in the table ``kept_users``."""
