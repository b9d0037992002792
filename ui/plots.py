"""Puts a figure of `core.charts` on the page, with its description for screen readers."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import streamlit as st

_CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["autoScale2d"]}


def show(figure: go.Figure, key: str) -> None:
    """Draw a figure over the full width."""
    st.plotly_chart(figure, key=key, alt=_alt(figure), config=_CONFIG)


def show_selectable(figure: go.Figure, key: str) -> tuple[int, ...]:
    """Draw a map; the indices of the users inside the analyst's lasso or box, ascending."""
    event: Any = st.plotly_chart(
        figure,
        key=key,
        alt=_alt(figure),
        config=_CONFIG,
        on_select="rerun",
        selection_mode=("lasso", "box"),
    )
    # The points' own data: point indices are not unique across traces.
    return tuple(sorted({int(_index(point["customdata"])) for point in event.selection.points}))


def _index(customdata: Any) -> Any:
    return customdata[0] if isinstance(customdata, list | tuple) else customdata


def _alt(figure: go.Figure) -> str:
    meta = figure.layout.meta
    return str(meta["alt"]) if meta and "alt" in meta else "Chart"
