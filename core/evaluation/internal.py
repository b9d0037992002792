"""The catalogue of internal metrics: what the segments look like by themselves.

Measured in the space that was clustered. None of them can be compared between two spaces, and
none can tell whether there are segments at all.
"""

from __future__ import annotations

import numpy as np

from core.artifacts import Metric
from core.evaluation._base import TOO_FEW, Clustered, Figure, InternalMetric
from core.geometry import squared_distances


def internal_metrics(clustered: Clustered | None, n_noise: int) -> tuple[Metric, ...]:
    """Every internal metric, in the order of the catalogue; None where nobody is in a segment."""
    return tuple(_measured(metric, clustered, n_noise) for metric in INTERNAL_METRICS.values())


def _measured(metric: InternalMetric, clustered: Clustered | None, n_noise: int) -> Metric:
    if clustered is None:
        return Metric(name=metric.name, value=None, note="Undefined: nobody is in a segment.")
    value, note = metric.function(clustered)
    if n_noise:
        left_out = (
            f"On the {clustered.n_users:,} users in a segment; {n_noise:,} users in none are "
            "left out."
        )
        note = f"{note} {left_out}".strip()
    return Metric(name=metric.name, value=value, note=note)


def macro_silhouette(clustered: Clustered) -> Figure:
    """Mean of the segments' mean silhouettes."""
    if clustered.silhouettes is None:
        return None, TOO_FEW
    return _with_error(*clustered.silhouettes.macro())


def micro_silhouette(clustered: Clustered) -> Figure:
    """Mean silhouette of all users."""
    if clustered.silhouettes is None:
        return None, TOO_FEW
    return _with_error(*clustered.silhouettes.micro())


def mean_intra_distance(clustered: Clustered) -> Figure:
    """Mean over users of the distance to the centre of their segment."""
    return float(clustered.sizes @ clustered.distances / clustered.n_users), ""


def calinski_harabasz(clustered: Clustered) -> Figure:
    """(B / (K - 1)) / (W / (n - K)), B and W the squares between and within segments."""
    k, n = clustered.k, clustered.n_users
    if k < 2:
        return None, TOO_FEW
    if n == k or clustered.loss <= 0.0:
        return None, "Undefined: every user stands on the centre of its segment."
    away = np.square(clustered.centres - clustered.middle).sum(axis=1)
    between = float(clustered.sizes @ away)
    return between / (k - 1) / (clustered.loss / (n - k)), ""


def davies_bouldin(clustered: Clustered) -> Figure:
    """Mean over segments of the worst (extent + extent) / (distance of the centres)."""
    if clustered.k < 2:
        return None, TOO_FEW
    apart = np.sqrt(squared_distances(clustered.centres, clustered.centres))
    np.fill_diagonal(apart, np.inf)
    if apart.min() <= 0.0:
        return None, "Undefined: two segments have the same centre."
    extents = clustered.distances[:, None] + clustered.distances
    return float((extents / apart).max(axis=1).mean()), ""


def loss_j(clustered: Clustered) -> Figure:
    """Sum of squared distances of all users to the centre of their segment."""
    return clustered.loss, ""


def _with_error(value: float, error: float) -> Figure:
    return value, f"Standard error {error:.3f}, from a sample of users." if error > 0.0 else ""


INTERNAL_METRICS: dict[str, InternalMetric] = {
    m.name: m
    for m in (
        InternalMetric(
            name="macro_silhouette",
            label="Silhouette, segments alike",
            low=-1.0,
            high=1.0,
            better="higher",
            meaning="How much nearer users are to their own segment than to the next, every "
            "segment counting alike.",
            source="Rousseeuw, 1987",
            function=macro_silhouette,
        ),
        InternalMetric(
            name="micro_silhouette",
            label="Silhouette, users alike",
            low=-1.0,
            high=1.0,
            better="higher",
            meaning="The same with every user counting alike, so large segments count most.",
            source="Rousseeuw, 1987",
            function=micro_silhouette,
        ),
        InternalMetric(
            name="mean_intra_distance",
            label="Mean distance within segments",
            low=0.0,
            high=None,
            better="lower",
            meaning="How far users are from the centre of their segment, on average; falls by "
            "itself with more segments.",
            source="mean Euclidean distance to the own centre",
            function=mean_intra_distance,
        ),
        InternalMetric(
            name="calinski_harabasz",
            label="Calinski-Harabasz",
            low=0.0,
            high=None,
            better="higher",
            meaning="How far segments lie apart for how wide they are; grows with the number of "
            "users.",
            source="Caliński and Harabasz, 1974",
            function=calinski_harabasz,
        ),
        InternalMetric(
            name="davies_bouldin",
            label="Davies-Bouldin",
            low=0.0,
            high=None,
            better="lower",
            meaning="How much every segment runs into the one it is most mixed with.",
            source="Davies and Bouldin, 1979",
            function=davies_bouldin,
        ),
        InternalMetric(
            name="loss_j",
            label="Loss J",
            low=0.0,
            high=None,
            better="lower",
            meaning="What K-means makes small: the squared distances of all users to their "
            "centre; falls by itself with more segments.",
            source="MacQueen, 1967",
            function=loss_j,
        ),
    )
}
"""Every internal metric, by name."""
