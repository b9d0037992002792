"""What training an encoder takes: a few real steps on real batches, times those of the plan."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np
import torch

from core.artifacts import FloatArray, Sequences
from core.device import Device, pick, repeatable
from core.errors import JobStopped
from core.forecast.machine import most_held
from core.forecast.measuring import Cost, Gauge, peak_bytes
from core.forecast.samples import sample_of
from core.representations.batches import Stretches, epoch_batches
from core.representations.checkpoint import Checkpoints
from core.representations.encoder import Tensors
from core.representations.encoder_options import EncoderOptions
from core.representations.findings import findings_of
from core.representations.learning import (
    batch_users_of,
    build_encoder,
    training_data,
    training_plan,
)
from core.representations.objectives import NEXT_EVENT
from core.representations.placing import pooled_states
from core.representations.source import TrainingData, split_users
from core.representations.space import fit_space, place
from core.representations.training import train

_BATCHES, _FEWEST_BATCHES, _SECONDS = 24, 4, 0.8
"""Most and fewest real steps that are timed, and seconds after which it is enough."""
_POOL = 32
"""Batches of the real log of which lengths are looked at."""
_PLACED, _JUDGED = 512, 300
"""Users that are placed and looked at in the end, for timing."""
_MOST_JUDGED = 2_000
_FORWARD = 1 / 3
"""Of a training step, what only reading takes: going back is twice the work of going forward."""
_CALM = 0.5
"""Share of the epochs after which a training may at the earliest have stopped by itself."""


def encoder_cost(sequences: Sequences, options: EncoderOptions, cell: str, gauge: Gauge) -> Cost:
    """Training an encoder of that cell on a log and placing everyone in it."""
    device = pick(options.device)
    threads = min(options.threads, os.cpu_count() or 1)
    gauge = gauge.on(device.name, threads)
    with repeatable(threads, device.name):
        torch.manual_seed(0)
        return _Trial(sequences, options, cell, device, gauge).cost()


@dataclass(frozen=True, kw_only=True)
class _Watched(TrainingData):
    """A log that notes how many places, padding and all, each batch had that was read of it."""

    places: list[int] = field(default_factory=list)

    def training_tensors(self, stretches: Stretches, rng: np.random.Generator) -> Tensors:
        self.places.append(_places(stretches))
        return super().training_tensors(stretches, rng)


class _Trial:
    """A small training of the real encoder with the real batches."""

    def __init__(
        self,
        sequences: Sequences,
        options: EncoderOptions,
        cell: str,
        device: Device,
        gauge: Gauge,
    ) -> None:
        self.whole, self.options, self.gauge, self.device = sequences, options, gauge, device.name
        self.fit_users, self.watched = split_users(sequences)
        size = batch_users_of(options, len(self.fit_users), device.name)
        self.plan = training_plan(replace(options, batch_users=size), len(self.fit_users))
        self.sample = sample_of(sequences, 2 * _FEWEST_BATCHES * size)
        self.data = training_data(self.sample, options, device.name, None)
        self.encoder = build_encoder(self.data, options, cell)

    def cost(self) -> Cost:
        """All of it: reading in, epochs, placing, and looking at what came out."""
        # What is measured is what is done: no figure here is of another machine.
        setup = self.gauge.seconds(
            lambda: training_data(self.sample, self.options, self.device, None)
        )
        read_in = peak_bytes(lambda: training_data(self.sample, self.options, self.device, None))
        more = self.whole.n_events / max(1, self.sample.n_events)
        training = self._training()
        placing = self._placing()
        return (
            Cost.about(setup * more, read_in * more)
            .then(training)
            .then(placing)
            .then(Cost.about(self._judging()))
        )

    def _training(self) -> Cost:
        before = most_held(lambda: None)
        timed: list[tuple[int, float]] = []
        peak = most_held(lambda: timed.extend(self._steps()))
        of_batch, of_place = _line(timed)
        drawn = np.array([_places(batch) for batch in islice(self._batches(), _POOL)] or [0])
        step = of_batch + of_place * float(drawn.mean())
        n_fit, n_watched = (
            self.plan.portions.n_batches(len(users)) for users in (self.fit_users, self.watched)
        )
        epoch = step * (n_fit + _FORWARD * n_watched)
        widest = max(1.0, float(drawn.max()) / max([places for places, _ in timed] or [1]))
        memory = widest * max(0.0, peak - before)
        return Cost.about(epoch, memory).times(self._fewest_epochs(), self.plan.epochs)

    def _fewest_epochs(self) -> float:
        """Epochs after which the users watched may have stopped it."""
        epochs, patience = self.plan.epochs, self.plan.patience
        if not patience or not len(self.watched):
            return epochs
        return min(epochs, max(patience + 1, _CALM * epochs))

    def _steps(self) -> Iterator[tuple[int, float]]:
        """Places of a batch and seconds, of some training steps; the first warms up."""
        data = _Watched(**{**vars(self.data), "validation_users": self.data.fit_users[:0]})
        began, marks = self.gauge.clock(), list[float]()

        def tick(share: float) -> None:
            marks.append(self.gauge.clock())
            enough = marks[-1] - began > _SECONDS and len(marks) >= _FEWEST_BATCHES
            if enough or len(marks) > _BATCHES:
                raise JobStopped("Enough was seen.")

        plan = replace(self.plan, epochs=1000, patience=0)
        with suppress(JobStopped):
            for _ in train(self.encoder, data, plan, Checkpoints(None), tick):
                pass
        seconds = np.diff(marks)
        return zip(data.places[1:], seconds.tolist(), strict=False)

    def _batches(self) -> Iterator[Stretches]:
        def dice(number: int) -> np.random.Generator:
            return np.random.default_rng([0, number])

        return epoch_batches(self.whole, self.fit_users, self.plan.portions, dice)

    def _placing(self) -> Cost:
        """Reading everyone once more, and the space they are placed in."""
        some = sample_of(self.sample, _PLACED)
        found = list[FloatArray]()
        scales = self.data.scales

        def read() -> None:
            found.append(pooled_states(self.encoder, some, scales, self.device))

        seconds = self.gauge.seconds(read) * self.whole.n_events / max(1, some.n_events)
        states = np.tile(found[0], (4, 1))

        def placed() -> None:
            place(fit_space(states, self.options.evenness), states)

        users = self.whole.n_users / max(1, len(states))
        seconds += self.gauge.seconds(placed) * users
        held = self.whole.n_users * self.encoder.hidden * states.itemsize
        return Cost.about(seconds, peak_bytes(placed) * users).beside(held)

    def _judging(self) -> float:
        """Seconds of looking at what was learned, which is done on some users only."""
        few = replace(
            self.data,
            fit_users=self.data.fit_users[:_JUDGED],
            validation_users=self.data.fit_users[:_JUDGED],
        )
        values = np.zeros((self.sample.n_users, self.encoder.hidden), dtype=np.float32)
        asked = {name for name in NEXT_EVENT if self.plan.weights[name] > 0}
        seconds = self.gauge.seconds(lambda: findings_of(self.encoder, few, values, asked, 0))
        most = min(_MOST_JUDGED, len(self.watched) or len(self.fit_users))
        return seconds * most / max(1, len(few.fit_users))


def _line(timed: list[tuple[int, float]]) -> tuple[float, float]:
    """Seconds of every batch and of every place in it, neither below 0."""
    if not timed:
        return 0.0, 0.0
    places, seconds = np.array(timed, dtype=np.float64).T
    each = seconds.sum() / max(1.0, places.sum())
    if np.ptp(places) == 0:
        return 0.0, float(each)
    slope, fixed = np.polyfit(places, seconds, 1)
    if slope < 0:
        return float(seconds.mean()), 0.0
    return (0.0, float(each)) if fixed < 0 else (float(fixed), float(slope))


def _places(stretches: Stretches) -> int:
    return len(stretches.length) * int(stretches.length.max())
