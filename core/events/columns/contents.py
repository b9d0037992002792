"""What stands in the columns of a log, over the first rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import duckdb

from core.action_roles import role_of
from core.artifacts import RawLog
from core.events import engine
from core.events.columns.number_forms import LIKE_NUMBERS
from core.events.columns.reading import fits, quoted
from core.events.columns.time_forms import NUMBER_DATES, WRITTEN_DATES

SAMPLE = 50_000
"""Rows looked at; a guess is checked against the whole file when the columns are read."""
_AT_ONCE = 20
"""Columns looked at together; the patterns of hundreds would not fit into the memory."""
_FEW_WORDS = 30
_PATTERNS = {
    "dates": "|".join(pattern for _, pattern in WRITTEN_DATES),
    "stamps": "|".join(pattern for _, pattern in NUMBER_DATES),
    "numbers": LIKE_NUMBERS,
    "fractions": r"-?\d+[.,]\d*[1-9]\d*",
    "codes": r"0\d+",
    "clocks": r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?: ?[AaPp]\.?[Mm]\.?)?",
}


@dataclass(frozen=True)
class Contents:
    """What stands in a column, over the sample. Shares are of the cells that are not blank."""

    filled: int
    distinct: int
    dates: float
    """Share of cells that are written dates."""
    stamps: float
    """Share of cells that are digits of the size of a time."""
    numbers: float
    fractions: float
    """Share of cells that are numbers with decimals other than 0."""
    codes: float
    """Share of cells that are digits behind a leading zero."""
    clocks: float = 0.0
    """Share of cells that are times of day, without a date."""
    deeds: float = 0.0
    """Share of the different values that are words for something done, where there are few."""

    @property
    def all_same(self) -> bool:
        """Whether there is but one value."""
        return self.distinct == 1

    @property
    def all_new(self) -> bool:
        """Whether hardly any value comes twice."""
        return self.distinct >= 0.98 * self.filled


def look_at(raw: RawLog) -> dict[str, Contents]:
    """Count what stands in every column, over the first `SAMPLE` rows."""
    found: dict[str, Contents] = {}
    with engine.connect() as db:
        for at in range(0, len(raw.columns), _AT_ONCE):
            found |= _look_at(db, raw, raw.columns[at : at + _AT_ONCE])
    return found


def _look_at(
    db: duckdb.DuckDBPyConnection, raw: RawLog, columns: Sequence[str]
) -> dict[str, Contents]:
    width = 2 + len(_PATTERNS)
    wanted = []
    for name in columns:
        column, cell = quoted(name), f"trim({quoted(name)})"
        wanted += [f"count({column})", f"count(DISTINCT {column})"]
        wanted += [f"count(*) FILTER ({fits(cell, pattern)})" for pattern in _PATTERNS.values()]
    query = f"SELECT {', '.join(wanted)} FROM (FROM read_parquet($path) LIMIT {SAMPLE})"
    row = db.execute(query, {"path": str(raw.path)}).fetchall()[0]
    found = {}
    for at, name in enumerate(columns):
        filled, distinct, *counts = row[width * at : width * (at + 1)]
        seen = Contents(filled, distinct, *(count / max(1, filled) for count in counts))
        if 2 <= distinct <= _FEW_WORDS and seen.numbers < 0.5:
            seen = replace(seen, deeds=_deeds(db, raw, name))
        found[name] = seen
    return found


def _deeds(db: duckdb.DuckDBPyConnection, raw: RawLog, name: str) -> float:
    column = quoted(name)
    sample = f"(FROM read_parquet($path) LIMIT {SAMPLE})"
    query = f"SELECT DISTINCT {column} FROM {sample} WHERE {column} IS NOT NULL"
    words = [word for (word,) in db.execute(query, {"path": str(raw.path)}).fetchall()]
    return sum(role_of(word) != "unknown" for word in words) / len(words)
