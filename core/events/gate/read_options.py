"""How a file is read: what the analyst may say of it, and how much of it is taken on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.events.gate.dialect import DelimiterName
from core.events.gate.encoding import EncodingName
from core.options import Options, option

NO_HEADER = 0
"""`ReadOptions.header_line` of a file without one."""


@dataclass(frozen=True, kw_only=True)
class ReadOptions(Options):
    """How a file is read; "auto" tells it from the file or refuses it, and never guesses."""

    encoding: EncodingName = option(
        "auto",
        "Encoding",
        "How letters are written as bytes. Auto takes UTF-8, or what the byte order mark says.",
    )
    delimiter: DelimiterName = option(
        "auto", "Separator", "The sign between two cells. Auto finds it from the first rows."
    )
    header_line: int | Literal["auto", "none"] = option(
        "auto",
        "Line of the column names",
        "Auto takes the first line and refuses it where it looks like data or a title. A number "
        "skips the lines above it. 0 or none: there are no names; columns are called column 1, "
        "column 2 and so on.",
        low=NO_HEADER,
        high=10_000,
    )
    ragged: Literal["refuse", "fill", "set_aside"] = option(
        "refuse",
        "Rows with too few or too many cells",
        "Fill: cells that lack at the end count as missing, blank ones too many are left out. Set "
        "aside: such rows are left out, and listed as they stood.",
    )
    escape: Literal["none", "backslash"] = option(
        "none",
        "Escape sign",
        "Backslash: a sign behind a backslash stands for itself, as some databases export it.",
        expert=True,
    )
    quotes: Literal["strict", "after_spaces"] = option(
        "strict",
        "Quotes",
        "After spaces: spaces behind a separator are dropped, so that a quote may follow them.",
        expert=True,
    )
    max_megabytes: int = option(
        4000, "Largest file", "Size when unpacked.", low=1, high=1_000_000, unit="MB", expert=True
    )
    max_ratio: int = option(
        200,
        "Largest unpacking",
        "How many times its size a compressed file may unpack to. More is a trap, hardly a log.",
        low=2,
        high=100_000,
        unit="times",
        expert=True,
    )
    max_line_length: int = option(
        1_000_000,
        "Longest line",
        "A longer line means that the file is no table.",
        low=1000,
        high=100_000_000,
        unit="characters",
        expert=True,
    )
    max_cell_length: int = option(
        131_072,
        "Longest cell",
        "A longer cell is mostly a quote that was never closed.",
        low=100,
        high=100_000_000,
        unit="characters",
        expert=True,
    )
    max_columns: int = option(
        500, "Most columns", "A wider table is no event log.", low=2, high=10_000, expert=True
    )

    def __post_init__(self) -> None:
        """Check the values; "none" and 0 are one, so that equal work has one fingerprint."""
        super().__post_init__()
        if self.header_line == "none":
            object.__setattr__(self, "header_line", NO_HEADER)

    @property
    def lines_above(self) -> int:
        """How many lines are to be skipped above the header."""
        return max(0, self.header_line - 1) if isinstance(self.header_line, int) else 0
