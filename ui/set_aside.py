"""Rows of the file that are not used: counted by reason, and listed one by one for download."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import jobs
from core.artifacts import RawLog
from core.events.quality import Quality
from core.events.set_aside import SetAside
from core.pipeline import Journey
from core.workspace import Dataset
from ui import cached, download_route, progress, session
from ui.cleaning_rules import AT_ONCE_ROWS
from ui.safe_text import errors_shown

_REASONS = {"no_user": "no user", "no_time": "no time that could be read"}
"""Remarks of a log that are about rows without what it takes."""


def before_cleaning(raw: RawLog, seen: Quality) -> None:
    """What the reading set aside and what can be seen to be unusable; cleaning adds to it."""
    rows = [
        {"Why": reason, "Rows": count}
        for reason, count in cached.set_aside_reasons(raw.fingerprint, raw).items()
    ]
    rows += [
        {"Why": _REASONS[remark.code], "Rows": remark.rows}
        for remark in seen.remarks
        if remark.code in _REASONS
    ]
    if rows:
        st.dataframe(
            pd.DataFrame(rows),
            hide_index=True,
            height="content",
            column_config={"Rows": st.column_config.NumberColumn(format="localized")},
            key="set-aside",
            alt="Rows set aside by reason",
        )
    else:
        st.caption(":green[:material/check_circle:] Every row has a user and a time.")
    st.caption(
        "Cleaning sets further rows aside. The list holds them all, with file, line, reason and "
        "every cell as it stood; it follows the cleaning rules set on Prepare."
    )
    dataset, journey = session.dataset(), session.journey()
    if dataset is not None and journey is not None:
        download(dataset, journey)


def download(dataset: Dataset, journey: Journey) -> None:
    """The exact list of rows set aside: a click makes it, then it is offered as a file."""
    wanted = journey.set_aside_as()
    working = progress.watch("set_aside", wanted)
    found = journey.store.get(SetAside, wanted)
    if found is not None:
        address = download_route.address(
            session.WORKSPACE.require(), dataset.id, wanted, found.path.name
        )
        label = f"Download {found.n_rows:,} rows set aside (CSV)"
        st.link_button(label, address, icon=":material/download:")
    elif not working and st.button(
        "List every row set aside", icon=":material/playlist_remove:", key="list-set-aside"
    ):
        _make(dataset, journey, wanted)


def _make(dataset: Dataset, journey: Journey, wanted: str) -> None:
    place = session.workspace()
    with errors_shown():
        if journey.events.n_events <= AT_ONCE_ROWS:
            with st.spinner("Listing rows …"):
                journey.set_aside(place.raw(dataset))
        else:
            jobs.start(place, dataset.id, session.options(), "set_aside", wanted)
        st.rerun()
