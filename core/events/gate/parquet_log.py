"""Logs that come as Parquet: flat columns become the exact text of their values."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.artifacts import Problem
from core.errors import FileRefused
from core.events.gate.cells import as_truths, blank_as_null, null_where, places
from core.events.gate.header import LINE_COLUMN, check_names
from core.events.gate.row_problems import RowTallies, no_rows, row_problems
from core.events.gate.sources import Source
from core.events.problems import Tally, plural, refusal, refused, shown, tally, warning

_BATCH = 1 << 16
_BATCH_BYTES = 1 << 26
_WHOLE = float(2**53)
"""Up to here every whole number has a double of its own."""
_EXACT = {16: 2**11, 32: 2**24, 64: 2**53}
"""By the bits of a floating number: from here on whole numbers beside one another are one."""
_TEXTS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
_AS_TEXT = (
    *_TEXTS,
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_boolean,
    pa.types.is_timestamp,
    pa.types.is_date,
    pa.types.is_time,
    pa.types.is_decimal,
    pa.types.is_null,
)
_REPEATING = {"PLAIN_DICTIONARY", "RLE_DICTIONARY", "DELTA_BYTE_ARRAY"}
"""Ways of writing by which a long text can stand a million times in a small file."""
_DAMAGED = (pa.ArrowException, OSError, ValueError, KeyError)


class ParquetRows:
    """The rows of a Parquet file; a row's line is its number, from 1. ``tables`` is read once.

    Raises FileRefused for a file that is damaged, or larger than allowed.
    """

    def __init__(self, source: Source) -> None:
        self._source, self._options = source, source.options
        self._met, self._nul = RowTallies(), Tally()
        self.n_rows = self.n_lines = 0
        self.aside: list[tuple[int, str, str]] = []
        with self._damage_refused():
            self._file = pq.ParquetFile(source.path)
            schema = self._file.schema_arrow
            self._kept = [at for at, column in enumerate(schema) if _fits_a_cell(column.type)]
            repeating = _repeating_texts(self._file)
            if repeating:
                # As a dictionary, a text that stands a million times is held only once.
                self._file.close()
                self._file = pq.ParquetFile(source.path, read_dictionary=repeating)
            header = check_names(schema.names, self._options.max_columns)
        self.header = replace(header, names=tuple(header.names[at] for at in self._kept))
        self._stored = [schema.names[at] for at in self._kept]
        self._odd_columns = list(_odd_columns(schema, self._kept))
        self._inexact = {name: Tally() for name in self.header.names}

    def tables(self) -> Iterator[pa.Table]:
        """Yield the rows: a text column per name (blank is NULL) and the number of each row.

        Nothing is yielded of a file whose columns are refused. Raises FileRefused.
        """
        with self._damage_refused(), self._file:
            if self._refuses_columns():
                return
            self._source.check_size(self._declared_size())
            written = 0
            for batch in self._file.iter_batches(self._rows_at_a_time(), columns=self._stored):
                # A column of parts may hold one whose path is the name of another.
                batch = batch.select(self._stored)
                self._source.meter.add(self._packed_size(len(batch)), self._source.name)
                for part in _small(batch):
                    table = self._table(part)
                    written += table.nbytes
                    self._source.check_size(written)
                    self._source.check_ratio(written, self._source.path.stat().st_size)
                    if not self._nul.count:
                        yield table
        if not self.n_rows and not self._nul.count:
            raise refusal(self._source.name, [no_rows(self.header, 0)])

    def problems(self) -> list[Problem]:
        """Everything found up to now: refusals and warnings."""
        found = [*self.header.problems, *self._odd_columns]
        found += [_inexact_numbers(*column) for column in self._inexact.items() if column[1].count]
        found += row_problems(self._met, Tally(), self.header)
        if self._nul.count:
            message = (
                f"A NUL character stands in the text of {self._nul.text}; programs cut the value "
                "there or lose it. Export the file again."
            )
            found.append(refused("nul", message, self._nul))
        return found

    def _refuses_columns(self) -> bool:
        return any(found.severity == "refused" for found in self.problems())

    def _rows_at_a_time(self) -> int:
        """Fewer where rows are long."""
        per_row = self._declared_size() // max(1, self._file.metadata.num_rows)
        return int(max(1, min(_BATCH, _BATCH_BYTES // max(1, per_row))))

    def _declared_size(self) -> int:
        """Bytes of the columns that are read when unpacked, as the file itself says."""
        metadata, kept = self._file.metadata, set(self._stored)
        chunks = (
            metadata.row_group(group).column(place)
            for group in range(metadata.num_row_groups)
            for place in range(metadata.num_columns)
        )
        return sum(c.total_uncompressed_size for c in chunks if c.path_in_schema in kept)

    def _packed_size(self, n_rows: int) -> int:
        whole = max(1, int(self._file.metadata.num_rows))
        return self._source.path.stat().st_size * n_rows // whole

    @contextmanager
    def _damage_refused(self) -> Iterator[None]:
        try:
            yield
        except _DAMAGED as error:
            message = (
                f"The Parquet file is damaged or cut short ({shown(str(error))}). Copy it again, "
                "or export it anew."
            )
            raise self._source.refused("damaged_parquet", message) from None

    def _table(self, batch: pa.RecordBatch) -> pa.Table:
        lines = np.arange(self.n_lines + 1, self.n_lines + 1 + len(batch), dtype=np.int64)
        self.n_lines += len(batch)
        columns = []
        for name, column in zip(self.header.names, batch.columns, strict=True):
            self._inexact[name].add(lines[places(_is_inexact(column))].tolist())
            text = _as_text(column)
            text.validate(full=True)
            self._nul.add(lines[places(pc.match_substring(text, "\0"))].tolist())
            self._check_length(text, lines)
            columns.append(blank_as_null(null_where(pc.equal(text, ""), text)))
        table = pa.table([*columns, pa.array(lines)], names=[*self.header.names, LINE_COLUMN])
        if columns and all(column.null_count for column in columns):
            nothing = np.logical_and.reduce([as_truths(pc.is_null(column)) for column in columns])
            self._met.blank.add(lines[nothing].tolist())
            table = table.filter(pa.array(~nothing)) if nothing.any() else table
        self.n_rows += len(table)
        return table

    def _check_length(self, text: Any, lines: Any) -> None:
        limit = self._options.max_cell_length
        if text.nbytes > limit:
            for at in places(pc.greater(pc.utf8_length(text), limit)):
                raise self._too_long(int(lines[at]))

    def _too_long(self, line: int) -> FileRefused:
        message = (
            f"A cell in row {line} is longer than {self._options.max_cell_length:,} characters "
            "(read.max_cell_length)."
        )
        return refusal(self._source.name, [refused("long_cell", message, tally([line]))])


def _repeating_texts(file: pq.ParquetFile) -> list[str]:
    """Names of the text columns that must be read as dictionaries."""
    metadata = file.metadata
    names = [f.name for f in file.schema_arrow if any(is_text(f.type) for is_text in _TEXTS)]
    found = set()
    for group in range(metadata.num_row_groups):
        for place in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(place)
            if _REPEATING & set(chunk.encodings):
                found.add(chunk.path_in_schema)
    return [name for name in names if name in found]


def _fits_a_cell(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return any(fits(kind) for fits in _AS_TEXT)


def _odd_columns(schema: pa.Schema, kept: Collection[int]) -> Iterator[Problem]:
    """Warn of columns that are left out; refuse a file of which none would be left."""
    for at, column in enumerate(schema):
        if at not in kept:
            what = f"Column '{shown(column.name)}' holds {shown(str(column.type))}, which cannot be"
            advice = "If it is needed, write its parts into columns of their own."
            message = f"{what} put into a cell; it is left out. {advice}"
            yield warning("column_type", message, column=column.name)
    if not kept:
        message = "No column can be read. Allowed: text, numbers, true or false, times and dates."
        yield refused("no_columns", message)


def _is_inexact(column: Any) -> Any:
    """Where a floating number is whole and so large that the next whole number is the same one."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = pc.cast(column, kind.value_type), kind.value_type
    if not pa.types.is_floating(kind):
        return pa.nulls(len(column), pa.bool_())
    numbers = pc.cast(column, pa.float64())
    return pc.and_(pc.is_finite(numbers), pc.greater_equal(pc.abs(numbers), _EXACT[kind.bit_width]))


