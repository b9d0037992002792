"""``evaluation.json``: what programs read of an evaluation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from core.artifacts import Evaluation, ExternalEvaluation, Metric
from core.evaluation.external import EXTERNAL_METRICS
from core.evaluation.internal import INTERNAL_METRICS


def to_contract(evaluation: Evaluation) -> dict[str, Any]:
    """Plain JSON values. ``null``, ``stability`` and ``yardstick`` are None: not measured.

    ``internal`` and ``external`` map metric names to numbers (None where undefined); the
    external ones leave noise users out, ``noise_as_singletons`` has the other count.
    """
    return {
        "k": evaluation.k,
        "k_recommended": evaluation.k_recommended,
        "n_users": evaluation.n_users,
        "verdict": evaluation.verdict,
        "verdict_code": evaluation.verdict_code,
        "internal": _numbers(evaluation.internal),
        "internal_notes": _notes(evaluation.internal),
        "external": None if evaluation.external is None else _external(evaluation.external),
        "gates": [
            {
                "name": gate.name,
                "passed": gate.passed,
                "value": _number(gate.value),
                "threshold": _number(gate.threshold),
                "text": gate.text,
            }
            for gate in evaluation.gates
        ],
        "per_segment_silhouette": [_number(v) for v in evaluation.per_segment_silhouette],
        "metrics": _legend(),
        "null": None,
        "stability": None,
        "yardstick": None,
    }


def _external(external: ExternalEvaluation) -> dict[str, Any]:
    return _numbers(external.without_noise) | {
        "label": external.label_name,
        "n_labelled": external.n_labelled,
        "n_conflicting": external.n_conflicting,
        "n_unmatched": external.n_unmatched,
        "coverage": external.coverage,
        "reading": external.reading,
        "notes": _notes(external.without_noise),
        "noise_as_singletons": _numbers(external.noise_as_singletons),
        "baseline": _numbers(external.baseline),
        "confusion": {
            "labels": list(external.confusion.labels),
            "segments": list(external.confusion.segments),
            "counts": [list(row) for row in external.confusion.counts],
        },
    }


def _legend() -> dict[str, dict[str, str]]:
    """How to read every figure."""
    catalogue = [*INTERNAL_METRICS.values(), *EXTERNAL_METRICS.values()]
    return {
        metric.name: {
            "label": metric.label,
            "range": metric.range,
            "better": metric.better,
            "meaning": metric.meaning,
            "source": metric.source,
        }
        for metric in catalogue
    }


def _numbers(metrics: Sequence[Metric]) -> dict[str, float | None]:
    return {m.name: None if m.value is None else _number(m.value) for m in metrics}


def _notes(metrics: Sequence[Metric]) -> dict[str, str]:
    return {m.name: m.note for m in metrics if m.note}


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
