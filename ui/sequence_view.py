"""What the sequences look like: where visits end, how often users came, who is judged by what."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import streamlit as st

from core.charts import events as charts
from core.pipeline import Journey
from core.sequences.forms import FormOptions
from core.sequences.summary import SequenceDescription
from core.wording import duration
from core.workspace import Dataset
from ui import cached, controls, download_route, plots, session
from ui.safe_text import errors_shown, safe

_MOST_WRITTEN = 2_000_000
"""Events of a log whose sequences are written while the analyst waits."""


def sequences(journey: Journey) -> None:
    """Pauses and visits as charts, and the parts of the users in one sentence."""
    st.subheader("The sequences", anchor=False)
    told = journey.description()
    summary = told.summary
    st.markdown(f"{_visits(journey, told)} {_parts(told)}")
    left, right = st.columns(2)
    with left:
        bins = summary.pauses
        plots.show(charts.visit_pauses(bins, summary.session_gap * 60), key="visit-pauses")
    with right:
        plots.show(charts.visits_per_user(summary.visits), key="visits")


def forms(dataset: Dataset, journey: Journey) -> None:
    """The sequences for other programs: counted words, time series, or every event."""
    with st.expander("Take the sequences elsewhere", icon=":material/ios_share:"):
        st.markdown(
            "As a table for other programs; ids and words stay exactly as they came. It holds "
            "real user ids."
        )
        if journey.description().summary.n_events > _MOST_WRITTEN:
            st.caption(
                f"This log has more than {_MOST_WRITTEN:,} events. Write the table with "
                "`python -m core prepare`, which needs no dashboard."
            )
            return
        chosen = controls.draw(FormOptions, FormOptions(), key="form")
        if st.button("Write the table", icon=":material/table:", key="write-form"):
            with errors_shown(), st.spinner("Writing …"):
                made = cached.form_file(journey, chosen)
                _offer(dataset, made.fingerprint, made.path)


def _offer(dataset: Dataset, fingerprint: str, path: Path) -> None:
    key = session.WORKSPACE.require()
    address = download_route.address(key, dataset.id, fingerprint, path.name)
    size = path.stat().st_size / 2**20
    st.link_button(f"Download {path.name} ({size:,.1f} MB)", address, icon=":material/download:")


def _visits(journey: Journey, description: SequenceDescription) -> str:
    """Where visits end, and why there."""
    minutes = description.summary.session_gap
    if journey.options.sequence.session_gap != "auto":
        return f"A pause of {duration(minutes * 60)} ends a visit, as you set it."
    reason = safe(description.gap_reason, limit=400)
    return f"A pause of {duration(minutes * 60)} ends a visit. {reason}"


def _parts(description: SequenceDescription) -> str:
    """Who is learned from, who is watched, who is kept for the end, and what is the future."""
    told = (
        f"The users are dealt out once, by their ids: {description.n_fit:,} by whom numbers are "
        f"scaled, {description.n_validate:,} by whom learning is watched, and "
        f"{description.n_test:,} drawn for tests. The segments themselves are formed of all of "
        "them, over the whole time."
    )
    if description.cut is None:
        return f"{told} {safe(description.note, limit=300)}"
    day = datetime.fromtimestamp(description.cut, UTC)
    return f"{told} For tests on the future, the future begins on {day:%d %b %Y}."
