"""What stands in the report, ready to be printed: texts, bars and charts; no small counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.artifacts import Evaluation, Gate, Metric, Segment, Segments
from core.charts import evaluation as trust_charts
from core.charts import k_choice, projection, training
from core.charts import loss_trace as loss_charts
from core.charts import segments as segment_charts
from core.charts.small_cells import count_text, published
from core.charts.theme import segment_color
from core.evaluation import EXTERNAL_METRICS, INTERNAL_METRICS
from core.report import ReportOptions
from core.report.chapters import chapter
from core.report.view import Chart, Draw, Published, ReportView, whole_percent
from core.segments import CAVEAT
from core.wording import figure, percent

_MOST_POINTS = 5_000
"""Users on the report's map: drawn as shapes, so that they print well, which has its price."""


def contents(view: ReportView, draw: Draw) -> dict[str, Any]:
    """Everything the template names."""
    told = _published(view)
    names = {segment.id: segment.name for segment in view.segments.segments}
    return {
        "title": view.title,
        "created": view.created.replace("T", " ").split("+")[0],
        "verdict": _verdict(view.evaluation, told),
        "numbers": _numbers(view),
        "segment_rows": [_segment_row(segment, told) for segment in view.segments.segments],
        "min_cell": told.min_cell,
        "rounded": bool(told.hidden),
        "sizes": draw("sizes", segment_charts.sizes(view.segments, told.min_cell)),
        "profile": draw("profile", segment_charts.profile_heat_map(_open(view.segments, told))),
        "map": draw("map", _map(view, told)),
        "map_note": view.projection.note,
        "chapters": [chapter(view, s, told, draw) for s in view.segments.segments],
        "caveat": CAVEAT,
        "recommendation_note": view.recommendations.note,
        **_trust(view, told, names, draw),
        **_making(view, told, draw),
    }


def _published(view: ReportView) -> Published:
    options = ReportOptions.from_dict(view.journey_options.get("report", {}), where="report")
    found = view.segments.segments
    sizes = published([segment.size for segment in found], options.min_cell)
    return Published(
        min_cell=options.min_cell,
        sizes={segment.id: size for segment, size in zip(found, sizes, strict=True)},
    )


def _open(segments: Segments, told: Published) -> Segments:
    """The segments of which something may be told."""
    kept = tuple(s for s in segments.segments if s.id not in told.hidden)
    return Segments(segments=kept, actions=segments.actions, fingerprint=segments.fingerprint)


def _numbers(view: ReportView) -> list[tuple[str, str]]:
    evaluation, cleaning = view.evaluation, view.cleaning
    return [
        ("Users", f"{evaluation.n_users:,}"),
        ("Segments", str(evaluation.k)),
        ("Suggested number", str(evaluation.k_recommended)),
        ("Events", f"{cleaning.events_after:,}"),
    ]


def _segment_row(segment: Segment, told: Published) -> dict[str, Any]:
    row = {
        "id": segment.id,
        "name": segment.name,
        "colour": segment_color(segment.id),
        "size": told.size(segment.id),
    }
    if segment.id in told.hidden:
        return row | {"share": "", "event_share": "", "value_share": "", "apart": ""}
    value = segment.value_share
    return row | {
        "share": whole_percent(segment.share),
        "event_share": whole_percent(segment.event_share),
        "value_share": "" if value is None else whole_percent(value),
        "apart": segment.facts[0].text if segment.facts else "Much like everyone.",
    }


def _map(view: ReportView, told: Published) -> go.Figure:
    """The map without ids or stories, users in no order; small segments are left out."""
    values = np.asarray(view.labels.values)
    open_to_all = np.flatnonzero(~np.isin(values, list(told.hidden)))
    shown = np.random.default_rng(0).permutation(open_to_all)[:_MOST_POINTS]
    names = {segment.id: segment.name for segment in view.segments.segments}
    words = [names.get(segment, f"Segment {segment}") for segment in range(view.labels.n_clusters)]
    table = pd.DataFrame({"segment": pd.Categorical.from_codes(values, pd.Index(words))})
    drawn = projection.user_map(view.projection, table, "segment", shown, webgl=False)
    drawn.update_traces(customdata=None)
    drawn.update_layout(dragmode="pan", modebar={"remove": ["lasso2d", "select2d"]})
    return drawn


