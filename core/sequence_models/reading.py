"""Events as the network of `core.sequence_models.neural` reads them: windows, and what chains say.

Letters in shapes: N events of a batch, B users, W window, K segments, V classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.artifacts import DoubleArray, LongArray
from core.sequence_models.counts import Block, Counts, Memory, count, parts
from core.sequence_models.mixture import Mixture, log_likelihoods
from core.sequence_models.outcomes import Outcomes

READ = ("action", "category", "pause", "price", "duration")
"""What of the events in the window is read, and foretold of the next."""
EVENTS_PER_BATCH = 6_144


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Some users' events as the network reads them."""

    window: dict[str, Tensor]  # (N, W) classes of the events before, from 1; 0 where none is
    beside: dict[str, Tensor]  # (N,) what is known of the event already
    values: dict[str, Tensor]  # (N,) what is to be foretold
    counted: dict[str, Tensor]  # (N,) 1 where it is
    chains: dict[str, Tensor]  # (N, K, V) logarithms of the chains' chances
    user: Tensor  # (N,) place of the event's user among the batch's users
    rest: Tensor  # (B, K) log likelihood of what only the chains foretell, by the share read


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Events of some users: of each, those from ``begin`` to before ``end`` of its own."""

    rows: LongArray  # (B,) place of the user among those asked for
    users: LongArray  # (B,)
    begin: LongArray  # (B,)
    end: LongArray  # (B,)


class Reader:
    """Makes batches of users out of outcomes and the chains."""

    def __init__(  # noqa: PLR0913
        self,
        outcomes: Outcomes,
        memory: Memory,
        mixture: Mixture,
        window: int,
        device: str = "cpu",
        at_once: int = EVENTS_PER_BATCH,
    ) -> None:
        self.outcomes, self.window, self.device = outcomes, window, device
        self.at_once = at_once  # events
        counts = count(outcomes, memory)
        self.fields = [name for name in READ if name in outcomes.told]
        self._parts = {_field(part.name): part for part in parts(outcomes, memory)}
        self._rows = {name: self._parts[name].rows() for name in self.fields}
        blocks = {_field(block.name): block for block in counts.blocks}
        self._tables = {name: _table(mixture, blocks[name]) for name in self.fields}
        self._stays = blocks["category"].stays if "category" in blocks else False
        self.rest = _rest(mixture, counts, self.fields)

    def batches(self, users: LongArray, rng: np.random.Generator) -> Iterator[Stretch]:
        """Users in random order, in batches of about as many events each, to train on.

        Of a user with more events than a batch holds a stretch is read, another one each time.
        """
        order = rng.permutation(users)
        lengths = np.diff(self.outcomes.offsets)[order]
        read, begin = np.minimum(lengths, self.at_once), np.zeros_like(lengths)
        longer = np.flatnonzero(lengths > self.at_once)
        begin[longer] = rng.integers(0, lengths[longer] - self.at_once + 1)
        cuts = np.flatnonzero(np.diff(np.cumsum(read) // self.at_once)) + 1
        for rows in np.split(np.arange(len(order)), cuts):
            end = begin[rows] + read[rows]
            yield Stretch(rows=rows, users=order[rows], begin=begin[rows], end=end)

    def pieces(self, users: LongArray) -> Iterator[Stretch]:
        """All events of the users, so many at once; a user may lie in several pieces."""
        ends = np.cumsum(np.diff(self.outcomes.offsets)[users])
        starts = np.concatenate([[0], ends[:-1]])
        for first in range(0, int(ends[-1]) if len(ends) else 0, self.at_once):
            stop = min(first + self.at_once, ends[-1])
            rows = np.arange(np.searchsorted(ends, first, "right"), np.searchsorted(starts, stop))
            begin = np.maximum(first - starts[rows], 0)
            end = np.minimum(stop, ends[rows]) - starts[rows]
            yield Stretch(rows=rows, users=users[rows], begin=begin, end=end)

    def read(self, stretch: Stretch) -> Batch:
        o, users = self.outcomes, stretch.users
        lengths = stretch.end - stretch.begin
        user = np.repeat(np.arange(len(users)), lengths)
        starts = np.cumsum(lengths) - lengths
        place = np.arange(len(user)) - starts[user] + stretch.begin[user]
        events = o.offsets[users][user] + place
        share = lengths / np.maximum(np.diff(o.offsets)[users], 1)
        back = np.arange(self.window, 0, -1)
        there = place[:, None] >= back
        before = np.where(there, events[:, None] - back, 0)
        values = {name: getattr(o, name) for name in self.fields}
        parts = self._parts
        return Batch(
            window={
                name: self._to(np.where(there, codes[before] + 1, 0))
                for name, codes in values.items()
            },
            beside={name: self._to(_beside(name, o, events)) for name in self.fields},
            values={name: self._to(codes[events]) for name, codes in values.items()},
            counted={
                name: self._to(_counted(parts[name].counted, events).astype(np.float32))
                for name in self.fields
            },
            chains={name: self._chains(name, events) for name in self.fields},
            user=self._to(user),
            rest=self._to((self.rest[users] * share[:, None]).astype(np.float32)),
        )

    def _chains(self, name: str, events: LongArray) -> Tensor:
        """Logarithms of the chains' chances of every outcome of some events, (N, K, V)."""
        table, rows = self._tables[name], self._rows[name][events]
        if name != "category" or not self._stays:
            return self._to(table[rows])
        # Kinds: 0 first, then another and the same by turns; all outcomes but the last are others.
        other = np.where(rows == 0, 0, rows - (rows % 2 == 0))
        found = table[other]
        again = np.flatnonzero(rows > 0)
        last = self.outcomes.category[events[again] - 1]
        found[again, :, last] = table[other[again] + 1, :, last]
        return self._to(found)

    def _to(self, values: npt.NDArray[Any]) -> Tensor:
        return torch.from_numpy(values).to(self.device)


def _field(name: str) -> str:
    return "category" if name == "staying" else name


def _table(mixture: Mixture, block: Block) -> npt.NDArray[np.float32]:
    """Logarithms of the chances of one block, (rows, K, V)."""
    table = mixture.logs[block.columns].reshape(block.rows, block.width, mixture.k)
    return np.ascontiguousarray(np.moveaxis(table, 2, 1))


def _rest(mixture: Mixture, counts: Counts, fields: list[str]) -> DoubleArray:
    """Log likelihood (U, K) of what the network does not foretell; then that of a background."""
    logs = np.array(mixture.logs)
    for block in counts.blocks:
        if _field(block.name) in fields:
            logs[block.columns] = 0.0
    rest = np.asarray(counts.matrix @ logs, dtype=np.float64)
    if not mixture.has_background:
        return rest
    return np.column_stack([rest, log_likelihoods(mixture, counts)[:, -1]])


def _beside(name: str, o: Outcomes, events: LongArray) -> LongArray:
    """What is known of an event when its ``name`` is foretold: nothing, the border, the action."""
    if name == "pause":
        return np.zeros(len(events), dtype=np.int64)
    return o.breaks[events].astype(np.int64) if name == "action" else o.action[events]


def _counted(counted: npt.NDArray[np.bool_] | None, events: LongArray) -> npt.NDArray[np.bool_]:
    return np.ones(len(events), dtype=np.bool_) if counted is None else counted[events]
