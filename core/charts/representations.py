"""Representations side by side, each as a small map of the same users."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from core.artifacts import Rung
from core.charts.theme import WIDE, figure, safe, segment_color, segment_symbol

_ACROSS = 4
"""Most maps in a row."""
_MAP_HEIGHT, _NAME_HEIGHT = 220, 26
_GROUND = "rgba(128,140,155,0.06)"
"""Parts the maps from the page, light or dark."""


def small_maps(tried: Sequence[Rung], labels: Mapping[str, str], taken: str) -> go.Figure:
    """A map for every representation that was tried; its own segments are its colours.

    ``labels`` has the names on screen by method. All maps show the same users in the same order,
    so a segment takes the colour of the segment of ``taken`` with which it shares most users.
    """
    rungs = [rung for rung in tried if rung.points]
    made = figure(
        "The same users, seen in different ways",
        "Near each other: alike in that representation, on its two strongest directions. Colours: "
        f"its own segments, alike where they hold the same users as in {safe(labels[taken])}.",
        f"Small maps of the same users in {len(rungs)} representations: "
        f"{', '.join(safe(labels[rung.method]) for rung in rungs)}.",
        wrap=WIDE,
    )
    rows = math.ceil(len(rungs) / _ACROSS)
    across = math.ceil(len(rungs) / rows)
    titles = [_title(labels[rung.method], taken=rung.method == taken) for rung in rungs]
    made.set_subplots(
        rows=rows,
        cols=across,
        subplot_titles=titles,
        horizontal_spacing=0.015,
        vertical_spacing=(_NAME_HEIGHT + 8) / (rows * (_MAP_HEIGHT + _NAME_HEIGHT)),
    )
    wanted = _segments(next(rung for rung in rungs if rung.method == taken))
    for place, rung in enumerate(rungs):
        colours = _matched(_segments(rung), wanted)
        made.add_trace(_map(rung, labels, colours), place // across + 1, place % across + 1)
    _quiet(made, rows)
    return made


def _title(label: str, *, taken: bool) -> str:
    return f"<b>{safe(label)}</b> (taken)" if taken else safe(label)


def _segments(rung: Rung) -> list[int]:
    return [segment for _, _, segment in rung.points]


def _matched(own: list[int], wanted: list[int]) -> dict[int, int]:
    """Another number for every segment: of the wanted one with which it shares most users.

    Greedy, the largest overlap first; segments that are left over get numbers that are left over.
    """
    numbers: dict[int, int] = {}
    shared = Counter(zip(own, wanted, strict=True)).most_common() if len(own) == len(wanted) else []
    for (segment, number), _ in shared:
        if segment not in numbers and number not in numbers.values():
            numbers[segment] = number
    left = (n for n in range(len(own) + len(wanted) + 1) if n not in {*wanted, *numbers.values()})
    return numbers | {s: next(left) for s in sorted({*own} - numbers.keys())}


def _map(rung: Rung, labels: Mapping[str, str], colours: Mapping[int, int]) -> go.Scatter:
    across, up, segments = zip(*rung.points, strict=True)
    return go.Scatter(
        x=across,
        y=up,
        mode="markers",
        name=safe(labels[rung.method]),
        showlegend=False,
        marker={
            "size": 5,
            "opacity": 0.75,
            "color": [segment_color(colours[s]) for s in segments],
            "symbol": [segment_symbol(colours[s]) for s in segments],
        },
        hoverinfo="name",
    )


def _quiet(made: go.Figure, rows: int) -> None:
    """No ticks: what the directions are called says nothing."""
    hidden = {"showgrid": False, "zeroline": False, "showticklabels": False, "ticks": ""}
    made.update_xaxes(**hidden)
    made.update_yaxes(**hidden)
    made.update_annotations(font_size=13, yshift=4)
    above = made.layout.margin.t + _NAME_HEIGHT
    made.update_layout(
        height=above + rows * (_MAP_HEIGHT + _NAME_HEIGHT), margin_t=above, plot_bgcolor=_GROUND
    )
