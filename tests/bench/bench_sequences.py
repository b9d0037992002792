"""Events in Parquet to sequences, beside the bare SQL that does the same work.

Both meet unusable rows and exact duplicates, code words, measure gaps and keep the last 128
events of every user, in processes of their own. The product also writes the cleaned log and its
report, finds the visits and deals out the users. The ratio is that of the product by the same
rules as the bare SQL, so without bounds of outliers; "defaults" is the product with these too.
"""

import json
import math
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np

from core.artifacts import Events
from core.events import engine
from core.events.clean import CleanOptions, clean
from core.sequences import SequenceOptions, build

SIZES = (1_000_000, 20_000_000)
LAST_N = 128
EVENTS_PER_USER = 50
WORDS = {"action": 60, "category": 400, "item": 50_000, "platform": 60}
DEFAULTS = CleanOptions(min_events=1, max_events=100_000_000)
GOALS = {"ratio": 1.2, "gigabytes": 2.0, "exponent": 1.05}

LOG_SQL = """
COPY (
    SELECT
        CASE WHEN n % 200 = 7 THEN NULL WHEN n % 100 = 1 THEN 'u-busy'
            ELSE 'u' || CAST(hash(n) % $users AS VARCHAR) END AS "user",
        TIMESTAMP '2026-01-01' + to_seconds(CAST(hash(n + 1) % 7776000 AS BIGINT)) AS "time",
        ['view', 'search', 'cart', 'purchase', 'review'][
            1 + CAST(5 * pow((hash(n + 2) % 9973) / 9973, 2) AS INTEGER) % 5] AS action,
        'item ' || CAST(20000 * pow((hash(n + 3) % 999983) / 999983, 2) AS INTEGER) AS item,
        'category ' || CAST(300 * pow((hash(n + 4) % 99991) / 99991, 2) AS INTEGER) AS category,
        CASE WHEN hash(n + 5) % 3 = 0 THEN CAST(hash(n + 6) % 600 AS DOUBLE) END AS duration,
        CASE WHEN hash(n + 7) % 2 = 0 THEN (hash(n + 8) % 99991) / 100 END AS price,
        CAST(NULL AS DOUBLE) AS quantity, CAST(NULL AS VARCHAR) AS session,
        ['web', 'app'][1 + CAST(hash(n + 9) % 2 AS INTEGER)] AS platform,
        CAST(NULL AS VARCHAR) AS query, CAST(NULL AS VARCHAR) AS label,
        i + 2 AS line, CAST(NULL AS VARCHAR) AS unreadable, hash(n) AS row_hash
    FROM (SELECT i, CASE WHEN i % 97 = 0 THEN i - i % 1000 ELSE i END AS n FROM range($n) t(i))
) TO $path (FORMAT parquet)
"""
"""One event in a hundred is of one user, one in two hundred of nobody, one in a hundred a copy."""

BARE_SQL = f"""
CREATE TEMP TABLE kept AS
    SELECT "user", epoch_us("time") AS moment, action, category, item, platform, duration, price,
        min(line) AS line
    FROM events WHERE "user" IS NOT NULL AND "time" IS NOT NULL
    GROUP BY "user", "time", action, category, item, platform, duration, price, row_hash;
CREATE TEMP TABLE users AS
    SELECT "user", n, CAST(sum(least(n, {LAST_N})) OVER (ORDER BY "user") AS BIGINT) AS stop
    FROM (SELECT "user", count(*) AS n FROM kept GROUP BY "user");
"""
WORDS_SQL = """
CREATE TEMP TABLE {column}_words AS
    SELECT word, row_number() OVER (ORDER BY n DESC, word) AS code FROM (
        SELECT {column} AS word, count(*) AS n FROM kept WHERE word IS NOT NULL GROUP BY word
        ORDER BY n DESC, word LIMIT {most});
"""
CODED = ", ".join(f"coalesce({c}_words.code, 0) AS {c}" for c in WORDS)
JOINED = " ".join(f"LEFT JOIN {c}_words ON kept.{c} = {c}_words.word" for c in WORDS)
EVENTS_SQL = f"""
WITH coded AS (
    SELECT users.stop, moment, line, duration, price, {CODED}
    FROM kept JOIN users USING ("user") {JOINED}
), placed AS (
    SELECT *, moment - lag(moment, 1, moment) OVER history AS gap,
        count(*) OVER (PARTITION BY stop) - row_number() OVER history AS from_end
    FROM coded WINDOW history AS (PARTITION BY stop ORDER BY moment, line)
)
SELECT stop - 1 - from_end AS slot, moment, gap, duration, price, {", ".join(WORDS)}
FROM placed WHERE from_end < {LAST_N}
"""


