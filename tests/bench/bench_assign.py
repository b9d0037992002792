"""New users into a saved run: do they stand where the run itself would place them, and how fast.

A run is made on some users, then a log of others, and of some that the run knows, is assigned, by
one process on at most two cores, from the file to the file. Goal: 100,000 users a minute, and a
cosine above .9999 between where a user stood in the run and where it stands when assigned.
"""

import sys
import time
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as parquet

from core import representations, runs
from core.__main__ import main as command
from core.artifacts import Sequences
from core.assign import as_in_run, read_log
from core.events.mapping import complete, map_events
from core.events.read import ReadOptions
from tests.bench.bench_training import log
from tests.worlds import DAWN

N_USERS, N_FITTED, N_SHARED = 101_000, 3_000, 1_000
GOAL, NEAREST = 100_000, 0.9999
SAMPLE = Path(__file__).parents[2] / "sample_data" / "shop_events.csv"
BY = {
    "lstm and K-means": ("represent.method=lstm", "represent.epochs=2", "cluster.method=kmeans"),
    "chains of behaviour": ("represent.method=bag", "cluster.method=markov_mixture"),
    "sequence models": ("represent.method=bag", "cluster.method=latent_class"),
}


def table(sequences: Sequences) -> pa.Table:
    """The log of sequences as the columns of a file."""
    words, begun = sequences.vocabulary, np.asarray(sequences.time)[sequences.offsets[:-1]]
    since = sequences.time - np.repeat(begun, np.diff(sequences.offsets))
    user = sequences.user_ids[sequences.user_of_event()].astype(str)
    return pa.table(
        {
            "user_id": user,
            "time": pa.array((DAWN + since).astype("datetime64[s]")),
            "action": np.array(words.actions)[sequences.action - 1],
            "category": np.array(words.categories)[sequences.category - 1],
            "price": pa.array(sequences.price.astype(np.float64), from_pandas=True),
        }
    )


def parts(whole: pa.Table, n_fitted: int, n_shared: int) -> tuple[pa.Table, pa.Table]:
    """The log to fit on, and that of all other users and some of the same."""
    users = np.random.default_rng(0).permutation(pc.unique(whole["user_id"]).to_pylist())
    fitted, others = users[:n_fitted], users[n_fitted - n_shared :]
    return tuple(
        whole.filter(pc.is_in(whole["user_id"], pa.array(chosen.tolist())))
        for chosen in (fitted, others)
    )


def quietly(*call: str) -> None:
    told = StringIO()
    with redirect_stderr(told):
        code = command(list(call))
    if code:
        sys.exit(told.getvalue())


def cosine(run: runs.Run, path: Path, folder: Path) -> float:
    """The least over users that are in both logs, of where they stood and where they stand."""
    raw, needed = read_log(run, [path], folder, ReadOptions())
    events = map_events(raw, complete(raw, needed.columns()), folder)
    arrived, _ = as_in_run(run, events, folder)
    space = run.embeddings()
    points = representations.transform(space.method, space.state, arrived)
    _, here, there = np.intersect1d(space.user_ids, arrived.user_ids, return_indices=True)
    one, two = np.asarray(space.values)[here].astype(float), points[there].astype(float)
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(two, axis=1)
    alike = (one * two).sum(axis=1)[lengths > 0] / lengths[lengths > 0]
    return float(alike.min())


def bench(name: str, whole: pa.Table, n_fitted: int, n_shared: int) -> None:
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        fitted, others = parts(whole, n_fitted, n_shared)
        parquet.write_table(fitted, folder / "fitted.parquet")
        parquet.write_table(others, folder / "others.parquet")
        n_users = pc.count_distinct(others["user_id"]).as_py()
        for by, settings in BY.items():
            out = folder / by
            given = [word for one in settings for word in ("--set", one)]
            plain = ["--set", "project.method=pca", "--set", "cluster.n_clusters=4", *given]
            quietly("run", str(folder / "fitted.parquet"), "--out", str(out), *plain)
            began, cpu = time.perf_counter(), time.process_time()
            where = str(folder / "assigned.csv")
            quietly("assign", str(folder / "others.parquet"), "--run", str(out), "--out", where)
            took, worked = time.perf_counter() - began, time.process_time() - cpu
            near = ""
            if by.startswith("lstm"):
                (folder / "read").mkdir()
                least = cosine(runs.load_run(out), folder / "others.parquet", folder / "read")
                near = f"; least cosine of {n_shared:,} known users {least:.7f} (goal {NEAREST})"
            print(
                f"{name}, {by}: {n_users:,} users, {len(others):,} events in {took:.1f} s "
                f"({worked:.1f} CPU s): {60 * n_users / took:,.0f} users a minute (goal {GOAL:,})"
                f"{near}",
                flush=True,
            )


def main() -> None:
    bench("sample", pyarrow.csv.read_csv(SAMPLE), 400, 100)
    bench("synthetic", table(log(N_USERS)), N_FITTED, N_SHARED)


if __name__ == "__main__":
    main()
