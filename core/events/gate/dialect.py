"""Which sign separates the cells of a text file."""

from __future__ import annotations

import csv
import io
from collections import Counter
from itertools import islice
from typing import Literal

DelimiterName = Literal["auto", "comma", "semicolon", "tab", "pipe"]
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
_ROWS = 1000


def find_delimiter(head: str, *, whole: bool, escape: str = "none") -> str | None:
    """Find the sign that cuts the first thousand rows most evenly, the header among them.

    A comma where no sign cuts anything (a file of one column). None where two signs cut every
    row into the same number of cells, so that nothing tells which is meant. ``escape`` is
    "backslash" where a backslash makes the sign behind it part of a value.
    """
    rows = {sign: _rows(head, sign, escape) for sign in DELIMITERS.values()}
    scores = {sign: _score(found, whole) for sign, found in rows.items()}
    best = max(scores.values())
    if best[0] == 0:
        return ","
    found = [sign for sign, score in scores.items() if score == best]
    return found[0] if len(found) == 1 else None


def _rows(head: str, sign: str, escape: str) -> list[list[str]]:
    # Not strict: a row with a quoting fault still tells which sign separates cells.
    escapes = "\\" if escape == "backslash" else None
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=sign, escapechar=escapes)
    return [row for row in islice(reader, _ROWS) if row]


def _score(rows: list[list[str]], whole: bool) -> tuple[float, bool, int]:
    """Share of rows with the commonest width, whether the header has it, and that width."""
    if not whole and len(rows) > 1 and len(rows) < _ROWS:
        rows.pop()  # cut off in its middle
    if not rows:
        return (0.0, False, 0)
    widths = Counter(map(len, rows))
    width, count = max(widths.items(), key=lambda pair: (pair[1], pair[0]))
    if width == 1:
        return (0.0, False, 0)
    return (count / len(rows), len(rows[0]) == width, width)
