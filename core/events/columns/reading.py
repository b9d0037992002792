"""How a column of text is turned into values: an SQL expression and what must be said of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import duckdb

from core.artifacts import FilePart, Problem
from core.events.problems import LINES_SHOWN, Tally, counted, refused, shown, spell_lines, warning

_BLANKS = "' ' || chr(9) || chr(10) || chr(13) || chr(160) || chr(8239) || chr(12288)"
"""SQL of the signs that count as spaces around a number or a time."""
_MANY_ROWS = 100_000
_LAST_LINE = 2**62
_FEW_CELLS = 0.25
"""Up to this share of different cells, they are looked at once each instead of row by row."""

MISSING_WORDS = ("na", "n/a", "nan", "null", "none", "nil", "undefined", "\\n", "-", "nat", "#n/a")
"""Words that programs write for "nothing", in lower case."""


@dataclass(frozen=True)
class Reading:
    """How the value of a cell is found, and the problems found with the column.

    ``value`` makes, of the SQL of a cell without the spaces around it, the SQL of its value, or
    NULL. Where a problem is a refusal, the column cannot be read without guessing.
    """

    value: Callable[[str], str]
    problems: tuple[Problem, ...] = ()
    settled: Mapping[str, str] = field(default_factory=dict)
    """What the column settled of the options that were left to it, by the option's name."""

    @property
    def refused(self) -> bool:
        return any(problem.severity == "refused" for problem in self.problems)


@dataclass(frozen=True)
class Kind:
    """The cells of a column that have something in common."""

    count: int
    lines: tuple[int, ...]
    """The first few."""
    example: str


NO_CELLS = Kind(0, (), "")


@dataclass(frozen=True)
class Column:
    """A column of text in a Parquet file, with the engine to look at it."""

    db: duckdb.DuckDBPyConnection
    path: str
    name: str
    parts: tuple[FilePart, ...] = ()
    """Which line belongs to which file."""
    within: tuple[int, int] | None = None
    """Only lines above the first and up to the second are looked at; None for all."""

    @cached_property
    def by_file(self) -> tuple[Column, ...]:
        """What each of several files holds of the column, in order; none where there is but one."""
        starts = [part.lines_before for part in self.parts]
        ends = [*starts[1:], _LAST_LINE]
        spans = list(zip(starts, ends, strict=True)) if len(starts) > 1 else []
        return tuple(replace(self, within=span) for span in spans)

    @property
    def file(self) -> str:
        """The name of the file that is looked at, as it can stand in a sentence."""
        of_span = [
            part for part in self.parts if self.within and part.lines_before == self.within[0]
        ]
        return shown((of_span or self.parts)[-1].name)

    @property
    def cell(self) -> str:
        """SQL of the cell without the spaces around it; NULL where nothing else is in it."""
        return trimmed(self.name)

    @cached_property
    def is_blank(self) -> bool:
        """Whether no row holds anything."""
        rows = (
            f"SELECT 1 FROM read_parquet($path) WHERE {self.cell} IS NOT NULL{self._only} LIMIT 1"
        )
        return not self._execute(rows)

    @cached_property
    def filled(self) -> int:
        """Rows that hold something."""
        return int(self.query("SELECT coalesce(sum(n), 0) FROM cells")[0][0])

    def query(self, select: str) -> list[tuple[Any, ...]]:
        """Run a SELECT over ``cells``, those not blank.

        Columns: ``cell`` (trimmed), ``n`` rows that hold it, their first ``lines``, and ``line``,
        the first of them. A cell may stand in more than one row of ``cells``; in ``rows`` there is
        one for every row that is not blank, with ``cell`` and ``line`` alone.
        """
        rows = f", rows AS ({self._rows})" if "FROM rows" in select else ""
        return self._execute(f"WITH cells AS ({self._cells}){rows} {select}")

    def seen(self, only: str = "") -> str:
        """SQL of the count of some ``cells``, their first lines and an example.

        The first lines of all cells are lines of those cells that begin first, so few lists are
        kept.
        """
        lines = f"min(line, {LINES_SHOWN}){only}"
        if self._is_grouped:
            lines = (
                f"list_sort(flatten(arg_min(lines, line, {LINES_SHOWN}){only}))[1:{LINES_SHOWN}]"
            )
        return f"sum(n){only}, {lines}, arg_min(cell, line){only}"

    def spell(self, kind: Kind) -> str:
        """Word where the cells of a kind stand."""
        return spell_lines(kind.lines, kind.count, self.parts)

    def warn(self, code: str, message: str, kind: Kind | None = None) -> Problem:
        """Say what was taken for granted, or set aside, in this column."""
        return warning(code, message, _tally(kind), self.name)

    def refuse(self, code: str, message: str, kind: Kind | None = None) -> Problem:
        """Say why this column cannot be read."""
        return refused(code, message, _tally(kind), self.name)

    @cached_property
    def _rows(self) -> str:
        return (
            f"SELECT {self.cell} AS cell, __line__ AS line FROM read_parquet($path) "
            f"WHERE {self.cell} IS NOT NULL{self._only}"
        )

    @property
    def _only(self) -> str:
        if self.within is None:
            return ""
        return " AND __line__ > {} AND __line__ <= {}".format(*self.within)

    @cached_property
    def _is_grouped(self) -> bool:
        """Whether few enough cells are different that each is looked at once."""
        counts = f"SELECT count(*), approx_count_distinct(cell) FROM ({self._rows})"
        n_rows, n_cells = self._execute(counts)[0]
        return bool(n_rows <= _MANY_ROWS or n_cells <= _FEW_CELLS * n_rows)

    @cached_property
    def _cells(self) -> str:
        """SQL of the cells: each once where there are few different ones, else row by row."""
        if not self._is_grouped:
            return f"SELECT cell, 1 AS n, [line] AS lines, line FROM ({self._rows})"
        table = f"cells_{self.name.encode().hex()}_{self.within[0] if self.within else 'all'}"
        self._execute(
            f"CREATE TEMP TABLE IF NOT EXISTS {table} AS SELECT cell, count(*) AS n, "
            f"min(line, {LINES_SHOWN}) AS lines, min(line) AS line FROM ({self._rows}) "
            "GROUP BY cell"
        )
        return f"FROM {table}"

    def _execute(self, sql: str) -> list[tuple[Any, ...]]:
        places = {"path": self.path} if "$path" in sql else {}
        return self.db.execute(sql, places).fetchall()


