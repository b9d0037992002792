"""Named numbers per user, brought to a common size by the users that are fitted.

A number that a user does not have (the pause between visits of someone with one visit) is
neutral: it counts as that of the middle user, so that it moves nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from core.artifacts import DoubleArray, FloatArray, LongArray, State
from core.sequences.scaling import Scaling, fit_scaling, scaled

_LEAST_SPREAD = 0.01
"""Values (logarithms, shares) within a hundredth of one another are the same; rounding and the
noise of a column in which nobody differs are not blown up."""

MaskArray = npt.NDArray[np.bool_]


def fit_columns(values: FloatArray, users: LongArray) -> dict[str, npt.NDArray[Any]]:
    """Centre and spread of every column, (C,) each, of the rows ``users``; NaN is passed over."""
    fitted = [fit_scaling(column[users], "robust") for column in values.T]
    spread = np.array([one.spread for one in fitted], dtype=np.float32)
    return {
        "centre": np.array([one.centre for one in fitted], dtype=np.float32),
        "spread": np.maximum(spread, np.float32(_LEAST_SPREAD)),
    }


def place_columns(values: FloatArray, state: State) -> FloatArray:
    """The columns at their common size, cut off at four deviations; NaN stays NaN."""
    placed = np.empty_like(values)
    for place, (centre, spread) in enumerate(zip(state["centre"], state["spread"], strict=True)):
        scaling = Scaling(method="robust", centre=float(centre), spread=float(spread))
        placed[:, place] = scaled(values[:, place], scaling)
    return placed


def mean_per_user(rows: LongArray, values: npt.NDArray[Any], n_rows: int) -> DoubleArray:
    """Mean of each user's values, (n_rows,); NaN for a user who has none."""
    counts = np.bincount(rows, minlength=n_rows)
    sums = np.bincount(rows, np.asarray(values, dtype=np.float64), minlength=n_rows)
    means: DoubleArray = sums / np.where(counts > 0, counts, np.nan)
    return means


def spread_per_user(rows: LongArray, values: npt.NDArray[Any], n_rows: int) -> DoubleArray:
    """Standard deviation of each user's values, (n_rows,); NaN with fewer than two."""
    x = np.asarray(values, dtype=np.float64)
    away = x - mean_per_user(rows, x, n_rows)[rows]
    counts = np.bincount(rows, minlength=n_rows)
    squares = np.bincount(rows, away**2, minlength=n_rows)
    spread: DoubleArray = np.sqrt(squares / np.where(counts > 1, counts, np.nan))
    return spread


def smoothed_roots(counts: npt.NDArray[Any], overall: DoubleArray, prior: float) -> FloatArray:
    """Square roots of the shares (U, C), each user given ``prior`` events like everyone's.

    ``overall`` (C,) are everyone's shares. A user with few events so stays near everyone, and one
    with none stands there. Distances are Hellinger distances (times sqrt 2).
    """
    totals = counts.sum(axis=1, keepdims=True)
    roots: FloatArray = np.sqrt((counts + prior * overall) / (totals + prior)).astype(np.float32)
    return roots


def stack(columns: Mapping[str, npt.NDArray[Any]]) -> FloatArray:
    """Columns side by side, (U, C) as float32."""
    return np.stack([np.asarray(c, dtype=np.float32) for c in columns.values()], axis=1)
