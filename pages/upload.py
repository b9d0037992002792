from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.events.read import ReadOptions
from core.workspace import Dataset
from ui import (
    confirming,
    controls,
    extras,
    quality_view,
    reading,
    session,
    set_aside,
    upload,
)
from ui.problem_list import problem_list
from ui.safe_text import errors_shown, safe

SAMPLES = Path(__file__).resolve().parents[1] / "sample_data"


def begin_with(path: Path, *, labels: Path | None = None) -> None:
    workspace = session.workspace()
    with st.spinner("Reading the file …"):
        added = workspace.add([path], [path.name], ReadOptions())
        if labels is not None:
            workspace.add_labels(added.id, labels, labels.name)
    session.open_dataset(added.id)
    st.rerun()


def samples(messages: DeltaGenerator) -> None:
    with st.container(border=True, height="stretch"):
        st.subheader("Look around first", anchor=False)
        shop = st.button(
            "Open the sample shop",
            type="primary",
            icon=":material/storefront:",
            width="stretch",
            key="open-shop",
        )
        st.caption("An invented shop: 2,000 users, 100,000 events in 90 days, with known groups.")
        tiny = st.button(
            "Open the worked example",
            icon=":material/school:",
            width="stretch",
            key="open-tiny",
        )
        st.caption("100 users in 3 clear segments: small enough to follow every step.")
    with messages, errors_shown():
        if shop:
            begin_with(SAMPLES / "shop_events.csv", labels=SAMPLES / "shop_labels.csv")
        if tiny:
            begin_with(SAMPLES / "tiny_100_users.csv")


def own_files(messages: DeltaGenerator) -> None:
    with st.container(border=True, height="stretch"):
        st.subheader("Bring your own", anchor=False)
        arrived = upload.upload_box(
            "Drop one or several behaviour logs here",
            f"{upload.KINDS_IN_WORDS}, {upload.limit_words()}",
            accept=upload.LOGS,
            key="log",
            multiple=True,
        )
        st.caption(
            "One row per event, with at least a user and a time. Files of the same columns "
            "(months, platforms) become one log."
        )
        if not reading.waiting():
            with st.expander("How the files are written", icon=":material/tune:"):
                held = session.READ.get() or ReadOptions()
                session.READ.set(
                    controls.draw(ReadOptions, held, key="read", look=controls.Look(columns=1))
                )
    if arrived:
        with messages, errors_shown():
            reading.begin(arrived)


def earlier(datasets: list[Dataset]) -> None:
    if datasets:
        st.subheader("Your data sets", anchor=False)
    for dataset in datasets:
        raw = session.workspace().raw(dataset)
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            with st.container(gap="xxsmall"):
                st.markdown(f"**{safe(dataset.name)}**")
                mapped = "columns confirmed" if dataset.mapping else "columns not confirmed yet"
                st.caption(f"{raw.n_rows:,} rows · {mapped} · added {dataset.created[:10]}")
            if st.button("Open", key=f"open-{dataset.id}", icon=":material/folder_open:"):
                session.open_dataset(dataset.id)
                st.rerun()
            with st.popover("Delete", icon=":material/delete:", key=f"ask-{dataset.id}"):
                st.markdown("The data set goes; runs that were recorded from it stay.")
                if st.button("Delete for good", key=f"delete-{dataset.id}", type="primary"):
                    session.delete_dataset(dataset.id)
                    st.rerun()


def opened(dataset: Dataset) -> None:
    confirming.card(dataset)
    working = confirming.working(dataset)
    if confirming.is_ready(dataset):
        what_it_is(dataset)
        with st.expander("Columns and what they mean", icon=":material/view_column:"):
            chosen = confirming.choose(dataset)
    else:
        problem_list(session.workspace().raw(dataset).problems)
        st.subheader("Which column is what?", anchor=False)
        chosen = confirming.choose(dataset)
    extras.tables(dataset)
    confirming.offer(dataset, *chosen, working=working)


def what_it_is(dataset: Dataset) -> None:
    workspace = session.workspace()
    raw, seen = workspace.raw(dataset), workspace.quality(dataset)
    quality_view.summary(seen, workspace.events(dataset).problems)
    quality_view.tabs(
        seen, workspace.profile(dataset), lambda: set_aside.before_cleaning(raw, seen)
    )


current = session.dataset()
if current is None:
    st.markdown(
        "SegmentLab learns from the order, timing and content of what your users do, forms "
        "segments of users who behave alike, and tells you how far each can be trusted and what "
        "to do for it."
    )
    message_slot = st.container()
    with message_slot:
        reading.panel()
    left, right = st.columns(2)
    with left:
        samples(message_slot)
    with right:
        own_files(message_slot)
    earlier(session.workspace().datasets())
else:
    opened(current)
