"""How troubles with a file are gathered and worded: by kind, with the first few lines of each."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import groupby

from core.artifacts import FilePart, Problem
from core.errors import FileRefused

LINES_SHOWN = 20
"""A problem names at most so many lines; its count has them all."""
PROBLEMS_SHOWN = 10


class Tally:
    """The first lines of one kind of trouble, and how many there are in all."""

    def __init__(self) -> None:
        self.lines: list[int] = []
        self.count = 0

    def add(self, lines: Iterable[int]) -> None:
        found = list(lines)
        self.count += len(found)
        self.lines = sorted(self.lines + found)[:LINES_SHOWN] if found else self.lines

    @property
    def text(self) -> str:
        return spell_lines(self.lines, self.count)


def warning(
    code: str, message: str, tally: Tally | None = None, column: str | None = None
) -> Problem:
    """Say what was done about a trouble that does not stop the reading."""
    return _problem(code, message, tally, column, refused=False)


def refused(
    code: str, message: str, tally: Tally | None = None, column: str | None = None
) -> Problem:
    """Say what stops the reading."""
    return _problem(code, message, tally, column, refused=True)


def refusal(name: str, problems: Iterable[Problem]) -> FileRefused:
    """Make the error that lists all problems of a file, up to `PROBLEMS_SHOWN`."""
    return refusal_saying(f"'{name}' cannot be read without guessing.", problems)


def refusal_saying(what: str, problems: Iterable[Problem]) -> FileRefused:
    """Make the error that says ``what`` cannot be done and lists the problems."""
    found = tuple(problems)
    text = [what]
    text += [f"- {problem.message}" for problem in found[:PROBLEMS_SHOWN]]
    if len(found) > PROBLEMS_SHOWN:
        text.append(f"- and {len(found) - PROBLEMS_SHOWN} more problems.")
    return FileRefused("\n".join(text), found)


def tally(lines: Iterable[int]) -> Tally:
    """Make a tally of lines known already."""
    made = Tally()
    made.add(lines)
    return made


def counted(lines: Iterable[int] | None, count: int) -> Tally:
    """Make a tally from the first lines and the count that a query found."""
    made = tally(lines or ())
    made.count = count
    return made


def spell_lines(lines: Iterable[int], count: int, parts: Sequence[FilePart] = ()) -> str:
    """Word lines as "line 3", "lines 3 and 5" or "lines 3, 5, 9 and 14 more".

    With the ``parts`` of a log of several files: "line 12 of may.csv and line 3 of june.csv".
    """
    first = list(lines)[:LINES_SHOWN]
    more = [f"{count - len(first):,} more"] if count > len(first) else []
    if len(parts) < 2:
        return ("line " if count == 1 else "lines ") + listed([*map(str, first), *more])
    starts = [part.lines_before for part in parts]
    groups = groupby(first, lambda line: bisect_left(starts, line) - 1)
    return listed([*(_lines_of(parts[at], list(found)) for at, found in groups), *more])


def listed(words: Sequence[str]) -> str:
    """Word a list: "a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _lines_of(part: FilePart, lines: Sequence[int]) -> str:
    own = [line - part.lines_before for line in lines]
    return f"{spell_lines(own, len(own))} of {shown(part.name)}"


def shown(cell: str) -> str:
    """A cell as it can stand in a sentence: one short line of printable characters."""
    line = " ".join(cell.split())
    return "".join(char if char.isprintable() else "?" for char in line)[:40]


def plural(count: int, noun: str) -> str:
    """Word a number of things: "1 cell", "2,000 cells"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _problem(
    code: str, message: str, where: Tally | None, column: str | None, *, refused: bool
) -> Problem:
    return Problem(
        code=code,
        message=message,
        severity="refused" if refused else "warning",
        column=column,
        lines=tuple(where.lines) if where else (),
        count=where.count if where else 1,
    )
