"""How K-means came to rest."""

from __future__ import annotations

import plotly.graph_objects as go

from core.artifacts import Labels
from core.charts.theme import COLOURS, NOISE_COLOUR, WIDE, figure


def loss_trace(labels: Labels) -> go.Figure:
    """Loss J after every iteration, one line per random start; the kept one stands out."""
    kept = labels.loss_trace[labels.best_restart] if labels.loss_trace else ()
    others = len(labels.loss_trace) - 1
    made = figure(
        "Loss J falls until nothing moves",
        "J is the sum of squared distances to the segments' centres. "
        f"The blue line is the start that was kept, the grey ones the {others} others. Lines that "
        "end at different heights mean that the start matters.",
        f"Line chart of loss J over iterations for {len(labels.loss_trace)} random starts. "
        + (f"The kept one falls from {kept[0]:,.4g} to {kept[-1]:,.4g}." if kept else ""),
        height=340,
        wrap=WIDE,
    )
    order = sorted(range(len(labels.loss_trace)), key=lambda start: start == labels.best_restart)
    for start in order:
        losses = labels.loss_trace[start]
        best = start == labels.best_restart
        made.add_trace(
            go.Scatter(
                x=list(range(1, len(losses) + 1)),
                y=losses,
                name=f"Start {start + 1}{' (kept)' if best else ''}",
                mode="lines+markers",
                line={"color": COLOURS[0] if best else NOISE_COLOUR, "width": 3 if best else 1.2},
                marker={"size": 7 if best else 3},
                opacity=1.0 if best else 0.55,
                hovertemplate="iteration %{x}: J = %{y:,.5g}",
            )
        )
    made.update_layout(showlegend=False)
    made.update_xaxes(title_text="Iteration")
    made.update_yaxes(title_text="Loss J")
    if kept and max(map(len, labels.loss_trace)) < 16:
        made.update_xaxes(dtick=1)
    return made
