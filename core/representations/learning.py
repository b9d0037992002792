"""From sequences to a trained encoder to points: what is loaded only where training happens."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from contextlib import closing

import numpy as np
import torch

from core.artifacts import EpochReport, FloatArray, LongArray, Progress, Report, Sequences, State
from core.errors import TooLittleData
from core.representations._base import Fitted, Work
from core.representations.batches import Stretches
from core.representations.checkpoint import Checkpoints
from core.representations.device import pick, repeatable
from core.representations.encoder import EventEncoder, Shape, projected_widths, to_tensors
from core.representations.encoder_cells import Memory
from core.representations.encoder_options import EncoderOptions
from core.representations.inputs import Scales, gather
from core.representations.pooling import Pooled
from core.representations.source import TrainingData, TrainingPlan, split_users
from core.representations.space import fit_space, place
from core.representations.teacher import targets_of
from core.representations.training import train
from core.representations.vectors import event_vectors, fitted_vectors

_STAGE = "represent"
_TRAINING_SHARE = 0.95
"""Share of the whole step that is training; the rest is placing the users."""
_SECONDS_BETWEEN_REPORTS = 0.5
_STEPS = 850
"""Steps a training aims at where the number of epochs is left open."""
_FEWEST_EPOCHS, _MOST_EPOCHS = 3, 80
_BATCH_USERS = ((400, 16), (800, 32), (20_000, 64), (math.inf, 256))
"""Up to how many users to fit, how many are read per step: small logs need small steps too."""
_READ_AT_ONCE = 256
"""Events of a user read in one go when placing; longer ones are read on from the memory."""
_EVENTS_PER_BATCH = 16_384
_WEIGHT = "weight."


def fit(sequences: Sequences, options: EncoderOptions, work: Work, cell: str = "lstm") -> Fitted:
    """Train an encoder of that cell and place every user, shape (U, hidden).

    The same seed and threads give the same bytes on a CPU. Raises TooLittleData where no user
    has two events.
    """
    if not (np.diff(sequences.offsets) >= 2).any():
        raise TooLittleData(
            "No user has two events or more, so there is no next event to learn from. Keep more "
            "of the log when cleaning, or take the representation 'bag'."
        )
    device = pick(options.device)
    threads = min(options.threads, os.cpu_count() or 1)
    work.report(Progress(stage=_STAGE, done=0.0, text=f"Learning on {device}"))
    with repeatable(threads, device.name):
        torch.manual_seed(work.seed)
        data = _data(sequences, options, device.name, targets_of(sequences, options, work))
        encoder = build_encoder(data, options, cell)
        history = _train(encoder, data, options, work)
        work.report(Progress(stage=_STAGE, done=_TRAINING_SHARE, text="Placing every user"))
        states = pooled_states(encoder, sequences, data.scales, device.name)
    space = fit_space(states, options.evenness)
    weights = {_WEIGHT + k: v.cpu().numpy() for k, v in encoder.state_dict().items()}
    state = {
        **weights,
        **data.scales.to_state(),
        **shape_of(data, options, cell).to_state(),
        **space,
        "threads": np.array([threads]),
    }
    return Fitted(values=place(state, states), state=state, device=str(device), history=history)


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


def transform(state: State, sequences: Sequences, cell: str = "lstm") -> FloatArray:
    """Place users by an encoder trained earlier, shape (U, hidden), on the fastest device.

    Raises ValueError where the state is not of an encoder of that cell.
    """
    shape = _known_shape(state, cell)
    scales = Scales.from_state(state)
    weights = {
        name.removeprefix(_WEIGHT): torch.from_numpy(np.array(values))
        for name, values in state.items()
        if name.startswith(_WEIGHT)
    }
    device = pick("auto").name
    with repeatable(int(state["threads"][0]), device):
        vectors = fitted_vectors(sequences, projected_widths(weights))
        encoder = EventEncoder(scales, len(state["centre"]), vectors, shape).to(device)
        encoder.load_state_dict(weights)
        return place(state, pooled_states(encoder, sequences, scales, device))


@torch.no_grad()
def pooled_states(
    encoder: EventEncoder, sequences: Sequences, scales: Scales, device: str
) -> FloatArray:
    """Pooled hidden state over all events of every user, shape (U, H); zeros without events.

    Users are read in batches of similar length, long ones in parts; memory stays flat. Always in
    float32, however the encoder was trained, so that users placed later stand where they would.
    """
    encoder.eval()
    encoder.autocast = None
    start, length = np.asarray(sequences.offsets[:-1]), np.diff(sequences.offsets)
    states = np.zeros((sequences.n_users, encoder.hidden), dtype=np.float32)
    by_length = np.argsort(length, kind="stable")
    for users in _read_together(by_length[length[by_length] > 0], length):
        pooled: Pooled | None = None
        memory: Memory | None = None
        for done in range(0, int(length[users].max()), _READ_AT_ONCE):
            part = Stretches(
                start=start[users] + np.minimum(done, length[users] - 1),
                length=np.clip(length[users] - done, 0, _READ_AT_ONCE),
            )
            tensors = to_tensors(gather(sequences, scales, *part.padded()), device)
            hidden, memory = encoder(tensors, memory)
            pooled = encoder.pool.add(pooled, hidden, tensors["real"])
        if pooled is not None:
            states[users] = pooled.state().cpu().numpy()
    return states


def _known_shape(state: State, cell: str) -> Shape:
    if "shape.cell" not in state:
        raise ValueError(
            f"This is not the state of an encoder '{cell}' of this version: it does not say of "
            "which cell it is. Fit the log anew."
        )
    shape = Shape.from_state(state)
    if shape.cell != cell:
        raise ValueError(
            f"This is the state of an encoder '{shape.cell}', not '{cell}': its numbers mean "
            f"nothing to one. Place users by '{shape.cell}'."
        )
    return shape


def _read_together(users: LongArray, length: LongArray) -> Iterator[LongArray]:
    """Cut users (the shortest first) into batches of about equal cost."""
    cost = np.cumsum(np.minimum(length[users], _READ_AT_ONCE))
    batch = cost // _EVENTS_PER_BATCH
    yield from np.split(users, np.flatnonzero(np.diff(batch)) + 1)


def _data(
    sequences: Sequences, options: EncoderOptions, device: str, targets: FloatArray | None
) -> TrainingData:
    fit_users, validation_users = split_users(sequences)
    return TrainingData(
        sequences=sequences,
        scales=Scales.of(
            sequences,
            time_of_day=options.time_of_day,
            min_users=options.min_users_per_word,
            max_items=options.max_items if options.item_weight > 0 else 0,
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