def bare(path: Path, folder: Path) -> dict[str, float]:
    """The same work in SQL alone, fetched as Arrow batches into arrays."""
    with engine.connect(folder) as connection:
        engine.open_events(connection, path)
        connection.execute(BARE_SQL)
        for column, most in WORDS.items():
            connection.execute(WORDS_SQL.format(column=column, most=most))
        ((n_events,),) = connection.execute("SELECT max(stop) FROM users").fetchall()
        arrays = {name: np.empty(n_events, np.int32) for name in WORDS}
        arrays |= {name: np.empty(n_events, np.float32) for name in ("gap", "duration", "price")}
        arrays["moment"] = np.empty(n_events, np.int64)
        for batch in connection.sql(EVENTS_SQL).to_arrow_reader(200_000):
            slot = batch["slot"].to_numpy()
            for name, array in arrays.items():
                array[slot] = batch[name].to_numpy(zero_copy_only=False)
    arrays["gap"] /= 1e6
    arrays["time"] = arrays.pop("moment") // 1_000_000
    return check(arrays)


def product(path: Path, folder: Path) -> dict[str, float]:
    """Cleaning and building, as a journey does them, by the rules of the bare SQL."""
    return journey(path, folder, replace(DEFAULTS, price_outliers="off", duration_outliers="off"))


def defaults(path: Path, folder: Path) -> dict[str, float]:
    """The same with the bounds of prices and durations, as they are looked for by default."""
    return journey(path, folder, DEFAULTS)


def journey(path: Path, folder: Path, options: CleanOptions) -> dict[str, float]:
    events = Events(
        path=path,
        present=("user", "time", *WORDS, "duration", "price"),
        n_events=0,
        n_users=0,
        problems=(),
        fingerprint="bench",
    )
    begun = time.perf_counter(), time.process_time()
    cleaned = clean(events, options, folder)
    cleaning = time.perf_counter() - begun[0], time.process_time() - begun[1]
    built = build(
        cleaned, SequenceOptions(last_n=LAST_N, max_categories=WORDS["category"]), folder=folder
    )
    arrays = {name: getattr(built, name) for name in (*WORDS, "gap", "duration", "price", "time")}
    return check(arrays) | {"cleaning": cleaning[0], "cleaning_cpu": cleaning[1]}


def check(arrays: dict[str, np.ndarray]) -> dict[str, float]:
    """What must be the same however it was computed: sums that know the order of the events."""
    n_events = len(arrays["time"])
    weight = np.arange(n_events) % 9973
    sums = {name: float(np.nansum(array * weight)) / n_events for name, array in arrays.items()}
    return {"events": n_events, **{f"sum of {name}": value for name, value in sums.items()}}


def child(way: Callable[[Path, Path], dict[str, float]], path: Path, folder: Path) -> None:
    begun = time.perf_counter(), time.process_time()
    found = way(path, folder)
    found["seconds"] = time.perf_counter() - begun[0]
    found["cpu"] = time.process_time() - begun[1]
    found["gigabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(json.dumps(found))


def measured(way: str, path: Path) -> dict[str, float]:
    with TemporaryDirectory(dir=path.parent) as folder:
        call = [sys.executable, "-m", "tests.bench.bench_sequences", way, str(path), folder]
        done = subprocess.run(call, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def write_log(path: Path, n: int) -> None:
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute("SET memory_limit = '1GiB'")
        connection.execute(LOG_SQL, {"n": n, "users": n // EVENTS_PER_USER, "path": str(path)})


def main() -> None:
    seconds: dict[tuple[str, int], float] = {}
    with TemporaryDirectory() as scratch:
        for n in SIZES:
            path = Path(scratch) / f"events-{n}.parquet"
            write_log(path, n)
            found = {way: measured(way, path) for way in WAYS}
            for way, one in found.items():
                seconds[way, n] = one["cpu"]
                print(
                    f"{n:>11,} events  {way:8s} {one['seconds']:7.1f} s {one['cpu']:7.1f} CPU s "
                    f"{one['gigabytes']:5.2f} GB peak",
                    flush=True,
                )
            one, other = found["product"], found["bare"]
            for name in (name for name in one if name == "events" or name.startswith("sum")):
                assert math.isclose(one[name], other[name], rel_tol=1e-6), (name, found)
            print(
                f"{n:>11,} events  of the product's time cleaning took {one['cleaning']:.1f} s "
                f"({one['cleaning_cpu']:.1f} CPU s); ratio {one['seconds'] / other['seconds']:.2f} "
                f"(CPU {one['cpu'] / other['cpu']:.2f}; goal {GOALS['ratio']})",
                flush=True,
            )
    small, large = SIZES
    for way in WAYS:
        growth = math.log(seconds[way, large] / seconds[way, small]) / math.log(large / small)
        print(f"growth exponent of {way}: {growth:.3f} (goal {GOALS['exponent']})", flush=True)


WAYS = {"product": product, "defaults": defaults, "bare": bare}

if __name__ == "__main__":
    if len(sys.argv) == 4:
        child(WAYS[sys.argv[1]], Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
