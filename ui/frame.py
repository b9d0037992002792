"""The frame around every page: whose data it is, navigation, where the analyst is."""

from pathlib import Path

import streamlit as st

_ASSETS = Path(__file__).resolve().parent / "assets"

st.set_page_config(
    page_title="SegmentLab",
    page_icon=_ASSETS / "logo.svg",
    layout="wide",
    initial_sidebar_state="auto",
)
st.html(_ASSETS / "frame.css")

from core.errors import AnalystError  # noqa: E402
from ui import progress, session, steps  # noqa: E402
from ui.safe_text import errors_shown, safe, show_error  # noqa: E402


def sidebar() -> None:
    """What is open and what is at work, beside every page."""
    current = session.dataset()
    if current is not None:
        st.caption("Open data set")
        st.markdown(f":material/database: **{safe(current.name, limit=40)}**")
    progress.glance()
    if session.is_shared():
        with st.popover("Your workspace", icon=":material/key:", width="stretch"):
            st.markdown(
                "Only who has this link can see your data. Keep it to come back, or share it."
            )
            st.code(session.link(), language=None, wrap_lines=True)


page = st.navigation(steps.pages(), position="sidebar", expanded=True)
try:
    session.begin()
except AnalystError as error:
    show_error(error)
    st.stop()
st.logo(_ASSETS / "wordmark.svg", size="large", icon_image=_ASSETS / "logo.svg")
with st.sidebar:
    sidebar()
steps.header(steps.step_of(page.url_path))
with errors_shown():
    page.run()
