"""The columns of the open data set: chosen, confirmed, and typed here or by the worker."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core import jobs
from core.artifacts import ColumnMapping
from core.events.map_options import MapOptions
from core.workspace import Dataset
from ui import session, steps
from ui.cell_choices import cell_choices
from ui.mapping_form import first_rows, mapping_form
from ui.safe_text import errors_shown, safe


def held_options(dataset: Dataset) -> MapOptions:
    """How the cells of a data set are read, as confirmed."""
    return MapOptions.from_dict(dataset.map_options, where="map")


def choose(dataset: Dataset) -> tuple[ColumnMapping, MapOptions]:
    """The form for columns and cells, filled with what is known; what stands in it now."""
    raw = session.workspace().raw(dataset)
    key = f"map-{dataset.id}"
    chosen = mapping_form(raw, dataset.mapping, key)
    options = cell_choices(raw, chosen, held_options(dataset), key)
    with st.container(key="first-rows"):
        st.markdown("**First rows**")
        first_rows(raw, chosen)
    return chosen, options


def offer(dataset: Dataset, chosen: ColumnMapping, options: MapOptions, *, working: bool) -> None:
    """The button at the foot: confirm what was changed, or go on."""
    if not is_ready(dataset) or (chosen, options) != (dataset.mapping, held_options(dataset)):
        if steps.foot_button("Confirm columns", ":material/check:", disabled=working):
            _confirm(dataset, chosen, options)
    else:
        steps.next_button("upload")


def is_ready(dataset: Dataset) -> bool:
    """Whether the log is typed by the confirmed columns and its quality is known.

    What is small is made here where it is missing, as after a new version of the program.
    """
    place = session.workspace()
    if dataset.mapping is None:
        return False
    if not place.quality_ready(dataset) and place.raw(dataset).n_rows <= session.AT_ONCE_ROWS:
        with errors_shown(), st.spinner("Looking at users and events …"):
            place.quality(dataset)
    return place.quality_ready(dataset)


def _confirm(dataset: Dataset, chosen: ColumnMapping, options: MapOptions) -> None:
    place = session.workspace()
    if place.raw(dataset).n_rows > session.AT_ONCE_ROWS:
        place.confirm_mapping(dataset.id, chosen, options)
        with st.bottom, errors_shown():
            jobs.start(place, dataset.id, session.options(), "quality")
            st.rerun()
        return
    with st.bottom, errors_shown(), st.spinner("Reading times and numbers …"):
        tried = replace(dataset, mapping=chosen, map_options=options.to_dict())
        place.quality(tried)
        place.profile(tried)
        place.confirm_mapping(dataset.id, chosen, options)
        st.rerun()


def card(dataset: Dataset) -> None:
    """Which data is open, and the way to other data."""
    raw = session.workspace().raw(dataset)
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        with st.container(gap="xxsmall"):
            st.markdown(f":material/database: **{safe(dataset.name)}**")
            files = f" · {len(raw.parts)} files" if len(raw.parts) > 1 else ""
            st.caption(f"{raw.n_rows:,} rows · {len(raw.columns)} columns{files}")
        if st.button("Use other data", icon=":material/swap_horiz:"):
            session.close_dataset()
            st.rerun()
