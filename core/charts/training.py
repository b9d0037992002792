"""How the encoder learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from core.artifacts import EpochReport
from core.charts.theme import COLOURS, NOISE_COLOUR, WIDE, figure

_OBJECTIVES = {
    "total": "All objectives",
    "next_event": "Next event",
    "contrastive": "Telling users apart",
}
"""Names of objectives on screen; another one shows its own name."""


def loss_curves(history: Sequence[EpochReport]) -> go.Figure:
    """Loss per objective over the epochs: solid for users it learns from, dotted for the others."""
    names = sorted({n for epoch in history for n in epoch.losses}, key=_order)
    made = figure(
        "What is still unexplained after each pass",
        "Lower is better. Solid: users it learns from. Dotted: users it does not; where the dotted "
        "line rises while the solid one falls, it learns by heart.",
        _spoken(history),
        height=420,
        wrap=WIDE,
    )
    for place, name in enumerate(names):
        for held_out in (False, True):
            _add_line(made, history, (place, name), held_out=held_out)
    made.update_xaxes(title_text="Epoch (passes over all users)", rangemode="tozero")
    made.update_yaxes(title_text="Loss (nats)")
    if len(history) < 12:
        made.update_xaxes(dtick=1)
    return made


def _add_line(
    made: go.Figure, history: Sequence[EpochReport], named: tuple[int, str], *, held_out: bool
) -> None:
    place, name = named
    points = [
        (epoch.epoch, losses[name])
        for epoch in history
        if name in (losses := _losses(epoch, held_out=held_out))
    ]
    if not points:
        return
    epochs, values = zip(*points, strict=True)
    whose = ", held-out users" if held_out else ""
    made.add_trace(
        go.Scatter(
            x=epochs,
            y=values,
            name=f"{_words(name)}{whose}",
            legendgroup=name,  # a click on a name hides both lines
            showlegend=not held_out,
            mode="lines+markers" if len(points) < 30 else "lines",
            line={
                "color": NOISE_COLOUR if name == "total" else COLOURS[(place - 1) % len(COLOURS)],
                "dash": "dot" if held_out else "solid",
                "width": 2.5,
            },
            marker={"size": 5},
            hovertemplate="epoch %{x}: %{y:.3f}",
        )
    )


def _losses(epoch: EpochReport, *, held_out: bool) -> Mapping[str, float]:
    return epoch.validation_losses if held_out else epoch.losses


def _words(name: str) -> str:
    return _OBJECTIVES.get(name, name.replace("_", " ").capitalize())


def _order(name: str) -> tuple[int, str]:
    known = list(_OBJECTIVES)
    return (known.index(name) if name in known else len(known), name)


def _spoken(history: Sequence[EpochReport]) -> str:
    totals = [e.validation_losses.get("total", e.losses.get("total")) for e in history]
    seen = [value for value in totals if value is not None]
    if not seen:
        return "Line chart of training losses; nothing has been recorded yet."
    return (
        f"Line chart of training losses over {len(history)} epochs: the total goes from "
        f"{seen[0]:.3f} to {seen[-1]:.3f}, its lowest is {min(seen):.3f}."
    )
