"""Gaussian mixture: segments are clouds that may be long, flat, of any size, and overlap."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from core.artifacts import DoubleArray, FloatArray, State
from core.clustering._base import Assigned, Clusterer, Fitted, by_size, doubled
from core.geometry import blocks, doubles, drawn_users, tolerance_of
from core.options import Options, option

if TYPE_CHECKING:
    from sklearn.mixture import GaussianMixture as Library

_SHAPES = ("full", "diag", "tied")
_FLOOR = 1e-3
"""Least variance of a cloud in any direction, as a share of the mean variance of a number."""


@dataclass(frozen=True, kw_only=True)
class GaussianMixtureOptions(Options):
    """What clouds look like and how they are looked for."""

    covariance: Literal["auto", "full", "diag", "tied"] = option(
        "auto",
        "Shape of the clouds",
        "full: each its own, turned any way; diag: each its own, along the axes; tied: all the "
        "same; auto: the one with the lowest BIC",
    )
    n_init: int = option(
        2,
        "Restarts",
        "Times to start anew from other clouds; the likeliest is kept",
        low=1,
        high=100,
    )
    max_iter: int = option(
        200,
        "Most iterations",
        "Where a restart ends at the latest",
        low=1,
        high=10_000,
        expert=True,
    )
    max_fitted_users: int = option(
        20_000,
        "Users to fit on",
        "With more users, clouds come from a random sample of so many; everyone is assigned",
        low=100,
        unit="users",
        expert=True,
    )


def fit(points: FloatArray, options: GaussianMixtureOptions, n_clusters: int, seed: int) -> Fitted:
    """The cloud to which each user most probably belongs, largest segment first.

    EM (Dempster, Laird and Rubin, 1977) from K-means; the shape by BIC (Schwarz, 1978). No cloud
    gets thinner than a thousandth of the spread of everyone, so none can shrink onto one user.
    """
    rows = drawn_users(len(points), options.max_fitted_users, seed)
    fitted_on = doubled(points, rows)
    shapes = _SHAPES if options.covariance == "auto" else (options.covariance,)
    models = {shape: _mixture(fitted_on, shape, options, n_clusters, seed) for shape in shapes}
    bic = {shape: float(model.bic(fitted_on)) for shape, model in models.items()}
    shape = min(bic, key=bic.__getitem__)
    state, (values, confidence) = _largest_first(points, models[shape], shape)
    return Fitted(
        values=values,
        confidence=confidence,
        state=state,
        note=_note(bic, shape, models[shape].converged_, len(points), len(fitted_on)),
    )


def assign(state: State, points: FloatArray) -> Assigned:
    """The likeliest cloud of every user and its posterior probability."""
    model = _model(state)
    values = np.empty(len(points), dtype=np.int32)
    confidence = np.empty(len(points), dtype=np.float32)
    for rows in blocks(len(points)):
        members = model.predict_proba(doubles(points[rows]))
        values[rows] = members.argmax(axis=1)
        confidence[rows] = members.max(axis=1)
    return values, np.minimum(confidence, np.float32(1.0))


def _mixture(
    points: DoubleArray, shape: str, options: GaussianMixtureOptions, n_clusters: int, seed: int
) -> Library:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture as Library

    if len(points) == 1:  # the library wants two
        points = np.repeat(points, 2, axis=0)
    least = tolerance_of(points) ** 2  # where all users are alike
    model = Library(
        n_clusters,
        covariance_type=shape,
        n_init=options.n_init,
        max_iter=options.max_iter,
        reg_covar=max(_FLOOR * float(points.var(axis=0).mean()), least),
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # told in the note
        return model.fit(points)


def _largest_first(points: FloatArray, model: Library, shape: str) -> tuple[State, Assigned]:
    """Order the clouds by the users they have; those without any are left out."""
    tied = shape == "tied"
    order = np.arange(len(model.weights_))
    while True:
        precisions = model.precisions_cholesky_ if tied else model.precisions_cholesky_[order]
        state = {
            "weights": model.weights_[order] / model.weights_[order].sum(),
            "means": model.means_[order],
            "precisions_cholesky": precisions,
            "shape": np.array([_SHAPES.index(shape)]),
        }
        assigned = assign(state, points)
        now = by_size(assigned[0], len(order))
        if np.array_equal(now, np.arange(len(order))):
            return state, assigned
        order = order[now]


def _model(state: State) -> Library:
    from sklearn.mixture import GaussianMixture as Library

    model = Library(len(state["weights"]), covariance_type=_SHAPES[int(state["shape"][0])])
    model.weights_, model.means_ = state["weights"], state["means"]
    model.precisions_cholesky_ = state["precisions_cholesky"]
    return model


def _note(bic: dict[str, float], shape: str, settled: bool, n_users: int, n_fitted: int) -> str:
    told = []
    if len(bic) > 1:
        others = ", ".join(f"{name} {value:,.0f}" for name, value in bic.items())
        told.append(f"The shape of the clouds is {shape}, by the lowest BIC ({others}).")
    if not settled:
        told.append("EM ended before it stood still; allow more iterations (cluster.max_iter).")
    if n_fitted < n_users:
        told.append(
            f"Clouds come from a random sample of {n_fitted:,} of the {n_users:,} users; everyone "
            "was assigned to the likeliest."
        )
    return " ".join(told)


GAUSSIAN_MIXTURE = Clusterer(
    name="gaussian_mixture",
    label="Gaussian mixture",
    summary="Takes segments for clouds of normal spread and tells how probably a user is in each.",
    strengths=(
        "Segments may be long, flat, of unequal size and overlap, and every user's probabilities "
        "come with them."
    ),
    weaknesses=(
        "Must be told how many, splits segments that are not clouds, spends one on strays, and has "
        "little to go by with few users and many numbers each."
    ),
    cost=(
        "Grows in line with users and segments and with the square of the numbers per user: some "
        "seconds for 20,000 users of 64 numbers. Past that the clouds come from a random sample."
    ),
    needs_n_clusters=True,
    at_once_users=5_000,
    Options=GaussianMixtureOptions,
    fit=fit,
    assign=assign,
)
"""A mixture of normal distributions over the points."""
