"""What is read in training, how much at a time and how often: the source and the plan."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch

from core.artifacts import VALIDATE, FloatArray, LongArray, Sequences, fingerprint
from core.representations.batches import Portions, Stretches
from core.representations.encoder import Tensors, to_tensors
from core.representations.inputs import EventBatch, Scales, gather, hide_words, turn_clock

_HIDDEN_WORDS = 0.02
"""Share of words that are hidden from the encoder, so that it learns what "unknown" is like."""


@dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """All numbers that govern training, worked out for one log."""

    epochs: int
    batch_users: int
    window: int
    """Most events of a user that an epoch reads."""
    learning_rate: float
    weights: Mapping[str, float]
    """Of each objective, by the names of `core.representations.objectives`."""
    temperature: float
    slice_users: int
    """Users whose slices are told apart at a time."""
    slice_shortest: int
    slice_longest: int
    patience: int
    """Epochs without a better validation loss after which training ends; 0 never ends it."""
    seed: int = 0

    @property
    def portions(self) -> Portions:
        """How much is read at a time."""
        return Portions(batch_users=self.batch_users, window=self.window)


class Source(Protocol):
    """Where training reads: users in shards, every shard read by one rank."""

    def shards(self, rank: int, n_ranks: int) -> SequenceOf[TrainingData]:
        """What a rank reads in every epoch: together the ranks read every user once."""

    def identity(self) -> str:
        """Fingerprint of all that is read, by any rank, and of how it is read."""


@dataclass(frozen=True, kw_only=True)
class TrainingData:
    """A log (or a shard of one), how to read it, who is fitted and who only watched.

    All those users have events.
    """

    sequences: Sequences
    scales: Scales
    fit_users: LongArray
    validation_users: LongArray
    device: str
    targets: FloatArray | None = None  # (U, K) a teacher's soft labels

    def shards(self, rank: int, n_ranks: int) -> tuple[TrainingData, ...]:
        """A log that is whole is dealt out user by user; alone, it is its own only shard."""
        if n_ranks == 1:
            return (self,)
        own = slice(rank, None, n_ranks)
        fitted, watched = self.fit_users[own], self.validation_users[own]
        return (replace(self, fit_users=fitted, validation_users=watched),)

    def identity(self) -> str:
        """Fingerprint of the log, its users and scales."""
        arrays = {
            "fit": self.fit_users,
            "watched": self.validation_users,
            **self.scales.to_state(),
            **({} if self.targets is None else {"targets": self.targets}),
        }
        read = {name: hashlib.sha256(a.tobytes()).hexdigest() for name, a in arrays.items()}
        return fingerprint(self.sequences.fingerprint, "training", 1, read)

    def tensors(self, stretches: Stretches) -> Tensors:
        return to_tensors(self.batch(stretches), self.device) | self._targets(stretches)

    def training_tensors(self, stretches: Stretches, rng: np.random.Generator) -> Tensors:
        """The same with some words hidden."""
        hidden = hide_words(self.batch(stretches), self.scales, _HIDDEN_WORDS, rng)
        return to_tensors(hidden, self.device) | self._targets(stretches)

    def slice_tensors(
        self, pair: tuple[Stretches, Stretches], rng: np.random.Generator
    ) -> tuple[Tensors, Tensors]:
        """Slices by which users are told apart; those of one visit each at a time of their own.

        No action before a slice is read into it, or both slices of a user would hold the same ones.
        """
        last = self.sequences.session[pair[0].start + pair[0].length - 1]
        same_visit = np.asarray(last == self.sequences.session[pair[1].start])
        first, second = (turn_clock(self._slice(side), same_visit, rng) for side in pair)
        return to_tensors(first, self.device), to_tensors(second, self.device)

    def batch(self, stretches: Stretches) -> EventBatch:
        return gather(self.sequences, self.scales, *stretches.padded())

    def _slice(self, side: Stretches) -> EventBatch:
        return gather(self.sequences, self.scales, *side.padded(), side.start[:, None])

    def users_of(self, stretches: Stretches) -> LongArray:
        """Whose stretches they are, (B,)."""
        return np.searchsorted(self.sequences.offsets, stretches.start, side="right") - 1

    def _targets(self, stretches: Stretches) -> Tensors:
        """Soft labels (B, K) of those whose stretches they are, where there are any."""
        if self.targets is None:
            return {}
        target = self.targets[self.users_of(stretches)]
        return {"target": torch.from_numpy(target).to(self.device)}


def split_users(sequences: Sequences) -> tuple[LongArray, LongArray]:
    """Users to fit and users to validate on, those without any event in neither.

    The test users are fitted too: what has been chosen is refitted on all users but those that
    tell when to stop. No validation where it would have fewer than two users, or most of them.
    """
    users = np.flatnonzero(np.diff(sequences.offsets) > 0)
    watched = sequences.split[users] == VALIDATE
    n_watched = int(np.count_nonzero(watched))
    if n_watched < 2 or 2 * n_watched > len(users):
        return users, users[:0]
    return users[~watched], users[watched]
