"""HDBSCAN: segments are dense groups; users between them belong to none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from core.artifacts import NOISE, DoubleArray, FloatArray, IntArray, LongArray, State
from core.clustering._base import (
    Assigned,
    Clusterer,
    Fitted,
    by_size,
    doubled,
    renamed,
)
from core.clustering.neighbours import nearest
from core.errors import TooLittleData
from core.geometry import all_alike, drawn_users
from core.options import Options, option


@dataclass(frozen=True, kw_only=True)
class HDBSCANOptions(Options):
    """What counts as a dense group."""

    min_cluster_size: int | Literal["auto"] = option(
        "auto",
        "Smallest segment",
        "Groups of fewer users are no segment; auto is 5% of the users between 5 and 50, or 1% "
        "where that is more",
        low=2,
        unit="users",
    )
    min_samples: int | Literal["auto"] = option(
        "auto",
        "Neighbours that make a place dense",
        "More of them leave more users without a segment; auto is 10, or the smallest segment",
        low=1,
        high=1000,
        unit="users",
    )
    selection: Literal["eom", "leaf"] = option(
        "eom",
        "Which groups",
        "eom takes the groups that last longest (few, large); leaf takes the finest",
    )
    max_fitted_users: int = option(
        20_000,
        "Users to fit on",
        "With more users, groups come from a random sample of so many; everyone is assigned",
        low=100,
        high=100_000,
        unit="users",
        expert=True,
    )


def fit(points: FloatArray, options: HDBSCANOptions, n_clusters: int, seed: int) -> Fitted:
    """Dense groups, largest first; NOISE where a user is in none. ``n_clusters`` is not used.

    Where nothing is denser than the rest, everyone is in segment 0. Sources: Campello, Moulavi
    and Sander, 2013; McInnes, Healy and Astels, 2017 (the hdbscan library). Only the sample is
    random.
    """
    if all_alike(points):
        return _one_segment(points, "All users are alike: everyone is in one segment.")
    rows = drawn_users(len(points), options.max_fitted_users, seed)
    fitted_on = doubled(points, rows)
    smallest, neighbours = _sizes(len(fitted_on), options)
    values, reached = _groups(fitted_on, smallest, neighbours, options.selection)
    order = by_size(values, int(values.max()) + 1)
    if not len(order):
        return _one_segment(points, "No group is denser than the rest: everyone is in one segment.")
    state = _state(fitted_on, renamed(values, order), reached, neighbours)
    return _everyone(points, state, rows)


def assign(state: State, points: FloatArray) -> Assigned:
    """Segment of the nearest fitted user, or NOISE; confidence is how deep inside it stands.

    Near is by mutual reachability, as in the fit: the largest of the distance and the two
    users' own distances to their nearest neighbours. A user that is farther off than the weakest
    fitted member of that segment is noise, and so is one whose nearest fitted user is noise.
    """
    values = np.empty(len(points), dtype=np.int32)
    confidence = np.zeros(len(points), dtype=np.float32)
    labels, weakest, strongest = state["labels"], state["weakest"], state["strongest"]
    for rows, nearby, far in _nearest(state, points):
        found = labels[nearby].astype(np.int32)
        found[far > weakest[found] * (1.0 + 1e-9)] = NOISE  # the weakest itself is inside
        values[rows] = found
        depth = np.maximum(far, state["reached"][nearby])
        inside = np.where(depth > 0.0, strongest[found] / np.where(depth > 0.0, depth, 1.0), 1.0)
        confidence[rows] = np.where(found >= 0, np.minimum(inside, 1.0), 0.0)
    return values, confidence


def _sizes(n_users: int, options: HDBSCANOptions) -> tuple[int, int]:
    """Smallest segment and neighbours, with auto resolved for so many fitted users."""
    if isinstance(options.min_cluster_size, int):
        smallest = options.min_cluster_size
    else:
        smallest = max(5, min(50, n_users // 20), n_users // 100)
        smallest = max(2, min(smallest, n_users // 2))
    if smallest > n_users:
        raise TooLittleData(
            f"No segment can form: the smallest segment is set to {smallest} users, and "
            f"{n_users} users are there to fit on. Choose a cluster.min_cluster_size of at most "
            f"{max(n_users // 2, 2)}."
        )
    asked = options.min_samples
    return smallest, min(asked if isinstance(asked, int) else min(10, smallest), n_users - 1)


def _groups(
    points: DoubleArray, smallest: int, neighbours: int, selection: str
) -> tuple[LongArray, DoubleArray]:
    """Group of every fitted user, and the distance at which it joined (0 for duplicates)."""
    from hdbscan import HDBSCAN as Library

    model = Library(
        min_cluster_size=smallest,
        min_samples=neighbours,
        cluster_selection_method=selection,
        core_dist_n_jobs=1,
    ).fit(points)
    tree = model.condensed_tree_._raw_tree
    leaves = tree[tree["child"] < len(points)]
    reached = np.empty(len(points))
    reached[leaves["child"]] = 1.0 / leaves["lambda_val"]
    return model.labels_.astype(np.int64), reached


def _state(
    points: DoubleArray, values: IntArray, reached: DoubleArray, neighbours: int
) -> dict[str, npt.NDArray[Any]]:
    """Fitted users with their densities, and how far each segment reaches."""
    inside = values >= 0
    k = int(values.max()) + 1
    weakest, strongest = np.zeros(k), np.full(k, np.inf)
    np.maximum.at(weakest, values[inside], reached[inside])
    np.minimum.at(strongest, values[inside], reached[inside])
    state: dict[str, npt.NDArray[Any]] = {
        "points": points,
        "labels": values,
        "reached": reached,
        "weakest": weakest,
        "strongest": strongest,
        "neighbours": np.array([neighbours]),
    }
    cores = np.zeros(len(points))
    for rows, _, distances in nearest(points, points, 2 * neighbours + 1):
        cores[rows] = _core(distances, neighbours)
    return state | {"cores": cores}


def _nearest(state: State, points: FloatArray) -> Iterator[tuple[slice, LongArray, DoubleArray]]:
    """Per block of users: nearest fitted user by mutual reachability, and how far that is."""
    neighbours = int(state["neighbours"][0])
    for rows, found, distances in nearest(state["points"], points, 2 * neighbours + 1):
        cores = _core(distances, neighbours)[:, None]
        mutual = np.maximum(np.maximum(distances, cores), state["cores"][found])
        least = mutual.min(axis=1)
        # Many are equally near by mutual reachability; of those, the one that is nearest plainly.
        ties = mutual <= least[:, None] * (1.0 + 1e-9)
        first = np.where(ties, distances, np.inf).argmin(axis=1)
        yield rows, np.take_along_axis(found, first[:, None], axis=1)[:, 0], least


def _core(distances: DoubleArray, neighbours: int) -> DoubleArray:
    """Distance to the so-manieth other fitted user; a fitted user does not count itself."""
    last = distances.shape[1] - 1
    itself = distances[:, 0] == 0.0
    return np.where(
        itself, distances[:, min(neighbours, last)], distances[:, min(neighbours - 1, last)]
    )


def _everyone(
    points: FloatArray, state: dict[str, npt.NDArray[Any]], rows: LongArray | None
) -> Fitted:
    """Fitted users keep what the fit said of them; the rest are assigned."""
    if rows is None:
        values, confidence = state["labels"], _depth(state)
    else:
        values, confidence = assign(state, points)
        values[rows], confidence[rows] = state["labels"], _depth(state)
    order = by_size(values, len(state["weakest"]))
    values = renamed(values, order)
    state |= {
        "labels": renamed(state["labels"], order),
        "weakest": state["weakest"][order],
        "strongest": state["strongest"][order],
    }
    return Fitted(values=values, confidence=confidence, state=state, note=_note(len(points), rows))


def _depth(state: State) -> FloatArray:
    """Confidence of the fitted users: 1 where a segment is densest, 0 for noise."""
    labels, reached = state["labels"], state["reached"]
    deep = np.where(reached > 0.0, state["strongest"][labels] / np.maximum(reached, 1e-300), 1.0)
    return np.where(labels >= 0, np.minimum(deep, 1.0), 0.0).astype(np.float32)


def _one_segment(points: FloatArray, note: str) -> Fitted:
    """Everyone in segment 0, and so is everyone to come."""
    state: dict[str, npt.NDArray[Any]] = {
        "points": np.asarray(points[:1], dtype=np.float64),
        "labels": np.zeros(1, dtype=np.int32),
        "reached": np.zeros(1),
        "cores": np.zeros(1),
        "weakest": np.array([np.inf]),
        "strongest": np.array([np.inf]),
        "neighbours": np.array([1]),
    }
    return Fitted(
        values=np.zeros(len(points), dtype=np.int32),
        confidence=np.ones(len(points), dtype=np.float32),
        state=state,
        note=note,
    )


def _note(n_users: int, rows: LongArray | None) -> str:
    if rows is None:
        return ""
    return (
        f"Groups come from a random sample of {len(rows):,} of the {n_users:,} users; everyone "
        "else has the segment of the nearest of them, if near enough."
    )


HDBSCAN = Clusterer(
    name="hdbscan",
    label="HDBSCAN",
    summary="Finds groups that are denser than what lies between them, and how many there are.",
    strengths="Groups of any shape and size; users that fit nowhere are left out, and said so.",
    weaknesses=(
        "May leave many users without a segment, and sees one group where groups run into "
        "one another."
    ),
    cost=(
        "Grows nearly with the square of the users: about half a minute for 20,000 users of 64 "
        "numbers each. Past that the groups come from a random sample of that size."
    ),
    needs_n_clusters=False,
    Options=HDBSCANOptions,
    fit=fit,
    assign=assign,
)
