"""Where users stand: the pooled states of a trained encoder, in memory that stays flat."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from core.artifacts import FloatArray, LongArray, Sequences
from core.representations.batches import Stretches
from core.representations.encoder import EventEncoder, to_tensors
from core.representations.encoder_cells import Memory
from core.representations.inputs import Scales, gather
from core.representations.pooling import Pooled

_READ_AT_ONCE = 256
"""Events of a user read in one go; longer ones are read on from the memory."""
EVENTS_PER_BATCH = 16_384


@torch.no_grad()
def pooled_states(
    encoder: EventEncoder,
    sequences: Sequences,
    scales: Scales,
    device: str,
    events_per_batch: int = EVENTS_PER_BATCH,
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
    for users in _read_together(by_length[length[by_length] > 0], length, events_per_batch):
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


def _read_together(
    users: LongArray, length: LongArray, events_per_batch: int
) -> Iterator[LongArray]:
    """Cut users (the shortest first) into batches of about equal cost.

    Nobody waits for a user with more than twice as many parts to be read.
    """
    cost = np.cumsum(np.minimum(length[users], _READ_AT_ONCE)) // events_per_batch
    parts = np.ceil(np.log2(np.maximum(length[users] / _READ_AT_ONCE, 1.0)))
    yield from np.split(users, np.flatnonzero((np.diff(cost) != 0) | (np.diff(parts) != 0)) + 1)
