"""The quick way through a block of rows: taken only where the strict reader would say the same.

pyarrow cuts rows many times faster than the standard library, but forgives much. So a block goes
this way only if nothing in it could be forgiven: quotes only where the letter of the rule wants
them, every line a row of the expected width. What is in doubt is left to the strict reader.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from core.events.gate.read_options import ReadOptions
from core.events.gate.scan import Block, no_longer_line

_CHUNK = 1 << 20
_BLANK_LINES = (b"\n\n", b"\n\r\n")
_AT_THE_BEGINNING = (b"\n", b"\r\n", b" ", b"\xef\xbb\xbf")
"""A blank line, a space before a quote, what pyarrow would take for a byte order mark."""
_QUOTE, _LF, _SPACE = ord('"'), ord("\n"), ord(" ")


class FastCut:
    """Cuts blocks into columns of text, ``width`` cells a row, or declines."""

    def __init__(self, delimiter: str, width: int, options: ReadOptions) -> None:
        self._delimiter = delimiter
        spaces = (f"{delimiter} ".encode(), b"\n ") if options.quotes == "after_spaces" else ()
        escapes = (b"\\",) if options.escape == "backslash" else ()
        # Where a row has several cells, a blank line is one of another width to pyarrow.
        self._doubts = (*spaces, *escapes, *(_BLANK_LINES if width == 1 else ()))
        self._cell_length = options.max_cell_length
        names = [str(place) for place in range(width)]
        self._read = pa_csv.ReadOptions(column_names=names, block_size=_CHUNK)
        self._plain = self._parse_options(quote_char=False, double_quote=False)
        self._quoted = self._parse_options(quote_char='"', double_quote=True)
        self._convert = pa_csv.ConvertOptions(
            check_utf8=False,
            column_types=dict.fromkeys(names, pa.string()),
            strings_can_be_null=True,
            null_values=[""],
        )

    def columns(self, block: Block) -> list[Any] | None:
        """One column per cell of a row, NULL where it is empty; None where a look is needed."""
        data = block.data
        if not data or not block.sound or self._doubtful(data):
            return None
        quoted = b'"' in data
        if quoted and not _by_the_letter(data, self._delimiter):
            return None
        try:
            table = pa_csv.read_csv(
                pa.BufferReader(data),
                self._read,
                self._quoted if quoted else self._plain,
                self._convert,
            )
        except pa.ArrowInvalid:  # a row of another width
            return None
        n_rows = block.ends + (not data.endswith(b"\n"))
        return list(table.columns) if len(table) == n_rows else None

    def _doubtful(self, data: bytes) -> bool:
        return (
            data.startswith(_AT_THE_BEGINNING)
            or (b"\r" in data and data.count(b"\r") != data.count(b"\r\n"))
            or any(sign in data for sign in self._doubts)
            or (len(data) > self._cell_length and not no_longer_line(data, self._cell_length))
        )

    def _parse_options(self, **quoting: Any) -> Any:
        return pa_csv.ParseOptions(
            delimiter=self._delimiter, escape_char=False, ignore_empty_lines=False, **quoting
        )


def _by_the_letter(data: bytes, delimiter: str) -> bool:
    """Whether every quote opens or closes a cell, or is one of two within, and lines end outside.

    By turns a quote opens (behind a separator or a line end) and closes (before one); where two
    meet within a cell, the first seems to close and the second to open, and they stand for one.
    In a line in which no cell begins with a quote, quotes are letters as any other.
    """
    signs = np.frombuffer(data, np.uint8)
    places = np.flatnonzero((signs == _QUOTE) | (signs == _LF))
    is_quote = signs[places] == _QUOTE
    before = _before(signs, places)
    opens = is_quote & (_table_of(f"{delimiter}\n")[before])
    line = np.cumsum(~is_quote) - ~is_quote
    quoted_line = np.zeros(line[-1] + 1, dtype=bool)
    quoted_line[line[opens]] = True
    letters = is_quote & ~quoted_line[line]
    if (before[letters] == _SPACE).any():
        return False
    counts = is_quote & ~letters
    inside = np.cumsum(counts) % 2 == 1
    if inside[-1] or inside[~is_quote].any():
        return False
    quotes, before = places[counts], before[counts]
    behind = signs[np.minimum(quotes[1::2] + 1, len(signs) - 1)]
    may_open, may_close = _table_of(f'{delimiter}\n"'), _table_of(f'{delimiter}\r\n"')
    return bool(may_open[before[::2]].all() and may_close[behind].all())


def _before(signs: Any, places: Any) -> Any:
    """The sign before each place; a line end before the first of all."""
    return np.where(places > 0, signs[places - 1], _LF)


def _table_of(allowed: str) -> Any:
    table = np.zeros(256, dtype=bool)
    table[[ord(sign) for sign in allowed]] = True
    return table
