"""Users of a log by whom work is tried out."""

from __future__ import annotations

import numpy as np

from core.artifacts import Sequences
from core.geometry import drawn_users


def sample_of(sequences: Sequences, n_users: int) -> Sequences:
    """So many users with events, drawn by chance; all where there are no more."""
    users = np.flatnonzero(np.diff(sequences.offsets) > 0)
    drawn = drawn_users(len(users), n_users, 0)
    return sequences.of_users(users if drawn is None else users[drawn])


def share_of(sequences: Sequences, n_users: int) -> Sequences:
    """The first users of a log, for a sample drawn by chance already."""
    return sequences.of_users(np.arange(min(n_users, sequences.n_users)))
