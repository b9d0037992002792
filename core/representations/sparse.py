"""Sparse counts of words per user, and their principal axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.artifacts import FloatArray, IntArray, LongArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def principal_axes(matrix: csr_array, width: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """The first right singular vectors (C, width) and singular values (width,), falling.

    Randomised, by the seed: Halko, Martinsson and Tropp, 2011, "Finding structure with
    randomness". Fewer than ``width`` where the matrix has fewer rows or columns.
    """
    from sklearn.utils.extmath import randomized_svd

    width = min(width, *matrix.shape)
    if not matrix.nnz:
        return np.zeros((matrix.shape[1], width), np.float32), np.zeros(width, np.float32)
    _, sizes, axes = randomized_svd(matrix, width, n_iter=4, random_state=seed)
    return np.ascontiguousarray(axes.T, dtype=np.float32), sizes.astype(np.float32)


def counted_words(rows: LongArray, columns: IntArray, shape: tuple[int, int]) -> csr_array:
    """How often each row meets each column, ``shape``."""
    from scipy.sparse import csr_array

    ones = np.ones(len(rows), dtype=np.float32)
    return csr_array((ones, (rows, columns)), shape=shape)  # doubles are summed up


def unit_rows(matrix: csr_array) -> csr_array:
    """The same with rows of length 1; empty rows stay empty."""
    squares = matrix.copy()
    squares.data **= 2
    length = np.sqrt(squares.sum(axis=1))
    of_entry = np.repeat(length, np.diff(matrix.indptr))
    scaled = matrix.copy()
    scaled.data /= of_entry
    return scaled
