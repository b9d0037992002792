"""What a problem of a file offers to decide: options by name, and guesses that one click takes.

Core names an option in the text of a problem as ``read.encoding`` and marks a guess at its value as
"(a guess"; both are read from there, so a new option needs no line here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.artifacts import Problem
from core.errors import OptionRefused
from core.events.read import ReadOptions
from core.options import choices, option_info, option_types, parse_text

_NAMED = re.compile(r"\bread\.(\w+)(?:\s*=\s*([\w.-]*\w))?")
_GUESSED = r"(?<![\w-]){}(?![\w-])\s*\(a guess"
_FOR_PROGRAMS = re.compile(r"\s*\((?:a guess; )?read\.\w+(?:\s*=\s*[\w.-]*\w)?\)")


@dataclass(frozen=True, kw_only=True)
class Remedy:
    """A change of the options that may answer a problem."""

    label: str
    change: Mapping[str, Any]
    is_guess: bool


def suggested(problems: Sequence[Problem]) -> tuple[Remedy, ...]:
    """One remedy per value that the problems name or guess, each once."""
    found: dict[tuple[str, Any], Remedy] = {}
    for problem in problems:
        for name, value, is_guess in _values(problem.message):
            found.setdefault(
                (name, value),
                Remedy(label=_label(name, value), change={name: value}, is_guess=is_guess),
            )
    return tuple(found.values())


def concerned(problems: Sequence[Problem]) -> tuple[str, ...]:
    """The options that the problems name, in the order of the option class."""
    named = {name for problem in problems for name, _ in _NAMED.findall(problem.message)}
    return tuple(name for name in option_types(ReadOptions) if name in named)


def plain(message: str) -> str:
    """A message without the names that only the command line needs."""
    return _FOR_PROGRAMS.sub("", message)


def _values(message: str) -> Iterator[tuple[str, Any, bool]]:
    for name, text in _NAMED.findall(message):
        if name not in option_types(ReadOptions):
            continue
        if text:
            try:
                yield name, parse_text(ReadOptions, name, text, where="read"), False
            except OptionRefused:
                continue
        for word in choices(option_types(ReadOptions)[name]):
            if re.search(_GUESSED.format(re.escape(str(word))), message):
                yield name, word, True


def _label(name: str, value: Any) -> str:
    if name == "encoding":
        return f"Read it as {value}"
    return f"{option_info(ReadOptions, name).label}: {str(value).replace('_', ' ')}"