def _trust(
    view: ReportView, told: Published, names: Mapping[int, str], draw: Draw
) -> dict[str, Any]:
    evaluation, external = view.evaluation, view.evaluation.external
    silhouettes = trust_charts.silhouette_plot(evaluation, names, told.hidden)
    found: dict[str, Any] = {
        "gates": [_gate(gate, told) for gate in evaluation.gates],
        "internal": [_internal(metric) for metric in evaluation.internal],
        "silhouettes": draw("silhouettes", silhouettes) if evaluation.k > 1 else None,
        "external": None,
    }
    if external is not None:
        table = trust_charts.confusion_table(external.confusion, names, told.min_cell)
        found["external"] = {
            "label": external.label_name,
            "labelled": count_text(external.n_labelled, told.min_cell),
            "conflicting": count_text(external.n_conflicting, told.min_cell),
            "unmatched": count_text(external.n_unmatched, told.min_cell),
            "coverage": percent(external.coverage),
            "reading": external.reading,
            "rows": _external_rows(evaluation),
            "confusion": draw("confusion", table),
        }
    return found


def _gate(gate: Gate, told: Published) -> dict[str, Any]:
    name = gate.name.replace("_", " ").capitalize()
    return {"name": name, "passed": gate.passed, "text": _gate_text(gate, told)}


def _gate_text(gate: Gate, told: Published) -> str:
    if gate.name == "segment_size" and 0 < gate.value < told.min_cell:
        return (
            f"The smallest segment has fewer than {told.min_cell} users; "
            f"{gate.threshold:,.0f} are needed."
        )
    return gate.text


def _verdict(evaluation: Evaluation, told: Published) -> str:
    """The verdict; where it quotes a gate that counts few people, with what may be told of it."""
    text = evaluation.verdict
    for gate in evaluation.gates:
        text = text.replace(gate.text, _gate_text(gate, told))
    return text


def _internal(metric: Metric) -> dict[str, str]:
    entry = INTERNAL_METRICS[metric.name]
    return {
        "label": entry.label,
        "value": _value(metric),
        "better": entry.better,
        "meaning": entry.meaning,
        "note": metric.note,
    }


def _external_rows(evaluation: Evaluation) -> list[dict[str, Any]]:
    external = evaluation.external
    assert external is not None
    parts = (external.without_noise, external.noise_as_singletons, external.baseline)
    by_name = [{metric.name: metric for metric in part} for part in parts]
    return [
        {
            "label": entry.label,
            "values": [_value(part[name]) for part in by_name],
            "better": entry.better,
            "meaning": entry.meaning,
        }
        for name, entry in EXTERNAL_METRICS.items()
        if all(name in part for part in by_name)
    ]


def _value(metric: Metric) -> str:
    if metric.value is None:
        return "undefined"
    return f"{metric.value:.3f}" if abs(metric.value) < 10 else figure(metric.value)


def _making(view: ReportView, told: Published, draw: Draw) -> dict[str, Any]:
    charts: list[Chart] = []
    if view.embeddings.history:
        charts.append(draw("losses", training.loss_curves(view.embeddings.history)))
    if view.k_curve is not None:
        chosen = view.labels.n_clusters
        charts.append(draw("elbow", k_choice.elbow(view.k_curve, chosen)))
        charts.append(draw("silhouette-by-k", k_choice.silhouette_by_k(view.k_curve, chosen)))
    if view.labels.loss_trace:
        charts.append(draw("loss-trace", loss_charts.loss_trace(view.labels)))
    return {
        "cleaning": _cleaning_rows(view, told),
        "events": (f"{view.cleaning.events_before:,}", f"{view.cleaning.events_after:,}"),
        "users": (f"{view.cleaning.users_before:,}", f"{view.cleaning.users_after:,}"),
        "method_notes": [
            f"Users became points by '{view.embeddings.method}', {view.embeddings.values.shape[1]} "
            f"numbers each, computed on {view.embeddings.device}.",
            f"Segments were formed by '{view.labels.method}'. {view.labels.note}".strip(),
            *([view.k_curve.reason] if view.k_curve else []),
        ],
        "making_charts": charts,
        "options": _option_rows(view.journey_options),
        "versions": dict(view.versions),
    }


def _cleaning_rows(view: ReportView, told: Published) -> list[dict[str, str]]:
    return [
        {
            "reason": step.reason,
            "effect": step.effect,
            "rows": count_text(step.rows, told.min_cell),
            "users": count_text(step.users, told.min_cell),
        }
        for step in view.cleaning.steps
        if step.rows
    ]


def _option_rows(options: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for stage, values in options.items():
        parts = values.items() if isinstance(values, Mapping) else [("", values)]
        rows += [(f"{stage}.{name}".rstrip("."), _shown(value)) for name, value in parts]
    return rows


def _shown(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)
