"""What a segment's users do next, as a graph."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from core.artifacts import DoubleArray, LongArray, Segment
from core.charts.theme import (
    figure,
    safe,
    segment_color,
)

_MOST_ACTIONS = 12
"""More on one circle cannot be read."""
_SMALLEST_SHARE = 0.12
_MOST_ARROWS = 2
"""Per action: an arrow for its most frequent next ones, if at least 12% each."""
_LABELLED_SHARE = 0.25
"""Thinner arrows tell their share on hovering only."""
_NODE = 0.09


@dataclass(frozen=True)
class _Arrow:
    """A move from one action to another."""

    start: int
    end: int
    share: float


def transition_graph(segment: Segment, actions: tuple[str, ...]) -> go.Figure:
    """Actions on a circle; an arrow shows what follows what, thicker where it does more often."""
    shares, shown = _shares(segment), actions[:_MOST_ACTIONS]
    arrows = _arrows(shares[: len(shown), : len(shown)])
    left_out = len(actions) - len(shown)
    made = figure(
        "What they do next",
        "An arrow leads from an action to what follows it; thicker: more often. Only the "
        f"{_MOST_ARROWS} most frequent next actions, from {_SMALLEST_SHARE:.0%}. ↻: the same again."
        + (f" The {left_out} last actions are left out." if left_out else ""),
        _spoken(arrows, shown),
        height=480,
    )
    spots = _circle(len(shown))
    colour = segment_color(segment.id)
    for arrow in arrows:
        _draw_arrow(made, spots, arrow, colour)
    if arrows:
        made.add_trace(_share_labels(spots, arrows, shown))
    made.add_trace(_nodes(spots, shown, np.diag(shares), colour))
    hidden = {"visible": False, "fixedrange": True}
    made.update_xaxes(**hidden, range=[-1.75, 1.75])
    made.update_yaxes(**hidden, range=[-1.45, 1.45], scaleanchor="x")
    made.update_layout(showlegend=False, dragmode=False)
    return made


def _shares(segment: Segment) -> DoubleArray:
    shares = np.asarray(segment.transitions, dtype=np.float64)
    return shares.reshape(len(segment.transitions), len(segment.transitions))


def _arrows(shares: DoubleArray) -> list[_Arrow]:
    """The most frequent next actions of each action, thin arrows first."""
    found = [
        _Arrow(start, int(end), float(row[end]))
        for start, row in enumerate(shares)
        for end in _most_frequent_others(row, start)
        if row[end] >= _SMALLEST_SHARE
    ]
    return sorted(found, key=lambda arrow: arrow.share)


def _most_frequent_others(row: DoubleArray, start: int) -> LongArray:
    order: LongArray = np.argsort(-row, kind="stable")
    others: LongArray = order[order != start]
    return others[:_MOST_ARROWS]


def _circle(n_spots: int) -> DoubleArray:
    """Places on a circle, clockwise from the top, shape (n, 2)."""
    if n_spots == 1:
        return np.zeros((1, 2))
    angles = math.pi / 2 - 2 * math.pi * np.arange(n_spots) / n_spots
    return np.column_stack([np.cos(angles), np.sin(angles)])


def _path(spots: DoubleArray, arrow: _Arrow) -> DoubleArray:
    """Points along an arrow, a bent line from rim to rim."""
    t = np.linspace(0, 1, 49)[:, None]
    start, end = spots[arrow.start], spots[arrow.end]
    across = end - start
    # Both bend to their right, so that there and back lie apart.
    bend = (start + end) / 2 + 0.16 * np.array([across[1], -across[0]])
    curve: DoubleArray = (1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t**2 * end
    length = float(np.hypot(*across))
    cut = max(1, round(48 * _NODE / length))
    return curve[cut:-cut]


def _draw_arrow(made: go.Figure, spots: DoubleArray, arrow: _Arrow, colour: str) -> None:
    path = _path(spots, arrow)
    made.add_trace(
        go.Scatter(
            x=path[:, 0],
            y=path[:, 1],
            mode="lines+markers",
            line={"color": colour, "width": 1 + 9 * arrow.share},
            marker={
                "symbol": "arrow",
                "angleref": "previous",
                "size": [0] * (len(path) - 1) + [14 + 14 * arrow.share],
                "color": colour,
                "line_width": 0,
            },
            opacity=0.35 + 0.6 * min(arrow.share / 0.6, 1.0),
            hoverinfo="skip",
        )
    )


def _share_labels(spots: DoubleArray, arrows: list[_Arrow], actions: tuple[str, ...]) -> go.Scatter:
    """The share of each arrow, written near its start; from what to what on hovering."""
    places = [path[int(0.32 * len(path))] for path in (_path(spots, arrow) for arrow in arrows)]
    return go.Scatter(
        x=[place[0] for place in places],
        y=[place[1] for place in places],
        text=[f"<b>{a.share:.0%}</b>" if a.share >= _LABELLED_SHARE else "" for a in arrows],
        customdata=[[safe(actions[a.start]), safe(actions[a.end]), a.share] for a in arrows],
        mode="text",
        textfont={"size": 12, "shadow": "auto"},  # to be read on its arrow too
        hovertemplate="after %{customdata[0]}: %{customdata[1]}, "
        "%{customdata[2]:.0%}<extra></extra>",
    )


def _nodes(
    spots: DoubleArray, actions: tuple[str, ...], again: DoubleArray, colour: str
) -> go.Scatter:
    names = [
        f"<b>{safe(action, 18)}</b>" + (f"<br>↻ {share:.0%}" if share >= _SMALLEST_SHARE else "")
        for action, share in zip(actions, again, strict=False)
    ]
    return go.Scatter(
        x=spots[:, 0],
        y=spots[:, 1],
        mode="markers+text",
        text=names,
        textposition=[_beside(x, y) for x, y in spots],
        marker={
            "size": 22,
            "color": colour,
            "line": {"width": 2, "color": "rgba(255,255,255,0.9)"},
        },
        cliponaxis=False,
        hoverinfo="skip",
    )


def _beside(x: float, y: float) -> str:
    """Where a name stands: on the outer side of its node."""
    if abs(x) < 0.25:
        return "top center" if y >= 0 else "bottom center"
    return "middle right" if x > 0 else "middle left"


def _spoken(arrows: list[_Arrow], actions: tuple[str, ...]) -> str:
    if not arrows:
        return "Graph of actions; no action follows another often enough to be drawn."
    most = "; ".join(
        f"after {safe(actions[a.start])} comes {safe(actions[a.end])} ({a.share:.0%})"
        for a in arrows[:-4:-1]
    )
    return f"Graph of {len(actions)} actions. Most frequent: {most}."
