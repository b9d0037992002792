"""Every user's behaviour as counts: how often each outcome followed each context.

A model with a short memory needs nothing else of a user: the log likelihood is the counts times
the logarithms of its chances. Blocks stand side by side as columns of one sparse matrix.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from core.artifacts import DoubleArray, LongArray
from core.sequence_models.outcomes import Outcomes

if TYPE_CHECKING:
    from scipy.sparse import csr_array

MaskArray = npt.NDArray[np.bool_]
CategoryMemory = Literal["stay", "last", "action"]
_FAINT = 1e-6
"""Memberships below this count as none: numbers near the smallest there are take much longer."""
_NOT_THERE = 0
"""Context of what is before a user's first event."""
KINDS_OF_CATEGORY = 5
"""A user's first; another or the same within a visit; another or the same over its border."""


@dataclass(frozen=True, kw_only=True)
class Memory:
    """What the next event may depend on, beside the segment."""

    actions: int
    """How many actions before it, 1 or 2."""
    visits: bool
    """Whether the beginning of a visit is part of the context and hides what was before it."""
    category: CategoryMemory
    """Whether a category stays with some chance, depends on the one before, or on the action."""

    def __str__(self) -> str:
        category = {"stay": "staying", "last": "by the one before", "action": "by action"}
        visits = ", visits apart" if self.visits else ""
        actions = f"{self.actions} action{'s' if self.actions > 1 else ''} back"
        return f"{actions}{visits}, categories {category[self.category]}"


