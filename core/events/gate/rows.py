"""The rows of a text file as Arrow tables of text, with every row checked on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.artifacts import LongArray, Problem
from core.errors import FileRefused
from core.events.gate.blocks import Text
from core.events.gate.cells import as_truths, blank_as_null, null_where, places
from core.events.gate.fast import FastCut
from core.events.gate.header import LINE_COLUMN, Header, check_header, numbered_header
from core.events.gate.read_options import NO_HEADER, ReadOptions
from core.events.gate.row_problems import RowTallies, no_rows, row_problems, with_offers
from core.events.gate.scan import LINE_END, Block, Scan
from core.events.gate.strict import CutRows, StrictCut
from core.events.problems import plural, refusal, refused, tally


class Rows:
    """Cuts a text into rows and gathers what is wrong with them; ``tables`` is read once.

    A block is cut the quick way where that is beyond doubt, else by the strict reader.
    """

    def __init__(self, name: str, text: Text, delimiter: str, options: ReadOptions) -> None:
        self._name, self._text, self._delimiter, self._options = name, text, delimiter, options
        self._scan = Scan(name, text.encoding, delimiter, options)
        self._strict = StrictCut(delimiter, options)
        self._fast: FastCut | None = None
        self._met = RowTallies()
        self._width = 0  # cells a row must have; 0 until the first row after the header
        self._to_skip = options.lines_above
        self.header: Header | None = None
        self.n_rows = 0
        self.n_lines = 0
        """Physical lines of the file."""
        self.aside: list[tuple[int, str, str]] = []
        """Rows set aside since this list was last emptied: line, reason, text."""

    def tables(self) -> Iterator[pa.Table]:
        """Yield the rows: a text column per name (blank is NULL) and the line each begins on.

        Once something is wrong nothing more is yielded, but the rest is still read, so that
        `problems` can name all of it. Raises FileRefused, with all that was found so far, where
        it is not safe to go on.
        """
        sound = True
        try:
            for data, last in self._text.blocks:
                block = self._scan.take(data, last)
                sound = sound and block.sound
                for table in self._cut(block):
                    if table is not None and sound and not self._refusing():
                        yield table
            self.n_lines = self._scan.n_lines
            self._check_complete()
        except FileRefused as stopped:
            found = [*(p for p in self.problems() if p.severity == "refused"), *stopped.problems]
            raise refusal(self._name, found) from None

    def problems(self) -> list[Problem]:
        """Everything found up to now: refusals and warnings."""
        header = self.header or Header((), 1, ())
        found = [*header.problems, *self._scan.problems()]
        found += row_problems(self._met, self._strict.quoting, header)
        found += [self._strict.fault] if self._strict.fault else []
        if self._options.header_line == "auto":
            return with_offers(found, self._text.head, self._delimiter, header.line)
        return found

    def _refusing(self) -> bool:
        faults = self._strict.fault is not None or self._strict.quoting.count > 0
        return faults or self._met.refusing or (self.header is not None and self.header.is_refused)

    def _check_complete(self) -> None:
        """Refuse a file that holds no header or no row."""
        if self._refusing():
            return
        if self.header is None:
            empty = "The file is empty: it holds no header and no rows."
            if self._met.skipped:
                empty = f"The file ends above line {self._options.header_line} (read.header_line)."
            raise refusal(self._name, [refused("empty", empty)])
        if not self.n_rows and all(found.severity == "warning" for found in self.problems()):
            raise refusal(self._name, [no_rows(self.header, self._met.aside.count)])

    def _cut(self, block: Block) -> Iterator[pa.Table | None]:
        if self._to_skip:
            block = self._below_preamble(block)
        if self._strict.fault is not None:
            return
        if self._fast is not None and not self._strict.within_row:
            columns = self._fast.columns(block)
            if columns is not None:
                lines = np.arange(block.line, block.line + len(columns[0]), dtype=np.int64)
                yield self._table(columns, lines)
                return
            if halves := block.halves():  # so that one odd row does not hold up many others
                for half in halves:
                    yield from self._cut(half)
                return
        for rows in self._strict.rows(block):
            yield self._take(rows)
        if self._strict.open_cell() > self._options.max_cell_length:
            hint = " Was a quote opened there and never closed?"
            raise self._long_cell(self._strict.waiting_line, hint)

    def _below_preamble(self, block: Block) -> Block:
        begin = skipped = 0
        for end in islice(LINE_END.finditer(block.data), self._to_skip):
            begin, skipped = end.end(), skipped + 1
        self._to_skip -= skipped
        self._met.skipped += skipped
        rest = b"" if self._to_skip else block.data[begin:]
        return replace(block, data=rest, line=block.line + skipped, ends=block.ends - skipped)

    def _take(self, rows: CutRows) -> pa.Table | None:
        if self.header is None:
            rows = self._take_header(rows)
        widths = rows.widths()
        if not widths.all():
            self._met.blank.add(rows.first[widths == 0].tolist())
            rows, widths = rows[widths > 0], widths[widths > 0]
        if self.header is None or not rows.cells:
            return None
        if not self._width:
            self._find_width(self.header, rows.cells[0])
        if (widths != self._width).any():
            rows = self._of_one_width(rows, widths)
        if not rows.cells:
            return None
        columns = [pa.array(cells, pa.string()) for cells in zip(*rows.cells, strict=True)]
        self._check_cells(columns, rows)
        return self._table([null_where(pc.equal(c, ""), c) for c in columns], rows.first)

    def _take_header(self, rows: CutRows) -> CutRows:
        """Name the columns by the first row that is not blank; give back the rows after it."""
        place = next((at for at, cells in enumerate(rows.cells) if cells), len(rows.cells))
        self._met.blank.add(rows.first[:place].tolist())
        if place == len(rows.cells):
            return rows[:0]
        cells, line = rows.cells[place], int(rows.first[place])
        asked, most = self._options.header_line, self._options.max_columns
        numbered = asked == NO_HEADER
        self.header = (
            numbered_header(cells, line, most)
            if numbered
            else check_header(cells, line, most, sure=asked != "auto")
        )
        if any(problem.code == "too_many_columns" for problem in self.header.problems):
            raise refusal(self._name, [])
        return rows[place if numbered else place + 1 :]

    def _find_width(self, header: Header, first: list[str]) -> None:
        """How many cells a row has; the first may show that all end with a separator too many."""
        width = len(header.names) + header.spare
        one_more = len(first) == width + 1 and not first[-1].strip()
        self._met.spare_cells = one_more and self._options.ragged != "fill"
        self._width = width + self._met.spare_cells
        self._fast = FastCut(self._delimiter, self._width, self._options)

    def _of_one_width(self, rows: CutRows, widths: LongArray) -> CutRows:
        """The rows of the right width, and what is done with the others."""
        short, long = widths < self._width, widths > self._width
        if self._options.ragged == "fill":
            return self._filled(rows, short, long)
        if self._options.ragged == "refuse":
            self._met.short.add(rows.first[short].tolist())
            self._met.long.add(rows.first[long].tolist())
            return rows[~(short | long)]
        wanted = plural(self._width, "cell")
        for at in np.flatnonzero(short | long):
            line, reason = int(rows.first[at]), f"{plural(widths[at], 'cell')} instead of {wanted}"
            self._met.aside.add([line])
            self.aside.append((line, reason, rows.text(int(at))))
        return rows[~(short | long)]

    def _filled(self, rows: CutRows, short: Any, long: Any) -> CutRows:
        """Complete short rows and cut off blank cells too many; refuse rows with more values."""
        assert self.header is not None
        for at in np.flatnonzero(short):
            cells = rows.cells[at]
            if len(cells) < len(self.header.names):
                self._met.filled.add([int(rows.first[at])])
            cells += [""] * (self._width - len(cells))
        for at in np.flatnonzero(long):
            cells = rows.cells[at]
            blank = not any(cell.strip() for cell in cells[self._width :])
            (self._met.cut if blank else self._met.long).add([int(rows.first[at])])
            del cells[self._width :]
        return rows

    def _check_cells(self, columns: list[Any], rows: CutRows) -> None:
        """Look at what only strictly cut rows can hold: long cells, quotes behind spaces."""
        limit = self._options.max_cell_length
        suspects: set[int] = set()
        for column in columns:
            if column.nbytes > limit:
                for at in places(pc.greater(pc.utf8_length(column), limit)):
                    raise self._long_cell(int(rows.first[at]))
            if self._strict.may_space_quotes:
                suspects.update(places(pc.match_substring_regex(column, '^ +"')))
        for at in sorted(suspects):
            if self._strict.has_spaced_quote(rows.text(at)):
                self._met.spaced.add([int(rows.first[at])])

    def _table(self, columns: list[Any], lines: LongArray) -> pa.Table:
        assert self.header is not None
        names = self.header.names
        columns = [blank_as_null(column) for column in columns]
        if nameless := [as_truths(pc.is_valid(column)) for column in columns[len(names) :]]:
            self._met.unnamed.add(lines[np.logical_or.reduce(nameless)].tolist())
        table = pa.table([*columns[: len(names)], pa.array(lines)], names=[*names, LINE_COLUMN])
        if all(column.null_count for column in columns):
            nothing = np.logical_and.reduce([as_truths(pc.is_null(c)) for c in columns])
            self._met.blank.add(lines[nothing].tolist())
            table = table.filter(pa.array(~nothing)) if nothing.any() else table
        self.n_rows += len(table)
        return table

    def _long_cell(self, line: int, hint: str = "") -> FileRefused:
        message = (
            f"A cell in the row that begins on line {line} is longer than "
            f"{self._options.max_cell_length:,} characters (read.max_cell_length).{hint}"
        )
        return refusal(self._name, [refused("long_cell", message, tally([line]))])
