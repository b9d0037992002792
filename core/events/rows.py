"""The rows of a CSV file as Arrow tables of text, with every row checked on the way."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.artifacts import LongArray, Problem
from core.events.header import LINE_COLUMN, Header, check_header
from core.events.problems import Tally, plural, refusal, refused, tally, warning
from core.events.scan import Scan, Source, line_ends

_ROWS = 4000
"""Rows cut at a time; few enough to stay in the processor's cache, which doubles the speed."""


class Rows:
    """Cuts a text into rows and gathers what is wrong with them; ``tables`` is read once."""

    def __init__(self, source: Source, delimiter: str, scan: Scan, max_columns: int) -> None:
        self._source, self._scan, self._max_columns = source, scan, max_columns
        self._delimiter = delimiter
        self.header = Header((), 0, 1, ())
        self.n_rows = 0
        self._spare = 0
        self._short, self._long, self._blank = Tally(), Tally(), Tally()
        self._unnamed, self._spaced = Tally(), Tally()
        self._fault: Problem | None = None

    def tables(self) -> Iterator[pa.Table]:
        """Yield the rows: a text column per name (blank is NULL) and the line each begins on.

        Raises FileRefused for a header that is none. Once a row is wrong nothing more is
        yielded, but the rest is still read, so that `problems` can name all wrong rows.
        """
        with self._source.open_text() as text:
            reader = csv.reader(text, delimiter=self._delimiter, strict=True)
            self.header = self._read_header(reader)
            begin = reader.line_num + 1
            while self._fault is None:
                rows = self._cut(reader, begin, _ROWS)
                if not rows:
                    return
                lines = _first_lines(rows, begin, reader.line_num)
                begin = reader.line_num + 1
                kept = self._even_rows(rows, lines)
                if kept is not None:
                    yield kept

    def problems(self) -> list[Problem]:
        """Everything found, once the tables are through: refusals and warnings."""
        found = [*self.header.problems, *self._warnings(), *self._width_refusals()]
        found += [self._fault] if self._fault else []
        if not self.n_rows and all(problem.severity == "warning" for problem in found):
            message = "Only a header was found ({}) and 0 data rows. Export the file with its rows."
            names = ", ".join(self.header.names[:5])
            found.append(refused("no_rows", message.format(names), tally([self.header.line])))
        return found

    def _read_header(self, reader: Any) -> Header:
        cells: list[str] = []
        line = 1
        while not cells:
            line = reader.line_num + 1
            rows = self._cut(reader, line, 1)
            if not rows:
                empty = refused("empty", "The file is empty: it holds no header and no rows.")
                raise refusal(self._source.name, [self._fault or empty])
            cells = rows[0]
            self._blank.add([] if cells else [line])
        header = check_header(cells, line, self._max_columns)
        stopping = [problem for problem in header.problems if problem.severity == "refused"]
        if stopping:
            raise refusal(self._source.name, stopping)
        return header

    def _cut(self, reader: Any, begin: int, count: int) -> list[list[str]]:
        rows: list[list[str]] = []
        try:
            rows.extend(islice(reader, count))  # what was cut before a fault stays in ``rows``
        except csv.Error as error:
            start = begin + sum(_lines_in(row) for row in rows)
            self._fault = _quoting_fault(str(error), start, reader.line_num)
        return rows

    def _even_rows(self, rows: list[list[str]], lines: LongArray) -> pa.Table | None:
        widths = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
        if not widths.all():
            self._blank.add(lines[widths == 0].tolist())
            rows, lines, widths = [r for r in rows if r], lines[widths > 0], widths[widths > 0]
        if not rows:
            return None
        named = len(self.header.names) + self.header.spare
        if not self.n_rows and len(rows[0]) == named + 1 and not rows[0][-1].strip():
            self._spare = 1  # rows that all end with a separator
        width = named + self._spare
        self._short.add(lines[widths < width].tolist())
        self._long.add(lines[widths > width].tolist())
        if self._short.count or self._long.count:
            self.n_rows += len(rows)
            return None
        return self._table(rows, lines)

    def _table(self, rows: list[list[str]], lines: LongArray) -> pa.Table:
        names = self.header.names
        columns = [pa.array(cells, pa.string()) for cells in zip(*rows, strict=True)]
        blank = [pc.or_(pc.equal(cells, ""), pc.utf8_is_space(cells)) for cells in columns]
        if nameless := [~_as_numpy(mask) for mask in blank[len(names) :]]:
            self._unnamed.add(lines[np.logical_or.reduce(nameless)].tolist())
        values = [_null_where(m, c) for m, c in zip(blank, columns, strict=True)][: len(names)]
        if self._scan.spaced_quote:
            for cells in columns:
                spaced = pc.match_substring_regex(cells, '^[ ]+"')
                self._spaced.add(lines[_as_numpy(spaced)].tolist())
        table = pa.table([*values, pa.array(lines)], names=[*names, LINE_COLUMN])
        if all(column.null_count for column in values):
            nothing = np.logical_and.reduce([_as_numpy(mask) for mask in blank])
            self._blank.add(lines[nothing].tolist())
            table = table.filter(pa.array(~nothing))
        self.n_rows += len(table)
        return table

    def _warnings(self) -> Iterator[Problem]:
        if self._blank.count:
            message = f"{plural(self._blank.count, 'blank row')} left out: {self._blank.text}."
            yield warning("blank_rows", message, self._blank)
        if self._spare or self.header.spare:
            where = "Every row" if self._spare else "The header"
            message = f"{where} ends with spare separators; the blank column was left out."
            yield warning("spare_column", message)

    def _width_refusals(self) -> Iterator[Problem]:
        header = f"the header on line {self.header.line}"
        names = plural(len(self.header.names), "column")
        if self._long.count:
            message = (
                f"{plural(self._long.count, 'row')} with more cells than {header} has names "
                f"({names}): {self._long.text}. A value that holds the separator needs quotes; "
                "lines above the header must be deleted."
            )
            yield refused("long_rows", message, self._long)
        if self._short.count:
            message = (
                f"{plural(self._short.count, 'row')} with fewer cells than {header} has names "
                f"({names}): {self._short.text}. Complete or delete them."
            )
            yield refused("short_rows", message, self._short)
        if self._unnamed.count:
            message = (
                f"There are values in columns that have no name in {header}: "
                f"{self._unnamed.text}. Name every column, and delete lines above the header."
            )
            yield refused("unnamed_values", message, self._unnamed)
        if self._spaced.count:
            message = (
                f"A space stands before an opening quote on {self._spaced.text}, so that the "
                "quotes would become part of the value. Export without the space."
            )
            yield refused("space_before_quote", message, self._spaced)


