"""Item vectors made elsewhere, brought to one scale and, where they are wide, to fewer numbers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from core.artifacts import DoubleArray, FloatArray, LongArray
from core.item_features.axes import Axes, even

_SAMPLE = 50_000
"""Items from which the axes are learned, evenly taken where there are more."""
_AT_ONCE = 4096
_EVENNESS = 0.5


def fit_vectors(values: FloatArray, rows: LongArray, dimensions: int) -> Axes | None:
    """Learn how vectors (I, F) become at most ``dimensions`` numbers, from some of the rows.

    Every column is first divided by its spread, so that none dominates by its unit. Wider vectors
    are then turned into principal components. None where there are none, or all are the same.
    Nothing is random.
    """
    if not len(rows):
        return None
    sample = rows[:: max(1, -(-len(rows) // _SAMPLE))]
    spread, correlation = _correlation(values, sample)
    if not (spread > 0).any():
        return None
    scale = np.where(spread > 0, 1 / np.where(spread > 0, spread, 1.0), 0.0)
    if values.shape[1] <= dimensions:
        directions, evenness = np.diag(scale), 1.0
    else:
        _, axes = np.linalg.eigh(correlation)
        directions, evenness = axes[:, ::-1][:, :dimensions] * scale[:, None], _EVENNESS
    directions = directions.astype(np.float32)
    return even(directions, place_raw(values, sample, directions), evenness)


def place_vectors(values: FloatArray, rows: LongArray, axes: Axes) -> FloatArray:
    """Features of some rows of vectors, shape (N, D)."""
    return axes.place(place_raw(values, rows, axes.directions))


def place_raw(values: FloatArray, rows: LongArray, directions: np.ndarray) -> DoubleArray:
    """Coordinates of some rows along directions, in double precision, a block at a time."""
    blocks = [block @ directions.astype(np.float64) for block in _blocks(values, rows)]
    return np.concatenate(blocks) if blocks else np.zeros((0, directions.shape[1]))


def _correlation(values: FloatArray, rows: LongArray) -> tuple[DoubleArray, DoubleArray]:
    """Spread of every column (0 where it is still), and the correlations (F, F)."""
    width = values.shape[1]
    mean = sum((block.sum(axis=0) for block in _blocks(values, rows)), np.zeros(width)) / len(rows)
    covariance = np.zeros((width, width))
    for block in _blocks(values, rows):
        centred = block - mean
        covariance += centred.T @ centred / len(rows)
    spread = np.sqrt(np.diag(covariance))
    spread[spread <= 1e-6 * np.abs(mean)] = 0.0  # rounding of single precision
    divisor = np.where(spread > 0, spread, np.inf)
    return spread, covariance / divisor / divisor[:, None]


def _blocks(values: FloatArray, rows: LongArray) -> Iterator[DoubleArray]:
    for first in range(0, len(rows), _AT_ONCE):
        yield values[rows[first : first + _AT_ONCE]].astype(np.float64)
