"""Users of a log by whom work is tried out."""

from __future__ import annotations

import numpy as np

from core.artifacts import Sequences
from core.sequence_models.models import some_users


def sample_of(sequences: Sequences, n_users: int) -> Sequences:
    """So many users with events, drawn by chance; all where there are no more."""
    return sequences.of_users(some_users(sequences, n_users, 0))


def share_of(sequences: Sequences, n_users: int) -> Sequences:
    """The first users of a log, for a sample drawn by chance already."""
    return sequences.of_users(np.arange(min(n_users, sequences.n_users)))
