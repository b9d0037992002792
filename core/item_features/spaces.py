"""Where titles, queries and item vectors have their place: fitted once, used for every log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.artifacts import (
    NO_VECTORS,
    FloatArray,
    ItemFeatures,
    Items,
    ItemVectors,
    LongArray,
    TextArray,
)
from core.item_features.axes import Axes
from core.item_features.options import ItemFeatureOptions
from core.item_features.precomputed import fit_vectors, place_vectors
from core.item_features.text import TextSpace, fit_text

_TITLES, _QUERIES, _VECTORS = "title", "query", "vector"
_NO_WORDS: TextArray = np.array([], dtype=object)


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the files tell of N items, in the order in which they were asked for."""

    texts: tuple[str, ...]  # (N,) title and brand; empty where there is none
    vectors: FloatArray  # (I, F) of the file of vectors, not yet in order
    row: LongArray  # (N,) row in ``vectors`` of each item, -1 where it has none

    @classmethod
    def of(cls, words: Sequence[str], items: Items | None, vectors: ItemVectors | None) -> Known:
        """Look items up by their ids; each file may be missing."""
        ids = pa.array(words, pa.string())
        nothing = np.full(len(ids), -1, dtype=np.int64)
        return cls(
            texts=("",) * len(ids) if items is None else _texts(ids, items),
            vectors=NO_VECTORS if vectors is None else vectors.values,
            row=nothing if vectors is None else _rows(ids, pa.array(vectors.item_ids, pa.string())),
        )

    def only(self, wanted: npt.NDArray[np.bool_]) -> Known:
        """Some of the items, by a mask of shape (N,)."""
        texts = tuple(compress(self.texts, wanted))
        return Known(texts=texts, vectors=self.vectors, row=self.row[wanted])


@dataclass(frozen=True, kw_only=True)
class Spaces:
    """A space for each thing that is known; None where nothing is."""

    titles: TextSpace | None
    queries: TextSpace | None
    vectors: Axes | None

    @classmethod
    def fit(
        cls, known: Known, queries: Sequence[str], options: ItemFeatureOptions, seed: int
    ) -> Self:
        """Learn the spaces from the items and queries of a log."""
        rows = known.row[known.row >= 0]
        return cls(
            titles=fit_text([text for text in known.texts if text], options, seed),
            queries=fit_text(queries, options, seed),
            vectors=fit_vectors(known.vectors, rows, options.vector_dimensions),
        )

    @classmethod
    def of(cls, features: ItemFeatures) -> Self:
        """Take up the spaces that were kept."""
        state = features.state
        return cls(
            titles=TextSpace.from_state(features.item_words, state, _TITLES),
            queries=TextSpace.from_state(features.query_words, state, _QUERIES),
            vectors=Axes.from_state(state, _VECTORS) if f"{_VECTORS}.gain" in state else None,
        )

    def to_state(self) -> dict[str, npt.NDArray[Any]]:
        parts = {_TITLES: self.titles, _QUERIES: self.queries, _VECTORS: self.vectors}
        return {
            name: array
            for prefix, part in parts.items()
            if part is not None
            for name, array in part.to_state(prefix).items()
        }

    @property
    def item_words(self) -> TextArray:
        return _NO_WORDS if self.titles is None else self.titles.words

    @property
    def query_words(self) -> TextArray:
        return _NO_WORDS if self.queries is None else self.queries.words

    def place_items(self, known: Known) -> FloatArray:
        """Numbers of N items, shape (N, F): those of the title, then those of the vector."""
        n = len(known.row)
        blocks = [np.zeros((n, 0), dtype=np.float32)]
        if self.titles is not None:
            blocks.append(self.titles.place(known.texts))
        if self.vectors is not None:
            block = np.zeros((n, self.vectors.width), dtype=np.float32)
            has = known.row >= 0
            block[has] = place_vectors(known.vectors, known.row[has], self.vectors)
            blocks.append(block)
        return np.concatenate(blocks, axis=1)

    def place_queries(self, queries: Sequence[str]) -> FloatArray:
        """Numbers of Q queries, shape (Q, G)."""
        if self.queries is None:
            return np.zeros((len(queries), 0), dtype=np.float32)
        return self.queries.place(queries)


def _texts(ids: pa.Array, items: Items) -> tuple[str, ...]:
    """Title and brand of every item as one text."""
    table = pq.read_table(items.path, columns=["item", "title", "brand"])
    parts = [pc.fill_null(table[column], "") for column in ("title", "brand")]
    texts = pc.utf8_trim_whitespace(pc.binary_join_element_wise(*parts, " "))
    place = pc.index_in(ids, value_set=table["item"])
    return tuple(pc.fill_null(texts.take(place), "").to_pylist())


def _rows(ids: pa.Array, known: pa.Array) -> LongArray:
    place: LongArray = pc.fill_null(pc.index_in(ids, value_set=known), -1).to_numpy()
    return place.astype(np.int64)
