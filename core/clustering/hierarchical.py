"""Hierarchical clustering: users are joined step by step, and the tree is cut at K segments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.artifacts import DoubleArray, FloatArray, IntArray, LongArray, State
from core.clustering._base import Assigned, Clusterer, Fitted, doubled, largest_first
from core.geometry import (
    blocks,
    doubles,
    drawn_users,
    squared_distances,
    sums_by_segment,
)
from core.options import Options, option

_LINKAGES = ("ward", "average", "complete")
_SAME = 1e-12
"""Squared distance, as a share of the points' own squared lengths, that is but rounding."""


@dataclass(frozen=True, kw_only=True)
class HierarchicalOptions(Options):
    """By what groups are near."""

    linkage: Literal["ward", "average", "complete"] = option(
        "ward",
        "What is joined next",
        "ward: what widens groups least; average: groups nearest on average; complete: groups "
        "whose farthest users are nearest",
    )
    max_fitted_users: int = option(
        5_000,
        "Users to fit on",
        "With more users, the tree is of a random sample of so many; everyone is assigned",
        low=100,
        high=15_000,
        unit="users",
        expert=True,
    )


def fit(points: FloatArray, options: HierarchicalOptions, n_clusters: int, seed: int) -> Fitted:
    """The K groups that are left when joining stops, largest first.

    Ward, 1963; average and complete linkage: Sokal and Michener, 1958. SciPy's nearest-neighbour
    chain (Muellner, 2011), exact; distances of all pairs of fitted users are held at once.
    """
    rows = drawn_users(len(points), options.max_fitted_users, seed)
    fitted_on = doubled(points, rows)
    state: State = {
        "points": fitted_on,
        "labels": cut(_joined(fitted_on, options.linkage), n_clusters),
        "linkage": np.array([_LINKAGES.index(options.linkage)]),
    }
    state, (values, confidence) = largest_first(state, assign(state, points))
    return Fitted(
        values=values,
        confidence=confidence,
        state=state,
        note=_note(len(points), len(fitted_on)),
    )


def _joined(points: DoubleArray, linkage: str) -> DoubleArray:
    from scipy.cluster import hierarchy

    if len(points) == 1:
        return np.zeros((0, 4))
    merges: DoubleArray = hierarchy.linkage(points, linkage)
    return merges


def cut(merges: DoubleArray, n_clusters: int) -> LongArray:
    """Group (n,) of every fitted user when all but the last ``n_clusters`` - 1 joins are made.

    ``merges`` (n - 1, 4) are joins as of SciPy, rising in height.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    n_users = len(merges) + 1
    made = merges[: n_users - n_clusters, :2].astype(np.int64)
    joins = np.repeat(n_users + np.arange(len(made)), 2)
    shape = (n_users + len(made),) * 2
    graph = coo_matrix((np.ones(len(joins)), (joins, made.ravel())), shape=shape)
    _, of = connected_components(graph, directed=False)
    return np.unique(of[:n_users], return_inverse=True)[1].astype(np.int64)


def assign(state: State, points: FloatArray) -> Assigned:
    """The segment that a user would join next by the same linkage, and how clearly.

    Who stands where a fitted user does is in its segment. Confidence is the cost of joining the
    next best segment as a share of both costs: 1/2 at the border, 1 inside.
    """
    values = np.empty(len(points), dtype=np.int32)
    confidence = np.empty(len(points), dtype=np.float32)
    order = np.argsort(state["labels"], kind="stable")
    members, of = state["points"][order], state["labels"][order]
    linkage, sizes = _LINKAGES[int(state["linkage"][0])], np.bincount(of)
    centres = sums_by_segment(members, of, len(sizes))[0] / sizes[:, None]
    lengths = np.einsum("nd,nd->n", members, members)
    for rows in blocks(len(points)):
        block = doubles(points[rows])
        distances = squared_distances(block, members).T  # (n, M)
        nearest = distances.argmin(axis=1)
        if linkage == "ward":
            costs = squared_distances(block, centres).T * (sizes / (sizes + 1.0))
        else:
            costs = _costs(distances, sizes, linkage)
        same = distances[np.arange(len(block)), nearest] <= _SAME * (1.0 + lengths[nearest])
        found = np.where(same, of[nearest], costs.argmin(axis=1))
        values[rows], confidence[rows] = found, _clearly(costs, found)
    return values, confidence


def _costs(distances: DoubleArray, sizes: LongArray, linkage: str) -> DoubleArray:
    """Mean or largest distance (n, K) of each user to the members of each segment.

    ``distances`` (n, M) are squared, and those to the members of a segment stand side by side.
    """
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    if linkage == "average":
        return np.asarray(np.add.reduceat(np.sqrt(distances), first, axis=1) / sizes)
    return np.asarray(np.sqrt(np.maximum.reduceat(distances, first, axis=1)))


def _clearly(costs: DoubleArray, found: IntArray) -> FloatArray:
    """Cost of the best other segment as a share of that and the own, (n,)."""
    row = np.arange(len(costs))
    own = costs[row, found]
    others = costs.copy()
    others[row, found] = np.inf
    least = np.minimum(others.min(axis=1), np.finfo(np.float64).max)  # with one segment, no other
    whole = own / 2 + least / 2
    share = np.where(whole > 0.0, least / 2 / np.where(whole > 0.0, whole, 1.0), 1.0)
    return share.astype(np.float32)


def _note(n_users: int, n_fitted: int) -> str:
    if n_fitted == n_users:
        return ""
    return (
        f"The tree is of a random sample of {n_fitted:,} of the {n_users:,} users; everyone else "
        "is in the segment it would join next."
    )


HIERARCHICAL = Clusterer(
    name="hierarchical",
    label="Hierarchical",
    summary="Joins the users and groups that are nearest, step by step, until K segments are left.",
    strengths=(
        "Shows segments within segments, and nothing in it is random where all users are fitted."
    ),
    weaknesses="Must be told where to cut, and an early join is never undone.",
    cost=(
        "Grows with the square of the users in time and memory: some seconds and 300 MB for 5,000 "
        "users. Past that the tree is of a random sample of that size."
    ),
    needs_n_clusters=True,
    at_once_users=3_000,
    Options=HierarchicalOptions,
    fit=fit,
    assign=assign,
)
"""Agglomerative clustering by Ward, average or complete linkage."""
