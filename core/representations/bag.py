"""What users do and look at, how often: order and time are not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.artifacts import FloatArray, Report, Sequences, State
from core.options import Options, option
from core.representations._base import Fitted, Representation
from core.representations.counts import (
    centre_of,
    columns_of,
    hellinger,
    most_frequent,
    user_blocks,
)
from core.representations.device import COUNTED_ON


@dataclass(frozen=True, kw_only=True)
class BagOptions(Options):
    """How behaviour is counted."""

    categories: bool = option(
        True, "Count categories too", "Also compare what users look at, not only what they do"
    )
    max_columns: int = option(
        128,
        "Most columns",
        "Actions and categories that get a column each; rarer ones share a column",
        low=2,
        high=512,
        expert=True,
    )


def fit(sequences: Sequences, options: BagOptions, seed: int, report: Report) -> Fitted:
    """One point per user: square roots of the shares of actions and categories, centred.

    Shape (U, A + C), each block capped. Nothing is random; ``seed`` is not used.
    """
    words = sequences.vocabulary
    cap = options.max_columns
    state = {"action_column": most_frequent(sequences.action, len(words.actions) + 1, cap)}
    if options.categories and words.categories:
        state["category_column"] = most_frequent(sequences.category, len(words.categories) + 1, cap)
    raw = _count(state, sequences)
    centre = centre_of(raw)
    raw -= centre
    return Fitted(values=raw, state=state | {"centre": centre}, device=COUNTED_ON)


def transform(state: State, sequences: Sequences) -> FloatArray:
    """Place users in the space that was fitted, shape (U, D)."""
    values: FloatArray = _count(state, sequences) - state["centre"]
    return values


def _count(state: State, sequences: Sequences) -> FloatArray:
    blocks = {
        name: state[f"{name}_column"]
        for name in ("action", "category")
        if f"{name}_column" in state
    }
    widths = {name: int(column.max()) + 1 for name, column in blocks.items()}
    values = np.zeros((sequences.n_users, sum(widths.values())), dtype=np.float32)
    for users, events, rows in user_blocks(sequences):
        first = 0
        for name, column in blocks.items():
            columns = columns_of(getattr(sequences, name)[events], column)
            shape = (users.stop - users.start, widths[name])
            values[users, first : first + widths[name]] = hellinger(rows, columns, shape)
            first += widths[name]
    return values


BAG = Representation(
    name="bag",
    label="Bag of actions and categories",
    summary="Compares users by how often they do each thing and look at each category.",
    strengths="Takes seconds, and every number can be read.",
    weaknesses="Blind to order and time: who looks before buying is who buys before looking.",
    learned=False,
    Options=BagOptions,
    fit=fit,
    transform=transform,
)
