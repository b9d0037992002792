"""What users look at, rare things weighing more than what everyone looks at; order is not seen.

Items, categories and search texts are the words of a user's history. What titles and search texts
say is compared too, by the vectors that were made of their words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from core.artifacts import FloatArray, LongArray, Metric, Sequences, State
from core.device import COUNTED_ON
from core.errors import TooLittleData
from core.options import Options, option
from core.representations._base import Fitted, Representation, Work
from core.representations.counts import columns_of, means_per_user, user_blocks, users_to_fit
from core.representations.sparse import counted_words, principal_axes, unit_rows
from core.representations.vectors import event_vectors, fitted_vectors

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_WORDS = {"item": "items", "category": "categories", "query": "queries", "action": "actions"}
"""Code to its vocabulary; actions only where there is nothing else."""
_KNOWN = ("item", "query")
_NO_WORDS = (
    "The log has no items, categories or search texts that two users share, so actions are "
    "compared instead."
)
_USERS = 100_000
"""Users of whom the axes are learned, at even distances."""


@dataclass(frozen=True, kw_only=True)
class TFIDFOptions(Options):
    """What counts as a word, and in how many numbers users are told."""

    width: int = option(
        64,
        "Width",
        "Numbers that describe what a user looks at",
        low=2,
        high=512,
    )
    item_vectors: bool = option(
        True,
        "Use what is known of items",
        "Also compare the titles, item vectors and search queries users meet, where there are any",
    )
    max_columns: int = option(
        20_000,
        "Most words",
        "Items, categories and search texts of each kind that count: those that most users met; "
        "rarer ones are left out, for hardly two users share them",
        low=2,
        high=1_000_000,
        expert=True,
    )
    fewest_users: int = option(
        2,
        "Fewest users of a word",
        "What fewer users met is left out",
        low=1,
        high=1000,
        unit="users",
        expert=True,
    )


def fit(sequences: Sequences, options: TFIDFOptions, work: Work) -> Fitted:
    """One point per user: weighted words along their main axes, on the unit sphere.

    Shape (U, width + F + G), the last two of what is known of items and queries; a user of whom
    nothing is known stands at 0. A word counts (1 + ln n) times the logarithm of how few users met
    it (Salton and Buckley, 1988); each kind of word has the same length. Words and axes (latent
    semantic analysis, Deerwester et al., 1990) are learned of the users to fit; the seed draws
    where the search for the axes begins. Raises TooLittleData where no event has any word.
    """
    users = users_to_fit(sequences)
    kinds = [kind for kind in ("item", "category", "query") if np.any(getattr(sequences, kind))]
    state = _columns(kinds, sequences, users, options)
    findings: tuple[Metric, ...] = ()
    if not state:
        state = _columns(["action"], sequences, users, replace(options, fewest_users=1))
        findings = (Metric(name="words", value=None, note=_NO_WORDS),)
    if not state:
        raise TooLittleData(
            "No event has an item, a category, a search text or an action, so there is nothing "
            "to compare. Map such a column, or take the representation 'time'."
        )
    sample = users_to_fit(sequences, _USERS)
    state["axes"], _ = principal_axes(_matrix(state, sequences, sample), options.width, work.seed)
    if options.item_vectors:
        for name, table in event_vectors(sequences).items():
            means = means_per_user(getattr(sequences, name), table, sequences)[sample]
            size = np.sqrt(np.square(means, dtype=np.float64).sum(axis=1).mean())
            state[f"{name}_size"] = np.array([size or 1.0], dtype=np.float32)
            state[f"{name}_width"] = np.array([table.shape[1]])
    values = transform(state, sequences)
    return Fitted(values=values, state=state, device=COUNTED_ON, findings=findings)


def transform(state: State, sequences: Sequences) -> FloatArray:
    """Place users in the space that was fitted, shape (U, D)."""
    axes = state["axes"]
    placed = np.zeros((sequences.n_users, axes.shape[1]), dtype=np.float32)
    for users, weights in _weighed(state, sequences):
        placed[users] = weights @ axes
    widths = {name: int(state[f"{name}_width"][0]) for name in _KNOWN if f"{name}_width" in state}
    means = [
        means_per_user(getattr(sequences, name), table, sequences) / state[f"{name}_size"]
        for name, table in fitted_vectors(sequences, widths).items()
    ]
    values = np.concatenate([placed, *means], axis=1) if means else placed
    length = np.linalg.norm(values, axis=1, keepdims=True)
    values /= np.where(length > 0, length, 1)
    return values


def _columns(
    kinds: list[str], sequences: Sequences, users: LongArray, options: TFIDFOptions
) -> dict[str, npt.NDArray[Any]]:
    """By kind, the column of every code, -1 where it has none, and the weight of every column."""
    found: dict[str, npt.NDArray[Any]] = {}
    for kind in kinds:
        met = _users_by_code(kind, sequences, users)
        common = np.argsort(-met, kind="stable")[: options.max_columns]
        common = np.sort(common[met[common] >= options.fewest_users])
        if len(common):
            column = np.full(len(met), -1, dtype=np.int32)
            column[common] = np.arange(len(common), dtype=np.int32)
            weight = np.log((1 + len(users)) / (1 + met[common])) + 1
            found |= {f"{kind}_column": column, f"{kind}_weight": weight.astype(np.float32)}
    return found


def _users_by_code(kind: str, sequences: Sequences, chosen: LongArray) -> LongArray:
    """How many of the chosen users met each code, (n_codes,); "unknown" is no word, so 0."""
    n_codes = len(getattr(sequences.vocabulary, _WORDS[kind])) + 1
    is_chosen = np.zeros(sequences.n_users, dtype=np.bool_)
    is_chosen[chosen] = True
    met = np.zeros(n_codes, dtype=np.int64)
    for users, events, rows in user_blocks(sequences):
        codes = np.asarray(getattr(sequences, kind)[events])
        counted = is_chosen[users][rows] & (codes > 0) & (codes < n_codes)
        counts = counted_words(rows[counted], codes[counted], (users.stop - users.start, n_codes))
        met += np.bincount(counts.indices, minlength=n_codes)
    return met


def _weighed(state: State, sequences: Sequences) -> Iterator[tuple[slice, csr_array]]:
    """The weights of every user's words, (users, words), a block of users at a time."""
    from scipy.sparse import hstack

    kinds = [kind for kind in _WORDS if f"{kind}_column" in state]
    for users, events, rows in user_blocks(sequences):
        parts = []
        for kind in kinds:
            column, weight = state[f"{kind}_column"], state[f"{kind}_weight"]
            columns = columns_of(getattr(sequences, kind)[events], column)
            known = columns >= 0
            shape = (users.stop - users.start, len(weight))
            counts = counted_words(rows[known], columns[known], shape)
            counts.data = (1 + np.log(counts.data)) * weight[counts.indices]
            parts.append(unit_rows(counts))
        yield users, hstack(parts, format="csr") / np.float32(np.sqrt(len(parts)))


def _matrix(state: State, sequences: Sequences, chosen: LongArray) -> csr_array:
    """The weights of the chosen users' words, (chosen, words)."""
    from scipy.sparse import vstack

    is_chosen = np.zeros(sequences.n_users, dtype=np.bool_)
    is_chosen[chosen] = True
    return vstack([words[is_chosen[users]] for users, words in _weighed(state, sequences)])


TFIDF = Representation(
    name="tfidf",
    label="Weighted items and categories",
    summary="Compares users by the items and categories they meet, rare ones weighing more.",
    strengths="Tells tastes apart down to single items, also with a million of them; takes seconds "
    "to a minute.",
    weaknesses="Blind to order and time, and to what users do with the items.",
    question="content",
    learned=False,
    most_users=_USERS,
    Options=TFIDFOptions,
    fit=fit,
    transform=transform,
)
