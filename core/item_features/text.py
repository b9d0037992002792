"""Texts as points: words weighed by how telling they are, then few directions of many words.

Latent semantic analysis: words that occur in the same texts share a direction, so that "sofa" and
"couch" can be near though no text holds both. Source: Deerwester et al., 1990, "Indexing by
latent semantic analysis".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.artifacts import FloatArray, LongArray, State, TextArray
from core.item_features.axes import Axes, even
from core.item_features.options import ItemFeatureOptions
from core.item_features.words import words_in

_SAMPLE = 200_000
"""Texts from which words and directions are learned, evenly taken where there are more."""
_AT_ONCE = 100_000
_EVENNESS = 0.5
"""Faint directions are brought half the way to the strong ones: they tell something, and noise."""


@dataclass(frozen=True, kw_only=True)
class TextSpace:
    """The words that count and the directions they make; all arrays, nothing to unpickle."""

    words: TextArray  # (W,) sorted
    idf: FloatArray  # (W,)
    axes: Axes

    @classmethod
    def from_state(cls, words: TextArray, state: State, prefix: str) -> TextSpace | None:
        """Take up a space again; None where there was none."""
        if not len(words):
            return None
        idf, axes = np.asarray(state[f"{prefix}.idf"]), Axes.from_state(state, prefix)
        return cls(words=words, idf=idf, axes=axes)

    def to_state(self, prefix: str) -> dict[str, Any]:
        return {f"{prefix}.idf": self.idf, **self.axes.to_state(prefix)}

    def place(self, texts: Sequence[str]) -> FloatArray:
        """Points of texts, shape (N, D); zeros for a text without any word that counts."""
        placed = np.zeros((len(texts), self.axes.width), dtype=np.float32)
        for first in range(0, len(texts), _AT_ONCE):
            weights = _weights(texts[first : first + _AT_ONCE], self.words, self.idf)
            known = np.diff(weights.indptr) > 0
            points = self.axes.place(weights @ self.axes.directions)
            placed[first : first + _AT_ONCE][known] = points[known]
        return placed


def fit_text(texts: Sequence[str], options: ItemFeatureOptions, seed: int) -> TextSpace | None:
    """Learn the words that count and their directions; None where no word is shared by texts.

    Words are weighed by TF-IDF, texts brought to length 1, and the directions are those of a
    truncated (randomised) singular value decomposition, turned to where texts differ most. The
    same seed gives the same space.
    """
    from sklearn.utils.extmath import randomized_svd

    sample = texts[:: max(1, -(-len(texts) // _SAMPLE))]
    words, n_texts_with = _words_that_count(sample, options)
    if not len(words):
        return None
    idf = (np.log((1 + len(sample)) / (1 + n_texts_with)) + 1).astype(np.float32)
    weights = _weights(sample, words, idf)
    weights = weights[np.diff(weights.indptr) > 0]
    # one more than asked for: the strongest often says only what all texts have in common
    n_directions = min(options.text_dimensions + 1, *weights.shape)
    _, _, found = randomized_svd(weights, n_directions, random_state=seed)
    turn = np.linalg.eigh(np.cov(weights @ found.T, rowvar=False).reshape(n_directions, -1))[1]
    directions = found.T @ turn[:, ::-1][:, : options.text_dimensions]
    axes = even(directions, weights @ directions, _EVENNESS)
    return TextSpace(words=words, idf=idf, axes=axes) if axes.width else None


def _words_that_count(
    texts: Sequence[str], options: ItemFeatureOptions
) -> tuple[TextArray, LongArray]:
    """The words of most texts, sorted, and in how many texts each is; ties go by the word."""
    from sklearn.feature_extraction.text import CountVectorizer

    if not any(map(words_in, texts)):
        return np.array([], dtype=object), np.array([], dtype=np.int64)
    counter = CountVectorizer(analyzer=words_in, binary=True, dtype=np.int32)
    n_texts_with = np.asarray(counter.fit_transform(texts).sum(axis=0), dtype=np.int64).ravel()
    words = counter.get_feature_names_out()  # sorted
    best = np.argsort(-n_texts_with, kind="stable")[: options.text_words]
    kept = np.sort(best[n_texts_with[best] >= options.text_rarest])
    return words[kept].astype(object), n_texts_with[kept]


def _weights(texts: Sequence[str], words: TextArray, idf: FloatArray) -> Any:
    """TF-IDF of the words that count, a sparse (N, W) matrix of rows of length 1 or 0."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.preprocessing import normalize

    places = {word: place for place, word in enumerate(words)}
    counter = CountVectorizer(analyzer=words_in, vocabulary=places, dtype=np.float32)
    return normalize(counter.transform(texts).multiply(idf).tocsr(), copy=False)
