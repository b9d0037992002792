"""Smaller models side by side: what each takes, how fast it is, and what it keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from core.charts.theme import COLOURS, NOISE_COLOUR, WIDE, figure, named_positions, safe

_ROW, _ABOUT = 34, 150


@dataclass(frozen=True, kw_only=True)
class Model:
    """One model as it is drawn; the first of several is the original."""

    name: str
    kilobytes: float
    events_per_second: float
    kept: float
    """What is the same as with the original, a share in [0, 1]."""


def models(drawn: Sequence[Model], kept: str) -> go.Figure:
    """File, speed and agreement of every model, a row each; ``kept`` says what agreement is."""
    made = figure(
        "What a smaller model takes and what it keeps",
        "A row per model, the original first and grey. A short bar on the left is a small file; a "
        "long one in the middle a fast model; the nearer the bar on the right is to 100%, the less "
        "changes.",
        f"Bars of file size, speed and {kept} for {len(drawn)} models: "
        + "; ".join(f"{m.name} {m.kilobytes:.0f} kB, {m.kept:.1%}" for m in drawn)
        + ".",
        height=_ABOUT + _ROW * len(drawn),
        wrap=WIDE,
    )
    made.set_subplots(rows=1, cols=3, shared_yaxes=True, horizontal_spacing=0.04)
    panels = (
        ("File (kB)", [m.kilobytes for m in drawn], "%{x:,.0f}"),
        ("Events placed per second", [m.events_per_second for m in drawn], "%{x:,.0f}"),
        (kept, [m.kept for m in drawn], "%{x:.1%}"),
    )
    colours = [NOISE_COLOUR, *[COLOURS[0]] * (len(drawn) - 1)]
    for column, (title, values, shown) in enumerate(panels, start=1):
        bars = go.Bar(
            x=values,
            y=list(range(len(drawn))),
            orientation="h",
            marker={"color": colours, "line_width": 0},
            texttemplate=shown,
            textposition="outside",
            cliponaxis=False,
            hovertemplate=f"{shown}<extra></extra>",
        )
        made.add_trace(bars, 1, column)
        made.update_xaxes(
            title_text=title, range=[0, 1.28 * max(*values, 1e-9)], nticks=5, col=column, row=1
        )
    made.update_xaxes(tickformat=".0%", col=3, row=1, tickvals=[0, 0.5, 1])
    made.update_layout(showlegend=False, bargap=0.35)
    named_positions(made, [safe(m.name) for m in drawn])
    return made
