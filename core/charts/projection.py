"""The map of users."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.artifacts import NOISE, IntArray, LongArray, Projection
from core.charts.theme import (
    COLOURS,
    NOISE_COLOUR,
    POINTS_SCALE,
    WIDE,
    figure,
    safe,
    segment_color,
    segment_symbol,
)

_AXES = {"pca": ("First component", "Second component")}
_MOST_WORDS = 9
"""Known labels that get a colour of their own; the rest share the grey."""
_STORY = 90


def user_map(
    projection: Projection,
    table: pd.DataFrame,
    by: str,
    shown: LongArray | IntArray | None = None,
    *,
    webgl: bool = True,
) -> go.Figure:
    """Every user as a point, coloured by a column of ``table``; lasso and box select users.

    ``table`` has a row per user of the projection, in its order: ``segment`` (numbers, NOISE for
    none, or a categorical of names in the order of the numbers), and, where there are such,
    ``user``, ``story`` (told on hovering), ``known label`` and numbers. ``shown`` picks rows by
    index. Each point's customdata is the index of its user.
    """
    chosen: LongArray = np.arange(len(table)) if shown is None else shown.astype(np.int64)
    picked = table.iloc[chosen]
    made = figure(
        f"Users by {safe(by)}",
        "Near each other: alike in behaviour. Distances between far groups and sizes of gaps mean "
        "nothing here; nothing is measured on the map.",
        f"Map of {len(chosen):,} users in two dimensions, coloured by {safe(by)}.",
        height=600,
        wrap=WIDE,
    )
    draw = go.Scattergl if webgl else go.Scatter
    for place in _layers(picked[by], by):
        made.add_trace(_points(draw, projection, picked, chosen, place))
    _frame(made, projection.method)
    return made


def _layers(column: pd.Series[Any], by: str) -> list[dict[str, Any]]:
    """What is drawn apart: rows, name and marker of each layer."""
    if by == "segment":
        return list(_segment_layers(column))
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return list(_numeric_layers(column, by))
    return list(_word_layers(column))


def _segment_layers(column: pd.Series[Any]) -> Iterable[dict[str, Any]]:
    names: dict[int, str] = {}
    if isinstance(column.dtype, pd.CategoricalDtype):
        names = dict(enumerate(map(str, column.cat.categories)))
        column = column.cat.codes
    ids = column.to_numpy()
    for segment in sorted(np.unique(ids).tolist(), key=lambda s: (s != NOISE, s)):
        marker = {"color": segment_color(segment), "symbol": segment_symbol(segment)}
        name = names.get(segment, "No segment" if segment == NOISE else f"Segment {segment}")
        yield {"rows": np.flatnonzero(ids == segment), "name": safe(name), "marker": marker}


def _word_layers(column: pd.Series[Any]) -> Iterable[dict[str, Any]]:
    words = column.astype(object).where(column.notna(), None)
    most = words.value_counts().index[:_MOST_WORDS]
    known, rest = words.isin(most), words.notna() & ~words.isin(most)
    layers = [(words.isna(), "Not known", NOISE_COLOUR, "circle-open")]
    layers += [(rest, "Others", NOISE_COLOUR, "circle")]
    layers += [
        (known & (words == word), safe(word), COLOURS[place], "circle")
        for place, word in enumerate(most)
    ]
    for rows, name, colour, symbol in layers:
        if rows.any():
            marker = {"color": colour, "symbol": symbol}
            yield {"rows": np.flatnonzero(rows), "name": name, "marker": marker}


def _numeric_layers(column: pd.Series[Any], by: str) -> Iterable[dict[str, Any]]:
    values = column.to_numpy(dtype=np.float32, na_value=np.nan)
    finite = np.isfinite(values)
    if not finite.all():
        unknown = {"color": NOISE_COLOUR, "symbol": "circle-open"}
        yield {"rows": np.flatnonzero(~finite), "name": "Not known", "marker": unknown}
    if not finite.any():
        return
    low, high = np.percentile(values[finite], [2, 98])  # so that one giant does not grey the rest
    marker = {
        "color": values[finite],
        "colorscale": POINTS_SCALE,
        "cmin": float(low),
        "cmax": float(high) if high > low else float(low) + 1.0,
        "showscale": True,
        "colorbar": {"title": {"text": safe(by, 30)}, "thickness": 12, "outlinewidth": 0},
    }
    yield {"rows": np.flatnonzero(finite), "name": safe(by), "marker": marker}


def _points(
    draw: Any,
    projection: Projection,
    picked: pd.DataFrame,
    chosen: LongArray,
    layer: dict[str, Any],
) -> Any:
    rows = layer["rows"]
    points = np.asarray(projection.points[chosen[rows]], dtype=np.float32)
    size = 6 if len(chosen) <= 5_000 else 4
    return draw(
        x=points[:, 0],
        y=points[:, 1],
        customdata=chosen[rows].astype(np.int32),
        mode="markers",
        name=layer["name"],
        marker={"size": size, "opacity": 0.75, **layer["marker"]},
        text=_stories(picked.iloc[rows]),
        hovertemplate="%{text}<extra></extra>",
        unselected={"marker": {"opacity": 0.12}},
    )


def _stories(users: pd.DataFrame) -> list[str]:
    """What is told of each user on hovering: who, where, and the last events."""
    columns = [name for name in ("user", "segment", "known label", "story") if name in users]
    parts = [
        [_told(name, value) for value in users[name].to_numpy(dtype=object)] for name in columns
    ]
    return ["<br>".join(filter(None, lines)) for lines in zip(*parts, strict=True)]


def _told(column: str, value: Any) -> str:
    missing = value is None or (isinstance(value, float) and np.isnan(value))
    if column == "segment" and not isinstance(value, str):
        return "No segment" if missing or value == NOISE else f"Segment {value}"
    if missing:
        return ""
    if column == "user":
        return f"<b>{safe(value)}</b>"
    if column == "known label":
        return f"known as {safe(value)}"
    return safe(value, _STORY)


def _frame(made: go.Figure, method: str) -> None:
    across, up = _AXES.get(method, ("", ""))
    quiet = {"showgrid": False, "zeroline": False, "showticklabels": bool(across)}
    made.update_xaxes(title_text=across or None, **quiet)
    made.update_yaxes(title_text=up or None, scaleanchor="x", **quiet)
    made.update_layout(
        dragmode="lasso",
        legend={"itemsizing": "constant"},
        modebar={"add": ["lasso2d", "select2d"]},
        uirevision=method,
    )
