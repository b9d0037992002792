"""What a problem of a file offers to decide: options by name, and values that one click takes.

Core names an option in the text of a problem as ``read.encoding`` or ``read.ragged=fill``, and
marks a guess at a value with "(a guess"; both are read from there, so that a new option needs no
line here. What is named so is for the command line; the pages say the option's label instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import OptionRefused
from core.events.clean import CleanOptions
from core.events.map_options import MapOptions
from core.events.read import ReadOptions
from core.options import Options, choices, option_info, option_types, parse_text
from core.sequences import SequenceOptions

_STAGES: dict[str, type[Options]] = {
    "read": ReadOptions,
    "map": MapOptions,
    "clean": CleanOptions,
    "sequence": SequenceOptions,
}
_NAMED = re.compile(r"\b(read|map|clean|sequence)\.([a-z_]+)(?:=([\w-]+))?")
_ASIDE = re.compile(r"\s*\((?:a guess; )?(?:read|map|clean|sequence)\.[a-z_]+(?:=[\w-]+)?\)")
_SENTENCES = re.compile(r"(?<=[.!?])\s+")
_GUESS = "(a guess"


@dataclass(frozen=True, kw_only=True)
class Remedy:
    """A change of a stage's options that may answer a problem."""

    label: str
    option: str
    value: Any

    @property
    def change(self) -> Mapping[str, Any]:
        return {self.option: self.value}


def suggested(stage: str, *messages: str) -> tuple[Remedy, ...]:
    """A remedy for every value that the messages name for an option of a stage, each once."""
    found: dict[tuple[str, Any], Remedy] = {}
    for message in messages:
        for name, value, is_guess in _values(stage, message):
            label = _label(stage, name, value) + (" (a guess)" if is_guess else "")
            found.setdefault((name, value), Remedy(label=label, option=name, value=value))
    return tuple(found.values())


def concerned(stage: str, *messages: str) -> tuple[str, ...]:
    """The options of a stage that the messages name, in the order of the option class."""
    named = {name for message in messages for of, name, _ in _NAMED.findall(message) if of == stage}
    return tuple(name for name in option_types(_STAGES[stage]) if name in named)


def plain(message: str) -> str:
    """A message in the words of the page: labels of options instead of their names."""
    return _NAMED.sub(_in_words, _ASIDE.sub("", message))


def _in_words(mention: re.Match[str]) -> str:
    stage, name, value = mention.groups()
    if name not in option_types(_STAGES[stage]):
        return mention.group()
    label = f"“{option_info(_STAGES[stage], name).label}”"
    return f"{label}: {value.replace('_', ' ')}" if value else label


def _values(stage: str, message: str) -> Iterator[tuple[str, Any, bool]]:
    cls = _STAGES[stage]
    for sentence in _SENTENCES.split(message):
        for of, name, text in _NAMED.findall(sentence):
            if of != stage or name not in option_types(cls):
                continue
            if text:
                try:
                    value = parse_text(cls, name, text, where=stage)
                    cls.from_dict({name: value}, where=stage)
                except OptionRefused:
                    continue
                yield name, value, _GUESS in sentence
                continue
            for word in choices(option_types(cls)[name]):
                if re.search(rf"(?<![\w-]){re.escape(str(word))} \(a guess", message):
                    yield name, word, True
                elif word != "auto" and _says(sentence, str(word)):
                    yield name, word, False


def _says(sentence: str, word: str) -> bool:
    return (
        re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w-])", _NAMED.sub("", sentence)) is not None
    )


def _label(stage: str, name: str, value: Any) -> str:
    if (stage, name) == ("read", "encoding"):
        return f"Read it as {value}"
    return f"{option_info(_STAGES[stage], name).label}: {str(value).replace('_', ' ')}"
