"""The names the analyst gives to segments: kept with the data set, shown everywhere."""

from __future__ import annotations

import streamlit as st

from core.artifacts import NOISE, Segment, Segments
from core.pipeline import Journey
from core.segments import rename
from ui import session
from ui.safe_text import errors_shown, safe


def named(journey: Journey) -> Segments:
    """The segments under the names the analyst gave, else their own."""
    found = journey.segments()
    given = session.names(journey.labels().fingerprint)
    return rename(found, given) if given else found


def names(journey: Journey) -> dict[int, str]:
    """The name of every segment by its number."""
    return {segment.id: segment.name for segment in named(journey).segments}


def pick(found: Segments) -> Segment:
    """The segment that the analyst looks at; the first one to begin with."""
    by_id = {segment.id: segment for segment in found.segments}
    picked = st.pills(
        "Segment",
        list(by_id),
        default=next(iter(by_id)),
        required=True,
        format_func=lambda segment_id: safe(by_id[segment_id].name, limit=60),
        key="segment-shown",
    )
    return by_id[picked]


def rename_form(journey: Journey, segment: Segment) -> None:
    """A box for another name; a name that will not do is worded below it."""
    if segment.id == NOISE:
        return
    with (
        st.popover("Rename", icon=":material/edit:"),
        st.form(f"rename-{segment.id}", border=False),
    ):
        name = st.text_input("Name of the segment", segment.name, max_chars=60)
        if st.form_submit_button("Keep this name", type="primary"):
            with errors_shown():
                rename(named(journey), {segment.id: name})
                session.set_name(journey.labels().fingerprint, segment.id, name)
                st.rerun()
