"""K-means for one number of segments after another, each helped by the one before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from core.artifacts import DoubleArray
from core.clustering.kmeans import KMeansOptions, Restart, lloyd, run
from core.geometry import squared_distances


def sweep(
    points: DoubleArray, ks: Sequence[int], options: KMeansOptions, seed: int
) -> Iterator[Restart]:
    """The lowest J found for every number of segments. ``points`` is moved to its own centre.

    Besides the plain restarts, as many starts are the centres found for the number before and
    users drawn by their squared distance: without them J is often caught high where a few small
    segments lie among large ones (after Likas, Vlassis and Verbeek, 2003).
    """
    points -= points.mean(axis=0)
    before = np.zeros((1, points.shape[1]))
    for k in ks:
        restarts = run(points, options, k, seed)
        for start in range(options.n_init):
            grown = _grown(points, before, k, np.random.default_rng([seed, k, start]))
            restarts.append(lloyd(points, grown, options.max_iter, options.tol))
        best = min(restarts, key=lambda restart: restart.trace[-1])
        before = best.centres
        yield best


def _grown(
    points: DoubleArray, centres: DoubleArray, k: int, rng: np.random.Generator
) -> DoubleArray:
    """The centres and as many users as are missing to k."""
    while len(centres) < k:
        distances = squared_distances(points, centres).min(axis=0)
        total = distances.sum()
        user = rng.choice(len(points), p=distances / total if total > 0.0 else None)
        centres = np.vstack([centres, points[user]])
    return centres
