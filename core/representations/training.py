"""Training as a plain loop: iterate to train, stop iterating to cancel."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from core.artifacts import VALIDATE, EpochReport, FloatArray, LongArray, Sequences
from core.representations.batches import (
    SlicePlan,
    Stretches,
    plan_slices,
    similar_batches,
    slice_pairs,
    windows,
)
from core.representations.encoder import EventEncoder, Tensors, to_tensors
from core.representations.inputs import (
    EventBatch,
    Scales,
    gather,
    hide_words,
    turn_clock,
)
from core.representations.objectives import NEXT_EVENT, Objectives

Tick = Callable[[float], None]
"""Called after every batch with the share of the epoch that is done, in (0, 1]."""

_WARM_UP = 0.05
"""Share of all steps in which the learning rate rises."""
_RAMP = 0.4
"""Share of all steps in which the contrastive weight rises to its full size: users are told
apart only by what has been understood of them, not by what is remembered of them."""
_HIDDEN_WORDS = 0.02
"""Share of words that are hidden from the encoder, so that it learns what "unknown" is like."""
_MOST_GRADIENT = 1.0


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


@dataclass(frozen=True, kw_only=True)
class TrainingData:
    """A log, how to read it, and who is fitted and who only watched."""

    sequences: Sequences
    scales: Scales
    fit_users: LongArray
    validation_users: LongArray
    device: str
    targets: FloatArray | None = None  # (U, K) a teacher's soft labels

    def tensors(self, stretches: Stretches) -> Tensors:
        return to_tensors(self.batch(stretches), self.device) | self._targets(stretches)

    def training_tensors(self, stretches: Stretches, rng: np.random.Generator) -> Tensors:
        """The same with some words hidden."""
        hidden = hide_words(self.batch(stretches), _HIDDEN_WORDS, rng)
        return to_tensors(hidden, self.device) | self._targets(stretches)

    def slice_tensors(
        self, pair: tuple[Stretches, Stretches], rng: np.random.Generator
    ) -> tuple[Tensors, Tensors]:
        """Slices by which users are told apart; those of one visit each at a time of their own."""
        last = self.sequences.session[pair[0].start + pair[0].length - 1]
        same_visit = np.asarray(last == self.sequences.session[pair[1].start])
        first, second = (turn_clock(self.batch(side), same_visit, rng) for side in pair)
        return to_tensors(first, self.device), to_tensors(second, self.device)

    def batch(self, stretches: Stretches) -> EventBatch:
        return gather(self.sequences, self.scales, *stretches.padded())

    def _targets(self, stretches: Stretches) -> Tensors:
        """Soft labels (B, K) of those whose stretches they are, where there are any."""
        if self.targets is None:
            return {}
        user = np.searchsorted(self.sequences.offsets, stretches.start, side="right") - 1
        return {"target": torch.from_numpy(self.targets[user]).to(self.device)}


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


def train(
    encoder: EventEncoder, data: TrainingData, plan: TrainingPlan, seed: int, tick: Tick
) -> Iterator[EpochReport]:
    """Train in place, an epoch at a time; the same seed gives the same weights (CPU)."""
    run = _Run(encoder, data, plan, seed)
    began = time.perf_counter()
    best, since_best = math.inf, 0
    for epoch in range(1, plan.epochs + 1):
        losses, events_per_second = run.fit(tick)
        watched = run.validate()
        yield EpochReport(
            epoch=epoch,
            n_epochs=plan.epochs,
            losses=losses,
            validation_losses=watched,
            events_per_second=events_per_second,
            seconds=time.perf_counter() - began,
        )
        if watched:
            loss = _understood(watched, plan.weights)
            best, since_best = min(best, loss), 0 if loss < best else since_best + 1
        if plan.patience and since_best >= plan.patience:
            return


class _Run:
    """The optimiser, the schedule and the dice of one training."""

    def __init__(
        self, encoder: EventEncoder, data: TrainingData, plan: TrainingPlan, seed: int
    ) -> None:
        self.encoder, self.data, self.plan, self.seed = encoder, data, plan, seed
        self.objectives = Objectives(weights=plan.weights, temperature=plan.temperature)
        self.rng = np.random.default_rng([seed, 1])
        self.slices = self._plan_slices(data.fit_users)
        self.validation_slices = self._plan_slices(data.validation_users)
        self.optimizer = torch.optim.AdamW(encoder.parameters(), lr=plan.learning_rate)
        self.n_steps = plan.epochs * -(-len(data.fit_users) // plan.batch_users)
        self.n_steps_done = 0

    def fit(self, tick: Tick) -> tuple[dict[str, float], float]:
        """One epoch: mean losses, and events read per second."""
        began, n_events, n_done, means = time.perf_counter(), 0, 0, _Means()
        self.encoder.train()
        stretches = windows(self.data.sequences, self.data.fit_users, self.plan.window, self.rng)
        for batch in similar_batches(stretches, self.plan.batch_users, self.rng):
            pair = self._slices(self.slices, self.rng)
            losses = self._losses(self.data.training_tensors(batch, self.rng), pair, self.rng)
            self._step(losses)
            means.add(losses, len(batch.start))
            n_events += _count(batch) + (2 * _count(pair[0]) if pair else 0)
            n_done += len(batch.start)
            tick(n_done / len(stretches.start))
        return means.values(self.plan.weights), n_events / (time.perf_counter() - began)

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Mean losses on the users not fitted; the same windows and slices every epoch."""
        if not len(self.data.validation_users):
            return {}
        rng, means = np.random.default_rng([self.seed, 2]), _Means()
        self.encoder.eval()
        stretches = windows(self.data.sequences, self.data.validation_users, self.plan.window, rng)
        for batch in similar_batches(stretches, self.plan.batch_users, rng):
            pair = self._slices(self.validation_slices, rng)
            losses = self._losses(self.data.tensors(batch), pair, rng)
            means.add(losses, len(batch.start))
        return means.values(self.plan.weights)

    def _losses(
        self,
        batch: Tensors,
        pair: tuple[Stretches, Stretches] | None,
        rng: np.random.Generator,
    ) -> dict[str, Tensor]:
        sides = self.data.slice_tensors(pair, rng) if pair else None
        return self.objectives.losses(self.encoder, batch, sides, rng)

    def _step(self, losses: Mapping[str, Tensor]) -> None:
        """Change the weights once; a batch in which nothing follows anything changes nothing."""
        progress = self.n_steps_done / self.n_steps
        weights = {**self.plan.weights}
        weights["contrastive"] *= min(1.0, progress / _RAMP)
        weighted = [weights[name] * loss for name, loss in losses.items()]
        if weighted:
            self.optimizer.param_groups[0]["lr"] = self.plan.learning_rate * _rate(progress)
            self.optimizer.zero_grad(set_to_none=True)
            torch.stack(weighted).sum().backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self.encoder.parameters(), _MOST_GRADIENT)
            self.optimizer.step()
        self.n_steps_done += 1

    def _plan_slices(self, users: LongArray) -> SlicePlan:
        plan = self.plan
        return plan_slices(self.data.sequences, users, plan.slice_shortest, plan.slice_longest)

    def _slices(
        self, slices: SlicePlan, rng: np.random.Generator
    ) -> tuple[Stretches, Stretches] | None:
        if not (self.plan.weights["contrastive"] and slices.possible):
            return None
        return slice_pairs(slices, self.plan.slice_users, rng)


