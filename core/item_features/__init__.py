"""What is known of items and search queries beside their codes, as inputs of every event.

Titles and queries by their words (`text`), vectors made elsewhere by their main directions
(`precomputed`); both end as small tables that travel with the sequences.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import compress

import numpy as np
import numpy.typing as npt

from core.artifacts import (
    FIT,
    NO_VECTORS,
    FloatArray,
    ItemFeatures,
    Items,
    ItemVectors,
    Sequences,
    fingerprint,
)
from core.item_features.coverage import coverage
from core.item_features.options import ItemFeatureOptions
from core.item_features.spaces import Known, Spaces

__all__ = ["ItemFeatureOptions", "attach", "attach_known", "learn"]

VERSION = 1


def attach(
    sequences: Sequences,
    items: Items | None,
    vectors: ItemVectors | None,
    options: ItemFeatureOptions,
    seed: int,
) -> tuple[Sequences, ItemFeatures]:
    """The sequences with all that is known of their items and queries, and how that was made."""
    features = learn(sequences, items, vectors, options, seed)
    return attach_known(sequences, features), features


def learn(
    sequences: Sequences,
    items: Items | None,
    vectors: ItemVectors | None,
    options: ItemFeatureOptions,
    seed: int,
) -> ItemFeatures:
    """Learn how titles, queries and item vectors become numbers, from what the log holds of them.

    Titles (with brands) come from ``items``, queries from the log. Every block of numbers has
    mean 0 and on average spread 1 over what is known of the items (or queries) that the users to
    fit have met; where nothing is known, 0 stands. The problems say how much that is. The same
    seed gives the same numbers.
    """
    words = sequences.vocabulary
    items = items if options.item_text else None
    known = Known.of(words.items, items, vectors)
    met = _met(sequences)
    queries = list(compress(words.queries, met["query"])) if options.query_text else []
    spaces = Spaces.fit(known.only(met["item"]), queries, options, seed)
    made_by = {
        "items": items and items.fingerprint,
        "vectors": vectors and vectors.fingerprint,
        "options": options.to_dict(),
        "seed": seed,
    }
    return ItemFeatures(
        item_vectors=_with_unknown(spaces.place_items(known)),
        item_words=spaces.item_words,
        query_words=spaces.query_words,
        state=spaces.to_state(),
        problems=coverage(sequences, known, spaces, items, vectors),
        fingerprint=fingerprint(sequences.fingerprint, "item_features", VERSION, made_by),
    )


def attach_known(
    sequences: Sequences,
    features: ItemFeatures,
    items: Items | None = None,
    vectors: ItemVectors | None = None,
) -> Sequences:
    """The sequences of any log with the numbers of its items and queries; nothing is fitted.

    Codes must be those of the log the features were learned from. A vocabulary may go on beyond
    it: further queries are placed by their words, further items by ``items`` and ``vectors``
    (the files, read anew), and are at 0 where these are not given. Sequences to which nothing
    is attached stay what they are. Raises ValueError for a vocabulary of another log, where that
    can be told.
    """
    spaces, words = Spaces.of(features), sequences.vocabulary
    table = np.asarray(features.item_vectors)
    width = table.shape[1]
    if width and len(words.items) < len(table) - 1:
        raise ValueError(
            f"The features tell of {len(table) - 1} items and the sequences' vocabulary has "
            f"{len(words.items)}: build the sequences with the vocabulary of the fitted log."
        )
    further = words.items[len(table) - 1 :] if width else ()
    if further:
        new = spaces.place_items(Known.of(further, items, vectors))
        table = np.concatenate([table, new])
    queries = _with_unknown(spaces.place_queries(words.queries))
    if not width and queries is NO_VECTORS:
        return sequences
    return replace(
        sequences,
        item_vectors=table,
        query_vectors=queries,
        fingerprint=fingerprint(
            sequences.fingerprint, "attach", VERSION, {"features": features.fingerprint}
        ),
    )


def _met(sequences: Sequences) -> dict[str, npt.NDArray[np.bool_]]:
    """Which items (I,) and queries (Q,) the users to fit have met; all where nobody is to fit."""
    words = sequences.vocabulary
    fitted = np.repeat(sequences.split == FIT, np.diff(sequences.offsets))
    events = fitted if fitted.any() else slice(None)
    counts = {
        "item": np.bincount(sequences.item[events], minlength=len(words.items) + 1),
        "query": np.bincount(sequences.query[events], minlength=len(words.queries) + 1),
    }
    return {name: count[1:] > 0 for name, count in counts.items()}


def _with_unknown(numbers: FloatArray) -> FloatArray:
    """Put a row of zeros, for code 0, before the rows of all words."""
    if not numbers.shape[1]:
        return NO_VECTORS
    return np.concatenate([np.zeros((1, numbers.shape[1]), dtype=np.float32), numbers])
