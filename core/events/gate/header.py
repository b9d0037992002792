"""The names of the columns: what is mended with a warning, and what is refused."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from core.artifacts import Problem
from core.events.columns.time_forms import FORMS
from core.events.problems import refused, shown, spell_lines, tally, warning

LINE_COLUMN = "__line__"
"""Name of the column that holds the physical line; taken, so no column of a file may have it."""

_NUMBER = re.compile(r"[+-]?[\d.,]*\d[\d.,]*(?:[eE][+-]?\d+)?%?")
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ].*)?")
_TIME = re.compile("|".join(form.pattern for form in FORMS.values()))
_ANY_DAY = "2024-01-01"
_ROWS_LOOKED_AT = 100
_SPACE = re.compile(r"[\s\x00-\x1f\x7f\u200b\ufeff]+")


@dataclass(frozen=True)
class Header:
    """The columns to keep, and how many cells without a name every row ends with."""

    names: tuple[str, ...]
    line: int
    problems: tuple[Problem, ...]
    spare: int = 0

    @property
    def is_refused(self) -> bool:
        return any(problem.severity == "refused" for problem in self.problems)


def check_header(
    cells: Sequence[str], line: int, max_columns: int, *, sure: bool = False
) -> Header:
    """Name the columns from the first row of a text file; ``sure`` where the analyst named it.

    ``problems`` holds warnings for what was mended (white space in a name, one column without
    a name, spare separators at the end) and refusals for what was not (no header, names twice).
    """
    names = [_SPACE.sub(" ", cell).strip() for cell in cells]
    spare = 0
    while len(names) > 1 and not names[-1]:
        names.pop()
        spare += 1
    if not sure and (missing := _no_header(names, line)):
        return Header(tuple(names), line, missing, spare)
    return Header(*_named(cells, names, line, max_columns), spare=spare)


def numbered_header(cells: Sequence[str], line: int, max_columns: int) -> Header:
    """Number the columns of a file without header; ``cells`` are those of its first row."""
    names = [f"column {place}" for place in range(1, len(cells) + 1)]
    message = (
        f"The file is read as one without header: its columns are called '{names[0]}' to "
        f"'{names[-1]}', and line {line} is its first row (read.header_line)."
    )
    problems = (*_too_many(names, max_columns), warning("numbered_columns", message))
    return Header(tuple(names), line, problems)


def check_names(names: Sequence[str], max_columns: int) -> Header:
    """Check the column names of a file that declares them; the header is on no line (0)."""
    cleaned = [_SPACE.sub(" ", name).strip() for name in names]
    return Header(*_named(names, cleaned, 0, max_columns))


def guess_header_line(head: str, delimiter: str) -> int | None:
    """The first line whose row looks like the header of most rows below it; a guess.

    All its cells are filled, not all of them by numbers or dates, and it has as many as most rows.
    """
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
    rows: list[tuple[int, list[str]]] = []
    line = 1
    for cells in islice(reader, _ROWS_LOOKED_AT):
        rows.append((line, cells))
        line = reader.line_num + 1
    widths = Counter(len(cells) for _, cells in rows if len(cells) > 1)
    if not widths:
        return None
    usual = max(widths, key=lambda width: (widths[width], width))
    for line, cells in rows:
        filled = all(cell.strip() for cell in cells)
        if len(cells) == usual and filled and not all(map(_is_data, cells)):
            return line
    return None


def _named(
    cells: Sequence[str], names: list[str], line: int, max_columns: int
) -> tuple[tuple[str, ...], int, tuple[Problem, ...]]:
    """The names as they will be, the line, and what is to be said of them."""
    problems = [
        *_too_many(names, max_columns),
        *_changed(cells, names, line),
        *_unnamed(names, line),
        *_doubled(names, line),
    ]
    return tuple(names), line, tuple(problems)


def _no_header(names: list[str], line: int) -> tuple[Problem, ...]:
    data = [name for name in names if _is_data(name)]
    if not data and any(names):
        return ()
    examples = ", ".join(f"'{shown(name)}'" for name in data[:3])
    message = (
        f"There is no header: the first row (line {line}) looks like data ({examples or 'blank'}). "
        "Add a first line with the names of the columns."
    )
    return (refused("no_header", message, tally([line])),)


def _is_data(cell: str) -> bool:
    """Whether a cell is a number, a date in any of our forms, or what can stand behind a date."""
    text = cell.strip()
    number_or_date = _NUMBER.fullmatch(text) or _DATE.fullmatch(text) or _TIME.fullmatch(text)
    return bool(number_or_date or _TIME.fullmatch(f"{_ANY_DAY} {text}"))


def _too_many(names: list[str], max_columns: int) -> list[Problem]:
    if len(names) <= max_columns:
        return []
    message = (
        f"The header names {len(names):,} columns; the limit is {max_columns:,} "
        "(read.max_columns). Is the separator right?"
    )
    return [refused("too_many_columns", message)]


def _changed(cells: Sequence[str], names: list[str], line: int) -> list[Problem]:
    changed = [name for cell, name in zip(cells, names, strict=False) if cell != name and name]
    if not changed:
        return []
    shown = ", ".join(f"'{name}'" for name in changed[:5])
    message = f"White space or unprintable signs were taken out of column names: {shown}."
    return [warning("header_space", message, tally([line]))]


def _unnamed(names: list[str], line: int) -> list[Problem]:
    """Give a name to the one column that has none, as spreadsheets and pandas leave it."""
    blank = [at for at, name in enumerate(names) if not name]
    if len(blank) > 1:
        message = (
            f"In the header on line {line}, {_columns(blank)} have no name. Name them, or delete "
            "the lines above the header."
        )
        return [refused("unnamed_columns", message, tally([line]))]
    if not blank:
        return []
    name = names[blank[0]] = f"column {blank[0] + 1}"
    message = f"Column {blank[0] + 1} has no name in the header; it is called '{name}'."
    return [warning("unnamed_column", message, tally([line]), name)]


def _doubled(names: list[str], line: int) -> list[Problem]:
    """Refuse names that are equal but for case: query engines take those for one."""
    places: dict[str, list[int]] = defaultdict(list)
    for at, name in enumerate(names):
        places[name.casefold()].append(at)
    found = []
    for same in places.values():
        if len(same) > 1 and names[same[0]]:
            name = names[same[0]]
            message = (
                f"The name '{name}' stands {len(same)} times in the header: {_columns(same)}. "
                "Give every column a name of its own."
            )
            found.append(refused("doubled_name", message, tally([line]), name))
    if LINE_COLUMN in places:
        message = f"A column may not be called '{LINE_COLUMN}'. Give it another name."
        found.append(refused("reserved_name", message, tally([line]), LINE_COLUMN))
    return found


def _columns(places: list[int]) -> str:
    return spell_lines([at + 1 for at in places], len(places)).replace("line", "column", 1)
