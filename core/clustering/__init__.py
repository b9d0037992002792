"""Segments from points: the catalogue of algorithms and the two things done with it."""

from __future__ import annotations

import numpy as np

from core.artifacts import Embeddings, FloatArray, Labels, State, fingerprint
from core.clustering._base import Assigned, Clusterer, count_distinct
from core.clustering.hdbscan import HDBSCAN
from core.clustering.kmeans import KMEANS
from core.errors import OptionRefused, TooLittleData, did_you_mean
from core.geometry import all_alike
from core.options import Options
from core.wording import counted

VERSION = 1

CLUSTERERS: dict[str, Clusterer] = {c.name: c for c in (KMEANS, HDBSCAN)}
"""Every algorithm the analyst can pick, by name."""


def cluster(
    embeddings: Embeddings, method: str, options: Options, n_clusters: int, seed: int
) -> Labels:
    """Put every user into a segment, largest first; NOISE for users in none.

    ``n_clusters`` is not used by methods that find it. The same seed gives the same labels.
    Raises OptionRefused for an unknown method, TooLittleData for more segments than there are
    different users.
    """
    chosen = _chosen(method)
    if chosen.needs_n_clusters:
        _check_enough(embeddings.values, n_clusters)
    fitted = chosen.fit(embeddings.values, options, n_clusters, seed)
    made_by = {"method": method, "n_clusters": n_clusters, "seed": seed, **options.to_dict()}
    return Labels(
        user_ids=embeddings.user_ids,
        values=fitted.values,
        confidence=fitted.confidence,
        n_clusters=int(np.max(fitted.values, initial=-1)) + 1,
        method=method,
        loss_trace=fitted.loss_trace,
        best_restart=fitted.best_restart,
        state=fitted.state,
        note=fitted.note,
        fingerprint=fingerprint(embeddings.fingerprint, "labels", VERSION, made_by),
    )


def assign(method: str, state: State, points: FloatArray) -> Assigned:
    """Segment and confidence of new users, (U,) each, without fitting anything again."""
    return _chosen(method).assign(state, points)


def _chosen(method: str) -> Clusterer:
    if method not in CLUSTERERS:
        raise OptionRefused(
            f"cluster.method is '{method}'. Allowed: {', '.join(CLUSTERERS)}."
            f"{did_you_mean(method, CLUSTERERS)}"
        )
    return CLUSTERERS[method]


def _check_enough(points: FloatArray, n_clusters: int) -> None:
    n_users = len(points)
    distinct = 1 if all_alike(points) else count_distinct(points, n_clusters)
    if distinct >= n_clusters:
        return
    segments = counted(n_clusters, "segment", "segments")
    users = counted(n_users, "user", "users")
    alike = f", of whom only {distinct} differ in their behaviour" if distinct > 1 else ""
    alike = " who all behave alike" if distinct == 1 < n_users else alike
    fewer = f"{distinct} or fewer segments" if distinct > 1 else "1 segment"
    raise TooLittleData(
        f"{segments} cannot be formed of {users}{'' if distinct == n_users else alike}. Choose "
        f"{fewer} (cluster.n_clusters), or bring more users."
    )
