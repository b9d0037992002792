"""Weights as 8-bit whole numbers, symmetric, with a scale per row.

Computed in float32: 8-bit arithmetic was measured and is no faster for cells of this size (see
DECISIONS.md). Source: Jacob et al., 2018, "Quantization and Training of Neural Networks for
Efficient Integer-Arithmetic-Only Inference".
"""

from __future__ import annotations

from core.artifacts import Sequences, State
from core.representations import Work
from core.representations.packed import int8, packed
from core.smaller._base import Way, matrices


def _rounded(state: State, sequences: Sequences, work: Work) -> State:
    made = {name: ("int8", int8(state[name])) for name in matrices(state)}
    made["axes"] = ("int8", int8(state["axes"], axis=1))  # an axis of the space is a column
    return packed(state, made)


INT8 = Way(
    name="int8",
    label="8-bit numbers",
    summary="Every weight is rounded to one of 255 steps between the largest and its opposite in "
    "its row.",
    gained="A file of about a quarter of the size, made at once; users hardly move.",
    not_gained="speed, as the numbers are widened again when the model is opened: computing in 8 "
    "bits is no faster for encoders of this size.",
    taught=False,
    make=_rounded,
)
