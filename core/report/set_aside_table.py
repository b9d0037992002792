"""The rows that were set aside, as a file for people and spreadsheets."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pyarrow as pa

from core.report.tables import formula_safe


def write_safe_set_aside(batches: pa.RecordBatchReader, path: Path) -> int:
    """Write the batches of `core.events.set_aside.set_aside_batches` as formula-safe CSV; how many.

    Every text is quoted and made safe, column names too; the file begins with a byte order mark.
    """
    rows = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        out.writerow(map(formula_safe, batches.schema.names))
        for batch in batches:
            out.writerows(zip(*map(_safe, batch.columns), strict=True))
            rows += batch.num_rows
    return rows


def _safe(column: Any) -> list[Any]:
    """The cells of a column; each different text is looked at once."""
    if not pa.types.is_string(column.type):
        return list(column.to_pylist())
    coded = column.dictionary_encode()
    words = ["" if word is None else formula_safe(word) for word in coded.dictionary.to_pylist()]
    return ["" if code is None else words[code] for code in coded.indices.to_pylist()]
