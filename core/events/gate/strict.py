"""Rows by the letter: the standard library's reader, in its strict mode, block after block."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from core.artifacts import LongArray, Problem
from core.events.gate.read_options import ReadOptions
from core.events.gate.scan import Block
from core.events.problems import Tally, refused, tally

ROWS = 4000
"""Rows cut at a time; few enough to stay in the processor's cache, which doubles the speed."""
_NOT_CLOSED = "unexpected end of data"

# The limit holds for the whole process, so that two readings at a time could not have their own:
# it is lifted here, and cells are measured by ourselves.
csv.field_size_limit((1 << 31) - 1)


@dataclass(frozen=True)
class CutRows:
    """Some rows: their cells, and the physical lines they stand on."""

    cells: list[list[str]]
    first: LongArray  # (rows,) the line a row begins on
    last: LongArray  # (rows,) the line it ends on
    written: Sequence[str]
    """The lines themselves, from the line ``begin`` on."""
    begin: int

    def __getitem__(self, keep: Any) -> CutRows:
        """The rows at those places (a slice, or an array of places or of truths)."""
        cells = [self.cells[at] for at in np.arange(len(self.cells))[keep]]
        return CutRows(cells, self.first[keep], self.last[keep], self.written, self.begin)

    def widths(self) -> LongArray:
        """Cells in each row."""
        return np.fromiter(map(len, self.cells), dtype=np.int64, count=len(self.cells))

    def text(self, at: int) -> str:
        """A row as it stood in the file."""
        lines = self.written[self.first[at] - self.begin : self.last[at] - self.begin + 1]
        return "".join(lines).rstrip("\r\n")


class StrictCut:
    """Cuts blocks of whole lines into rows; a row that goes on beyond its block waits for more."""

    def __init__(self, delimiter: str, options: ReadOptions) -> None:
        self._delimiter, self._options = delimiter, options
        self._waiting: list[str] = []
        self._waiting_line = 1
        self._enough = 0  # characters to wait for before an unfinished row is tried again
        self.quoting = Tally()
        """Rows with a quoting fault that is over at the end of their line."""
        self.may_space_quotes = False
        """Whether a space stands before a quote somewhere in what is being cut."""
        self.fault: Problem | None = None
        """What made it impossible to go on."""

    @property
    def within_row(self) -> bool:
        return bool(self._waiting)

    def rows(self, block: Block) -> Iterator[CutRows]:
        """Yield the rows that are complete, a few thousand at a time."""
        if not self._waiting:
            self._waiting_line = block.line
        self._waiting.append(block.text())
        if not block.last and sum(map(len, self._waiting)) < self._enough:
            return
        text, self._waiting, self._enough = "".join(self._waiting), [], 0
        self.may_space_quotes = ' "' in text and self._options.quotes == "strict"
        yield from self._cut(list(io.StringIO(text, newline="")), self._waiting_line, block.last)

    def open_cell(self) -> int:
        """Characters in the cell that goes on beyond the last block, once they may be too many."""
        if sum(map(len, self._waiting)) <= self._options.max_cell_length:
            return 0
        lines = io.StringIO("".join(self._waiting), newline="")
        return len(next(self._reader(lines, strict=False))[-1])

    def has_spaced_quote(self, row: str) -> bool:
        """Whether a quote of this row would open a cell if the spaces before it were not."""
        plain, dropped = (
            next(self._reader(io.StringIO(row, newline=""), strict=False, drop_spaces=drop))
            for drop in (False, True)
        )
        return [cell.lstrip(" ") for cell in plain] != [cell.lstrip(" ") for cell in dropped]

    @property
    def waiting_line(self) -> int:
        """The line on which the row that is not complete begins."""
        return self._waiting_line

    def _cut(self, written: list[str], begin: int, last: bool) -> Iterator[CutRows]:
        reader = self._reader(written, strict=True)
        done = 0  # lines that belong to rows which are cut
        while self.fault is None:
            cells: list[list[str]] = []
            ends = [done]
            error = ""
            try:
                for row in islice(reader, ROWS):
                    cells.append(row)
                    ends.append(reader.line_num)
            except csv.Error as raised:
                error = str(raised)
            lines = begin + np.array(ends, dtype=np.int64)
            yield CutRows(cells, lines[:-1], lines[1:] - 1, written, begin)
            done = ends[-1]
            if error == _NOT_CLOSED and not last:
                self._wait("".join(written[done:]), begin + done)
                return
            if not error and len(cells) < ROWS:
                return
            if error:
                self._note_fault(error, begin + done, begin + reader.line_num - 1)
                done = reader.line_num

    def _reader(self, lines: Any, *, strict: bool, drop_spaces: bool = False) -> Any:
        return csv.reader(
            lines,
            delimiter=self._delimiter,
            strict=strict,
            escapechar="\\" if self._options.escape == "backslash" else None,
            skipinitialspace=drop_spaces or self._options.quotes == "after_spaces",
        )

    def _wait(self, text: str, line: int) -> None:
        """Keep an unfinished row; as it waits for ever more, cutting it takes linear time."""
        self._waiting, self._waiting_line, self._enough = [text], line, 2 * len(text)

    def _note_fault(self, error: str, first: int, last: int) -> None:
        """After a fault within one line the next is read; any other leaves open what follows."""
        if error == _NOT_CLOSED:
            message = f"A quote in the row that begins on line {first} is never closed."
            self.fault = refused("quoting", message, tally([first]))
        elif first == last:
            self.quoting.add([first])
        else:
            message = (
                f"Line {last}: text stands behind a closing quote, in the row that begins on line "
                f"{first}. What comes after it was not looked at."
            )
            self.fault = refused("quoting", message, tally([first]))
