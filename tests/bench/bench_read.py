"""From a CSV file to stored Parquet: the strict gate beside DuckDB reading it as all text.

Both run on the same generated file, each in a process of its own, and write with the same
compression. The growth exponent is log(time ratio) / log(size ratio); 1 is linear.
"""

import json
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

SMALL, LARGE = 1_000_000, 5_000_000
RUNS = 3
_STEP = 250_000
_MEASURE = """
import json, resource, sys, time
from pathlib import Path
source, folder = Path(sys.argv[1]), Path(sys.argv[2])
{imports}
before, begun = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
{work}
seconds, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF)
cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
status = Path("/proc/self/status").read_text().split()  # getrusage has the parent's memory in it
print(json.dumps([seconds, cpu, int(status[status.index("VmHWM:") + 1]) / 1024]))
"""
GATE = _MEASURE.format(
    imports="from core.events.read import ReadOptions, read",
    work="read(source, folder, ReadOptions(), name=source.name)",
)
DUCKDB = _MEASURE.format(
    imports="import duckdb; db = duckdb.connect(); db.execute('SET enable_progress_bar = false')",
    work="db.execute('COPY (FROM read_csv($1, all_varchar = true)) TO $2 "
    "(FORMAT parquet, COMPRESSION lz4)', [str(source), str(folder / 'duckdb.parquet')])",
)


def tables(n_events: int) -> Iterator[pa.Table]:
    """A shop's log in steps: many users, popular items, a time, a price, a blank here and there."""
    rng = np.random.default_rng(0)
    actions = np.array(["view", "search", "cart", "favourite", "purchase"])
    platforms = np.array(["web", "ios", "android"])
    for begin in range(0, n_events, _STEP):
        n = min(_STEP, n_events - begin)
        second = (begin + np.arange(n)) * (90 * 86_400) // n_events
        item = rng.zipf(1.3, n) % 50_000
        seconds = np.char.mod("%d", rng.integers(1, 600, n))
        yield pa.table(
            {
                "user_id": np.char.mod("u%07d", rng.integers(0, n_events // 20, n)),
                "timestamp": np.datetime_as_string(np.datetime64("2025-01-01T00:00:00") + second),
                "action": rng.choice(actions, n, p=[0.7, 0.1, 0.12, 0.03, 0.05]),
                "item": np.char.mod("sku-%06d", item),
                "category": np.char.mod("category %03d", item % 200),
                "price": np.char.mod("%.2f", rng.lognormal(3, 1, n)),
                "duration": np.where(rng.random(n) < 0.1, "", seconds),
                "platform": rng.choice(platforms, n),
                "session": np.char.mod("s%08d", rng.integers(0, n_events // 5, n)),
            }
        )


def write_log(path: Path, n_events: int) -> None:
    steps = tables(n_events)
    first = next(steps)
    plain = pa_csv.WriteOptions(quoting_style="none", quoting_header="none")
    with pa_csv.CSVWriter(path, first.schema, write_options=plain) as writer:
        writer.write_table(first)
        for table in steps:
            writer.write_table(table)


def measured(program: str, path: Path) -> list[float]:
    """Seconds, processor seconds and megabytes at most; the fastest of a few runs."""
    runs = []
    for _ in range(RUNS):
        with TemporaryDirectory(dir=path.parent) as folder:
            command = [sys.executable, "-c", program, str(path), folder]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            runs.append(json.loads(done.stdout))
    return min(runs)


def main() -> None:
    gate_seconds = {}
    with TemporaryDirectory() as folder:
        for n_events in (SMALL, LARGE):
            path = Path(folder) / f"{n_events}.csv"
            write_log(path, n_events)
            print(f"{n_events:>9,} events, {path.stat().st_size / 1e6:,.0f} MB of CSV")
            found = {"gate": measured(GATE, path), "DuckDB": measured(DUCKDB, path)}
            for name, (seconds, cpu, megabytes) in found.items():
                figures = f"{seconds:6.2f} s {cpu:6.2f} CPU s {megabytes:6.0f} MB"
                print(f"{n_events:>9,} events  {name:<8}{figures}", flush=True)
            wall, cpu = (found["gate"][at] / found["DuckDB"][at] for at in (0, 1))
            print(f"{n_events:>9,} events  gate / DuckDB: {wall:.2f} (CPU {cpu:.2f})", flush=True)
            gate_seconds[n_events] = found["gate"][1]
            path.unlink()
    growth = math.log(gate_seconds[LARGE] / gate_seconds[SMALL]) / math.log(LARGE / SMALL)
    print(f"growth exponent of the gate from {SMALL:,} to {LARGE:,} events: {growth:.2f} (CPU)")
