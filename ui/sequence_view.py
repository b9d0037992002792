"""What the sequences look like: where visits end, how often users came, who is judged by what."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import streamlit as st

from core.artifacts import FIT, TEST, VALIDATE
from core.charts import events as charts
from core.pipeline import Journey
from core.sequences.forms import FormOptions
from core.wording import duration
from core.workspace import Dataset
from ui import cached, controls, download_route, plots, session
from ui.safe_text import errors_shown, safe


def sequences(journey: Journey) -> None:
    """Pauses and visits as charts, and the parts of the users in one sentence."""
    st.subheader("The sequences", anchor=False)
    summary = cached.sequence_summary(journey.sequences())
    st.markdown(f"{_visits(journey, summary.session_gap)} {_parts(journey)}")
    left, right = st.columns(2)
    with left:
        bins = summary.pauses
        plots.show(charts.visit_pauses(bins, summary.session_gap * 60), key="visit-pauses")
    with right:
        plots.show(charts.visits_per_user(summary.visits), key="visits")
    if summary.n_users < journey.sequences().n_users:
        n_users = journey.sequences().n_users
        st.caption(f"The charts are drawn from {summary.n_users:,} of {n_users:,} users.")


def forms(dataset: Dataset, journey: Journey) -> None:
    """The sequences for other programs: counted words, time series, or every event."""
    with st.expander("Take the sequences elsewhere", icon=":material/ios_share:"):
        st.markdown(
            "As a table for other programs; ids and words stay exactly as they came. It holds "
            "real user ids."
        )
        chosen = controls.draw(FormOptions, FormOptions(), key="form", columns=3)
        if st.button("Write the table", icon=":material/table:", key="write-form"):
            with errors_shown(), st.spinner("Writing …"):
                made = cached.form_file(journey, chosen)
                _offer(dataset, made.fingerprint, made.path)


def _offer(dataset: Dataset, fingerprint: str, path: Path) -> None:
    key = session.WORKSPACE.require()
    address = download_route.address(key, dataset.id, fingerprint, path.name)
    size = path.stat().st_size / 2**20
    st.link_button(f"Download {path.name} ({size:,.1f} MB)", address, icon=":material/download:")


def _visits(journey: Journey, minutes: float) -> str:
    """Where visits end, and why there."""
    if journey.options.sequence.session_gap != "auto":
        return f"A pause of {duration(minutes * 60)} ends a visit, as you set it."
    reason = cached.session_gap_reason(journey.clean())
    told = safe(reason, limit=400) if reason else "It was found in the pauses of the log."
    return f"A pause of {duration(minutes * 60)} ends a visit. {told}"


def _parts(journey: Journey) -> str:
    """Who is learned from, who is watched, who is kept for the end, and what is the future."""
    splits = cached.splits(journey)
    sizes = {side: int((splits.user == side).sum()) for side in (FIT, VALIDATE, TEST)}
    told = (
        f"Of the users {sizes[FIT]:,} are learned from, {sizes[VALIDATE]:,} are watched while "
        f"choices are made, and {sizes[TEST]:,} are kept for the final judgement."
    )
    if splits.cut is None:
        return f"{told} {safe(splits.note, limit=300)}"
    day = datetime.fromtimestamp(splits.cut, UTC)
    return f"{told} What happens from {day:%d %b %Y} on is the future that segments are judged by."
