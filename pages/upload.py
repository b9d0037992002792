from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.events.read import ReadOptions
from core.workspace import Dataset
from ui import cached, controls, session, steps
from ui.mapping_form import first_rows, mapping_form
from ui.problem_list import problem_list
from ui.safe_text import errors_shown, safe
from ui.upload import limit_words, upload_box

SAMPLES = Path(__file__).resolve().parents[1] / "sample_data"
CSV = ".csv,.tsv,.txt,.gz,text/csv"


def begin_with(path: Path, name: str, *, labels: Path | None = None) -> None:
    workspace = session.workspace()
    with st.spinner("Reading the file …"):
        added = workspace.add([path], [name], session.READ.get() or ReadOptions())
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
            labels = SAMPLES / "shop_labels.csv"
            begin_with(SAMPLES / "shop_events.csv", "shop_events.csv", labels=labels)
        if tiny:
            begin_with(SAMPLES / "tiny_100_users.csv", "tiny_100_users.csv")


def own_file(messages: DeltaGenerator) -> None:
    with st.container(border=True, height="stretch"):
        st.subheader("Bring your own", anchor=False)
        hint = f"CSV with commas, semicolons or tabs, plain or .gz, {limit_words()}"
        arrived = upload_box("Drop a behaviour log here", hint, accept=CSV, key="log")
        st.caption("One row per event, with at least a user and a time.")
        with st.expander("How the file is written", icon=":material/tune:"):
            read = session.READ.get() or ReadOptions()
            session.READ.set(controls.draw(ReadOptions, read, key="read"))
    if arrived is not None:
        with messages, errors_shown(), arrived.file() as path:
            begin_with(path, arrived.name)


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
    workspace = session.workspace()
    raw = workspace.raw(dataset)
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        with st.container(gap="xxsmall"):
            st.markdown(f":material/database: **{safe(dataset.name)}**")
            st.caption(f"{raw.n_rows:,} rows · {len(raw.columns)} columns")
        if st.button("Use other data", icon=":material/swap_horiz:"):
            session.close_dataset()
            st.rerun()
    problem_list(workspace.events(dataset).problems if dataset.mapping else raw.problems)
    st.subheader("Which column is what?", anchor=False)
    st.markdown("This is what names and contents suggest. Change what is wrong, then confirm.")
    chosen = mapping_form(raw, dataset.mapping, f"map-{dataset.id}")
    st.subheader("First rows", anchor=False)
    first_rows(raw, chosen)
    known_labels(dataset)
    if chosen == dataset.mapping:
        steps.next_button("upload")
    elif steps.foot_button("Confirm columns", ":material/check:"):
        with st.bottom, errors_shown(), st.spinner("Reading times and numbers …"):
            session.confirm_mapping(dataset, chosen)
            st.rerun()


def known_labels(dataset: Dataset) -> None:
    with st.expander("Known labels (optional)", icon=":material/sell:"):
        st.markdown(
            "A table of users and what you know of them. It is never used to form segments, "
            "only to judge them."
        )
        if dataset.labels_name:
            st.caption(f":green[:material/check_circle:] {safe(dataset.labels_name)} is in use.")
        hint = "First column the user, second the label"
        arrived = upload_box("Drop a label table here", hint, accept=CSV, key="labels")
        if arrived is not None:
            with errors_shown(), arrived.file() as path:
                session.workspace().add_labels(dataset.id, path, arrived.name)
                cached.forget_journeys()
                st.rerun()


current = session.dataset()
if current is None:
    st.markdown(
        "SegmentLab learns from the order, timing and content of what your users do, forms "
        "segments of users who behave alike, and tells you how far each can be trusted and what "
        "to do for it."
    )
    message_slot = st.container()
    left, right = st.columns(2)
    with left:
        samples(message_slot)
    with right:
        own_file(message_slot)
    earlier(session.workspace().datasets())
else:
    opened(current)
