"""What all parts of a description stand on: the settings, who is where, blocks of users."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.artifacts import NOISE, IntArray, Labels, LongArray, Sequences
from core.options import Options, option

USERS_PER_BLOCK = 16_384
REST = "(other)"
"""The word under which rarer words are counted together; it sets nobody apart."""


@dataclass(frozen=True, kw_only=True)
class SegmentOptions(Options):
    """How segments are described."""

    max_facts: int = option(
        6,
        "Facts per segment",
        "How many of the things that set a segment apart are listed",
        low=1,
        high=30,
        unit="facts",
    )
    min_effect: float = option(
        0.3,
        "Smallest difference",
        "Differences smaller than this many standard deviations are not listed; 0.2 counts as "
        "small, 0.5 as medium, 0.8 as large",
        low=0.0,
        high=3.0,
        unit="standard deviations",
    )
    top_n: int = option(
        10,
        "Categories and items",
        "How many categories and items are listed per segment",
        low=1,
        high=100,
    )
    n_stories: int = option(
        3, "Stories", "How many typical users are shown per segment", low=0, high=20, unit="users"
    )
    session_minutes: float = option(
        30.0,
        "Visit ends after",
        "A pause longer than this begins a new visit",
        low=1.0,
        high=1440.0,
        unit="minutes",
        expert=True,
    )
    lift_prior: float = option(
        10.0,
        "Caution with rare names",
        "As many expected events are added on both sides of a lift, so that a name met a few "
        "times is not taken for a preference",
        low=0.0,
        high=10_000.0,
        unit="events",
        expert=True,
    )


@dataclass(frozen=True, kw_only=True)
class Groups:
    """The segments that have users: largest first, noise last; G of them."""

    ids: tuple[int, ...]
    row: LongArray  # (U,) place of the user's segment in ``ids``
    sizes: LongArray  # (G,)


def groups_of(labels: Labels) -> Groups:
    """Who is in which segment."""
    ids, row, sizes = np.unique(labels.values, return_inverse=True, return_counts=True)
    order = np.lexsort((ids, -sizes, ids == NOISE))
    place = np.empty(len(ids), dtype=np.int64)
    place[order] = np.arange(len(ids))
    return Groups(ids=tuple(ids[order].tolist()), row=place[row], sizes=sizes[order])


@dataclass(frozen=True, kw_only=True)
class Block:
    """Some neighbouring users with their events; n users, e events."""

    users: slice
    events: slice
    user: LongArray  # (e,) place of the event's user within the block
    first: npt.NDArray[np.bool_]  # (e,) the user's first event that is looked at

    @property
    def n_users(self) -> int:
        return int(self.users.stop - self.users.start)

    def count(self, chosen: npt.NDArray[np.bool_]) -> LongArray:
        """Chosen events per user, shape (n,)."""
        return np.bincount(self.user[chosen], minlength=self.n_users)

    def table(
        self, user: LongArray, column: npt.NDArray[np.integer[Any]], width: int
    ) -> npt.NDArray[np.float64]:
        """Events per user and column, shape (n, width)."""
        cells = np.bincount(user * width + column, minlength=self.n_users * width)
        return cells.reshape(self.n_users, width).astype(np.float64)


def blocks(sequences: Sequences) -> Iterator[Block]:
    """All users, block by block, so that memory follows the block and not the log."""
    for start in range(0, sequences.n_users, USERS_PER_BLOCK):
        stop = min(start + USERS_PER_BLOCK, sequences.n_users)
        offsets = sequences.offsets[start : stop + 1]
        sizes = np.diff(offsets)
        first = np.zeros(int(offsets[-1] - offsets[0]), dtype=np.bool_)
        first[(offsets[:-1] - offsets[0])[sizes > 0]] = True
        yield Block(
            users=slice(start, stop),
            events=slice(int(offsets[0]), int(offsets[-1])),
            user=np.repeat(np.arange(stop - start), sizes),
            first=first,
        )


def event_codes(values: IntArray, block: Block) -> LongArray:
    """The codes of a block's events, wide enough to be multiplied."""
    return np.asarray(values[block.events], dtype=np.int64)
