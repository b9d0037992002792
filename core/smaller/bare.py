"""The encoder without what only training needs: nothing else changes."""

from __future__ import annotations

from core.artifacts import Sequences, State
from core.representations import Work
from core.smaller._base import Way


def _as_it_is(state: State, sequences: Sequences, work: Work) -> State:
    """What only training needs is left out of every smaller model already."""
    return state


BARE = Way(
    name="bare",
    label="Without its training parts",
    summary="The same encoder without the predictions it was trained by.",
    gained="A somewhat smaller file at no loss at all: every user stands on the very same point.",
    not_gained="speed, as those parts are not read when users are placed. It cannot be trained on.",
    taught=False,
    make=_as_it_is,
)
