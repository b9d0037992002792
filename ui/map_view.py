"""The map of users: colours by choice, and a lasso that fills a table that can be downloaded."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from core.artifacts import NOISE, IntArray
from core.charts import projection as charts
from core.pipeline import Journey
from core.report import tables
from core.segments import users
from ui import controls, page, plots, session
from ui.session import Selection

_MOST_POINTS = 50_000
"""A browser stays quick up to about so many points."""


def draw(journey: Journey) -> None:
    """The map, its settings, and the table of the users selected on it."""
    _settings()
    if not page.made(journey, "projection"):
        return
    projection, labels = journey.projection(), journey.labels()
    table = _user_table(journey)
    shown = _sample(len(table))
    colour, _ = st.columns([1, 3])
    known = ["known label"] if journey.known is not None else []
    columns = [name for name in table.columns if name not in ("user", "segment", "known label")]
    by = colour.selectbox("Colour by", ["segment", *known, *columns], key="map-colour")
    figure = charts.user_map(projection, table, by, shown)
    chosen = plots.show_selectable(figure, key=f"map-{projection.fingerprint[:12]}-{by}")
    st.caption(projection.note)
    if len(shown) < len(table):
        st.caption(f"{len(shown):,} of {len(table):,} users are drawn, picked at random.")
    if chosen:
        ids = tuple(str(labels.user_ids[index]) for index in chosen)
        session.SELECTION.set(Selection(projection=projection.fingerprint, user_ids=ids))
    _selected(table, projection.fingerprint)