@dataclass(frozen=True, kw_only=True)
class Block:
    """Columns [start, start + rows * width) of the counts: outcomes (width) by context (rows)."""

    name: str
    start: int
    levels: tuple[int, ...]
    """Sizes of the context, the farthest first; () where there is none."""
    width: int
    scales: tuple[tuple[int, int], ...] = ()
    """Classes [first, last) that are an ordered scale, such as from cheap to dear."""

    @property
    def rows(self) -> int:
        return math.prod(self.levels)

    @property
    def columns(self) -> slice:
        return slice(self.start, self.start + self.rows * self.width)

    @property
    def stays(self) -> bool:
        """Whether its chances are those of a category that is kept or drawn anew."""
        return self.name == "staying"


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Users by columns, and what the columns are."""

    matrix: csr_array  # (U, columns) float32
    blocks: tuple[Block, ...]
    n_events: LongArray  # (U,)

    @property
    def n_users(self) -> int:
        return len(self.n_events)

    @cached_property
    def _across(self) -> csr_array:
        """The matrix by columns: several times faster to sum up than as it is."""
        return self.matrix.T.tocsr()

    def totals(self, members: DoubleArray) -> DoubleArray:
        """Counts of all users, each counted by its memberships (U, K): shape (K, columns)."""
        counted = members.astype(np.float32)
        counted[counted < _FAINT] = 0.0
        return np.asarray((self._across @ counted).T, dtype=np.float64)

    def take(self, users: npt.NDArray[Any]) -> Counts:
        """The counts of some users, by index or mask."""
        return Counts(matrix=self.matrix[users], blocks=self.blocks, n_events=self.n_events[users])


def count(outcomes: Outcomes, memory: Memory) -> Counts:
    """Count every user's outcomes by their contexts."""
    from scipy.sparse import csr_array

    users, cells, blocks = [], [], list[Block]()
    start = 0
    for part in parts(outcomes, memory):
        row = part.rows()
        block = Block(
            name=part.name, start=start, levels=part.levels, width=part.width, scales=part.scales
        )
        counted = slice(None) if part.counted is None else part.counted
        users.append(outcomes.user[counted])
        cells.append(start + (row * part.width + part.values)[counted])
        blocks.append(block)
        start = block.columns.stop
    who = np.concatenate(users) if users else np.zeros(0, dtype=np.int64)
    where = np.concatenate(cells) if cells else np.zeros(0, dtype=np.int64)
    ones = np.ones(len(who), dtype=np.float32)
    matrix = csr_array((ones, (who, where)), shape=(outcomes.n_users, start))
    matrix.sum_duplicates()
    return Counts(matrix=matrix, blocks=tuple(blocks), n_events=outcomes.lengths())


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one block counts, event by event."""

    name: str
    levels: tuple[int, ...]
    contexts: tuple[LongArray, ...]  # (E,) each
    width: int
    values: LongArray  # (E,)
    counted: MaskArray | None = None  # (E,) all where None
    scales: tuple[tuple[int, int], ...] = ()

    def rows(self) -> LongArray:
        """Row of the context of every event, (E,)."""
        row = np.zeros(len(self.values), dtype=np.int64)
        for size, context in zip(self.levels, self.contexts, strict=True):
            row = row * size + context
        return row


def parts(o: Outcomes, memory: Memory) -> Iterator[Part]:
    """Everything that is foretold of an event and is not the same for all."""
    n_actions = o.sizes["action"]
    last = _before(o.action, o, 1)
    if "action" in o.told:
        contexts, levels = _action_contexts(o, memory)
        yield Part(
            name="action", levels=levels, contexts=contexts, width=n_actions, values=o.action
        )
    if "category" in o.told:
        yield _category(o, memory)
    if "pause" in o.told:
        yield Part(
            name="pause",
            levels=(n_actions + 1,),
            contexts=(last,),
            width=o.sizes["pause"],
            values=o.pause,
            counted=~o.first,
            scales=((2, o.first_away), (o.first_away, o.sizes["pause"])),
        )
    yield from _amounts(o)
    if "item" in o.told:  # within its category, and not where it is the same item once more
        yield Part(
            name="item",
            levels=(o.sizes["category"],),
            contexts=(o.category,),
            width=o.sizes["item"],
            values=o.item,
            counted=~o.again,
        )
    yield from _of_visits(o)


def _amounts(o: Outcomes) -> Iterator[Part]:
    """Price and duration, by the action."""
    for name in ("price", "duration"):
        if name in o.told:
            yield Part(
                name=name,
                levels=(o.sizes["action"],),
                contexts=(o.action,),
                width=o.sizes[name],
                values=getattr(o, name),
                scales=((1, o.sizes[name]),),
            )


def _of_visits(o: Outcomes) -> Iterator[Part]:
    """Platform and part of the day, once a visit: they hardly change within one."""
    for name in ("platform", "daypart"):
        if name in o.told:
            yield Part(
                name=name,
                levels=(),
                contexts=(),
                width=o.sizes[name],
                values=getattr(o, name),
                counted=o.breaks,
            )


def _action_contexts(o: Outcomes, memory: Memory) -> tuple[tuple[LongArray, ...], tuple[int, ...]]:
    n = o.sizes["action"]
    last, before, border = _before(o.action, o, 1), _before(o.action, o, 2), n + 1
    if not memory.visits:
        return ((last,), (n + 1,)) if memory.actions == 1 else ((before, last), (n + 1, n + 1))
    begins = o.breaks & ~o.first
    if memory.actions == 1:
        return (np.where(begins, border, last),), (n + 2,)
    second = ~o.first & np.roll(begins, 1)
    far, near = np.where(begins | second, border, before), np.where(begins, border, last)
    return (far, near), (n + 2, n + 2)


def _category(o: Outcomes, memory: Memory) -> Part:
    n = o.sizes["category"]
    if memory.category == "action":
        return Part(
            name="category",
            levels=(o.sizes["action"],),
            contexts=(o.action,),
            width=n,
            values=o.category,
        )
    last = _before(o.category, o, 1)
    if memory.category == "last":
        return Part(name="category", levels=(n + 1,), contexts=(last,), width=n, values=o.category)
    kind = np.where(o.first, 0, 1 + (last == o.category + 1) + 2 * o.breaks)
    return Part(
        name="staying", levels=(KINDS_OF_CATEGORY,), contexts=(kind,), width=n, values=o.category
    )


def _before(values: LongArray, o: Outcomes, steps: int) -> LongArray:
    """The value ``steps`` events before, from 1; _NOT_THERE where there is none."""
    place = np.arange(len(values)) - o.offsets[o.user]
    return np.where(place >= steps, np.roll(values, steps) + 1, _NOT_THERE)
