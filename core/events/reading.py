"""How a column of text is turned into values: an SQL expression and what must be said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from core.artifacts import Problem
from core.events.problems import LINES_SHOWN, shown


@dataclass(frozen=True)
class Reading:
    """SQL that gives the value of a cell, or NULL; and the problems found with the column.

    Where a problem is a refusal, the column cannot be read without guessing.
    """

    sql: str
    problems: tuple[Problem, ...] = ()

    @property
    def refused(self) -> bool:
        return any(problem.severity == "refused" for problem in self.problems)


@dataclass(frozen=True)
class Column:
    """A column of text in a Parquet file, with the engine to look at it."""

    db: duckdb.DuckDBPyConnection
    path: str
    name: str

    @property
    def cell(self) -> str:
        """SQL of the cell without the spaces around it."""
        return f"trim({quoted(self.name)})"

    def query(self, select: str) -> list[tuple[Any, ...]]:
        """Run a SELECT over ``cells``, those not blank: ``cell`` (trimmed), ``raw``, ``line``."""
        source = (
            f"SELECT {self.cell} AS cell, {quoted(self.name)} AS raw, __line__ AS line "
            f"FROM read_parquet($path) WHERE {quoted(self.name)} IS NOT NULL"
        )
        return self.db.execute(f"WITH cells AS ({source}) {select}", {"path": self.path}).fetchall()


@dataclass(frozen=True)
class Kind:
    """The cells of a column that are written in one way."""

    count: int
    lines: tuple[int, ...]
    """The first few."""
    example: str


NO_CELLS = Kind(0, (), "")


def kinds_of(column: Column, patterns: Sequence[tuple[str, str]]) -> dict[str, Kind]:
    """Sort the cells by the first pattern that fits the whole cell; "other" where none does."""
    cases = " ".join(
        f"WHEN regexp_full_match(cell, {literal(pattern)}) THEN {literal(kind)}"
        for kind, pattern in patterns
    )
    rows = column.query(
        f"SELECT CASE {cases} ELSE 'other' END AS kind, count(*), min(line, {LINES_SHOWN}), "
        "arg_min(cell, line) FROM cells GROUP BY kind"
    )
    return {kind: Kind(count, tuple(lines), shown(example)) for kind, count, lines, example in rows}


def quoted(name: str) -> str:
    """Quote an identifier for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a constant of this program (never data) for SQL."""
    return "'" + text.replace("'", "''") + "'"