class _Means:
    """Running means of losses by name; each batch weighs as many users as it has."""

    def __init__(self) -> None:
        self.sums: dict[str, float] = {}
        self.weights: dict[str, int] = {}

    def add(self, losses: Mapping[str, Tensor], n_users: int) -> None:
        for name, loss in losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + float(loss.detach()) * n_users
            self.weights[name] = self.weights.get(name, 0) + n_users

    def values(self, weights: Mapping[str, float]) -> dict[str, float]:
        """Every loss, the weighted sum of the predictions as next_event, and that of all."""
        means = {name: total / self.weights[name] for name, total in self.sums.items()}
        weighted = {name: weights[name] * mean for name, mean in means.items()}
        next_event = sum(value for name, value in weighted.items() if name in NEXT_EVENT)
        return {"total": sum(weighted.values()), "next_event": next_event, **means}


def _understood(losses: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """What is weighed to stop early: all but telling people apart, no proof of understanding."""
    counted = [name for name in losses if name in weights and name != "contrastive"]
    return sum(weights[name] * losses[name] for name in counted) or losses["total"]


def _rate(progress: float) -> float:
    """Share of the learning rate: rises in the first steps, then falls as a cosine to zero."""
    if progress < _WARM_UP:
        return (progress + 0.001) / (_WARM_UP + 0.001)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - _WARM_UP) / (1 - _WARM_UP))))


def _count(stretches: Stretches) -> int:
    return int(stretches.length.sum())
