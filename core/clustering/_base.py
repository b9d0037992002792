"""What every clustering algorithm is made of, so that the catalogue can treat all of them alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from core.artifacts import (
    NOISE,
    BehaviourModels,
    DoubleArray,
    FloatArray,
    IntArray,
    LongArray,
    Report,
    Sequences,
    State,
    silent,
)
from core.geometry import tolerance_of
from core.options import Options

Assigned = tuple[IntArray, FloatArray]
"""Segment (U,) and confidence in [0, 1] (U,) of every user."""


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """What users did, and the models of it, for the algorithms that need no points."""

    sequences: Sequences
    models: BehaviourModels | None = None
    """None where new users are placed: then the fitted state has all that is needed."""
    points: FloatArray | None = None  # (U, D) the same users as points, for a start from there
    report: Report = silent


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """The segment of every user, and all that is needed to label new users."""

    values: IntArray  # (U,) 0 .. K-1, largest segment first; NOISE for none
    confidence: FloatArray  # (U,) in [0, 1]; 0 for noise
    state: State
    loss_trace: tuple[tuple[float, ...], ...] = ()
    best_restart: int = 0
    note: str = ""
    """What the analyst must know of this fit, in a sentence or two."""


@dataclass(frozen=True, kw_only=True)
class Clusterer:
    """One way to form segments, described in the analyst's words."""

    name: str
    label: str
    summary: str
    strengths: str
    weaknesses: str
    cost: str
    """What it takes here, and past which size it fits on a sample."""
    needs_n_clusters: bool
    """Whether it must be told the number of segments (or finds it itself)."""
    learned: bool = False
    """Whether it is trained (and is heavy work) or only counted."""
    reads: Literal["points", "behaviour"] = "points"
    """Whether it clusters the points users became, or what they did."""
    at_once_users: int = 0
    """Up to so many users it takes a second or two, and needs no job of its own."""
    Options: type[Options]
    fit: Callable[[Any, Any, int, int], Fitted]
    """(points (U, D) or `Behaviour`, options, n_clusters, seed); options: an ``Options``."""
    assign: Callable[[State, Any], Assigned]
    """(state, points or `Behaviour`) -> segments and confidence of new users."""


def by_size(values: npt.NDArray[np.integer[Any]], k: int) -> LongArray:
    """The labels 0 .. k-1 that occur, largest first, of equals the lower. NOISE skipped."""
    sizes = np.bincount(values[values >= 0], minlength=k)
    order = np.argsort(-sizes, kind="stable")
    return order[sizes[order] > 0].astype(np.int64)


def renamed(values: npt.NDArray[np.integer[Any]], order: LongArray) -> IntArray:
    """Labels by their rank in ``order`` (as from `by_size`); NOISE stays."""
    rank = np.full(int(values.max(initial=-1)) + 2, NOISE, dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)  # the last answers for NOISE
    ranks: IntArray = rank[values]
    return ranks


def largest_first(state: State, assigned: Assigned) -> tuple[State, Assigned]:
    """The labels of the users fitted (in the state) and of everyone, by the size of everyone's."""
    values, confidence = assigned
    order = by_size(values, int(state["labels"].max()) + 1)
    return {**state, "labels": renamed(state["labels"], order)}, (
        renamed(values, order),
        confidence,
    )


def count_distinct(points: npt.NDArray[Any], enough: int) -> int:
    """Number of different points, but for rounding; counting may stop at ``enough``."""
    step, n_users = tolerance_of(points), len(points)
    looked_at = min(n_users, 4096)
    while True:
        found = len(np.unique(np.round(points[:looked_at] / step), axis=0))
        if found >= enough or looked_at == n_users:
            return found
        looked_at = min(8 * looked_at, n_users)


def doubled(points: FloatArray, rows: LongArray | None) -> DoubleArray:
    """The points of some rows (all where None) in double precision, as a copy."""
    return np.array(points if rows is None else points[rows], dtype=np.float64)
