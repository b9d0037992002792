"""How far a segmentation can be trusted, drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from core.artifacts import NOISE, ConfusionTable, Evaluation
from core.charts.cells import add_cells
from core.charts.small_cells import published, published_text
from core.charts.theme import (
    NOISE_COLOUR,
    SEQUENTIAL,
    WIDE,
    figure,
    named_positions,
    safe,
    segment_color,
)

Names = Mapping[int, str]
_GAP = 12
"""Empty places between the segments of a silhouette plot."""


def silhouette_plot(
    evaluation: Evaluation, names: Names | None = None, hidden: frozenset[int] = frozenset()
) -> go.Figure:
    """Users' silhouettes, segment by segment, falling; ``hidden`` segments are left out."""
    means = evaluation.per_segment_silhouette
    shown = [s for s in range(len(means)) if s not in hidden and evaluation.silhouette_sample[s]]
    overall = np.mean([means[s] for s in shown if math.isfinite(means[s])] or [math.nan])
    made = figure(
        "How well users fit into their segment",
        "Wide to the right: at home in the segment. Left of zero: nearer to another one. Up to "
        "200 users per segment; the dashed line is the mean over segments.",
        f"Silhouette plot of {len(shown)} segments; the mean over segments is {overall:.2f}.",
        height=max(320, min(900, 150 + 62 * len(shown))),
        wrap=WIDE,
    )
    start, middles = 0, []
    for segment in shown:
        values = evaluation.silhouette_sample[segment]
        name = safe(_name(segment, names), 32)
        made.add_trace(_silhouettes(segment, values, start, name))
        middles.append((start + len(values) / 2, f"{name}  {means[segment]:.2f}"))
        start += len(values) + _GAP
    if math.isfinite(overall):
        made.add_vline(x=float(overall), line={"dash": "dash", "width": 1.5, "color": NOISE_COLOUR})
    made.update_layout(bargap=0, showlegend=False)
    made.update_xaxes(title_text="Silhouette (-1 to 1)")
    made.update_yaxes(
        tickvals=[place for place, _ in middles],
        ticktext=[text for _, text in middles],
        range=[start - _GAP + 1, -1],
        showgrid=False,
        zeroline=False,
    )
    return made


def _silhouettes(segment: int, values: tuple[float, ...], start: int, name: str) -> go.Bar:
    return go.Bar(
        x=values,
        y=list(range(start, start + len(values))),
        orientation="h",
        width=1,
        name=name,
        marker={"color": segment_color(segment), "line_width": 0},
        hovertemplate="silhouette %{x:.2f}",
    )


def confusion_table(
    confusion: ConfusionTable, names: Names | None = None, min_cell: int = 0
) -> go.Figure:
    """Users by known label and segment; the shade is the share of the label's users."""
    flat = published([c for row in confusion.counts for c in row], min_cell)
    width = len(confusion.segments)
    rows = [flat[i : i + width] for i in range(0, len(flat), width)]
    totals = [max(sum(c or 0 for c in row), 1) for row in rows]
    shares = [[(c or 0) / total for c in row] for row, total in zip(rows, totals, strict=True)]
    labels = [safe(label, 30) for label in confusion.labels]
    columns = [safe(_name(s, names), 28) for s in confusion.segments]
    rounded = f" Counts below {min_cell} are hidden and the others rounded." if None in flat else ""
    made = figure(
        "Which known users are in which segment",
        "A row per known label, darker where more of its users are. A good match has one dark "
        f"cell per row and per column.{rounded}",
        f"Table of {len(labels)} known labels by {width} segments, in numbers of users.",
        height=max(300, 190 + 34 * len(labels)),
        wrap=WIDE,
    )
    text = [[published_text(c, min_cell) for c in row] for row in rows]
    add_cells(made, shares, text, "%{customdata} users, %{z:.0%} of the label")
    made.data[0].update(zmin=0, zmax=1, colorscale=SEQUENTIAL)
    named_positions(made, labels)
    named_positions(made, columns, axis="x")
    made.update_xaxes(title_text="Segment", side="bottom")
    return made


def _name(segment: int, names: Names | None) -> str:
    if names and segment in names:
        return names[segment]
    return "No segment" if segment == NOISE else f"Segment {segment}"
