from pathlib import PurePath

import streamlit as st

from core import runs
from core.report import tables
from ui import naming, page, session, steps
from ui.safe_text import safe
from ui.settings import settings_form

HTML, CSV = "text/html", "text/csv"


def told_of_few(min_cell: int) -> str:
    """What becomes of small counts in what is passed on."""
    if min_cell == 1:
        return "shows every count as it is"
    return f"shows counts of fewer than {min_cell} people only as <{min_cell}"


steps.require("labels")
settings_form({"Report": "report"})
journey = session.require_journey()
run = page.recorded_run(journey)
found = naming.named(journey)
if run.segments().segments != found.segments:
    with st.spinner("Writing the new names into the report …"):
        run = runs.rename_segments(run, journey, {s.id: s.name for s in found.segments})
min_cell = journey.options.report.min_cell
stem = PurePath(run.manifest.source.name).stem

st.markdown(f"### {safe(journey.evaluation().verdict, limit=600)}")
with st.container(border=True):
    st.subheader("The whole report", anchor=False)
    st.markdown(
        "One file with every chart, made to be read and passed on: it needs no connection, holds "
        f"no user ids and no single user's events, and {told_of_few(min_cell)}."
    )
    st.download_button(
        "Download the report (HTML)",
        data=(run.folder / "report.html").read_bytes,
        file_name=f"{stem}-segments.html",
        mime=HTML,
        type="primary",
        icon=":material/description:",
        on_click="ignore",
    )
with st.container(border=True):
    st.subheader("Tables for spreadsheets", anchor=False)
    st.markdown("Safe to open: nothing in them can act as a formula.")
    with st.container(horizontal=True):
        st.download_button(
            "Users per segment",
            data=lambda: tables.users_per_segment_csv(journey.labels(), found),
            file_name=f"{stem}-users.csv",
            mime=CSV,
            icon=":material/group:",
            on_click="ignore",
            help="Holds the real user ids: for your own systems only.",
        )
        st.download_button(
            "Segments",
            data=lambda: tables.segment_table_csv(found, min_cell),
            file_name=f"{stem}-segments.csv",
            mime=CSV,
            icon=":material/table:",
            on_click="ignore",
        )
        st.download_button(
            "Recommendations",
            data=lambda: tables.recommendations_table_csv(
                journey.recommendations(), found, min_cell
            ),
            file_name=f"{stem}-recommendations.csv",
            mime=CSV,
            icon=":material/recommend:",
            on_click="ignore",
        )
st.caption(f"Recorded as run {run.manifest.id[:8]} on the Runs page.")
