"""Logs, items tables and vectors whose features can be foretold."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.artifacts import Items, ItemVectors, Sequences
from tests.worlds import tiny_sequences


@pytest.fixture
def items_of(tmp_path: Path) -> Callable[[Mapping[str, str | None]], Items]:
    """Make an items table of ``{item: title}``."""

    def make(titles: Mapping[str, str | None], brands: Mapping[str, str] | None = None) -> Items:
        brand = [(brands or {}).get(item) for item in titles]
        columns = {"item": list(titles), "title": list(titles.values()), "brand": brand}
        path = tmp_path / f"items{len(list(tmp_path.iterdir()))}.parquet"
        pq.write_table(pa.table({n: pa.array(v, pa.string()) for n, v in columns.items()}), path)
        return Items(
            path=path,
            name="items.csv",
            columns={"item": "item", "title": "title"},
            n_items=len(titles),
            problems=(),
            fingerprint="i" * 64,
        )

    return make


@pytest.fixture
def vectors_of() -> Callable[[Mapping[str, Sequence[float]]], ItemVectors]:
    """Make vectors of ``{item: numbers}``."""

    def make(vectors: Mapping[str, Sequence[float]]) -> ItemVectors:
        return ItemVectors(
            name="vectors.csv",
            item_ids=np.array(list(vectors), dtype=object),
            values=np.array(list(vectors.values()), dtype=np.float32),
            problems=(),
            fingerprint="v" * 64,
        )

    return make


@pytest.fixture
def visits() -> Callable[..., Sequences]:
    """Make a log in which one user views items in turn, and may search for something each time."""

    def make(items: Sequence[str | None], queries: Sequence[str] = ()) -> Sequences:
        seen = [("view", None, item, at, None) for at, item in enumerate(items)]
        log = tiny_sequences({"ann": seen})
        words = tuple(sorted(set(queries)))
        codes = np.array([words.index(q) + 1 for q in queries] or [0] * len(items), np.int32)
        return replace(log, query=codes, vocabulary=replace(log.vocabulary, queries=words))

    return make
