"""The catalogue of external metrics: agreement with what is known of the users.

For reporting only; no known label ever chooses anything. All from counts by label and segment,
so pairs of users are never listed.
"""

from __future__ import annotations

import numpy as np

from core.artifacts import LongArray, Metric
from core.evaluation._base import ExternalMetric, Figure
from core.evaluation.contingency import (
    Contingency,
    entropy,
    expected_mutual_information,
    mutual_information,
)

_ONE_LABEL = "Undefined: all these users have the same label."


def external_metrics(table: Contingency) -> tuple[Metric, ...]:
    """Every external metric, in the order of the catalogue; None where there is nobody to count."""
    if table.n_users == 0:
        nobody = "Undefined: no labelled user is counted here."
        return tuple(Metric(name=name, value=None, note=nobody) for name in EXTERNAL_METRICS)
    figures = {name: metric.function(table) for name, metric in EXTERNAL_METRICS.items()}
    return tuple(Metric(name=name, value=v, note=note) for name, (v, note) in figures.items())


def pair_precision(table: Contingency) -> Figure:
    """Of the pairs in the same segment, the share with the same label."""
    same_segment = _pairs(table.by_segment)
    if same_segment == 0:
        return None, "Undefined: no two of these users are in the same segment."
    return _pairs(table.counts) / same_segment, ""


def pair_recall(table: Contingency) -> Figure:
    """Of the pairs with the same label, the share in the same segment."""
    same_label = _pairs(table.by_label)
    if same_label == 0:
        return None, "Undefined: no two of these users have the same label."
    return _pairs(table.counts) / same_label, ""


def pair_f1(table: Contingency) -> Figure:
    """Harmonic mean of pair precision and recall."""
    together = _pairs(table.by_segment) + _pairs(table.by_label)
    if together == 0:
        return None, "Undefined: no two of these users share a segment or a label."
    return 2.0 * _pairs(table.counts) / together, ""


def bcubed_precision(table: Contingency) -> Figure:
    """Mean over users of the share of their segment that has their label."""
    shares = table.counts / table.by_segment[table.segment]
    return float(table.counts @ shares) / table.n_users, ""


def bcubed_recall(table: Contingency) -> Figure:
    """Mean over users of the share of their label that is in their segment."""
    shares = table.counts / table.by_label[table.label]
    return float(table.counts @ shares) / table.n_users, ""


def bcubed_f1(table: Contingency) -> Figure:
    """Harmonic mean of B-cubed precision and recall."""
    precision, recall = bcubed_precision(table)[0], bcubed_recall(table)[0]
    assert precision is not None and recall is not None
    return 2.0 * precision * recall / (precision + recall), ""


def matched_f1(table: Contingency) -> Figure:
    """Mean F1 of the labels, each matched to at most one segment so that the sum is largest.

    A label without a segment counts 0. Segments of one user are left unmatched: they could only
    serve a label of one or two users, and there may be as many as users.
    """
    from scipy.optimize import linear_sum_assignment

    rank = np.cumsum(table.by_segment > 1) - 1
    kept = table.by_segment[table.segment] > 1
    scores = np.zeros((len(table.by_label), int((table.by_segment > 1).sum())))
    both = table.by_label[table.label] + table.by_segment[table.segment]
    scores[table.label[kept], rank[table.segment[kept]]] = (2.0 * table.counts / both)[kept]
    matched = linear_sum_assignment(scores, maximize=True)
    return float(scores[matched].sum() / len(table.by_label)), ""


def ari(table: Contingency) -> Figure:
    """(pairs together in both - expected) / (mean of the two - expected)."""
    if len(table.by_label) < 2:
        return None, _ONE_LABEL
    label, segment = _pairs(table.by_label), _pairs(table.by_segment)
    n_pairs = table.n_users * (table.n_users - 1) / 2
    expected = label * segment / n_pairs
    if (label + segment) / 2 == expected:  # everyone alone in both
        return 1.0, ""
    return (_pairs(table.counts) - expected) / ((label + segment) / 2 - expected), ""


def ami(table: Contingency) -> Figure:
    """(MI - expected MI) / (mean of the entropies - expected MI)."""
    if len(table.by_label) < 2:
        return None, _ONE_LABEL
    if len(table.by_segment) < 2:
        return 0.0, ""
    expected = expected_mutual_information(table)
    most = (entropy(table.by_label) + entropy(table.by_segment)) / 2 - expected
    if abs(most) < 1e-12:
        return None, "Undefined: partitions of these sizes agree by chance as well as they can."
    return (mutual_information(table) - expected) / most, ""


def nmi(table: Contingency) -> Figure:
    """MI / mean of the entropies."""
    if len(table.by_label) < 2:
        return None, _ONE_LABEL
    mean = (entropy(table.by_label) + entropy(table.by_segment)) / 2
    return min(mutual_information(table) / mean, 1.0), ""


def purity(table: Contingency) -> Figure:
    """Share of users that have the commonest label of their segment."""
    commonest = np.zeros(len(table.by_segment), dtype=np.int64)
    np.maximum.at(commonest, table.segment, table.counts)
    return float(commonest.sum() / table.n_users), ""


def _pairs(sizes: LongArray) -> float:
    """Pairs of users within the same part; exact in double precision up to 90 million users."""
    return float((sizes * (sizes - 1) // 2).sum())


def _metric(name: str, label: str, meaning: str, source: str, low: float = 0.0) -> ExternalMetric:
    return ExternalMetric(
        name=name,
        label=label,
        low=low,
        high=1.0,
        better="higher",
        meaning=meaning,
        source=source,
        function=globals()[name],
    )
