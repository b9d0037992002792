"""What was forecast beside what it took, step by step, in seconds of the processor and in memory.

Nothing is made when a setting is forecast; then every step is made in a process of its own, on the
results of those before it. A ratio is what it took by the middle of the forecast (of the range
from low to high the geometric one); memory is the most that the process held of its own. Users by
``BENCH_USERS`` ("10000,100000,1000000"). Of a million users the encoder reads only for a minute,
and the rest of the epochs is counted on.
"""

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from core.artifacts import Sequences, silent
from core.errors import JobStopped
from core.forecast import forecast
from core.forecast.machine import held_bytes, most_held
from core.pipeline import Journey
from core.run_options import RunOptions
from core.store import Store, to_plain
from tests.bench.bench_representations import log

SIZES = tuple(int(n) for n in os.environ.get("BENCH_USERS", "10000,100000,1000000").split(","))
MANY = 1_000_000
MINUTE = 60.0
N_CLUSTERS = 5
"""Users of this log are one continuum: left to itself the journey would form one segment."""
SETTINGS = {
    "auto": {},
    "lstm": {"represent": {"method": "lstm"}, "cluster": {"method": "latent_class"}},
    "fused": {"represent": {"method": "fused"}, "cluster": {"method": "hdbscan"}},
    "chains": {
        "represent": {"method": "markov_mixture"},
        "cluster": {"method": "markov_mixture"},
    },
    "tfidf": {"represent": {"method": "tfidf"}, "cluster": {"method": "kmeans"}},
    "event2vec": {"represent": {"method": "event2vec"}, "project": {"method": "pca"}},
}
STEPS = {
    "auto": ("models", "embeddings", "k_curve", "labels"),
    "lstm": ("models", "embeddings", "labels"),
    "fused": ("embeddings", "k_curve", "labels", "projection"),
    "chains": ("models", "embeddings", "labels"),
    "tfidf": ("embeddings", "labels"),
    "event2vec": ("embeddings", "projection"),
}
TOO_LONG = {("fused", "labels"), ("fused", "projection"), ("fused", "k_curve")}
"""What is forecast for a million users too, but not made: it would take hours."""
ONLY = tuple(os.environ.get("BENCH_SETTINGS", ",".join(SETTINGS)).split(","))


@dataclass(frozen=True, kw_only=True)
class Log:
    """Stands for a log of which only the sequences are there."""

    fingerprint: str
    present: tuple[str, ...] = ("user", "time", "action", "category", "item", "price")


def journey_of(folder: Path, n_users: int, name: str, listen=silent) -> Journey:
    """A journey whose sequences are made straight as arrays."""
    stages = SETTINGS[name]
    many = {"n_clusters": N_CLUSTERS, **stages.get("cluster", {})}
    options = RunOptions.from_dict({**stages, "cluster": many})
    journey = Journey(Store(folder), Log(fingerprint=f"{n_users:064d}"), options, listen=listen)
    made = journey.fingerprint("sequences")
    journey.store.get_or_make(Sequences, made, lambda _: log(n_users))
    return journey


def told(folder: Path, n_users: int, name: str) -> None:
    journey, began = journey_of(folder, n_users, name), time.process_time()
    found = to_plain(forecast(journey, STEPS[name]))
    print(json.dumps(found | {"seconds": time.process_time() - began}))


def took(folder: Path, n_users: int, name: str, step: str) -> None:
    """Make a step; one that is told to stop after a minute of training is counted on to its end."""
    stood = list[tuple[float, float]]()

    def listen(progress) -> None:
        if n_users >= MANY and progress.text.startswith("Epoch"):
            stood.append((time.process_time(), progress.done))
            if stood[-1][0] - stood[0][0] > MINUTE:
                raise JobStopped("Enough was seen.")

    journey = journey_of(folder, n_users, name, listen)
    for before in journey.missing(step)[:-1]:
        journey.make(before)
    began = time.process_time()

    def work() -> None:
        with suppress(JobStopped):
            journey.make(step)

    held = most_held(work)
    seconds = time.process_time() - began
    if len(stood) > 1 and stood[-1][1] < 0.9:
        (first, done_first), (last, done) = stood[0], stood[-1]
        seconds = (first - began) + (last - first) / (done - done_first) * (1 - done_first)
    print(json.dumps({"seconds": seconds, "memory_mb": max(held, held_bytes()) / 2**20}))


def child(*arguments: object) -> dict:
    call = [sys.executable, "-m", "tests.bench.bench_forecast", *map(str, arguments)]
    done = subprocess.run(call, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def compare(folder: Path, n_users: int, name: str) -> None:
    found = child("told", folder, n_users, name)
    print(f"{n_users:>9,} users  {name}: forecast in {found['seconds']:.1f} CPU s", flush=True)
    for one in found["steps"]:
        low, high, memory = one["low_seconds"], one["high_seconds"], one["memory_mb"]
        if n_users >= MANY and (name, one["step"]) in TOO_LONG:
            print(f"{'':17s}{name:9s} {one['step']:10s} {low:7.1f} to {high:7.1f} s; not made")
            continue
        real = child("took", folder, n_users, name, one["step"])
        ratio, inside = real["seconds"] / (low * high) ** 0.5, low <= real["seconds"] <= high
        inside |= real["seconds"] < 1.0 and high < 2.0  # nobody waits for that
        print(
            f"{n_users:>9,} users  {name:9s} {one['step']:10s} {low:7.1f} to {high:7.1f} s, took "
            f"{real['seconds']:7.1f} CPU s (ratio {ratio:.2f}{', inside' if inside else ''}); "
            f"{memory:6.0f} MB, took {real['memory_mb']:6.0f} MB "
            f"(ratio {real['memory_mb'] / memory:.2f})",
            flush=True,
        )


def main() -> None:
    for n_users in SIZES:
        for name in ONLY:
            if (n_users, name) != (MANY, "auto"):  # hours, of which most is the encoder's
                with TemporaryDirectory() as folder:
                    compare(Path(folder), n_users, name)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        what, place, users, *rest = sys.argv[1:]
        {"told": told, "took": took}[what](Path(place), int(users), *rest)
    else:
        main()
