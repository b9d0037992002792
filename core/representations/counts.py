"""Counting events per user in blocks of users, so that memory follows the result, not the log."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from core.artifacts import FIT, FloatArray, IntArray, LongArray, Sequences
from core.geometry import blocks

_USERS_PER_BLOCK = 65_536
_CELLS_PER_BLOCK = 1 << 21
"""Users by columns that are counted at once, some 60 MB with all that is worked out from them."""


def users_to_fit(sequences: Sequences, at_most: int | None = None) -> LongArray:
    """Users with events on the side to fit, of all sides where none is; rising.

    Of more than ``at_most``, so many at even distances.
    """
    some = np.diff(sequences.offsets) > 0
    fitted = some & (sequences.split == FIT)
    users = np.flatnonzero(fitted if fitted.any() else some)
    if at_most is None or len(users) <= at_most:
        return users
    return users[np.arange(at_most) * len(users) // at_most]


def events_to_fit(sequences: Sequences) -> npt.NDArray[np.bool_]:
    """Which events are of the users to fit, (E,)."""
    fitted = np.zeros(sequences.n_users, dtype=np.bool_)
    fitted[users_to_fit(sequences)] = True
    return np.repeat(fitted, np.diff(sequences.offsets))


def most_frequent(codes: IntArray, n_codes: int, cap: int) -> IntArray:
    """Column of every code, shape (n_codes,): the ``cap`` - 1 commonest codes, the rest share one.

    ``codes`` are those of the events to fit. With at most ``cap`` codes every code keeps a column
    of its own. Ties go to the lower code.
    """
    if n_codes <= cap:
        return np.arange(n_codes, dtype=np.int32)
    counts = np.bincount(codes, minlength=n_codes)
    commonest = np.sort(np.argsort(-counts, kind="stable")[: cap - 1])
    column = np.full(n_codes, cap - 1, dtype=np.int32)
    column[commonest] = np.arange(cap - 1, dtype=np.int32)
    return column


def columns_of(codes: IntArray, column: IntArray) -> IntArray:
    """Column of every event; a code beyond those fitted counts as code 0, "unknown"."""
    return column[np.where(codes < len(column), codes, 0)]


def user_blocks(sequences: Sequences, width: int = 1) -> Iterator[tuple[slice, slice, LongArray]]:
    """Yield (users, events, index of the user within the block of every event).

    ``width`` is how many numbers are counted of each user: the more, the fewer users at once.
    """
    size = min(_USERS_PER_BLOCK, max(1, _CELLS_PER_BLOCK // max(1, width)))
    for first in range(0, sequences.n_users, size):
        last = min(first + size, sequences.n_users)
        offsets = sequences.offsets[first : last + 1]
        rows = np.repeat(np.arange(last - first), np.diff(offsets))
        yield slice(first, last), slice(int(offsets[0]), int(offsets[-1])), rows


def hellinger(rows: LongArray, columns: IntArray, shape: tuple[int, int]) -> FloatArray:
    """Square roots of the shares of each column among a user's events, shape ``shape``.

    Euclidean distance between the rows is the Hellinger distance (times sqrt 2), which gives
    rare and common columns comparable weight. A user with nothing counted has a row of zeros.
    Source: Legendre and Gallagher, 2001, "Ecologically meaningful transformations".
    """
    n_rows, n_columns = shape
    cells = rows * n_columns + columns
    counts = np.bincount(cells, minlength=n_rows * n_columns).reshape(shape)
    totals = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    roots: FloatArray = np.sqrt(counts / totals).astype(np.float32)
    return roots


def mean_vectors(rows: LongArray, codes: IntArray, vectors: FloatArray, n_rows: int) -> FloatArray:
    """Mean vector of each user's events, shape (n_rows, F), over events of which one is known.

    Divided by the root of F, so that a wide vector weighs no more than a narrow one. Zeros for a
    user of whom no event is known. ``vectors`` (I + 1, F) are looked up by code.
    """
    from scipy.sparse import csr_array

    known = np.asarray(vectors.any(axis=1))[
        np.where(codes < len(vectors), codes, 0)
    ]  # row 0 is "unknown"
    ones = np.ones(int(known.sum()), dtype=np.float32)
    counts = csr_array((ones, (rows[known], codes[known])), shape=(n_rows, len(vectors)))
    totals = np.maximum(np.bincount(rows[known], minlength=n_rows), 1)[:, None]
    means: FloatArray = (counts @ vectors / totals / np.sqrt(vectors.shape[1])).astype(np.float32)
    return means


def means_per_user(codes: IntArray, vectors: FloatArray, sequences: Sequences) -> FloatArray:
    """`mean_vectors` of every user, shape (U, F); ``codes`` (E,) are looked up in ``vectors``."""
    values = np.zeros((sequences.n_users, vectors.shape[1]), dtype=np.float32)
    for users, events, rows in user_blocks(sequences, vectors.shape[1]):
        values[users] = mean_vectors(rows, codes[events], vectors, users.stop - users.start)
    return values


def centre_of(values: FloatArray, counted: LongArray) -> FloatArray:
    """Mean of every column over the users in ``counted``; zeros where there are none."""
    total = np.zeros(values.shape[1], dtype=np.float64)
    for rows in blocks(len(counted)):
        total += values[counted[rows]].sum(axis=0, dtype=np.float64)
    return np.asarray(total / max(1, len(counted)), dtype=np.float32)
