"""Item vectors made elsewhere (from images, texts, other models): read whole, or refused."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.artifacts import FloatArray, ItemVectors, LongArray, Problem, TextArray, fingerprint
from core.events.gate.header import LINE_COLUMN
from core.events.problems import Tally, plural, refusal, refused, shown
from core.events.read import ReadOptions, read

VERSION = 1
MOST_WIDTH = 4096
"""Numbers per item."""
MOST_NUMBERS = 500_000_000
"""Numbers in all: 2 GB in memory."""

_CELLS_AT_ONCE = 4_000_000
_PARQUET = b"PAR1"


def read_vectors(path: Path, *, name: str) -> ItemVectors:
    """Read item vectors: the item id in the first column, then numbers, or one list of numbers.

    CSV (through the strict gate; numbers with a decimal point, lists as [0.1, 0.2]) or Parquet;
    ``name`` is what the analyst calls the file. Raises FileRefused, naming lines (rows in
    Parquet), for ids that are blank or come twice, for cells that are no finite number of single
    precision, for lists of different lengths, and for more than `MOST_WIDTH` numbers per item or
    `MOST_NUMBERS` in all.
    """
    if not path.is_file():
        raise refusal(name, [refused("no_file", f"There is no file at '{path}'.")])
    with path.open("rb") as stream:
        packed = stream.read(4) == _PARQUET
        stream.seek(0)
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    ids, values, problems = _from_parquet(path, name) if packed else _from_text(path, name)
    return ItemVectors(
        name=name,
        item_ids=ids,
        values=values,
        problems=problems,
        fingerprint=fingerprint(digest, "vectors", VERSION, {}),
    )


@dataclass(frozen=True)
class _Table:
    """A file of vectors as columns: ids first, then numbers, one by one or as one list."""

    file: pq.ParquetFile
    name: str
    columns: tuple[str, ...]
    """All of them; the first holds the ids."""
    is_text: bool
    """Whether cells are text and rows are known by their line."""

    @property
    def has_lists(self) -> bool:
        """Whether the second of two columns holds lists; in a text file its first cell tells."""
        if len(self.columns) != 2:
            return False
        column = self.columns[1]
        if not self.is_text:
            return bool(_is_list(self.file.schema_arrow.field(column).type))
        first = next(self.file.iter_batches(batch_size=1))[column][0].as_py()
        return first is not None and first.strip().startswith("[")

    def batches(self, width: int) -> Iterator[tuple[LongArray, pa.RecordBatch]]:
        """Yield rows with their lines (or row numbers), a bounded number of cells at a time."""
        first = 1
        for batch in self.file.iter_batches(batch_size=max(1, _CELLS_AT_ONCE // width)):
            places = np.arange(first, first + len(batch))
            yield (batch[LINE_COLUMN].to_numpy() if self.is_text else places), batch
            first += len(batch)


@dataclass
class _Troubles:
    """What stands against a file, gathered over all of it: kinds, with lines and an example."""

    row: str
    """How a row is called: "line" or "row"."""
    found: dict[str, tuple[str, Tally]] = field(default_factory=dict)

    def add(self, code: str, text: str, places: LongArray) -> None:
        """Take note of rows; the text of the first of a kind is the one that is told."""
        if len(places):
            self.found.setdefault(code, (text, Tally()))[1].add(map(int, places))

    def check(self, name: str) -> None:
        """Raise FileRefused where anything was found."""
        problems = [
            refused(code, f"{text}: {tally.text.replace('line', self.row, 1)}.", tally)
            for code, (text, tally) in self.found.items()
        ]
        if problems:
            raise refusal(name, problems)


def _from_text(path: Path, name: str) -> tuple[TextArray, FloatArray, tuple[Problem, ...]]:
    with TemporaryDirectory(prefix="vectors-") as scratch:
        raw = read(path, Path(scratch), ReadOptions(max_columns=10_000), name=name)
        if not raw.n_rows:
            raise refusal(name, [refused("no_rows", "The file holds a header and no rows.")])
        with pq.ParquetFile(raw.path) as file:
            ids, values = _read(_Table(file, name, raw.columns, is_text=True))
    return ids, values, raw.problems


def _from_parquet(path: Path, name: str) -> tuple[TextArray, FloatArray, tuple[Problem, ...]]:
    try:
        with pq.ParquetFile(path) as file:
            columns = tuple(file.schema_arrow.names)
            _check_types(file, name)
            return *_read(_Table(file, name, columns, is_text=False)), ()
    except (pa.ArrowException, OSError) as damaged:
        message = f"The Parquet file is damaged: {shown(str(damaged))}."
        raise refusal(name, [refused("damaged", message)]) from None


def _check_types(file: pq.ParquetFile, name: str) -> None:
    """Refuse a Parquet file whose columns are not an id and numbers."""
    fields = list(file.schema_arrow)
    if not fields or not file.metadata.num_rows:
        raise refusal(name, [refused("no_rows", "The file holds no rows.")])
    names = file.schema_arrow.names
    twins = sorted({column for column in names if names.count(column) > 1})
    if twins:
        message = f"Column '{shown(twins[0])}' is there more than once. Give each its own name."
        raise refusal(name, [refused("doubled_column", message)])
    if not _is_id(fields[0].type):
        message = (
            f"The first column, '{shown(fields[0].name)}', must hold the item ids, as text or "
            f"whole numbers; it is of type {fields[0].type}."
        )
        raise refusal(name, [refused("ids", message)])
    for other in fields[1:]:
        if not (_is_number(other.type) or (_is_list(other.type) and len(fields) == 2)):
            message = (
                f"Column '{shown(other.name)}' is of type {other.type}. Allowed after the ids: "
                "columns of numbers, or one column of lists of numbers."
            )
            raise refusal(name, [refused("numbers", message)])


def _read(table: _Table) -> tuple[TextArray, FloatArray]:
    """All ids and vectors of a file that has rows, checked."""
    has_lists = table.has_lists
    width = _width_of_lists(table) if has_lists else len(table.columns) - 1
    n_rows = table.file.metadata.num_rows
    _check_size(table, n_rows, width)
    troubles = _Troubles("line" if table.is_text else "row")
    values, ids, all_places = np.empty((n_rows, width), np.float32), [], []
    done = 0
    for places, batch in table.batches(width):
        rows = slice(done, done + len(batch))
        cells = [batch[column] for column in table.columns[1:]]
        if has_lists:
            _fill_lists(values[rows], cells[0], places, troubles)
        else:
            for at, column in enumerate(cells):
                values[rows, at] = _floats(column)
        _note_bad(values[rows], cells, places, troubles)
        ids.append(pc.cast(batch[table.columns[0]], pa.string()).to_numpy(zero_copy_only=False))
        all_places.append(places)
        done = rows.stop
    item_ids = np.concatenate(ids)
    _check_ids(item_ids, np.concatenate(all_places), table.columns[0], troubles)
    troubles.check(table.name)
    return item_ids, values


def _check_size(table: _Table, n_rows: int, width: int) -> None:
    if not width:
        message = (
            f"The file has one column, '{shown(table.columns[0])}'. A file of vectors has the item "
            "id first, then numbers, or one list of numbers."
        )
        raise refusal(table.name, [refused("no_numbers", message)])
    if width > MOST_WIDTH or n_rows * width > MOST_NUMBERS:
        message = (
            f"The file holds {plural(n_rows, 'item')} with {plural(width, 'number')} each. Allowed "
            f"are {MOST_WIDTH:,} numbers per item and {MOST_NUMBERS:,} in all. Reduce the vectors "
            "(by principal components, say), or leave out items that are not in the log."
        )
        raise refusal(table.name, [refused("too_large", message)])


def _width_of_lists(table: _Table) -> int:
    """Length of the first list; refuses a file with more numbers than can be held."""
    if not table.is_text:
        metadata = table.file.metadata
        groups = range(metadata.num_row_groups)
        n_numbers = sum(metadata.row_group(group).column(1).num_values for group in groups)
        if n_numbers > MOST_NUMBERS:  # before a list of any length is unpacked
            _check_size(table, metadata.num_rows, -(-n_numbers // metadata.num_rows))
    first = next(table.file.iter_batches(batch_size=1))
    length = int(_lengths(_lists(first[table.columns[1]]))[0])
    if not length:
        message = f"The first list, in column '{shown(table.columns[1])}', is blank."
        raise refusal(table.name, [refused("numbers", message)])
    return length


def _fill_lists(
    values: FloatArray, cells: pa.Array, places: LongArray, troubles: _Troubles
) -> None:
    """Unpack the lists of the right length; rows with another are noted and left at 0."""
    lists, width = _lists(cells), values.shape[1]
    right = _lengths(lists) == width
    text = f"The first list has {plural(width, 'number')}; others are longer, shorter or blank"
    troubles.add("width", text, places[~right])
    values[~right] = 0.0
    values[right] = _floats(lists.filter(pa.array(right)).flatten()).reshape(-1, width)


def _note_bad(
    values: FloatArray, cells: list[pa.Array], places: LongArray, troubles: _Troubles
) -> None:
    bad = ~np.isfinite(values)
    rows = np.flatnonzero(bad.any(axis=1))
    if len(rows):
        row, at = int(rows[0]), int(bad[rows[0]].argmax())
        cell = cells[at][row] if len(cells) > 1 else _in_first(cells[0], row, at)
        what = "blank" if cell.as_py() is None else f"'{shown(str(cell))}'"
        text = (
            "Some cells are not finite numbers of single precision, written with a decimal point; "
            f"the first is {what}"
        )
        troubles.add("numbers", text, places[rows])


def _in_first(cells: pa.Array, row: int, at: int) -> pa.Scalar:
    """A number of a single column, of one number or one list per row."""
    holds_lists = _is_list(cells.type) or str(cells[row]).strip().startswith("[")
    return _lists(cells)[row][at] if holds_lists else cells[row]


def _check_ids(ids: TextArray, places: LongArray, column: str, troubles: _Troubles) -> None:
    blank = np.array([item is None for item in ids], dtype=bool)
    text = f"The first column, '{shown(column)}', must hold the item ids, and some are blank"
    troubles.add("blank_id", text, places[blank])
    known = pa.array(ids[~blank], pa.string())
    codes = known.dictionary_encode().indices.to_numpy()
    _, first = np.unique(codes, return_index=True)
    again = np.delete(np.arange(len(codes)), first)
    if len(again):
        text = f"Items come more than once, such as '{shown(str(known[int(again[0])]))}'"
        troubles.add("repeated_id", text, places[~blank][again])


def _floats(cells: pa.Array) -> FloatArray:
    """Numbers in single precision; NaN where a cell is blank or no number."""
    if pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type):
        cells = pc.utf8_trim_whitespace(cells)
    try:
        numbers = pc.cast(cells, pa.float32(), safe=False)
    except pa.ArrowInvalid:  # some cell is no number: find out which
        numbers = pa.array([_number(cell) for cell in cells.to_pylist()], pa.float32())
    floats: FloatArray = numbers.to_numpy(zero_copy_only=False)
    return floats


def _number(cell: str | None) -> float | None:
    try:
        number: float | None = pc.cast(pa.scalar(cell, pa.string()), pa.float32()).as_py()
    except pa.ArrowInvalid:
        return None
    return number


def _lists(cells: pa.Array) -> pa.Array:
    """Lists as they are, or out of the text "[1, 2]"; NULL where there is no list."""
    if _is_list(cells.type):
        return cells
    trimmed = pc.utf8_trim_whitespace(cells)
    is_list = pc.match_substring_regex(trimmed, r"^\[.*\]$")
    inner = pc.utf8_slice_codeunits(trimmed, 1, -1)
    return pc.split_pattern(pc.if_else(is_list, inner, None), ",")


def _lengths(lists: pa.Array) -> LongArray:
    """Length of every list; 0 where there is none."""
    lengths: LongArray = pc.fill_null(pc.list_value_length(lists), 0).to_numpy().astype(np.int64)
    return lengths


def _is_id(kind: Any) -> bool:
    words = kind.value_type if pa.types.is_dictionary(kind) else kind
    return pa.types.is_string(words) or pa.types.is_large_string(words) or _is_whole(words)


def _is_whole(kind: Any) -> bool:
    return bool(pa.types.is_integer(kind))


def _is_number(kind: Any) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _is_list(kind: Any) -> bool:
    is_list = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(test(kind) for test in is_list) and _is_number(kind.value_type)
