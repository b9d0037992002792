"""The catalogue of external metrics: agreement with what is known of the users.

For reporting only; no known label ever chooses anything. All from counts by label and segment,
so pairs of users are never listed.
"""

from __future__ import annotations

from collections.abc import Callable

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


def _metric(
    function: Callable[[Contingency], Figure], label: str, meaning: str, source: str
) -> ExternalMetric:
    return ExternalMetric(
        name=function.__name__,
        label=label,
        low=-0.5 if function is ari else None if function is ami else 0.0,
        high=1.0,
        better="higher",
        meaning=meaning,
        source=source,
        function=function,
    )


EXTERNAL_METRICS: dict[str, ExternalMetric] = {
    m.name: m
    for m in (
        _metric(
            ari,
            "Adjusted Rand index (ARI)",
            "Agreement of segments and labels over pairs of users; chance gives 0.",
            "Hubert and Arabie, 1985",
        ),
        _metric(
            ami,
            "Adjusted mutual information (AMI)",
            "How much the segment tells of the label; chance gives 0.",
            "Vinh, Epps and Bailey, 2010",
        ),
        _metric(
            nmi,
            "Normalised mutual information (NMI)",
            "The same without the correction for chance: grows by itself with more segments.",
            "Strehl and Ghosh, 2002 (arithmetic mean; equals the V-measure)",
        ),
        _metric(
            purity,
            "Purity",
            "Share of users that have the commonest label of their segment; with one segment, the "
            "share of the commonest label.",
            "Zhao and Karypis, 2004",
        ),
        _metric(
            pair_precision,
            "Pair precision",
            "Of two users in the same segment, how often they share the label.",
            "Manning, Raghavan and Schütze, 2008",
        ),
        _metric(
            pair_recall,
            "Pair recall",
            "Of two users with the same label, how often they share the segment.",
            "Manning, Raghavan and Schütze, 2008",
        ),
        _metric(
            pair_f1,
            "Pair F1",
            "Harmonic mean of pair precision and recall.",
            "Manning, Raghavan and Schütze, 2008",
        ),
        _metric(
            bcubed_precision,
            "B-cubed precision",
            "For a user, the share of its segment that has its label.",
            "Bagga and Baldwin, 1998",
        ),
        _metric(
            bcubed_recall,
            "B-cubed recall",
            "For a user, the share of its label that is in its segment.",
            "Bagga and Baldwin, 1998",
        ),
        _metric(
            bcubed_f1,
            "B-cubed F1",
            "Harmonic mean of B-cubed precision and recall.",
            "Bagga and Baldwin, 1998; Amigó et al., 2009",
        ),
        _metric(
            matched_f1,
            "Matched F1",
            "Every label paired with its own best segment, the F1 averaged over labels.",
            "Kuhn, 1955 (the matching)",
        ),
    )
}
"""Every external metric, by name."""
