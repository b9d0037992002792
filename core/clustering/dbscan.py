"""DBSCAN: segments are places where enough users lie within a radius; the rest belong to none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.artifacts import NOISE, DoubleArray, FloatArray, State
from core.clustering._base import Assigned, Clusterer, Fitted, doubled, largest_first
from core.clustering.neighbours import nearest
from core.geometry import all_alike, drawn_users, tolerance_of
from core.options import Options, option


@dataclass(frozen=True, kw_only=True)
class DBSCANOptions(Options):
    """What counts as a dense place."""

    eps: float | Literal["auto"] = option(
        "auto",
        "Radius",
        "How near users must be to be neighbours; auto is the bend of the distances to the "
        "neighbour that makes a place dense",
        low=1e-9,
    )
    min_samples: int = option(
        10,
        "Users that make a place dense",
        "So many within the radius, the user itself among them; more leave more users without a "
        "segment",
        low=2,
        high=1000,
        unit="users",
    )
    max_fitted_users: int = option(
        10_000,
        "Users to fit on",
        "With more users, dense places come from a random sample of so many; everyone is assigned",
        low=100,
        high=20_000,
        unit="users",
        expert=True,
    )


def fit(points: FloatArray, options: DBSCANOptions, n_clusters: int, seed: int) -> Fitted:
    """Dense places that hang together, largest first; NOISE elsewhere. ``n_clusters`` is not used.

    Ester, Kriegel, Sander and Xu, 1996. A user that is not dense itself but within the radius of
    some that are goes to the nearest of those, whatever order the users come in.
    """
    if all_alike(points):
        return _one_segment(points, "All users are alike: everyone is in one segment.")
    rows = drawn_users(len(points), options.max_fitted_users, seed)
    fitted_on = doubled(points, rows)
    curve = distances_to_neighbour(fitted_on, options.min_samples)
    bend = max(float(curve[bend_of(curve)]), tolerance_of(fitted_on))
    eps = bend if options.eps == "auto" else float(options.eps)
    state = _state(fitted_on, eps, options.min_samples)
    if state is None:
        note = (
            f"Nobody has {options.min_samples} users within {eps:.3g}, so no place is dense: "
            f"everyone is in one segment. Widen the radius (cluster.eps, e.g. {bend:.3g}) or take "
            "a smaller cluster.min_samples."
        )
        return _one_segment(points, note)
    state, (values, confidence) = largest_first(state, assign(state, points))
    return Fitted(
        values=values,
        confidence=confidence,
        state=state,
        note=_note(eps, options, len(points), len(fitted_on)),
    )


def assign(state: State, points: FloatArray) -> Assigned:
    """Segment of the nearest dense user within the radius, or NOISE.

    Confidence falls from 1 where a dense user stands to 1/2 at the radius.
    """
    values = np.empty(len(points), dtype=np.int32)
    confidence = np.empty(len(points), dtype=np.float32)
    eps = float(state["eps"][0])
    for rows, found, distances in nearest(state["points"], points, 1):
        far = distances[:, 0]
        inside = far <= eps
        values[rows] = np.where(inside, state["labels"][found[:, 0]], NOISE)
        confidence[rows] = np.where(inside, 1.0 - 0.5 * np.minimum(far / eps, 1.0), 0.0)
    return values, confidence


def distances_to_neighbour(points: DoubleArray, min_samples: int) -> DoubleArray:
    """Distance of every user to its ``min_samples``-th user, itself the first; rising, (n,)."""
    parts = [distances[:, -1] for _, _, distances in nearest(points, points, min_samples)]
    return np.sort(np.concatenate(parts))


def bend_of(curve: DoubleArray) -> int:
    """Where a rising curve turns steep: farthest below the line from its first to its last point.

    After Satopää et al., 2011 (Kneedle), with both axes scaled to [0, 1].
    """
    if len(curve) < 3 or curve[-1] <= curve[0]:
        return len(curve) - 1
    along = np.linspace(0.0, 1.0, len(curve))
    return int((along - (curve - curve[0]) / (curve[-1] - curve[0])).argmax())


def _state(points: DoubleArray, eps: float, min_samples: int) -> State | None:
    """The dense users and the places that they make; None where there is none."""
    from sklearn.cluster import DBSCAN as Library

    model = Library(eps=eps, min_samples=min_samples).fit(points)
    dense = model.core_sample_indices_
    if not len(dense):
        return None
    return {
        "points": points[dense],
        "labels": model.labels_[dense].astype(np.int32),
        "eps": np.array([eps]),
    }


def _one_segment(points: FloatArray, note: str) -> Fitted:
    """Everyone in segment 0, and so is everyone to come."""
    return Fitted(
        values=np.zeros(len(points), dtype=np.int32),
        confidence=np.ones(len(points), dtype=np.float32),
        state={
            "points": np.asarray(points[:1], dtype=np.float64),
            "labels": np.zeros(1, dtype=np.int32),
            "eps": np.array([np.inf]),
        },
        note=note,
    )


def _note(eps: float, options: DBSCANOptions, n_users: int, n_fitted: int) -> str:
    told = [f"The radius is {eps:.3g}."] if options.eps == "auto" else []
    if n_fitted < n_users:
        told.append(
            f"Dense places come from a random sample of {n_fitted:,} of the {n_users:,} users; "
            "everyone else has the segment of the nearest dense user, if within the radius."
        )
    return " ".join(told)


DBSCAN = Clusterer(
    name="dbscan",
    label="DBSCAN",
    summary="Finds places where enough users lie within a radius, and joins those that touch.",
    strengths="Groups of any shape; strays are left out, and how near is near is yours to say.",
    weaknesses=(
        "One radius for all: where some segments are looser than others it loses these or joins "
        "those, and with many numbers per user all distances are too much alike for any radius."
    ),
    cost=(
        "Grows with the square of the users: some seconds for 10,000 users. Past that dense places "
        "come from a random sample of that size."
    ),
    needs_n_clusters=False,
    Options=DBSCANOptions,
    fit=fit,
    assign=assign,
)
"""Density-based clustering with one radius."""
