"""From sequences to a trained encoder to points: what is loaded only where training happens."""

from __future__ import annotations

import math
import os
import time
from contextlib import closing
from dataclasses import replace

import numpy as np
import torch

from core.artifacts import EpochReport, FloatArray, Metric, Progress, Report, Sequences
from core.device import Device, pick, repeatable, with_room
from core.errors import TooLittleData
from core.representations._base import Fitted, Work
from core.representations.batches import windows
from core.representations.checkpoint import Checkpoints
from core.representations.counts import users_to_fit
from core.representations.encoder import EventEncoder, Shape
from core.representations.encoder_options import EncoderOptions
from core.representations.findings import findings_of, rank_finding
from core.representations.idec import NAME, Pull, draw_to_segments
from core.representations.inputs import Scales
from core.representations.objectives import NEXT_EVENT
from core.representations.precision import Precision, checked, pick_precision
from core.representations.ranks import Ranks
from core.representations.source import TrainingData, TrainingPlan, split_users
from core.representations.space import MOST_USERS, fit_space, place
from core.representations.teacher import targets_of
from core.representations.trained import DEVICES, WEIGHT, states
from core.representations.training import train
from core.representations.vectors import event_vectors

_STAGE = "represent"
_TRAINING_SHARE = 0.95
"""Share of the whole step that is training; the rest is placing the users."""
_SECONDS_BETWEEN_REPORTS = 0.5
_STEPS = 850
"""Steps a training aims at where the number of epochs is left open."""
_FEWEST_EPOCHS, _MOST_EPOCHS = 3, 80
_BATCH_USERS = ((400, 16), (800, 32), (20_000, 64), (math.inf, 256))
"""Up to how many users to fit, how many are read per step: small logs need small steps too."""
_LARGE_LOG, _GPU_BATCH_USERS = 20_000, 1024
"""From how many users to fit a GPU reads how many per step: it waits for small batches."""
_CHECKED_USERS = 64
"""Users by whom a short precision is tried out."""


def fit(sequences: Sequences, options: EncoderOptions, work: Work, cell: str = "lstm") -> Fitted:
    """Train an encoder of that cell and place every user, shape (U, hidden).

    The same seed and threads give the same bytes on a CPU. Raises TooLittleData where no user
    has two events, or the log has nothing that can be learned.
    """
    if not (np.diff(sequences.offsets) >= 2).any():
        raise TooLittleData(
            "No user has two events or more, so there is no next event to learn from. Keep more "
            "of the log when cleaning, or take the representation 'bag'."
        )
    device = pick(options.device)
    threads = min(options.threads, os.cpu_count() or 1)
    with repeatable(threads, device.name):
        torch.manual_seed(work.seed)
        data = training_data(sequences, options, device.name, targets_of(sequences, options, work))
        encoder, history, computed_on = _trained(data, options, cell, device, work)
        drawn = _drawn_to_segments(encoder, data, options, work)
        work.report(Progress(stage=_STAGE, done=_TRAINING_SHARE, text="Placing every user"))
        placed: list[int] = []
        found = states(encoder, sequences, data.scales, device.name, placed.append)
        space = fit_space(found[users_to_fit(sequences, MOST_USERS)], options.evenness)
        values = place(space, found)
        asked = {name for name in NEXT_EVENT if training_plan(options, 1).weights[name] > 0}
        told = findings_of(encoder, data, values, asked, work.seed)
        findings = (rank_finding(found), *told, *drawn)
    weights = {WEIGHT + k: v.cpu().numpy() for k, v in encoder.state_dict().items()}
    state = {
        **weights,
        **data.scales.to_state(),
        **shape_of(data, options, cell).to_state(),
        **space,
        "threads": np.array([threads]),
        "device": np.array([DEVICES.index(options.device)]),
    }
    if placed:
        computed_on += f", placed {placed[-1]:,} events at a time (the GPU had no room for more)"
    return Fitted(
        values=values, state=state, device=computed_on, history=history, findings=findings
    )


