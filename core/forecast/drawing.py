"""What drawing the map takes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.artifacts import FloatArray
from core.forecast.clusterings import as_embeddings
from core.forecast.measuring import Cost, Gauge
from core.projection import ProjectionOptions, project

_MANY, _EPOCHS, _EPOCHS_OF_MANY = 10_000, 500, 200
"""Up to how many users UMAP goes over its graph how often, and how often with more."""
_QUERIED = 4_096


def projection_cost(
    points: FloatArray, options: ProjectionOptions, n_users: int, gauge: Gauge
) -> Cost:
    """The map of all users; loading UMAP, which takes some seconds, is in it."""

    def draw(n: int) -> None:
        project(as_embeddings(points[:n]), replace(options, max_fitted_users=max(100, n)), 0)

    if options.method == "pca":
        return gauge.growth(draw, len(points)).at(n_users)
    loading = gauge.seconds(lambda: draw(50))
    fitted_on = min(n_users, options.max_fitted_users)
    cost = gauge.growth(draw, min(fitted_on, len(points), 1_000)).at(fitted_on, curved=True)
    cost = cost.times(_EPOCHS_OF_MANY / _EPOCHS if fitted_on > _MANY else 1.0)
    placing = Cost()
    if n_users > fitted_on:
        placing = _beside(points, fitted_on, gauge).times(n_users / _QUERIED)
    return cost.then(Cost.about(loading)).then(placing)


def _beside(points: FloatArray, fitted_on: int, gauge: Gauge) -> Cost:
    """Placing a block of users among those that the map was fitted on."""
    from sklearn.neighbors import NearestNeighbors

    rng = np.random.default_rng(0)
    there = points[rng.integers(len(points), size=fitted_on)]
    index = NearestNeighbors(n_neighbors=5, algorithm="brute").fit(there)
    block = points[rng.integers(len(points), size=_QUERIED)]
    return Cost.about(gauge.seconds(lambda: index.kneighbors(block)))
