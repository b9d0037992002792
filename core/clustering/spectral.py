"""Spectral clustering: a graph of near users is cut where it hangs together least."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.artifacts import DoubleArray, FloatArray, IntArray, LongArray, State
from core.clustering import kmeans
from core.clustering._base import Assigned, Clusterer, Fitted, doubled, largest_first
from core.clustering.neighbours import nearest
from core.geometry import blocks, drawn_users, squared_distances
from core.options import Options, option

_DENSE = 1_000
"""Up to so many users all eigenvectors are found at once, exactly."""
_STARTS = 10


@dataclass(frozen=True, kw_only=True)
class SpectralOptions(Options):
    """Who is near whom."""

    n_neighbors: int = option(
        15,
        "Neighbours",
        "Every user is tied to so many nearest users; more of them see coarser segments",
        low=2,
        high=200,
        unit="users",
    )
    max_fitted_users: int = option(
        10_000,
        "Users to fit on",
        "With more users, the graph is of a random sample of so many; everyone is assigned",
        low=100,
        high=20_000,
        unit="users",
        expert=True,
    )


def fit(points: FloatArray, options: SpectralOptions, n_clusters: int, seed: int) -> Fitted:
    """Groups of users that are tied to one another more than to others, largest first.

    Normalised cut by the first K eigenvectors, rows scaled to length one, then K-means (Ng, Jordan
    and Weiss, 2002). Parts of the graph that hang together nowhere are tied where they are
    nearest, and told.
    """
    rows = drawn_users(len(points), options.max_fitted_users, seed)
    fitted_on = doubled(points, rows)
    graph, n_parts = _graph(fitted_on, options.n_neighbors)
    state: State = {
        "points": fitted_on,
        "labels": _segments(graph, n_clusters, seed),
        "neighbours": np.array([options.n_neighbors]),
    }
    state, (values, confidence) = largest_first(state, assign(state, points))
    return Fitted(
        values=values,
        confidence=confidence,
        state=state,
        note=_note(len(points), len(fitted_on), n_parts),
    )


def assign(state: State, points: FloatArray) -> Assigned:
    """The segment that most of the nearest fitted users are in; confidence is their share.

    Of equals that of the nearest; who stands where a fitted user does is in its segment.
    """
    values = np.empty(len(points), dtype=np.int32)
    confidence = np.empty(len(points), dtype=np.float32)
    labels = state["labels"]
    k = int(labels.max()) + 1
    for rows, found, distances in nearest(state["points"], points, int(state["neighbours"][0])):
        votes = (labels[found][:, :, None] == np.arange(k)).sum(axis=1)
        first = labels[found[:, 0]]
        row = np.arange(len(votes))
        most = np.where(votes[row, first] == votes.max(axis=1), first, votes.argmax(axis=1))
        chosen = np.where(distances[:, 0] == 0.0, first, most)
        values[rows] = chosen
        confidence[rows] = votes[row, chosen] / found.shape[1]
    return values, confidence


def _graph(points: DoubleArray, n_neighbors: int) -> tuple[Any, int]:
    """Sparse ties (n, n), 1 where both count each other near and 1/2 where one does; and parts."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    n_users, here, there = len(points), [], []
    for rows, found, _ in nearest(points, points, n_neighbors + 1):
        here.append(np.repeat(np.arange(rows.start, rows.stop), found.shape[1]))
        there.append(found.ravel())
    at = (np.concatenate(here), np.concatenate(there))
    apart = at[0] != at[1]
    ties = coo_matrix((np.ones(apart.sum()), (at[0][apart], at[1][apart])), (n_users, n_users))
    graph = (0.5 * (ties + ties.T)).tocsr()
    n_parts, of = connected_components(graph, directed=False)
    now = n_parts
    while now > 1:
        ends = np.array(_bridges(points, of, now)).T
        bridges = coo_matrix((np.ones(len(ends[0])), tuple(ends)), (n_users, n_users))
        graph = graph.maximum(bridges + bridges.T).minimum(1.0).tocsr()
        now, of = connected_components(graph, directed=False)
    return graph, int(n_parts)


