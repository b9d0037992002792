"""A cleaned log batch by batch, with text as few distinct words and the place of each row's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

NUMBERS = ("duration", "price")

_ROWS = 122_880
"""Rows per batch: as many as the engine puts into a group, so that the two agree."""


def read_batches(path: Path, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """Some columns in the order of the file; text is dictionary-encoded, anew in every batch."""
    words = [name for name in columns if name not in ("time", *NUMBERS)]
    with pq.ParquetFile(path, read_dictionary=words) as file:
        for batch in file.iter_batches(_ROWS, columns=columns):
            if batch.num_rows:
                yield batch


def word_of_row(column: pa.DictionaryArray) -> npt.NDArray[np.int32]:
    """Place of every row's word in the column's dictionary; its length where there is none."""
    indices = column.indices
    if indices.null_count:
        indices = pc.fill_null(indices, len(column.dictionary))
    return np.asarray(indices.to_numpy(zero_copy_only=False), dtype=np.int32)
