"""The one place where data strings and errors become something on screen.

A category, an item or a file name may hold anything. Streamlit reads markdown in almost every
label, and markdown can call another host, so every such string goes through `safe` first.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from core.errors import (
    AnalystError,
    FileRefused,
    JobStopped,
    MappingRefused,
    NotFound,
    OptionRefused,
    TooLittleData,
)

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_JOINER = "\u2060"
"""Word joiner: no width, no line break; it parts what Streamlit would read as a sign or a link."""
_READ_AFTER_PARSING = re.compile(r":(?=\S)|@|www(?=\.)|[<>~=-](?=[<>~=-])", re.IGNORECASE)
"""Emoji, icons, links, addresses and arrows are replaced after backslashes have been undone."""
_INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}

TITLES: dict[type[AnalystError], str] = {
    FileRefused: "This file cannot be read as it is",
    MappingRefused: "The columns do not fit",
    OptionRefused: "A setting is not allowed",
    TooLittleData: "There is too little data for this step",
    NotFound: "Not here any more",
    JobStopped: "The step did not finish",
}


def safe(text: object, *, limit: int = 120) -> str:
    """A data string that markdown shows exactly as it is: no link, image, colour or emoji.

    Line breaks and invisible characters become spaces; longer texts end in an ellipsis.
    """
    visible = "".join(" " if unicodedata.category(c) in _INVISIBLE else c for c in str(text))
    words = " ".join(visible.split())
    if len(words) > limit:
        words = words[: limit - 1].rstrip() + "…"
    parted = _READ_AFTER_PARSING.sub(lambda sign: sign.group() + _JOINER, words)
    return _PUNCTUATION.sub(r"\\\1", parted)


def show_error(error: Exception) -> None:
    """Draw what the analyst can mend as an error box; raise anything else: it is a bug."""
    if not isinstance(error, AnalystError):
        raise error
    title = title_of(error)
    st.error(paragraphs(str(error)), title=title, icon=":material/error:")


def title_of(error: AnalystError) -> str:
    """What kind of trouble it is, in a few words."""
    return TITLES.get(type(error), "This did not work")


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show an `AnalystError` of the block where it arises; the page goes on below it."""
    try:
        yield
    except AnalystError as error:
        show_error(error)


def paragraphs(text: str) -> str:
    """Each line as a paragraph; lines that begin with "- " as a list."""
    lines = []
    for line in filter(str.strip, text.splitlines()):
        item = line.startswith("- ")
        lines.append(("- " if item else "") + safe(line[2:] if item else line, limit=600))
    return "\n\n".join(lines)
