"""The columns of the open data set: chosen, confirmed, and typed here or by the worker."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from core import jobs
from core.artifacts import ColumnMapping
from core.errors import AnalystError
from core.events.map_options import MapOptions
from core.options import option_info
from core.workspace import Dataset
from ui import progress, session, steps
from ui.cell_choices import cell_choices
from ui.mapping_form import first_rows, mapping_form
from ui.problem_list import offered
from ui.remedies import plain, suggested
from ui.safe_text import errors_shown, paragraphs, safe, title_of


@dataclass(frozen=True, kw_only=True)
class Refused:
    """Columns that could not be read as they were confirmed, and how they were to be read."""

    dataset_id: str
    options: MapOptions
    message: str
    title: str


_REFUSED: session.Key[Refused] = session.Key("mapping-refused")


def held_options(dataset: Dataset) -> MapOptions:
    """How the cells of a data set are read, as confirmed."""
    return MapOptions.from_dict(dataset.map_options, where="map")


def choose(dataset: Dataset) -> tuple[ColumnMapping, MapOptions]:
    """The form for columns and cells, filled with what is known; what stands in it now.

    Above it stands why the columns could not be read, where they were refused.
    """
    raw = session.workspace().raw(dataset)
    key = f"map-{dataset.id}"
    mapping, held = dataset.mapping, held_options(dataset)
    if mapping is None:
        mapping, held = _as_before(dataset)
    tried = _tried(dataset, held)
    if tried is not None:
        held = _refused(tried)
    chosen = mapping_form(raw, mapping, key)
    options = cell_choices(raw, chosen, held, key)
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
        _REFUSED.clear()
        with st.bottom, errors_shown():
            jobs.start(place, dataset.id, session.options(), "quality")
            st.rerun()
        return
    try:
        with st.bottom, st.spinner("Reading times and numbers …"):
            tried = replace(dataset, mapping=chosen, map_options=options.to_dict())
            place.quality(tried)
            place.profile(tried)
            place.confirm_mapping(dataset.id, chosen, options)
            _REFUSED.clear()
    except AnalystError as error:
        _REFUSED.set(
            Refused(
                dataset_id=dataset.id,
                options=options,
                message=str(error),
                title=title_of(error),
            )
        )
    st.rerun()


def working(dataset: Dataset) -> bool:
    """Whether the worker types the log just now; how it gets on, or that it was stopped."""
    found = progress.newest("quality", dataset.id)
    return (found is None or found.state != "failed") and progress.watch("quality")


def _as_before(dataset: Dataset) -> tuple[ColumnMapping | None, MapOptions]:
    """What was confirmed for an earlier file of the same columns, said to be so; else a guess."""
    recalled = session.workspace().recalled(dataset)
    if recalled is None:
        st.markdown("This is what names and contents suggest. Change what is wrong, then confirm.")
        return None, MapOptions()
    st.info(
        "Filled in as you confirmed it for an earlier file with the same columns. Change what is "
        f"different, then confirm.{_answers(recalled[1])}",
        icon=":material/history:",
    )
    return recalled


def _answers(options: MapOptions) -> str:
    """What was answered about the cells, a line each; nothing where all was left as it is."""
    plain_ones = MapOptions().to_dict()
    told = [
        f"\n- {option_info(MapOptions, name).label}: {safe(_listed(value), limit=200)}"
        for name, value in options.to_dict().items()
        if value != plain_ones[name]
    ]
    if not told:
        return ""
    return f"\n\nFor this file too, your answers to that one are taken:\n{''.join(told)}"


def _listed(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list | tuple) else str(value)


def _tried(dataset: Dataset, held: MapOptions) -> Refused | None:
    """What was refused last, here or by the worker."""
    tried = _REFUSED.get()
    if tried is not None and tried.dataset_id == dataset.id:
        return tried
    found = progress.newest("quality", dataset.id)
    if found is None or found.state != "failed":
        return None
    return Refused(
        dataset_id=dataset.id,
        options=held,
        message=found.error or "",
        title="The columns could not be read",
    )


def _refused(tried: Refused) -> MapOptions:
    """Why the columns could not be read, and what may be decided about it."""
    st.error(paragraphs(plain(tried.message)), title=tried.title, icon=":material/error:")
    picked = offered(suggested("map", tried.message))
    if picked is None:
        return tried.options
    _REFUSED.set(replace(tried, options=replace(tried.options, **picked.change)))
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
