"""Tables that may stand beside a log, each behind a door of its own that says what it is for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from core import jobs
from core.errors import JobStopped
from core.jobs import Upload
from core.workspace import Dataset, Workspace
from ui import cached, progress, reading, session, upload
from ui.safe_text import errors_shown, safe

_TABLES = ".csv,.tsv,.txt,.gz,text/csv"


@dataclass(frozen=True)
class _Door:
    """One optional table."""

    key: str
    title: str
    icon: str
    purpose: str
    box: str
    hint: str
    accept: str
    add: Callable[[Workspace, str, Path, str], Dataset]
    name_in: str
    """Field of a data set that names the table in use."""


_DOORS = (
    _Door(
        key="items",
        title="Items (optional)",
        icon=":material/inventory_2:",
        purpose="A table of what you sell: the item's code, and its title, category, brand or "
        "price. Categories that the log lacks are taken from it, and the words of the titles help "
        "to tell which items are alike.",
        box="Drop an items table here",
        hint="One row per item, with a column for the code as it stands in the log",
        accept=_TABLES,
        add=Workspace.add_items,
        name_in="items_name",
    ),
    _Door(
        key="vectors",
        title="Item vectors (optional)",
        icon=":material/scatter_plot:",
        purpose="Numbers per item that another program made, of its picture or its text. Items "
        "with near numbers are then taken to be alike.",
        box="Drop item vectors here",
        hint="First column the item, then its numbers; CSV or Parquet",
        accept=f"{_TABLES},.parquet",
        add=Workspace.add_vectors,
        name_in="vectors_name",
    ),
    _Door(
        key="known_labels",
        title="Known labels (optional)",
        icon=":material/sell:",
        purpose="A table of users and what you know of them. It is never used to form segments, "
        "only to judge them.",
        box="Drop a label table here",
        hint="First column the user, second the label",
        accept=_TABLES,
        add=Workspace.add_labels,
        name_in="labels_name",
    ),
)


def tables(dataset: Dataset) -> None:
    """A door for each table: what it is used for, which one is in use, a box for another."""
    st.subheader("What you may add", anchor=False)
    for door in _DOORS:
        in_use = getattr(dataset, door.name_in)
        with st.expander(door.title, icon=door.icon, expanded=_is_of_note(door, dataset)):
            st.markdown(door.purpose)
            if in_use:
                st.caption(f":green[:material/check_circle:] {safe(in_use)} is in use.")
            if progress.watch(door.key):
                continue
            arrived = upload.upload_box(door.box, door.hint, accept=door.accept, key=door.key)
            for found in arrived:
                with errors_shown():
                    _take(door, dataset, found)
                    st.rerun()


def _take(door: _Door, dataset: Dataset, found: Upload) -> None:
    """Read a small table here; one that takes longer, or asks for a large log, in the worker."""
    place = session.workspace()
    size = place.arrived(found.id).stat().st_size
    if size <= reading.AT_ONCE_BYTES and place.raw(dataset).n_rows <= session.AT_ONCE_ROWS:
        with upload.file_of(found) as path:
            door.add(place, dataset.id, path, found.name)
            cached.forget_journeys()
        return
    try:
        jobs.start_beside(place, dataset.id, door.key, found)
    except JobStopped:
        upload.discard((found,))
        raise


def _is_of_note(door: _Door, dataset: Dataset) -> bool:
    """Whether its table was the last thing the worker read, and how that went was not read yet."""
    found = progress.newest(door.key, dataset.id)
    return found is not None and found.id != session.DISMISSED_JOB.get()
