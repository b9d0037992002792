"""The encoder with four of five weights taken out, the smallest first, while the original teaches.

Source: Zhu and Gupta, 2017, "To Prune, or Not to Prune" (the share rises as a cubic, fast at
first).
"""

from __future__ import annotations

from core.artifacts import Sequences, State
from core.representations import Work
from core.representations.packed import packed, sparse
from core.smaller._base import Way, matrices


def _thinned(state: State, sequences: Sequences, work: Work) -> State:
    from core.smaller import teaching  # loads PyTorch

    thin = teaching.pruned(state, sequences, work, matrices(state))
    return packed(thin, {name: ("sparse", sparse(thin[name])) for name in matrices(state)})


PRUNED = Way(
    name="pruned",
    label="Four of five weights left out",
    summary="The smallest weights are taken out step by step, while the original teaches those "
    "that stay to make up for them.",
    gained="A file of about a quarter of the size.",
    not_gained="speed, as only the file leaves the zeros out: they are multiplied like any number. "
    "It takes up to minutes to make.",
    taught=True,
    make=_thinned,
)
