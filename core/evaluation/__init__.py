"""How far segments can be trusted: metrics, gates, agreement with known labels, a verdict."""

from __future__ import annotations

import numpy as np

from core.artifacts import (
    Embeddings,
    Evaluation,
    KnownLabels,
    Labels,
    Sequences,
    TextArray,
    fingerprint,
)
from core.evaluation._base import Clustered, gathered
from core.evaluation.agreement import agreement
from core.evaluation.contract import to_contract
from core.evaluation.external import EXTERNAL_METRICS
from core.evaluation.gates import gates
from core.evaluation.internal import INTERNAL_METRICS, internal_metrics
from core.evaluation.options import EvaluateOptions
from core.evaluation.verdict import Findings, verdict
from core.geometry import all_alike

__all__ = [
    "EXTERNAL_METRICS",
    "INTERNAL_METRICS",
    "VERSION",
    "EvaluateOptions",
    "evaluate",
    "to_contract",
]

VERSION = 2


def evaluate(  # noqa: PLR0913
    embeddings: Embeddings,
    labels: Labels,
    sequences: Sequences,
    known: KnownLabels | None,
    options: EvaluateOptions,
    seed: int,
    *,
    k_suggested: int,
) -> Evaluation:
    """What can be said of a segmentation, measured in the space that was clustered.

    ``k_suggested`` is the number of segments suggested. Known
    labels are reported beside the segments and choose nothing. Only the draw of users for the
    silhouettes and the chance level of the labels are random.
    """
    _check_aligned(labels.user_ids, embeddings.user_ids, sequences.user_ids)
    values = np.asarray(labels.values)
    clustered = _clustered(embeddings, labels, options, seed)
    internal = internal_metrics(clustered, int((values < 0).sum()))
    passed = gates(embeddings, labels, np.asarray(sequences.length), options)
    found = Findings(
        n_users=len(values),
        k=labels.n_clusters,
        k_suggested=k_suggested,
        internal=internal,
        gates=passed,
        all_alike=all_alike(embeddings.values),
        note=labels.note,
    )
    judged = verdict(found, options)
    made_by = {**options.to_dict(), "seed": seed, "known": known.name if known else None}
    means, sample = _silhouette_plot(clustered)
    return Evaluation(
        n_users=len(values),
        k=labels.n_clusters,
        k_recommended=judged.k_recommended,
        internal=internal,
        per_segment_silhouette=means,
        silhouette_sample=sample,
        external=agreement(labels, known, seed) if known else None,
        gates=passed,
        verdict=judged.text,
        verdict_code=judged.code,
        fingerprint=fingerprint(labels.fingerprint, "evaluation", VERSION, made_by),
    )


def _clustered(
    embeddings: Embeddings, labels: Labels, options: EvaluateOptions, seed: int
) -> Clustered | None:
    """What the internal metrics need; None where nobody is in a segment."""
    inside = np.flatnonzero(np.asarray(labels.values) >= 0)
    if not len(inside):
        return None
    everyone = len(inside) == len(labels.values)
    points = embeddings.values if everyone else embeddings.values[inside]
    return gathered(points, labels.values[inside], options.silhouette_users, seed)


def _silhouette_plot(
    clustered: Clustered | None,
) -> tuple[tuple[float, ...], tuple[tuple[float, ...], ...]]:
    """Mean per segment, NaN where it has one user or no segment beside it; and the users drawn."""
    if clustered is None:
        return (), ()
    if clustered.silhouettes is None:
        return (float("nan"),), ((),)
    drawn = clustered.silhouettes
    means = np.where(drawn.sizes > 1, drawn.means, np.nan)
    return tuple(means.tolist()), tuple(tuple(values.tolist()) for values in drawn.per_segment)


def _check_aligned(ours: TextArray, *others: TextArray) -> None:
    if not all(np.array_equal(ours, other) for other in others):
        raise ValueError("labels, embeddings and sequences are not of the same users in order")
