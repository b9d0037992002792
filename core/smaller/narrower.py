"""An encoder of half the width, taught by the original to place users where it does.

Source: Hinton et al., 2015, "Distilling the Knowledge in a Neural Network"; states matched through
a linear map as in Romero et al., 2015, "FitNets".
"""

from __future__ import annotations

from core.artifacts import Sequences, State
from core.representations import Work
from core.smaller._base import Way


def _taught(state: State, sequences: Sequences, work: Work) -> State:
    from core.smaller import teaching  # loads PyTorch

    return teaching.narrower(state, sequences, work)


NARROWER = Way(
    name="narrower",
    label="Half as wide",
    summary="A new encoder of half the width, taught by the original to place users where it does. "
    "A linear map into the original's space is part of it, so segments stay as they are.",
    gained="Fewer numbers to compute: the one way that also places users faster.",
    not_gained="exactness, as it is another encoder. It must be taught, which takes up to minutes.",
    taught=True,
    make=_taught,
)
