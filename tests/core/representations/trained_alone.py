"""Training on a tiny log, to be run in a process of its own that can be killed.

Saves within an epoch as often as it can, so that a kill finds every kind of half-written state.
"""

import hashlib
import json
from dataclasses import replace
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np
import torch

from core.artifacts import VALIDATE, Sequences
from core.device import repeatable
from core.representations import checkpoint
from core.representations.checkpoint import Checkpoints
from core.representations.encoder import EventEncoder, Shape
from core.representations.encoder_options import EncoderOptions
from core.representations.inputs import Scales
from core.representations.learning import training_plan
from core.representations.source import TrainingData, split_users
from core.representations.training import train
from tests.worlds import bare_sequences, vocabulary_of

OPTIONS = EncoderOptions(hidden=16, epochs=6, batch_users=16, slice_users=16, patience=0, threads=1)


def tiny_log(n_users: int = 160) -> Sequences:
    """Users that go round three actions, forwards or backwards; every fifth is watched."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(4, 40, n_users)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    turn = np.repeat(np.where(np.arange(n_users) % 2, 1, 2), lengths)
    gap = rng.lognormal(4, 1, len(turn)).astype(np.float32)
    gap[offsets[:-1]] = 0
    return bare_sequences(
        [f"{user:04d}" for user in range(n_users)],
        offsets,
        action=(1 + (np.cumsum(turn) + (rng.random(len(turn)) < 0.1)) % 3).astype(np.int32),
        gap=gap,
        time=(1_767_571_200 + np.cumsum(gap)).astype(np.int64),
        split=np.where(np.arange(n_users) % 5 == 0, VALIDATE, 0).astype(np.int8),
        vocabulary=vocabulary_of(actions=("a", "b", "c")),
    )


def data_of(sequences: Sequences) -> TrainingData:
    fitted, watched = split_users(sequences)
    return TrainingData(
        sequences=sequences,
        scales=Scales.of(sequences, time_of_day=True),
        fit_users=fitted,
        validation_users=watched,
        device="cpu",
    )


def fresh(data: TrainingData, shape: Shape | None = None) -> EventEncoder:
    torch.manual_seed(0)
    return EventEncoder(data.scales, OPTIONS.hidden, shape=shape or Shape())


def digest(encoder: EventEncoder) -> str:
    """SHA-256 of all weights, bit by bit."""
    found = hashlib.sha256()
    for name, value in sorted(encoder.state_dict().items()):
        found.update(name.encode() + value.numpy().tobytes())
    return found.hexdigest()


def main(keep: Path | None, out: Path, epochs: int, learning: Event) -> None:
    """Train and write down what came out; ``learning`` is set once it has begun."""
    checkpoint._LEAST_SECONDS = checkpoint._WORTH = 0  # whenever there is something to save
    with repeatable(1):
        data = data_of(tiny_log())
        encoder = fresh(data)
        checkpoints = Checkpoints(keep, every_minutes=0.02 / 60)
        plan = training_plan(OPTIONS, len(data.fit_users))
        plan = replace(plan, epochs=epochs, patience=epochs)  # keeps the best weights, ends never
        reports = list(train(encoder, data, plan, checkpoints, lambda share: learning.set()))
    told = {
        "weights": digest(encoder),
        "losses": [report.losses for report in reports],
        "watched": [report.validation_losses for report in reports],
        "notes": [report.note for report in reports],
    }
    out.write_text(json.dumps(told))
