"""K-means: segments around centres. Our own loop, so that the loss J can be seen falling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.artifacts import DoubleArray, FloatArray, LongArray, State
from core.clustering._base import Assigned, Clusterer, Fitted, by_size, doubled
from core.geometry import blocks, doubles, drawn_users, scores, squared_distances, sums_by_segment
from core.options import Options, option


@dataclass(frozen=True, kw_only=True)
class KMeansOptions(Options):
    """How centres are looked for."""

    n_init: int = option(
        10,
        "Restarts",
        "Times to start anew from other centres; the one with the lowest loss J is kept",
        low=1,
        high=100,
    )
    max_iter: int = option(
        300,
        "Most iterations",
        "Where a restart ends at the latest",
        low=1,
        high=10_000,
        expert=True,
    )
    tol: float = option(
        1e-6,
        "Standing still",
        "A restart ends when J falls by less than this share of itself",
        low=0.0,
        high=0.1,
        expert=True,
    )
    max_fitted_users: int = option(
        200_000,
        "Users to fit on",
        "With more users, centres come from a random sample of so many; everyone is assigned",
        low=100,
        unit="users",
        expert=True,
    )


@dataclass(frozen=True, kw_only=True)
class Restart:
    """Where one start ended."""

    centres: DoubleArray  # (K, D)
    trace: tuple[float, ...]
    """Loss J at the starting centres, then after every iteration; never rises."""


def fit(points: FloatArray, options: KMeansOptions, n_clusters: int, seed: int) -> Fitted:
    """Segments around the centres of the best of several starts, largest first.

    Lloyd's iterations (1982) from k-means++ starts (Arthur and Vassilvitskii, 2007).
    """
    rows = drawn_users(len(points), options.max_fitted_users, seed)
    restarts = run(doubled(points, rows), options, n_clusters, seed)
    best = int(np.argmin([restart.trace[-1] for restart in restarts]))
    fitted_on = points if rows is None else points[rows]
    centres = restarts[best].centres
    sigma = _sigma(fitted_on, centres)
    state, (values, confidence) = _largest_first(points, centres, sigma)
    return Fitted(
        values=values,
        confidence=confidence,
        state=state,
        loss_trace=tuple(restart.trace for restart in restarts),
        best_restart=best,
        note=_note(len(points), rows),
    )


def run(points: DoubleArray, options: KMeansOptions, n_clusters: int, seed: int) -> list[Restart]:
    """All restarts. ``points`` is moved to its own centre, for exact sums."""
    from sklearn.cluster import kmeans_plusplus

    middle = points.mean(axis=0)
    points -= middle
    rng = np.random.default_rng(seed)
    restarts = []
    for start_seed in rng.integers(2**31 - 1, size=options.n_init).tolist():
        start, _ = kmeans_plusplus(points, n_clusters, random_state=start_seed)
        restart = lloyd(points, start, options.max_iter, options.tol)
        restarts.append(Restart(centres=restart.centres + middle, trace=restart.trace))
    return restarts


def lloyd(points: DoubleArray, start: DoubleArray, max_iter: int, tol: float) -> Restart:
    """Move every centre to the mean of its users until the loss J stands still.

    J is the sum of squared distances of all users to their nearest centre. A centre that lost
    all its users starts anew at the user farthest from every centre: that cannot raise J, for
    the other users keep at least the centres they have.
    """
    of_points = float(np.einsum("nd,nd->", points, points))
    centres = kept = start
    trace: list[float] = []
    for _ in range(max_iter + 1):
        sums, counts = _gather(points, centres)
        lengths = np.einsum("kd,kd->k", centres, centres)
        loss = max(of_points - 2.0 * float((centres * sums).sum()) + float(counts @ lengths), 0.0)
        before = trace[-1] if trace else np.inf
        if loss > before:  # only by rounding, where J stands still
            break
        trace.append(loss)
        kept = centres
        empty = np.flatnonzero(counts == 0)
        if loss >= (1.0 - tol) * before and not len(empty):
            break
        centres = sums / np.maximum(counts, 1)[:, None]
        if len(empty):
            centres[empty] = points[_farthest(points, kept, len(empty))]
    return Restart(centres=kept, trace=tuple(trace))


def assign(state: State, points: FloatArray) -> Assigned:
    """Segment of the nearest centre, and how sure: P = exp(-d² / 2 sigma²) / Z.

    d is the distance to a centre, sigma the spread of users around their centres.
    """
    centres, sigma = state["centres"], float(state["sigma"][0])
    values = np.empty(len(points), dtype=np.int32)
    confidence = np.empty(len(points), dtype=np.float32)
    for rows in blocks(len(points)):
        distances = squared_distances(doubles(points[rows]), centres)
        values[rows] = distances.argmin(axis=0)
        if sigma > 0.0:
            distances -= distances.min(axis=0)
            confidence[rows] = 1.0 / np.exp(distances / (-2.0 * sigma**2)).sum(axis=0)
        else:
            confidence[rows] = 1.0
    return values, confidence


def _gather(points: DoubleArray, centres: DoubleArray) -> tuple[DoubleArray, LongArray]:
    """Sum (K, D) and number (K,) of the users nearest to each centre."""
    k = len(centres)
    sums, counts = np.zeros_like(centres), np.zeros(k, dtype=np.int64)
    for rows in blocks(len(points)):
        block = points[rows]
        block_sums, block_counts = sums_by_segment(block, scores(block, centres).argmin(axis=0), k)
        sums += block_sums
        counts += block_counts
    return sums, counts


def _farthest(points: DoubleArray, centres: DoubleArray, how_many: int) -> LongArray:
    """Rows of the users farthest from every centre."""
    nearest = [squared_distances(points[rows], centres).min(axis=0) for rows in blocks(len(points))]
    return np.argsort(-np.concatenate(nearest), kind="stable")[:how_many]


def _sigma(points: FloatArray, centres: DoubleArray) -> float:
    """Spread of users around their centres, in the directions in which they do spread.

    sigma² = tr(S²) / tr(S), S the covariance within segments: the variance per direction, each
    direction weighted by its variance. Plain J / (U D) would shrink with every direction in
    which nobody differs, and make every confidence 1.
    """
    width = points.shape[1]
    scatter = np.zeros((width, width))
    for rows in blocks(len(points)):
        block = doubles(points[rows])
        block = block - centres[scores(block, centres).argmin(axis=0)]
        scatter += block.T @ block
    scatter /= len(points)
    total = float(np.trace(scatter))
    return float(np.sqrt((scatter**2).sum() / total)) if total > 0.0 else 0.0


def _largest_first(
    points: FloatArray, centres: DoubleArray, sigma: float
) -> tuple[State, Assigned]:
    """Order the centres by size. A user midway between two goes to the one that comes first,
    so the order is looked at again until it holds; the first only gain by that.
    """
    while True:
        state = {"centres": centres, "sigma": np.array([sigma])}
        assigned = assign(state, points)
        order = by_size(assigned[0], len(centres))
        if np.array_equal(order, np.arange(len(centres))):
            return state, assigned
        centres = centres[order]


def _note(n_users: int, rows: LongArray | None) -> str:
    if rows is None:
        return ""
    return (
        f"Centres and loss J come from a random sample of {len(rows):,} of the {n_users:,} users; "
        "everyone was assigned to the nearest centre."
    )


KMEANS = Clusterer(
    name="kmeans",
    label="K-means",
    summary="Puts users around a given number of centres, each user with the nearest.",
    strengths="Fast at any size, every user gets a segment, and new users are placed at once.",
    weaknesses=(
        "Wants round segments of like extent, must be told how many, and forms segments even "
        "where there are none."
    ),
    cost=(
        "Grows in line with users, segments and restarts: seconds for 100,000 users. Past 200,000 "
        "users the centres come from a random sample of that size."
    ),
    needs_n_clusters=True,
    at_once_users=50_000,
    Options=KMeansOptions,
    fit=fit,
    assign=assign,
)
"""K-means on the points."""