def _trained(
    data: TrainingData, options: EncoderOptions, cell: str, device: Device, work: Work
) -> tuple[EventEncoder, tuple[EpochReport, ...], str]:
    """A trained encoder, how it learned, and where: device, precision and what had to give way.

    Where a GPU has no room, training begins anew with half as many users per step.
    """
    n_users = len(data.fit_users)
    said: list[str] = []

    def attempt(batch_users: int) -> tuple[EventEncoder, tuple[EpochReport, ...], str]:
        torch.manual_seed(work.seed)
        encoder = build_encoder(data, options, cell)
        precision = _set_precision(encoder, data, options)
        computed_on = ", ".join([str(device), str(precision), *said[-1:]])
        work.report(Progress(stage=_STAGE, done=0.0, text=f"Learning on {computed_on}"))
        history = _train(encoder, data, replace(options, batch_users=batch_users), work)
        return encoder, history, computed_on

    def halved(batch_users: int) -> None:
        said.append(f"{batch_users} users per step (the GPU had no room for more)")

    batch_users = batch_users_of(options, n_users, device.name)
    alone = Ranks.here(()).size == 1
    return with_room(attempt, batch_users, halved, least=2, alone=alone)


def _drawn_to_segments(
    encoder: EventEncoder, data: TrainingData, options: EncoderOptions, work: Work
) -> tuple[Metric, ...]:
    """Refine a trained encoder by segments, where that is wanted; what came of it."""
    if not options.refine_epochs:
        return ()
    if work.models is None:
        return (Metric(name=NAME, value=None, note="Not tried, as there are no models to say K."),)
    plan = training_plan(options, len(data.fit_users), work.seed)
    pull = Pull(k=work.models.suggested, epochs=options.refine_epochs, seed=work.seed)

    def tell(epoch: int) -> None:
        text = f"Drawing users towards segments: epoch {epoch} of at most {pull.epochs}"
        work.report(Progress(stage=_STAGE, done=_TRAINING_SHARE, text=text))

    return (draw_to_segments(encoder, data, plan, pull, tell),)


def batch_users_of(options: EncoderOptions, n_users: int, device: str) -> int:
    """Users per step; of large logs more on a GPU, where that is left open."""
    fitting = training_plan(options, n_users).batch_users
    if options.batch_users == "auto" and device == "cuda" and n_users > _LARGE_LOG:
        return max(fitting, _GPU_BATCH_USERS)
    return fitting


def _set_precision(encoder: EventEncoder, data: TrainingData, options: EncoderOptions) -> Precision:
    """Let the encoder train in the precision wanted if some users come out alike in it."""
    precision = pick_precision(options.precision, data.device)
    rng = np.random.default_rng(0)
    some = windows(data.sequences, data.fit_users[:_CHECKED_USERS], options.window, rng)
    return checked(precision, encoder, data.tensors(some))


def build_encoder(data: TrainingData, options: EncoderOptions, cell: str) -> EventEncoder:
    """A fresh encoder where it is to be trained; its numbers are drawn by PyTorch's seed."""
    shape = shape_of(data, options, cell)
    encoder = EventEncoder(data.scales, options.hidden, event_vectors(data.sequences), shape)
    return encoder.to(data.device)


def shape_of(data: TrainingData, options: EncoderOptions, cell: str) -> Shape:
    """What the encoder is built of."""
    return Shape(
        cell=cell,
        layers=options.layers,
        pooling=options.pooling,
        dropout=options.dropout,
        rebuilds=options.autoencoder_weight > 0,
        n_targets=0 if data.targets is None else data.targets.shape[1],
    )


def training_data(
    sequences: Sequences, options: EncoderOptions, device: str, targets: FloatArray | None
) -> TrainingData:
    """The log as an encoder reads it, on a device as PyTorch calls it."""
    fit_users, validation_users = split_users(sequences)
    return TrainingData(
        sequences=sequences,
        scales=Scales.of(
            sequences,
            time_of_day=options.time_of_day,
            min_users=options.min_users_per_word,
            max_items=options.max_items if options.item_weight > 0 else 0,
            recent_actions=options.recent_actions,
        ),
        fit_users=fit_users,
        validation_users=validation_users,
        device=device,
        targets=targets if options.teacher_weight > 0 else None,
    )


