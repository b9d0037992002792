"""The map of users: colours by choice, and a lasso that fills a table that can be downloaded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.artifacts import LongArray
from core.pipeline import Journey
from core.report import tables
from core.segments import SUMMARY
from ui import cached, naming, page, plots, session
from ui.safe_text import safe
from ui.session import Selection
from ui.settings import settings_form

_MOST_POINTS = 50_000
"""A browser stays quick up to about so many points."""
_NOT_COLOURS = ("user", "story")
_WORDS = ("user", "segment", "known label", "story")
_FORMATS = {"share": "percent", "seconds": "%.0f s", "currency units": "%.2f", "days": "%.0f"}
"""How a figure of a user is written, by its unit."""
_COUNTS = ("events", "purchases")


def draw(journey: Journey) -> None:
    """The map, its settings, and the table of the users selected on it."""
    settings_form({"Map": "project"}, "Map settings")
    if not page.made(journey, "projection"):
        return
    projection = journey.projection()
    names = naming.names(journey)
    shown = _drawn(len(projection.user_ids), journey.options.seed)
    table = cached.user_table(journey, names, shown)
    columns = [name for name in table.columns if name not in _NOT_COLOURS]
    left, _ = st.columns([1, 3])
    by = left.selectbox("Colour by", columns, format_func=str.capitalize, key="map-colour")
    figure = cached.user_map(journey, names, shown, by)
    chosen = plots.show_selectable(figure, key=f"map-{projection.fingerprint[:12]}-{by}")
    if projection.note:
        st.caption(safe(projection.note, limit=400))
    if len(shown) < len(table):
        st.caption(f"{len(shown):,} of {len(table):,} users are drawn, picked at random.")
    if chosen:
        ids = tuple(table["user"].iloc[list(chosen)])
        session.SELECTION.set(Selection(projection=projection.fingerprint, user_ids=ids))
    _selected(table, projection.fingerprint)


def _drawn(n_users: int, seed: int) -> LongArray:
    """Indices of the users that are drawn, ascending."""
    if n_users <= _MOST_POINTS:
        return np.arange(n_users)
    picked = np.random.default_rng(seed).choice(n_users, _MOST_POINTS, replace=False)
    return np.sort(picked)


def _selected(table: pd.DataFrame, projection: str) -> None:
    held = session.SELECTION.get()
    if held is None or held.projection != projection:
        st.caption(
            "Draw a lasso or a box on the map (its tools are at the top right) to list the users "
            "inside it."
        )
        return
    rows = table[table["user"].isin(held.user_ids)]
    st.markdown(f"**{len(rows):,} users selected**")
    st.dataframe(
        rows,
        hide_index=True,
        height=280,
        column_config=_columns(),
        key="selected",
        alt="Selected users",
    )
    with st.container(horizontal=True):
        st.download_button(
            "Download these users",
            data=lambda: tables.frame_csv(rows),
            file_name="selected-users.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
            help="Holds the real user ids: for your own systems only.",
        )
        if st.button("Clear the selection", icon=":material/close:"):
            session.SELECTION.clear()
            st.rerun()


def _columns() -> dict[str, Any]:
    """Heads and formats of the table of users."""
    figures = {
        entry.label.lower(): st.column_config.NumberColumn(
            entry.label,
            format="%.0f" if name in _COUNTS else _FORMATS.get(entry.unit, "%.1f"),
        )
        for name, entry in SUMMARY.items()
    }
    words = {name: st.column_config.TextColumn(name.capitalize()) for name in _WORDS}
    return figures | words
