"""Every user in figures and in a few words: for the map and for tables of selected users."""

from __future__ import annotations

import numpy as np

from core.artifacts import DoubleArray, LongArray, Sequences, TextArray
from core.segments._base import SegmentOptions, blocks
from core.segments.flows import steps_of
from core.segments.scalars import SCALARS, Calendar, known_scalars, scalar_values

_STEPS_TOLD = 4


def user_figures(sequences: Sequences, options: SegmentOptions) -> dict[str, DoubleArray]:
    """The figures of `core.segments.SUMMARY` that single users have, each (U,), in its unit.

    NaN where a user has none (no pause after one event, no price). Not cut to typical values:
    these are the users' own.
    """
    pause = 60.0 * options.session_minutes
    calendar = Calendar(last=int(sequences.time.max()), pause=pause)
    names = known_scalars(sequences)
    found = {name: np.empty(sequences.n_users) for name in names}
    for block in blocks(sequences):
        values = scalar_values(sequences, calendar, block)
        for name in names:
            log = SCALARS[name].scale == "log"
            found[name][block.users] = np.expm1(values[name]) if log else values[name]
    return found


def user_stories(sequences: Sequences, users: LongArray, options: SegmentOptions) -> TextArray:
    """The last few events of some users in one line each; ``users`` are places in ``user_ids``."""
    pause = 60.0 * options.session_minutes
    lines = [" → ".join(steps_of(sequences, int(u), pause)[-_STEPS_TOLD:]) for u in users]
    return np.array(lines, dtype=object)
