"""Which stretches of which users make a batch: of similar length, so that little is padding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.artifacts import LongArray, Sequences

_BATCHES_SORTED_TOGETHER = 16


@dataclass(frozen=True, kw_only=True)
class Stretches:
    """B stretches of events: ``[start, start + length)`` in the flat arrays."""

    start: LongArray  # (B,)
    length: LongArray  # (B,)

    def take(self, rows: LongArray) -> Stretches:
        return Stretches(start=self.start[rows], length=self.length[rows])

    def padded(self) -> tuple[LongArray, npt.NDArray[np.bool_]]:
        """Places of the events, shape (B, T), repeating the last; and which are real."""
        steps = np.arange(int(self.length.max()))
        real = steps < self.length[:, None]
        last = np.maximum(self.length[:, None] - 1, 0)
        return self.start[:, None] + np.minimum(steps, last), real


def windows(
    sequences: Sequences, users: LongArray, window: int, rng: np.random.Generator
) -> Stretches:
    """One stretch of at most ``window`` events per user, at a random place where there are more.

    So a user with thousands of events weighs no more than one with a full window.
    """
    start = np.asarray(sequences.offsets[users])
    available = np.asarray(sequences.offsets[users + 1]) - start
    length = np.minimum(available, window)
    shift = rng.integers(0, available - length + 1)
    some = length > 0
    return Stretches(start=(start + shift)[some], length=length[some])


def similar_batches(
    stretches: Stretches, batch_size: int, rng: np.random.Generator
) -> Iterator[Stretches]:
    """Cut into batches of similar length, in random order; every stretch comes once."""
    n = len(stretches.start)
    order = rng.permutation(n)
    pool = batch_size * _BATCHES_SORTED_TOGETHER
    pools = [order[i : i + pool] for i in range(0, n, pool)]
    by_length = np.concatenate([p[np.argsort(stretches.length[p], kind="stable")] for p in pools])
    n_batches = -(-n // batch_size)
    batches = np.array_split(by_length, n_batches)
    for i in rng.permutation(n_batches):
        yield stretches.take(batches[i])


@dataclass(frozen=True, kw_only=True)
class SlicePlan:
    """From which users and in which lengths slices are cut, so that length tells nothing."""

    start: LongArray  # (U,) of the users, the longest first
    length: LongArray  # (U,) falling
    shortest: int
    longest: int

    @property
    def possible(self) -> bool:
        """Whether at least two users can be told apart by two slices each."""
        return int((self.length >= 2 * self.shortest).sum()) >= 2


def plan_slices(sequences: Sequences, users: LongArray, shortest: int, longest: int) -> SlicePlan:
    """Fit the range of slice lengths to the log: half of the users can give the longest two.

    Where most users are shorter than two slices, slices get shorter, down to two events.
    """
    start = np.asarray(sequences.offsets[users])
    length = np.asarray(sequences.offsets[users + 1]) - start
    order = np.argsort(-length, kind="stable")
    typical = int(np.median(length)) // 2 if len(length) else 0
    low = max(2, min(shortest, typical))
    return SlicePlan(
        start=start[order],
        length=length[order],
        shortest=low,
        longest=max(low, min(longest, typical)),
    )


def slice_pairs(
    plan: SlicePlan, n_users: int, rng: np.random.Generator
) -> tuple[Stretches, Stretches]:
    """Two slices without a common event from each of up to ``n_users`` users.

    All slices of a call have the same length, drawn independently of the users: neither a
    slice's length nor its padding says whose it is.
    """
    size = int(rng.integers(plan.shortest, plan.longest + 1))
    n_long_enough = int((plan.length >= 2 * size).sum())
    if n_long_enough < 2:
        size = plan.shortest
        n_long_enough = int((plan.length >= 2 * size).sum())
    who = rng.choice(n_long_enough, min(n_users, n_long_enough), replace=False)
    spare = plan.length[who] - 2 * size
    first = rng.integers(0, spare + 1)
    second = first + size + rng.integers(0, spare - first + 1)
    length = np.full(len(who), size)
    return (
        Stretches(start=plan.start[who] + first, length=length),
        Stretches(start=plan.start[who] + second, length=length),
    )