def _quoting_fault(error: str, start: int, line: int) -> Problem:
    if "end of data" in error:
        message = f"A quote in the row that begins on line {start} is never closed."
    elif "field limit" in error:
        message = (
            f"A cell in the row that begins on line {start} is longer than "
            f"{csv.field_size_limit():,} characters. Was a quote opened there and never closed?"
        )
    else:
        message = (
            f"Line {line}: text stands behind a closing quote. A quote inside a quoted value is "
            'written twice (""); a backslash does not escape it.'
        )
    return refused("quoting", message, tally([line if line == start else start]))


def _first_lines(rows: list[list[str]], begin: int, end: int) -> LongArray:
    """Physical line on which each row begins, shape (rows,)."""
    if end - begin + 1 == len(rows):
        return np.arange(begin, end + 1, dtype=np.int64)
    heights = np.fromiter(map(_lines_in, rows), dtype=np.int64, count=len(rows))
    return begin + np.concatenate(([0], np.cumsum(heights)[:-1]))


def _lines_in(row: list[str]) -> int:
    return 1 + sum(map(line_ends, row))


def _null_where(mask: Any, cells: Any) -> Any:
    return pc.if_else(mask, pa.scalar(None, pa.string()), cells)


def _as_numpy(mask: Any) -> Any:
    return mask.to_numpy(zero_copy_only=False)
