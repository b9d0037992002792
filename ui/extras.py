"""Tables that may stand beside a log, each behind a door of its own that says what it is for."""

from __future__ import annotations

import streamlit as st

from core.workspace import Dataset
from ui import cached, session, upload
from ui.safe_text import errors_shown, safe

TABLES = ".csv,.tsv,.txt,.gz,text/csv"


def tables(dataset: Dataset) -> None:
    """All of them."""
    known_labels(dataset)


def known_labels(dataset: Dataset) -> None:
    """A table of users and what is known of them."""
    with st.expander("Known labels (optional)", icon=":material/sell:"):
        st.markdown(
            "A table of users and what you know of them. It is never used to form segments, "
            "only to judge them."
        )
        _in_use(dataset.labels_name)
        hint = "First column the user, second the label"
        arrived = upload.upload_box("Drop a label table here", hint, accept=TABLES, key="labels")
        for found in arrived:
            with errors_shown(), upload.file_of(found) as path:
                session.workspace().add_labels(dataset.id, path, found.name)
                cached.forget_journeys()
                st.rerun()


def _in_use(name: str | None) -> None:
    if name:
        st.caption(f":green[:material/check_circle:] {safe(name)} is in use.")