def kinds_of(
    column: Column,
    patterns: Sequence[tuple[str, str]],
    what: str = "cell",
    source: str = "cells",
) -> dict[str, Kind]:
    """Sort the cells by the first pattern that fits the whole of ``what``; else "other".

    ``what`` is SQL over the ``source``, which has the columns of ``cells``.
    """
    cases = " ".join(
        f"WHEN {fits('what', pattern)} THEN {literal(kind)}" for kind, pattern in patterns
    )
    rows = column.query(
        f"SELECT CASE {cases} ELSE 'other' END AS kind, {column.seen()} "
        f"FROM (SELECT *, {what} AS what FROM {source}) GROUP BY kind"
    )
    return {kind: _kind(*found) for kind, *found in rows}


def kinds_where(column: Column, tests: Mapping[str, str], source: str = "cells") -> dict[str, Kind]:
    """Count the cells for which each test (SQL) holds; ``source`` has the columns of ``cells``."""
    wanted = ", ".join(column.seen(f" FILTER ({test})") for test in tests.values())
    row = column.query(f"SELECT {wanted} FROM {source}")[0]
    found = zip(row[::3], row[1::3], row[2::3], strict=True)
    return {name: _kind(*three) for name, three in zip(tests, found, strict=True)}


def _tally(kind: Kind | None) -> Tally | None:
    return None if kind is None else counted(kind.lines, kind.count)


def _kind(count: int | None, lines: list[int] | None, example: str | None) -> Kind:
    return Kind(int(count or 0), tuple(lines or ()), shown(example or ""))


def nothing(sql_type: str) -> Callable[[str], str]:
    """The value of every cell of a column that cannot be read."""
    return lambda cell: f"CAST(NULL AS {sql_type})"


def trimmed(name: str) -> str:
    """SQL of the cell of a column without the spaces around it, NULL where that is all of it."""
    cell = quoted(name)
    odd = " OR ".join(f"contains({cell}, chr({code}))" for code in (9, 10, 13))
    # taking off a list of signs is ten times as slow as taking off spaces, and most need neither
    return (
        f"nullif(CASE WHEN strlen({cell}) <> length({cell}) OR {odd} "
        f"THEN trim({cell}, {_BLANKS}) ELSE trim({cell}) END, '')"
    )


def fits(cell: str, pattern: str) -> str:
    """SQL that tells whether a pattern fits the whole cell."""
    return f"regexp_full_match({cell}, {literal(pattern)})"


def is_missing_word(cell: str) -> str:
    """SQL that tells whether a cell holds a word that programs write for "nothing"."""
    return f"lower({cell}) IN ({', '.join(map(literal, MISSING_WORDS))})"


def count_missing_words(column: Column) -> int:
    """How many cells hold a word that programs write for "nothing"."""
    count = f"SELECT coalesce(sum(n), 0) FROM cells WHERE {is_missing_word('cell')}"
    return int(column.query(count)[0][0])


def quoted(name: str) -> str:
    """Quote an identifier for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a constant of this program (never data) for SQL."""
    return "'" + text.replace("'", "''") + "'"
