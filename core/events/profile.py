"""What stands in every column of a log as it came: for the analyst who has to say what it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import duckdb

from core.artifacts import RawLog, fingerprint
from core.events import engine
from core.events.columns.number_forms import LIKE_NUMBERS
from core.events.columns.reading import literal, quoted
from core.events.columns.time_forms import NUMBER_DATES, WRITTEN_DATES

VERSION = 1

MOST_COLUMNS = 100
"""A wider log is profiled in its first columns only, and that is said."""
EXACT_ROWS = 1_000_000
"""Up to so many rows different values are counted exactly; past it to within about 2%."""
SAMPLE = 50_000
"""About so many rows, from all over the log, tell the kind of cells and their frequent values."""
_ISO_DATE = r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])([^0-9].*)?"
_SURE = 0.95
_CODE = r"[0-9A-Za-z][0-9A-Za-z_./#-]*"
_FEW = 12
"""Up to so many different values a column is a choice of words or codes."""
_WIDEST = 60
_VALUES_SHOWN = 3

Kind = Literal["dates", "digits of times", "numbers", "a few words", "codes", "words", "blank"]


@dataclass(frozen=True, kw_only=True)
class ColumnProfile:
    """One column: how full, how various, what it looks like. Values are text as it came."""

    name: str
    kind: Kind
    filled: int
    """Cells that are not blank."""
    distinct: int
    """Different values; see ``exact``."""
    frequent: tuple[str, ...]
    """The most frequent values of the sample, cut to 60 letters."""
    low: str
    """Smallest and largest value: numbers by size, dates written year first by time, all else in
    the order of letters. Empty where the column is blank or its order would mislead."""
    high: str


@dataclass(frozen=True, kw_only=True)
class Profile:
    """All columns of a log, up to `MOST_COLUMNS`."""

    n_rows: int
    columns: tuple[ColumnProfile, ...]
    n_columns: int
    exact: bool
    """Whether different values were counted one by one, or estimated (HyperLogLog)."""
    fingerprint: str


def profile(raw: RawLog) -> Profile:
    """Look at every column once for counts and extremes, and at a sample of rows for the rest."""
    names = raw.columns[:MOST_COLUMNS]
    exact = raw.n_rows <= EXACT_ROWS
    every = max(1, raw.n_rows // SAMPLE)
    with engine.connect() as connection:
        connection.read_parquet(str(raw.path)).create_view("log")
        connection.execute(
            f"CREATE TEMP TABLE sample AS FROM log WHERE hash(__line__) % {every} = 0"
        )
        kinds = _kinds(connection, names)
        whole = _whole(connection, kinds, exact=exact)
        frequent = {name: _frequent(connection, name) for name in names}
    return Profile(
        n_rows=raw.n_rows,
        columns=tuple(
            ColumnProfile(name=name, kind=kinds[name], frequent=frequent[name], **whole[name])
            for name in names
        ),
        n_columns=len(raw.columns),
        exact=exact,
        fingerprint=profiled_as(raw),
    )


def profiled_as(raw: RawLog) -> str:
    """Fingerprint of the profile of a log."""
    return fingerprint(raw.fingerprint, "profile", VERSION, {})


def _kinds(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> dict[str, Kind]:
    patterns = (
        "|".join(pattern for _, pattern in WRITTEN_DATES),
        "|".join(pattern for _, pattern in NUMBER_DATES),
        LIKE_NUMBERS,
        _CODE,
    )
    wanted = []
    for name in names:
        cell = f"trim({quoted(name)})"
        wanted += [f"count({quoted(name)})", f"count(DISTINCT {quoted(name)})"]
        wanted += [
            f"count(*) FILTER (regexp_full_match({cell}, {literal(pattern)}))"
            for pattern in patterns
        ]
    row = connection.execute(f"SELECT {', '.join(wanted)} FROM sample").fetchall()[0]
    size = 2 + len(patterns)
    return {
        name: _kind(*row[size * place : size * (place + 1)]) for place, name in enumerate(names)
    }


def _kind(filled: int, distinct: int, *fitting: int) -> Kind:
    """The kind of a column by how many of its cells look like dates, stamps, numbers and codes."""
    dates, stamps, numbers, codes = fitting
    if not filled:
        return "blank"
    if dates >= _SURE * filled:
        return "dates"
    if stamps >= _SURE * filled:
        return "digits of times"
    if distinct <= _FEW and distinct < filled:
        return "a few words"
    if numbers >= _SURE * filled:
        return "numbers"
    return "codes" if codes >= _SURE * filled else "words"


def _whole(
    connection: duckdb.DuckDBPyConnection, kinds: Mapping[str, Kind], *, exact: bool
) -> dict[str, dict[str, Any]]:
    """Counts and extremes of every column over all rows."""
    count = "count(DISTINCT {})" if exact else "approx_count_distinct({})"
    wanted = []
    for name, kind in kinds.items():
        column = quoted(name)
        order = _order(column, kind)
        wanted += [f"count({column})", count.format(column)]
        wanted += [f"coalesce(left(arg_{end}({column}, {order}), {_WIDEST}), '')"
                   for end in ("min", "max")]  # fmt: skip
    row = connection.execute(f"SELECT {', '.join(wanted)} FROM log").fetchall()[0]
    return {
        name: dict(
            zip(("filled", "distinct", "low", "high"), row[4 * at : 4 * at + 4], strict=True)
        )
        for at, name in enumerate(kinds)
    }


def _order(column: str, kind: Kind) -> str:
    """By what a column is sorted; NULL where a cell has no place, such as "n/a" among numbers."""
    if kind in ("numbers", "digits of times"):
        return f"try_cast({column} AS DOUBLE)"
    if kind == "dates":
        return f"CASE WHEN regexp_full_match({column}, {literal(_ISO_DATE)}) THEN {column} END"
    return column


def _frequent(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[str, ...]:
    cells = f"SELECT {quoted(name)} AS cell, count(*) AS n FROM sample GROUP BY cell"
    found = connection.execute(
        f"SELECT left(cell, {_WIDEST}) FROM ({cells}) WHERE cell IS NOT NULL "
        f"ORDER BY n DESC, cell LIMIT {_VALUES_SHOWN}"
    ).fetchall()
    return tuple(value for (value,) in found)