def _bridges(points: DoubleArray, of: IntArray, n_parts: int) -> list[tuple[int, int]]:
    """For every part the pair of users, one in it and one outside, that are nearest."""
    best = np.full(n_parts, np.inf)
    ends = [(0, 0)] * n_parts
    for rows in blocks(len(points)):
        distances = squared_distances(points[rows], points).T
        distances[of[rows][:, None] == of[None, :]] = np.inf
        there = distances.argmin(axis=1)
        for i, (far, j) in enumerate(zip(distances.min(axis=1), there, strict=True)):
            part = of[rows.start + i]
            if far < best[part]:
                best[part], ends[part] = far, (rows.start + i, int(j))
    return ends


def _segments(graph: Any, n_clusters: int, seed: int) -> LongArray:
    """K-means of the users in the first K directions in which the graph varies least."""
    n_users = graph.shape[0]
    if n_clusters == 1:
        return np.zeros(n_users, dtype=np.int64)
    directions = _directions(graph, n_clusters, seed)
    lengths = np.sqrt(np.square(directions).sum(axis=1, keepdims=True))
    directions /= np.where(lengths > 0.0, lengths, 1.0)
    middle = directions.mean(axis=0)  # `run` moves the points there
    restarts = kmeans.run(directions, kmeans.KMeansOptions(n_init=_STARTS), n_clusters, seed)
    best = min(restarts, key=lambda restart: restart.trace[-1])
    return np.asarray(squared_distances(directions + middle, best.centres).argmin(axis=0))


def _directions(graph: Any, n_clusters: int, seed: int) -> DoubleArray:
    """The K eigenvectors (n, K) of the normalised graph with the largest eigenvalues."""
    from scipy.sparse import diags
    from scipy.sparse.linalg import eigsh

    degrees = np.asarray(graph.sum(axis=1)).ravel()
    scale = diags(1.0 / np.sqrt(np.where(degrees > 0.0, degrees, 1.0)))
    normalised = scale @ graph @ scale
    n_users = graph.shape[0]
    if n_users <= max(_DENSE, 2 * n_clusters):
        found: DoubleArray = np.linalg.eigh(normalised.toarray())[1][:, -n_clusters:]
        return found.copy()
    begin = np.random.default_rng(seed).normal(size=n_users)
    _, vectors = eigsh(normalised, k=n_clusters, which="LA", v0=begin, maxiter=50 * n_users)
    return np.asarray(vectors)


def _note(n_users: int, n_fitted: int, n_parts: int) -> str:
    told = []
    if n_parts > 1:
        told.append(
            f"The graph of neighbours falls into {n_parts:,} parts, which were tied where they are "
            "nearest; more neighbours (cluster.n_neighbors) tie them by themselves."
        )
    if n_fitted < n_users:
        told.append(
            f"The graph is of a random sample of {n_fitted:,} of the {n_users:,} users; everyone "
            "else is in the segment of most of the nearest of them."
        )
    return " ".join(told)


SPECTRAL = Clusterer(
    name="spectral",
    label="Spectral",
    summary="Ties every user to the nearest ones and cuts where the fewest ties are.",
    strengths="Segments may be bent and of any shape, as long as users in them lie side by side.",
    weaknesses=(
        "Must be told how many, and depends on how many neighbours are looked at; small segments "
        "are easily joined to large ones."
    ),
    cost=(
        "Grows somewhat faster than the users: about ten seconds for 10,000 users. Past that the "
        "graph is of a random sample of that size."
    ),
    needs_n_clusters=True,
    at_once_users=5_000,
    Options=SpectralOptions,
    fit=fit,
    assign=assign,
)
"""Normalised cuts of a graph of nearest neighbours."""
