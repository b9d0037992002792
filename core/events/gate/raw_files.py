"""Writes the two files of a raw log: its rows, and the rows that were set aside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.events.gate.header import LINE_COLUMN

SET_ASIDE = pa.schema([(LINE_COLUMN, pa.int64()), ("reason", pa.string()), ("text", pa.string())])
"""Columns of the rows that were set aside."""
ROW_GROUP = 120_000
"""Rows in a group: large enough for a query engine to work on several side by side."""
_GROUP_BYTES = 1 << 26
_FEW_VALUES = 0.25
"""Up to this share of different values in its first rows a column is written as a dictionary."""


class RawFiles:
    """The Parquet files under way; ``close`` them, and ``discard`` them where a file is refused."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "raw.parquet"
        self.set_aside = folder / "set_aside.parquet"
        self.lines_before = 0
        """Lines of the files before the one that is being read."""
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[pa.Table] = []
        self._waiting_rows = self._waiting_bytes = 0
        self._aside = pq.ParquetWriter(self.set_aside, SET_ASIDE, compression="lz4")

    def write(self, table: pa.Table) -> None:
        """Take rows; they are written in groups, in their order."""
        self._waiting.append(table)
        self._waiting_rows += len(table)
        self._waiting_bytes += table.nbytes
        if self._waiting_rows >= ROW_GROUP or self._waiting_bytes >= _GROUP_BYTES:
            self._flush()

    def put_aside(self, rows: Sequence[tuple[int, str, str]]) -> None:
        """Take rows that were set aside: line in its file, reason, text."""
        if rows:
            lines, *texts = (list(column) for column in zip(*rows, strict=True))
            columns = [[line + self.lines_before for line in lines], *texts]
            self._aside.write_table(pa.table(columns, schema=SET_ASIDE))

    def close(self) -> None:
        self._flush()
        self._aside.close()
        if self._writer is not None:
            self._writer.close()

    def discard(self) -> None:
        self._waiting.clear()
        self.close()
        self.path.unlink(missing_ok=True)
        self.set_aside.unlink(missing_ok=True)

    def _flush(self) -> None:
        if self._waiting:
            table = pa.concat_tables(self._waiting)
            self._writer = self._writer or _writer(self.path, table)
            self._writer.write_table(table)
        self._waiting.clear()
        self._waiting_rows = self._waiting_bytes = 0


def _writer(path: Path, first: pa.Table) -> pq.ParquetWriter:
    """Open the file; what speeds its writing is settled by the first rows."""
    dictionary = [name for name in first.column_names[:-1] if _few_values(first[name])]
    return pq.ParquetWriter(
        path,
        first.schema,
        compression="lz4",
        use_dictionary=dictionary,
        write_statistics=[LINE_COLUMN],
        column_encoding={LINE_COLUMN: "DELTA_BINARY_PACKED"},
    )


def _few_values(column: Any) -> bool:
    return bool(pc.count_distinct(column).as_py() <= _FEW_VALUES * len(column))
