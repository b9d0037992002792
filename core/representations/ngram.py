"""Which action follows which: order one step deep; longer memory and time are not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.artifacts import FloatArray, IntArray, Sequences, State
from core.device import COUNTED_ON
from core.options import Options, option
from core.representations._base import Fitted, Representation, Work
from core.representations.counts import (
    centre_of,
    columns_of,
    events_to_fit,
    hellinger,
    most_frequent,
    user_blocks,
    users_to_fit,
)


@dataclass(frozen=True, kw_only=True)
class BigramOptions(Options):
    """How pairs of actions are counted."""

    max_actions: int = option(
        16,
        "Most actions",
        "Actions that are told apart in pairs; rarer ones are taken together",
        low=2,
        high=32,
        expert=True,
    )


def fit(sequences: Sequences, options: BigramOptions, work: Work) -> Fitted:
    """One point per user: square roots of the shares of actions and of pairs of actions.

    Shape (U, A + A²), centred on the users to fit. A user with one event has no pair and stands at
    the average of the pairs. Nothing is random.
    """
    n_codes = len(sequences.vocabulary.actions) + 1
    events = events_to_fit(sequences)
    column = most_frequent(sequences.action[events], n_codes, options.max_actions)
    raw = _count(column, sequences)
    n_actions = int(column.max()) + 1
    users = users_to_fit(sequences)
    centre = centre_of(raw, users)
    centre[n_actions:] = centre_of(raw[:, n_actions:], users[_has_pair(sequences)[users]])
    state = {"action_column": column, "centre": centre}
    return Fitted(values=_centred(raw, state, sequences), state=state, device=COUNTED_ON)


def transform(state: State, sequences: Sequences) -> FloatArray:
    """Place users in the space that was fitted, shape (U, D)."""
    return _centred(_count(state["action_column"], sequences), state, sequences)


def _has_pair(sequences: Sequences) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.diff(sequences.offsets) >= 2


def _centred(raw: FloatArray, state: State, sequences: Sequences) -> FloatArray:
    n_actions = int(state["action_column"].max()) + 1
    raw -= state["centre"]
    raw[~_has_pair(sequences), n_actions:] = 0.0
    return raw


def _count(column: IntArray, sequences: Sequences) -> FloatArray:
    n = int(column.max()) + 1
    values = np.zeros((sequences.n_users, n + n * n), dtype=np.float32)
    for users, events, rows in user_blocks(sequences, n * n):
        actions = columns_of(sequences.action[events], column)
        same_user = rows[1:] == rows[:-1]
        pairs = (actions[:-1] * n + actions[1:])[same_user]
        n_users = users.stop - users.start
        values[users, :n] = hellinger(rows, actions, (n_users, n))
        values[users, n:] = hellinger(rows[1:][same_user], pairs, (n_users, n * n))
    return values


BIGRAM = Representation(
    name="bigram",
    label="Pairs of actions",
    summary="Compares users by which action follows which.",
    strengths="Takes seconds, sees order one step deep, and every number can be read.",
    weaknesses="Forgets everything before the last action, and sees no time and no categories.",
    question="order",
    learned=False,
    Options=BigramOptions,
    fit=fit,
    transform=transform,
)