def _inexact_numbers(name: str, where: Tally) -> Problem:
    message = (
        f"Column '{name}' holds {plural(where.count, 'whole number')} kept as floating "
        f"{'number' if where.count == 1 else 'numbers'} too large to be exact ({where.text}). If "
        "they are ids, several may have become one: write them as text or integers."
    )
    return warning("inexact_numbers", message, where, name)


def _small(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Cut a batch so that no part is large, even where long texts come as a dictionary."""
    longest = sum(_longest(column) for column in batch.columns)
    rows = max(1, _BATCH_BYTES // max(1, longest))
    for begin in range(0, len(batch), rows):
        yield batch.slice(begin, rows)


def _longest(column: Any) -> int:
    """Bytes of the longest value of a text column that comes as a dictionary, else 0."""
    if not isinstance(column, pa.DictionaryArray) or not len(column.dictionary):
        return 0
    return int(pc.max(pc.binary_length(column.dictionary)).as_py() or 0)


def _as_text(column: Any) -> Any:
    """The values as text: whole numbers to the last digit, times by ISO 8601 (UTC where zoned)."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = pc.cast(column, kind.value_type), kind.value_type
    if pa.types.is_floating(kind):
        return _numbers_as_text(column)
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        column = pc.cast(column, pa.timestamp(kind.unit, "UTC"))
    return pc.cast(column, pa.string())


def _numbers_as_text(column: Any) -> Any:
    """Doubles as the shortest text that is the same number; whole ones without a fraction."""
    doubles = pc.cast(column, pa.float64())
    whole = pc.and_(pc.equal(doubles, pc.trunc(doubles)), pc.less_equal(pc.abs(doubles), _WHOLE))
    integers = pc.cast(pc.if_else(whole, doubles, 0.0), pa.int64())
    return pc.if_else(whole, pc.cast(integers, pa.string()), pc.cast(column, pa.string()))
