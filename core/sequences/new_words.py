"""Items and search texts that a later log brings, as further words of a vocabulary."""

from __future__ import annotations

from dataclasses import replace

from core.artifacts import CleanEvents, Vocabulary
from core.sequences.options import SequenceOptions
from core.sequences.words import read_vocabulary


def with_new_words(clean: CleanEvents, options: SequenceOptions, known: Vocabulary) -> Vocabulary:
    """The vocabulary, followed by the items and search texts of a log that it lacks.

    No known word changes its code, so what was fitted by the vocabulary reads the log as before;
    but a new text has a code now by which it can be placed beside the others. The most frequent
    come first, at most ``max_items`` and ``max_queries`` of each. Actions, categories and
    platforms stay as they are: nothing is known of a new one but its name.
    """
    found = read_vocabulary(clean.path, options, known.session_gap)
    return replace(
        known,
        items=_followed_by(known.items, found.items),
        queries=_followed_by(known.queries, found.queries),
    )


def _followed_by(known: tuple[str, ...], found: tuple[str, ...]) -> tuple[str, ...]:
    there = set(known)
    return (*known, *(word for word in found if word not in there))
