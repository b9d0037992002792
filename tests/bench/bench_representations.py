"""Seconds and memory of every counted representation, to show that each scales to a million users.

About 20 events each of 8 actions, 200 categories and 50,000 items, made straight as arrays. Each
representation is fitted in a process of its own, on one processor thread; memory is the peak of
that process, beside the peak that making the log had taken before. Sizes by ``BENCH_USERS``
("100000,1000000").
"""

import json
import os
import resource
import subprocess
import sys
import time

import numpy as np

from core.artifacts import FIT, TEST, VALIDATE, Sequences
from core.representations import REPRESENTATIONS
from core.representations._base import Work
from tests.worlds import bare_sequences, vocabulary_of

SIZES = tuple(int(n) for n in os.environ.get("BENCH_USERS", "100000,1000000").split(","))
ACTIONS = ("view", "search", "cart", "buy", "review", "click", "favourite", "return")
CATEGORIES, ITEMS, MEAN_EVENTS = 200, 50_000, 20
GOALS = {"seconds": 60.0, "gigabytes": 6.0}
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}


def log(n_users: int, seed: int = 0) -> Sequences:
    """Everyone likes some categories more, goes at an own pace and comes again after days."""
    rng = np.random.default_rng(seed)
    lengths = 1 + rng.poisson(rng.gamma(2.0, (MEAN_EVENTS - 1) / 2, n_users))
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    n = int(offsets[-1])
    taste = np.repeat(rng.integers(0, CATEGORIES, n_users), lengths)
    drawn = (CATEGORIES * rng.random(n) ** 2).astype(np.int32)
    category = np.where(rng.random(n) < 0.4, taste, drawn).astype(np.int32)
    item = (category * (ITEMS // CATEGORIES) + ITEMS / CATEGORIES * rng.random(n) ** 2).astype("i4")
    begins = rng.random(n) < 0.15
    gap = rng.lognormal(np.where(begins, 12.0, 3.0), 1.0).astype(np.float32)
    gap[offsets[:-1]] = 0
    since = np.cumsum(gap, dtype=np.float64)
    first = rng.integers(0, 90 * 86_400, n_users) + 1_767_571_200
    time_ = np.repeat(first, lengths) + since - np.repeat(since[offsets[:-1]], lengths)
    visits = np.cumsum(begins)
    return bare_sequences(
        np.arange(n_users).astype(str).astype(object),
        offsets,
        action=rng.choice(len(ACTIONS), n, p=np.arange(8, 0, -1) / 36).astype(np.int32) + 1,
        category=category + 1,
        item=item + 1,
        session=(visits - np.repeat(visits[offsets[:-1]], lengths)).astype(np.int32),
        time=time_.astype(np.int64),
        gap=gap,
        price=np.where(rng.random(n) < 0.5, rng.lognormal(3, 1, n), np.nan).astype(np.float32),
        first_time=first,
        split=rng.choice([FIT, VALIDATE, TEST], n_users, p=[0.7, 0.15, 0.15]).astype(np.int8),
        vocabulary=vocabulary_of(
            actions=ACTIONS,
            categories=tuple(map(str, range(CATEGORIES))),
            items=tuple(map(str, range(ITEMS))),
        ),
        present=("user", "time", "action", "category", "item", "price"),
    )


def child(method: str, n_users: int) -> None:
    entry, sequences = REPRESENTATIONS[method], log(n_users)
    before = peak()
    begun = time.perf_counter(), time.process_time()
    fitted = entry.fit(sequences, entry.Options(), Work())
    found = {"seconds": time.perf_counter() - begun[0], "cpu": time.process_time() - begun[1]}
    found |= {"gigabytes": peak(), "of_log": before, "width": fitted.values.shape[1]}
    begun = time.perf_counter(), time.process_time()
    entry.transform(fitted.state, sequences)
    print(json.dumps(found | {"again_cpu": time.process_time() - begun[1]}))


def peak() -> float:
    """Most memory this process has held so far, in gigabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


def measured(method: str, n_users: int) -> dict[str, float]:
    call = [sys.executable, "-m", "tests.bench.bench_representations", method, str(n_users)]
    environment = os.environ | ONE_THREAD
    done = subprocess.run(call, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    return json.loads(done.stdout)


def main() -> None:
    print(f"goals: {GOALS['seconds']:.0f} s and {GOALS['gigabytes']:.0f} GB on one core")
    counted = [name for name, entry in REPRESENTATIONS.items() if not entry.learned]
    for n_users in SIZES:
        for method in counted:
            one = measured(method, n_users)
            good = one["cpu"] <= GOALS["seconds"] and one["gigabytes"] <= GOALS["gigabytes"]
            print(
                f"{n_users:>9,} users  {method:9s} {one['width']:4d} numbers  "
                f"fit {one['seconds']:6.1f} s {one['cpu']:6.1f} CPU s  "
                f"transform {one['again_cpu']:6.1f} CPU s  "
                f"{one['gigabytes']:5.2f} GB peak ({one['of_log']:.2f} before)"
                f"{'' if good else '  MISSED'}",
                flush=True,
            )


if __name__ == "__main__":
    if len(sys.argv) == 3:
        child(sys.argv[1], int(sys.argv[2]))
    else:
        main()
