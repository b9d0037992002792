"""The map of all users: two numbers per user, for the eye only."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from core.artifacts import (
    Embeddings,
    FloatArray,
    Progress,
    Projection,
    Report,
    fingerprint,
    silent,
)
from core.geometry import blocks, doubles, drawn_users
from core.options import Options, option

VERSION = 1

_FEWEST_FOR_UMAP = 10


@dataclass(frozen=True, kw_only=True)
class ProjectionOptions(Options):
    """How the map is drawn."""

    method: Literal["umap", "pca"] = option(
        "umap",
        "Map",
        "umap keeps neighbours together; pca shows the two directions in which users differ most",
    )
    n_neighbors: int = option(
        15,
        "Neighbours",
        "Few show fine structure, many the whole (umap)",
        low=2,
        high=200,
        unit="users",
    )
    min_dist: float = option(
        0.1, "Tightness", "How close neighbours may lie on the map (umap)", low=0.0, high=1.0
    )
    max_fitted_users: int = option(
        20_000,
        "Users to fit on",
        "With more users, the map is fitted on a random sample of so many and the rest are placed "
        "into it (umap)",
        low=100,
        unit="users",
        expert=True,
    )


def project(
    embeddings: Embeddings, options: ProjectionOptions, seed: int, report: Report = silent
) -> Projection:
    """A point on the map for every user, (U, 2); nothing is ever measured in it.

    The same seed gives the same map. Where UMAP has nothing to go by (fewer than 10 users, or
    all alike) the map is a PCA, and its note says so.
    """
    report(Progress(stage="projection", done=0.0, text="Drawing the map"))
    points = np.asarray(embeddings.values)
    why_not = _why_no_umap(points) if options.method == "umap" else ""
    n_fitted = len(points)
    if options.method == "pca" or why_not:
        method = "pca"
        placed, note = _pca(points)
        note = f"{why_not}{note}"
    else:
        method = "umap"
        placed, n_fitted, note = _umap(points, options, seed, report)
    made_by = options.to_dict() | {"seed": seed}
    return Projection(
        user_ids=embeddings.user_ids,
        points=placed,
        method=method,
        n_fitted=n_fitted,
        note=note,
        fingerprint=fingerprint(embeddings.fingerprint, "projection", VERSION, made_by),
    )


def _why_no_umap(points: FloatArray) -> str:
    if len(points) < _FEWEST_FOR_UMAP:
        return f"UMAP needs {_FEWEST_FOR_UMAP} users, there are {len(points)}; this is a PCA. "
    if not np.ptp(points, axis=0).any():
        return "All users are alike, which leaves UMAP nothing to go by; this is a PCA. "
    return ""


def _pca(points: FloatArray) -> tuple[FloatArray, str]:
    """The two directions of most variance; each points to where its largest weight is positive."""
    width = points.shape[1]
    centre = points.mean(axis=0, dtype=np.float64)
    scatter = np.zeros((width, width))
    for rows in blocks(len(points)):
        centred = doubles(points[rows]) - centre
        scatter += centred.T @ centred
    variances, directions = np.linalg.eigh(scatter)
    axes = directions[:, ::-1][:, :2]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    placed = np.zeros((len(points), 2), dtype=np.float32)
    for rows in blocks(len(points)):
        placed[rows, : axes.shape[1]] = (doubles(points[rows]) - centre) @ axes
    total = variances.sum()
    if total <= 0.0:
        return placed, "All users stand on one spot."
    shares = 100.0 * np.clip(variances[::-1][:2], 0.0, None) / total
    along = " and ".join(f"{share:.0f}%" for share in shares)
    return placed, f"The axes show {along} of the differences between users."


def _umap(
    points: FloatArray, options: ProjectionOptions, seed: int, report: Report
) -> tuple[FloatArray, int, str]:
    """A UMAP (McInnes, Healy and Melville, 2018) of a seeded sample, the rest placed into it."""
    rows = drawn_users(len(points), options.max_fitted_users, seed)
    if rows is None:
        return _fitted(points, options, seed), len(points), ""
    fitted_on = points[rows]
    where = _fitted(fitted_on, options, seed)
    placed = _beside_neighbours(points, fitted_on, where, report)
    placed[rows] = where
    note = (
        f"Fitted on a random sample of {len(rows):,} of {len(points):,} users; the rest stand "
        "among their nearest of these."
    )
    return placed, len(rows), note


def _fitted(points: FloatArray, options: ProjectionOptions, seed: int) -> FloatArray:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Tensorflow not installed")
        # Groups far from one another are no mistake, nor is a start that is drawn by chance.
        warnings.filterwarnings("ignore", message="Graph is not fully connected")
        warnings.filterwarnings("ignore", message="Spectral initialisation failed")
        placed: FloatArray = _model(len(points), options, seed).fit_transform(points)
    return placed


def _beside_neighbours(
    points: FloatArray, fitted_on: FloatArray, where: FloatArray, report: Report
) -> FloatArray:
    """The mean place of a user's five nearest fitted users, nearer ones weighing more.

    UMAP's own transform begins there as well; its refinement takes minutes per 100,000 users and
    makes a place depend on who else is placed.
    """
    from sklearn.neighbors import NearestNeighbors

    index = NearestNeighbors(n_neighbors=5, algorithm="brute").fit(fitted_on)
    placed = np.empty((len(points), 2), dtype=np.float32)
    for rows in blocks(len(points)):
        distances, found = index.kneighbors(points[rows])
        weights = 1.0 / (distances + 1e-6 * distances.mean() + 1e-12)
        weights /= weights.sum(axis=1, keepdims=True)
        placed[rows] = (weights[:, :, None] * where[found]).sum(axis=1)
        report(Progress(stage="projection", done=rows.stop / len(points), text="Placing users"))
    return placed


def _model(n_users: int, options: ProjectionOptions, seed: int) -> Any:
    from umap import UMAP

    return UMAP(
        n_neighbors=min(options.n_neighbors, n_users - 1),
        min_dist=options.min_dist,
        random_state=seed,
        n_jobs=1,  # more would make the map differ from run to run
    )
