"""How much of a log its items table and vectors cover, said before anything is built on it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.artifacts import Items, ItemVectors, Problem, Sequences
from core.item_features.spaces import Known, Spaces


def coverage(
    sequences: Sequences,
    known: Known,
    spaces: Spaces,
    items: Items | None,
    vectors: ItemVectors | None,
) -> tuple[Problem, ...]:
    """Problems for items of the log without a title or vector, and for texts that are of no use."""
    found: list[Problem | None] = []
    if items is not None:
        has = np.array([bool(text) for text in known.texts], dtype=bool)
        found.append(_uncovered("no_title", sequences, has, f"title in '{items.name}'"))
        if has.any() and spaces.titles is None:
            found.append(_no_words("no_title_words", f"titles of '{items.name}'"))
    if vectors is not None:
        has = known.row >= 0
        found.append(_uncovered("no_vector", sequences, has, f"vector in '{vectors.name}'"))
        if has.any() and spaces.vectors is None:
            message = f"All vectors in '{vectors.name}' are the same, so they are of no use."
            found.append(Problem(code="same_vectors", message=message, severity="warning"))
    return tuple(problem for problem in found if problem is not None)


def _uncovered(
    code: str, sequences: Sequences, has: npt.NDArray[np.bool_], what: str
) -> Problem | None:
    """Say how many items of the log lack something, and how many of the events are theirs."""
    lacking = int((~has).sum())
    if not lacking:
        return None
    counts = np.bincount(sequences.item, minlength=len(has) + 1)[1:]
    share = counts[~has].sum() / max(1, counts.sum())
    of_no_use = "" if has.any() else " Are ids written alike in both files?"
    message = (
        f"{lacking:,} of {len(has):,} items of the log ({share:.0%} of the events with an item) "
        f"have no {what}; they count as average.{of_no_use}"
    )
    return Problem(code=code, message=message, severity="warning", column="item", count=lacking)


def _no_words(code: str, what: str) -> Problem:
    message = f"The {what} share no words that tell items apart; they are not used."
    return Problem(code=code, message=message, severity="warning", column="item")