def training_plan(options: EncoderOptions, n_users: int, seed: int = 0) -> TrainingPlan:
    """Work out what is left to "auto" for a log with so many users to fit."""
    asked, fitting = options.batch_users, next(s for most, s in _BATCH_USERS if n_users <= most)
    batch_users = fitting if asked == "auto" else asked
    steps_per_epoch = -(-n_users // batch_users)
    enough = min(_MOST_EPOCHS, max(_FEWEST_EPOCHS, round(_STEPS / steps_per_epoch)))
    return TrainingPlan(
        epochs=enough if options.epochs == "auto" else options.epochs,
        batch_users=batch_users,
        window=options.window,
        learning_rate=options.learning_rate,
        weights={
            "action": options.action_weight,
            "category": options.category_weight,
            "gap": options.gap_weight,
            "duration": options.value_weight,
            "price": options.value_weight,
            "item": options.item_weight,
            "autoencoder": options.autoencoder_weight,
            "teacher": options.teacher_weight,
            "contrastive": options.contrastive_weight,
        },
        temperature=options.temperature,
        slice_users=options.slice_users,
        slice_shortest=options.slice_shortest,
        slice_longest=options.slice_longest,
        patience=options.patience,
        seed=seed,
    )


def _train(
    encoder: EventEncoder, data: TrainingData, options: EncoderOptions, work: Work
) -> tuple[EpochReport, ...]:
    """Run the training loop, telling the listener of every epoch and within long ones."""
    plan = training_plan(options, len(data.fit_users), work.seed)
    checkpoints = Checkpoints(work.keep, every_minutes=options.checkpoint_minutes)
    told = _Teller(work.report, plan.epochs, checkpoints)
    with closing(train(encoder, data, plan, checkpoints, told.tick)) as epochs:
        for epoch in epochs:
            if not epoch.losses:
                raise TooLittleData(
                    "Nothing can be learned, as the log has nothing of what the encoder is asked: "
                    f"{options.needs()}. Map such a column, or set another of the weights above 0."
                )
            told.epoch(epoch)
    return tuple(told.history)


class _Teller:
    """Tells the listener how far training is, at most twice a second between epochs."""

    def __init__(self, report: Report, n_epochs: int, checkpoints: Checkpoints) -> None:
        self.history: list[EpochReport] = []
        self._report, self._n_epochs, self._checkpoints = report, n_epochs, checkpoints
        self._last = time.perf_counter()
        self._began: tuple[float, float] | None = None
        """When the first batch of this sitting was done, and how many epochs there were then."""

    def tick(self, share: float) -> None:
        """Take note of the share of the running epoch that is done."""
        now = time.perf_counter()
        if self._began is None:
            self._began = now, len(self.history) + share
        if now - self._last >= _SECONDS_BETWEEN_REPORTS:
            self._tell(now, len(self.history) + share, None)

    def epoch(self, report: EpochReport) -> None:
        """Take note of a finished epoch, of this sitting or of one before."""
        self.history.append(report)
        self._tell(time.perf_counter(), len(self.history), report)

    def _tell(self, now: float, epochs_done: float, epoch: EpochReport | None) -> None:
        self._last = now
        text = f"Epoch {math.ceil(epochs_done)} of {self._n_epochs}{self._left(now, epochs_done)}"
        self._report(
            Progress(
                stage=_STAGE,
                done=_TRAINING_SHARE * epochs_done / self._n_epochs,
                text=text,
                epoch=epoch,
                note=f"{self._checkpoints.beginning} {self._checkpoints.trouble}".strip(),
            )
        )

    def _left(self, now: float, epochs_done: float) -> str:
        """Time left at the speed of this sitting, where that is known."""
        if self._began is None or epochs_done <= self._began[1]:
            return ""
        began, done_before = self._began
        left = (now - began) * (self._n_epochs - epochs_done) / (epochs_done - done_before)
        return f", about {left:.0f} s left" if left < 90 else f", about {left / 60:.0f} min left"
