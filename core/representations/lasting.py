"""What lasts in a user: how far a number read off the earlier half of a history returns in the later.

A number in which two halves of the same history differ as much as two strangers is chance, and
would only drown what tells users apart. Reliability of halves: Spearman, 1910, and Brown, 1910.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.artifacts import DoubleArray, FloatArray, Sequences
from core.representations.counts import users_to_fit

_USERS = 50_000
"""Users of whom it is learned, at even distances where there are more."""
_FEWEST_USERS = 30
_FEWEST_EVENTS = 4
_LEAST = 0.05
"""Weight of a number in which nothing lasts: it may not vanish, for it still tells users apart."""


def halves(sequences: Sequences) -> Sequences:
    """Some of the users to fit, each as two: at 2 i the earlier half of its events, at 2 i + 1 the
    later. Users with fewer than four events are left out."""
    users = users_to_fit(sequences)
    users = users[np.diff(sequences.offsets)[users] >= _FEWEST_EVENTS]
    users = users[:: -(-len(users) // _USERS) or 1]
    first, last = sequences.offsets[users], sequences.offsets[users + 1]
    sizes = np.stack([(last - first) // 2, last - first - (last - first) // 2], axis=1).ravel()
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    events = np.arange(offsets[-1]) + np.repeat(first - offsets[:-1:2], last - first)
    names = ("action", "category", "item", "platform", "query", "session")
    numbers = ("time", "gap", "duration", "price")
    doubled = np.repeat(users, 2)
    return replace(
        sequences,
        offsets=offsets,
        user_ids=sequences.user_ids[doubled],
        length=sequences.length[doubled],
        in_window=sequences.in_window[doubled],
        first_time=sequences.first_time[doubled],
        split=sequences.split[doubled],
        **{name: getattr(sequences, name)[events] for name in (*names, *numbers)},
    )


def lasting(values: FloatArray) -> FloatArray:
    """How far each number lasts, in [0.05, 1], (C,); of `halves`, (2 n, C), NaN where unknown.

    The correlation r of the halves, as 2 r / (1 + r), which it would be of whole histories. 1
    where fewer than 30 users tell.
    """
    found = [_lasts(column[::2], column[1::2]) for column in values.T.astype(np.float64)]
    return np.array(found, dtype=np.float32)


def _lasts(earlier: DoubleArray, later: DoubleArray) -> float:
    known = np.isfinite(earlier) & np.isfinite(later)
    if np.count_nonzero(known) < _FEWEST_USERS:
        return 1.0
    one, other = earlier[known] - earlier[known].mean(), later[known] - later[known].mean()
    size = np.sqrt((one @ one) * (other @ other))
    r = float(one @ other / size) if size > 0 else 0.0
    return max(_LEAST, 2 * r / (1 + r)) if r > 0 else _LEAST
