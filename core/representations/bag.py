"""What users do and look at, how often: order and time are not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.artifacts import FloatArray, Sequences, State
from core.device import COUNTED_ON
from core.options import Options, option
from core.representations._base import Fitted, Representation, Work
from core.representations.counts import (
    centre_of,
    columns_of,
    events_to_fit,
    hellinger,
    means_per_user,
    most_frequent,
    user_blocks,
    users_to_fit,
)
from core.representations.vectors import event_vectors, fitted_vectors

_KNOWN = ("item", "query")
"""Codes by which vectors are looked up."""


@dataclass(frozen=True, kw_only=True)
class BagOptions(Options):
    """How behaviour is counted."""

    categories: bool = option(
        True, "Count categories too", "Also compare what users look at, not only what they do"
    )
    item_vectors: bool = option(
        True,
        "Use what is known of items",
        "Also compare the titles, item vectors and search queries users meet, where there are any",
    )
    max_columns: int = option(
        128,
        "Most columns",
        "Actions and categories that get a column each; rarer ones share a column",
        low=2,
        high=512,
        expert=True,
    )


def fit(sequences: Sequences, options: BagOptions, work: Work) -> Fitted:
    """One point per user: square roots of the shares of actions and categories, centred.

    Shape (U, A + C + F + G), the first two capped; the last two are the means of what is known of
    the items and queries a user met. Columns and centre are those of the users to fit. Nothing is
    random.
    """
    words = sequences.vocabulary
    cap = options.max_columns
    counted = {"action": len(words.actions) + 1}
    if options.categories and words.categories:
        counted["category"] = len(words.categories) + 1
    fitted = events_to_fit(sequences)
    state = {
        f"{name}_column": most_frequent(getattr(sequences, name)[fitted], n_codes, cap)
        for name, n_codes in counted.items()
    }
    if options.item_vectors:
        tables = event_vectors(sequences).items()
        state |= {f"{name}_width": np.array([table.shape[1]]) for name, table in tables}
    raw = _read(state, sequences)
    centre = centre_of(raw, users_to_fit(sequences))
    raw -= centre
    return Fitted(values=raw, state=state | {"centre": centre}, device=COUNTED_ON)


def transform(state: State, sequences: Sequences) -> FloatArray:
    """Place users in the space that was fitted, shape (U, D)."""
    values = _read(state, sequences)
    values -= state["centre"]
    return values


def _read(state: State, sequences: Sequences) -> FloatArray:
    shares = _shares(state, sequences)
    widths = {name: int(state[f"{name}_width"][0]) for name in _KNOWN if f"{name}_width" in state}
    means = [
        means_per_user(getattr(sequences, name), table, sequences)
        for name, table in fitted_vectors(sequences, widths).items()
    ]
    return np.concatenate([shares, *means], axis=1) if means else shares


def _shares(state: State, sequences: Sequences) -> FloatArray:
    blocks = {
        name: state[f"{name}_column"]
        for name in ("action", "category")
        if f"{name}_column" in state
    }
    widths = {name: int(column.max()) + 1 for name, column in blocks.items()}
    values = np.zeros((sequences.n_users, sum(widths.values())), dtype=np.float32)
    for users, events, rows in user_blocks(sequences, max(widths.values())):
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
    question="content",
    learned=False,
    Options=BagOptions,
    fit=fit,
    transform=transform,
)
