"""Weights that share their values: each is one of 16 numbers, told by four bits.

Source: Han et al., 2016, "Deep Compression" (weight sharing; the codebook begins evenly spread,
which keeps the rare large weights, and is not trained on).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.artifacts import FloatArray, Sequences, State
from core.representations import Work
from core.representations.packed import Parts, packed, shared
from core.smaller._base import Way, matrices

_VALUES = 16
_ROUNDS = 100


def _coded(state: State, sequences: Sequences, work: Work) -> State:
    return packed(state, {name: ("shared", clustered(state[name])) for name in matrices(state)})


def clustered(values: FloatArray, n_values: int = _VALUES) -> Parts:
    """A matrix with its numbers moved to the nearest of ``n_values``, chosen by K-means.

    In one dimension clusters are intervals, so a round is a search in the sorted numbers.
    """
    x = np.sort(values.ravel().astype(np.float64))
    sums = np.concatenate([[0.0], np.cumsum(x)])
    book = np.linspace(x[0], x[-1], n_values)
    for _ in range(_ROUNDS):
        ends = np.searchsorted(x, _borders(book))
        edges = np.concatenate([[0], ends, [len(x)]])
        size = np.diff(edges)
        means = np.diff(sums[edges]) / np.maximum(size, 1)
        moved = np.where(size > 0, means, book)  # a number that nobody has stays where it is
        if np.array_equal(moved, book):
            break
        book = moved
    numbers = np.unique(book.astype(np.float32))
    codes: npt.NDArray[np.uint8] = np.searchsorted(_borders(numbers), values).astype(np.uint8)
    return shared(values, codes, numbers)


def _borders(book: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Halfway between neighbours, (B - 1,)."""
    return (book[1:] + book[:-1]) / 2


SHARED = Way(
    name="shared",
    label="16 shared values",
    summary="In every matrix the weights share 16 values, so that four bits tell which one each "
    "has.",
    gained="The smallest file of the same encoder, made within a second.",
    not_gained="speed, as the weights are put back when the model is opened. Users move more than "
    "with 8 bits.",
    taught=False,
    make=_coded,
)
