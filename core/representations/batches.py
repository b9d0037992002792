"""Which stretches of which users make a batch: of similar length, so that little is padding.

Nothing here is as long as the log: an epoch holds one number per user, and cuts the stretches of
a few batches at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from core.artifacts import LongArray, Sequences

_POOL = 32
"""Batches whose users are drawn together and then sorted by length."""

Dice = Callable[[int], np.random.Generator]
"""A generator of its own for every number, so that any part of an epoch can be thrown again."""


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


@dataclass(frozen=True, kw_only=True)
class Portions:
    """How much is read at a time."""

    batch_users: int
    window: int
    """Most events of a user."""

    def n_batches(self, n_users: int) -> int:
        """Batches of an epoch over so many users."""
        return -(-n_users // self.batch_users)


def epoch_batches(
    sequences: Sequences, users: LongArray, portions: Portions, dice: Dice, skip: int = 0
) -> Iterator[Stretches]:
    """A stretch of every user once, in random batches of similar length, from batch ``skip`` on.

    The users (all with events) are drawn into pools of 32 batches, and a pool is cut when its turn
    comes, by dice of its own: so the rest of an epoch is the same without what went before.
    """
    size = portions.batch_users * _POOL
    order = dice(0).permutation(users)
    for pool in range(skip // _POOL, portions.n_batches(len(users)) // _POOL + 1):
        drawn = order[pool * size : (pool + 1) * size]
        if len(drawn):
            rng = dice(pool + 1)
            stretches = windows(sequences, drawn, portions.window, rng)
            batches = similar_batches(stretches, portions.batch_users, rng)
            yield from islice(batches, max(0, skip - pool * _POOL), None)


def similar_batches(
    stretches: Stretches, batch_size: int, rng: np.random.Generator
) -> Iterator[Stretches]:
    """Cut into batches of similar length, in random order; every stretch comes once."""
    by_length = np.argsort(stretches.length, kind="stable")
    n_batches = -(-len(by_length) // batch_size)
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
