"""Logs of a few users, event by event, for the models of behaviour."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from core.artifacts import Sequences
from core.sequence_models.counts import Counts, Memory, count
from core.sequence_models.outcomes import Coding, outcomes_of
from tests.worlds import tiny_sequences

PLAIN = Memory(actions=1, visits=False, category="stay")
Step = tuple[str, str | None, float, float | None]
"""(action, category, time in seconds, price)"""


def log(
    users: Mapping[str, Sequence[Step]],
    visits: Mapping[str, Sequence[int]] | None = None,
    **changes: Any,
) -> Sequences:
    """Sequences of the users' steps; ``visits`` has the visit of every step, else one."""
    made = tiny_sequences({u: [(a, c, None, t, p) for a, c, t, p in of] for u, of in users.items()})
    if visits is not None:
        flat = [visit for user in sorted(users) for visit in visits[user]]
        changes["session"] = np.array(flat, dtype=np.int32)
    return replace(made, **changes)


def acting(users: Mapping[str, str]) -> Sequences:
    """Users of whom nothing but the actions is known: words, or single letters, a second apart."""
    return log(
        {
            user: [(action, None, float(t), None) for t, action in enumerate(_words(text))]
            for user, text in users.items()
        }
    )


def counted(sequences: Sequences, memory: Memory = PLAIN) -> Counts:
    """The counts of all users, coded as they are."""
    return count(outcomes_of(sequences, Coding.of(sequences)), memory)


def _words(text: str) -> list[str]:
    return text.split() if " " in text else list(text)
