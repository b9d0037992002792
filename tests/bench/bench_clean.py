"""Cleaning at several sizes, query by query, beside the bare SQL that does as little as can be.

Each measurement runs in a process of its own, so that its peak of memory is its own. CPU seconds
are user and system time of all threads.
"""

import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from core.artifacts import Events
from core.events import engine
from core.events.clean import CleanOptions, clean
from core.events.preview import effects, preview
from core.sequences import SequenceOptions, build

SIZES = (1_000_000, 5_000_000, 20_000_000)
LAST_N = 128
PRESENT = ("user", "time", "action", "item", "category", "duration", "price", "platform")

LOG_SQL = """
WITH numbered AS (
    -- one row in a hundred is the row before it once more
    SELECT i, CASE WHEN i > 0 AND hash(i) % 100 = 0 THEN i - 1 ELSE i END AS k FROM range($n) t(i)
), drawn AS (
    SELECT i, k, CAST(hash(k, 1) >> 2 AS BIGINT) AS a, CAST(hash(k, 2) >> 2 AS BIGINT) AS b,
        CAST(hash(k, 3) >> 2 AS BIGINT) % 1000000 / 1000000.0 AS c,
        CAST(hash(k, 4) >> 2 AS BIGINT) AS d FROM numbered
)
SELECT
    CASE WHEN d % 500 = 0 THEN NULL WHEN k % 100 = 7 THEN 'U0000001'
        ELSE 'U' || lpad(CAST(a % ($n // 50) AS VARCHAR), 7, '0') END AS "user",
    CASE WHEN d % 1000 = 1 THEN NULL
        ELSE TIMESTAMP '2025-01-01' + to_seconds(CAST(k * (7776000.0 / $n) AS BIGINT))
    END AS "time",
    ['view', 'click', 'search', 'cart', 'purchase', 'review'][1 + b % 6] AS action,
    'SKU-' || lpad(CAST(CAST(50000 * c * c AS BIGINT) AS VARCHAR), 5, '0') AS item,
    CASE WHEN d % 50 > 0 THEN 'category ' || CAST(200 * c * c AS BIGINT) END AS category,
    CASE WHEN d % 3 > 0 THEN CAST(b % 3000 AS DOUBLE) END AS duration,
    round(exp(3 + d % 1000 / 500.0), 2) AS price,
    CAST(NULL AS DOUBLE) AS quantity, CAST(NULL AS VARCHAR) AS session,
    ['web', 'app', 'shop'][1 + a % 3] AS platform,
    CAST(NULL AS VARCHAR) AS query, CAST(NULL AS VARCHAR) AS label,
    i + 2 AS line, CASE WHEN d % 1000 = 1 THEN 'time' ELSE '' END AS unreadable,
    hash(k, 5) AS row_hash
FROM drawn
"""
"""50 events per user over 90 days, one user with a hundredth of all; with blanks and repeats."""

BARE_SQL = f"""
WITH coded AS (
    SELECT u, epoch_us("time") AS moment, duration, price, line, coalesce(a.code, 0) AS action,
        coalesce(i.code, 0) AS item, coalesce(c.code, 0) AS category,
        coalesce(p.code, 0) AS platform
    FROM once JOIN users USING ("user") LEFT JOIN action_words a ON action = a.word
    LEFT JOIN item_words i ON item = i.word LEFT JOIN category_words c ON category = c.word
    LEFT JOIN platform_words p ON platform = p.word
), placed AS (
    SELECT *, moment - lag(moment) OVER (PARTITION BY u ORDER BY moment, line) AS gap,
        row_number() OVER (PARTITION BY u ORDER BY moment DESC, line DESC) AS back FROM coded
)
SELECT * FROM placed WHERE back <= {LAST_N}
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        for size in SIZES:
            log = Path(scratch) / f"{size}.parquet"
            write_log(log, size)
            print(f"{size:>10,} events  {log.stat().st_size / 1e6:.0f} MB", flush=True)
            for work in (bare, cleaned, cleaned_and_built):
                apart(work, log)
            if size == SIZES[0]:
                for work in (previewed, all_effects):
                    apart(work, log)
            log.unlink()


def write_log(path: Path, n_events: int) -> None:
    with engine.connect(path.parent) as db:
        db.execute(
            f"COPY ({LOG_SQL}) TO $path (FORMAT parquet)", {"n": n_events, "path": str(path)}
        )


def apart(work: Callable[[Path], None], log: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=measured, args=(work, log))
    process.start()
    process.join()
    if process.exitcode:
        sys.exit(f"{work.__name__} failed")


def measured(work: Callable[[Path], None], log: Path) -> None:
    with clock(f"{'':12}{work.__name__}"):
        work(log)


@contextmanager
def clock(what: str) -> Iterator[None]:
    begun, used = time.perf_counter(), cpu_seconds()
    yield
    wall, cpu = time.perf_counter() - begun, cpu_seconds() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what:72.72} {wall:7.2f} s {cpu:7.2f} CPU s {peak:6.0f} MB", flush=True)


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def bare(log: Path) -> None:
    """Validity, exact duplicates, coding, gaps and the last events of each user; nothing told."""
    with engine.connect(log.parent) as db:
        db.read_parquet(str(log)).create_view("log")
        columns = ", ".join(f'"{column}"' for column in PRESENT)
        db.execute(
            f"CREATE TEMP TABLE once AS SELECT {columns}, min(line) AS line FROM log "
            f'WHERE "user" IS NOT NULL AND "time" IS NOT NULL GROUP BY {columns}'
        )
        for column in ("action", "item", "category", "platform"):
            db.execute(
                f"CREATE TEMP TABLE {column}_words AS SELECT {column} AS word, row_number() OVER "
                f"(ORDER BY count(*) DESC, {column}) AS code FROM once GROUP BY {column}"
            )
        db.execute(
            'CREATE TEMP TABLE users AS SELECT "user", row_number() OVER (ORDER BY "user") AS u '
            'FROM (SELECT DISTINCT "user" FROM once)'
        )
        for batch in db.sql(BARE_SQL).to_arrow_reader(200_000):
            del batch


def cleaned(log: Path) -> None:
    with told_by_query():
        clean(events_of(log), CleanOptions(), log.parent)


def cleaned_and_built(log: Path) -> None:
    kept = clean(events_of(log), CleanOptions(), log.parent)
    build(kept, SequenceOptions(last_n=LAST_N))


def previewed(log: Path) -> None:
    preview(events_of(log), CleanOptions())


def all_effects(log: Path) -> None:
    effects(events_of(log), CleanOptions())


def events_of(log: Path) -> Events:
    return Events(
        path=log, present=PRESENT, n_events=0, n_users=0, problems=(), fingerprint="bench"
    )


class Watched:
    """A connection that tells how long each of its longer statements took."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def execute(self, sql: str, *values: Any) -> Any:
        begun = time.perf_counter()
        found = self._connection.execute(sql, *values)
        if time.perf_counter() - begun > 0.05:
            words = " ".join(sql.split())
            told = f"{words[:26]} .. {words[-26:]}"
            print(f"{'':16}{told:56.56} {time.perf_counter() - begun:7.2f} s", flush=True)
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@contextmanager
def told_by_query() -> Iterator[None]:
    plain = engine.connect

    @contextmanager
    def connect(*given: Any, **named: Any) -> Iterator[Any]:
        with plain(*given, **named) as connection:
            yield Watched(connection)

    engine.connect = connect
    try:
        yield
    finally:
        engine.connect = plain
