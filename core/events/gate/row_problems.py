"""What was met in the rows of a file, and how it is worded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from core.artifacts import Problem
from core.events.gate.header import Header, guess_header_line
from core.events.problems import Tally, plural, refused, tally, warning


@dataclass
class RowTallies:
    """What was met in the rows, by kind."""

    blank: Tally = field(default_factory=Tally)
    short: Tally = field(default_factory=Tally)
    long: Tally = field(default_factory=Tally)
    filled: Tally = field(default_factory=Tally)
    cut: Tally = field(default_factory=Tally)
    aside: Tally = field(default_factory=Tally)
    unnamed: Tally = field(default_factory=Tally)
    spaced: Tally = field(default_factory=Tally)
    skipped: int = 0
    """Lines above the header."""
    spare_cells: bool = False
    """Whether every row ends with a separator too many."""

    @property
    def refusing(self) -> bool:
        return any(kind.count for kind in (self.short, self.long, self.unnamed, self.spaced))


def row_problems(met: RowTallies, quoting: Tally, header: Header) -> Iterator[Problem]:
    """Everything that was met in the rows: warnings, then refusals."""
    yield from _left_out(met, header)
    yield from _mended(met)
    yield from _width_refusals(met, header)
    yield from _quote_refusals(met, quoting)


def no_rows(header: Header, n_aside: int) -> Problem:
    """Refuse a file that has nothing but a header, or nothing that could be kept."""
    names = ", ".join(header.names[:5])
    aside = f" {plural(n_aside, 'row')} of another width set aside." if n_aside else ""
    message = f"Only a header was found ({names}) and 0 data rows.{aside} Export the file anew."
    return refused("no_rows", message, tally([header.line]))


def with_offers(problems: list[Problem], head: str, delimiter: str, line: int) -> list[Problem]:
    """Name the setting that would let a file in whose first row is no header.

    ``head`` is the beginning of the text, ``line`` the one that was taken for the header. A line
    that looks more like it is offered as a guess.
    """
    signs = {"no_header", "unnamed_columns", "long_rows", "short_rows", "unnamed_values"}
    if not signs & {problem.code for problem in problems}:
        return problems
    guess = guess_header_line(head, delimiter)
    offer = ""
    if guess is not None and guess > line:
        offer = f" If the header is on line {guess} (a guess), set read.header_line={guess}."
    none = " If the file has no header, set read.header_line=none."
    first = next(at for at, problem in enumerate(problems) if problem.code in signs)
    told = list(problems)
    for at, problem in enumerate(problems):
        more = offer * (at == first) + none * (problem.code == "no_header")
        told[at] = replace(problem, message=problem.message + more)
    return told


def _left_out(met: RowTallies, header: Header) -> Iterator[Problem]:
    if met.skipped:
        message = (
            f"{plural(met.skipped, 'line')} above the header on line {header.line} "
            f"{'was' if met.skipped == 1 else 'were'} skipped (read.header_line)."
        )
        yield warning("lines_skipped", message)
    if met.blank.count:
        message = f"{plural(met.blank.count, 'blank row')} left out: {met.blank.text}."
        yield warning("blank_rows", message, met.blank)
    if met.spare_cells or header.spare:
        where = "Every row" if met.spare_cells else "The header"
        message = f"{where} ends with spare separators; the blank column was left out."
        yield warning("spare_column", message)
    if met.aside.count:
        message = (
            f"{plural(met.aside.count, 'row')} with more or fewer cells than the header set aside: "
            f"{met.aside.text}."
        )
        yield warning("rows_set_aside", message, met.aside)


def _mended(met: RowTallies) -> Iterator[Problem]:
    if met.filled.count:
        message = (
            f"{plural(met.filled.count, 'row')} with fewer cells than the header: "
            f"{met.filled.text}. What they lack at their end counts as missing."
        )
        yield warning("filled_rows", message, met.filled)
    if met.cut.count:
        message = (
            f"{plural(met.cut.count, 'row')} with blank cells beyond the header: {met.cut.text}. "
            "These cells were left out."
        )
        yield warning("cut_rows", message, met.cut)


def _width_refusals(met: RowTallies, header: Header) -> Iterator[Problem]:
    named = f"the header on line {header.line}"
    names = plural(len(header.names), "column")
    if met.long.count:
        message = (
            f"{plural(met.long.count, 'row')} with more cells than {named} has names "
            f"({names}): {met.long.text}. A value that holds the separator needs quotes; lines "
            "above the header must be skipped. To leave such rows out: read.ragged=set_aside."
        )
        yield refused("long_rows", message, met.long)
    if met.short.count:
        message = (
            f"{plural(met.short.count, 'row')} with fewer cells than {named} has names "
            f"({names}): {met.short.text}. Complete or delete them, or let what they lack count "
            "as missing (read.ragged=fill), or leave them out (read.ragged=set_aside)."
        )
        yield refused("short_rows", message, met.short)
    if met.unnamed.count:
        message = (
            f"There are values in columns that have no name in {named}: {met.unnamed.text}. Name "
            "every column, and skip the lines above the header."
        )
        yield refused("unnamed_values", message, met.unnamed)


def _quote_refusals(met: RowTallies, quoting: Tally) -> Iterator[Problem]:
    if met.spaced.count:
        message = (
            f"A space stands before an opening quote on {met.spaced.text}, so that the quotes "
            "would become part of the value. Export without the space, or drop such spaces "
            "(read.quotes=after_spaces)."
        )
        yield refused("space_before_quote", message, met.spaced)
    if quoting.count:
        message = (
            f"Text stands behind a closing quote on {quoting.text}. A quote inside a quoted value "
            'is written twice (""); if a backslash escapes it, set read.escape=backslash.'
        )
        yield refused("quoting", message, quoting)
