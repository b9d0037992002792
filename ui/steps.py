"""The analyst's journey on screen: its steps in order, where they are, what is done, what is next.

The order of the pages lives here. A step is done when what it makes is in the store.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn

import streamlit as st

from core import jobs, runs
from core.errors import AnalystError
from core.pipeline import Journey
from ui import session
from ui.safe_text import show_error

_PAGES = Path(__file__).resolve().parents[1] / "pages"
State = Literal["done", "current", "next", "later"]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One page of the journey."""

    name: str
    section: str
    title: str
    icon: str
    heading: str
    promise: str
    """What the analyst gets here, in one sentence."""
    makes: str | None = None
    """The step of `core.pipeline.STEPS` that this page makes."""
    verb: str = ""
    """What the button says that makes it."""

    def page(self) -> st.Page:
        """The page as Streamlit knows it."""
        return st.Page(
            _PAGES / f"{self.name}.py",
            title=self.title,
            icon=f":material/{self.icon}:",
            url_path=self.name,
            default=self is STEPS[0],
            help=self.promise,
        )


STEPS = (
    Step(
        name="upload",
        section="Data",
        title="Upload",
        icon="upload_file",
        heading="Bring your behaviour log",
        promise="Open a CSV of what your users did and say which column is what.",
    ),
    Step(
        name="prepare",
        section="Data",
        title="Prepare",
        icon="cleaning_services",
        heading="Prepare the events",
        promise="Clean the log, see every row that was touched and why, and build sequences.",
        makes="sequences",
        verb="Clean and build sequences",
    ),
    Step(
        name="represent",
        section="Learn",
        title="Represent",
        icon="model_training",
        heading="Learn from behaviour",
        promise="Turn every user's sequence into a point, so that alike users are near.",
        makes="embeddings",
        verb="Learn behaviour",
    ),
    Step(
        name="cluster",
        section="Segment",
        title="Cluster",
        icon="bubble_chart",
        heading="Form segments",
        promise="See how many segments the data supports, form them and look at the map.",
        makes="labels",
        verb="Form segments",
    ),
    Step(
        name="evaluate",
        section="Understand",
        title="Evaluate",
        icon="fact_check",
        heading="How far to trust the segments",
        promise="Read what each figure says and which end of it is better.",
        makes="evaluation",
        verb="Evaluate segments",
    ),
    Step(
        name="segments",
        section="Understand",
        title="Segments",
        icon="groups",
        heading="Meet the segments",
        promise="See what sets each segment apart, how its users move, and name it.",
        makes="segments",
        verb="Describe segments",
    ),
    Step(
        name="recommend",
        section="Understand",
        title="Recommend",
        icon="recommend",
        heading="What to offer and do",
        promise="Items and actions per segment, each with the numbers that led to it.",
        makes="recommendations",
        verb="Find recommendations",
    ),
    Step(
        name="report",
        section="Report",
        title="Report",
        icon="description",
        heading="Take the results with you",
        promise="Download one self-contained report and the tables behind it.",
    ),
    Step(
        name="runs",
        section="Archive",
        title="Runs",
        icon="history",
        heading="Earlier runs",
        promise="Reopen, compare or delete what was recorded.",
    ),
)
JOURNEY = STEPS[:-1]
"""The guided flow; runs stand beside it."""


def pages() -> dict[str, list[st.Page]]:
    """All pages by section, for the navigation."""
    sections: dict[str, list[st.Page]] = {}
    for step in STEPS:
        sections.setdefault(step.section, []).append(step.page())
    return sections


def step_of(url_path: str) -> Step:
    """The step of a page's address; the first one for the bare address."""
    return next((step for step in STEPS if step.name == url_path), STEPS[0])


def done() -> frozenset[str]:
    """Names of the steps that need not be done again under the present settings."""
    try:
        journey = session.journey()
    except AnalystError:
        return frozenset()
    if journey is None:
        return frozenset()
    made = {step.name for step in JOURNEY if step.makes and journey.ready(step.makes)}
    recorded = session.workspace().runs / runs.run_id(journey) / "run.json"
    return frozenset(made | {"upload"} | ({"report"} if recorded.exists() else set()))


def header(current: Step) -> None:
    """Where the analyst is, what is done and what is next, with a way to each step."""
    states = _states(current, done())
    with st.container(key="steps", horizontal=True, gap="xsmall", vertical_alignment="center"):
        for step in JOURNEY:
            state = states[step.name]
            with st.container(key=f"step-{step.name}-{state}", width="content"):
                st.page_link(
                    step.page(),
                    label=step.title,
                    icon=_ICONS[state],
                    help=f"{_WORDS[state]}. {step.promise}",
                )
    st.title(current.heading, anchor=False)
    st.markdown(current.promise)


def next_button(name: str) -> None:
    """The way on, for the foot of a page: makes what is missing here, then leads to what is next.

    With nothing but this button an analyst comes to a sound result on the default settings.
    """
    step = step_of(name)
    if _waits(step):
        if foot_button(step.verb, ":material/play_arrow:", disabled=not can_start()):
            start(step.makes)
    elif step is not JOURNEY[-1]:
        following = JOURNEY[JOURNEY.index(step) + 1]
        if foot_button(f"Next: {following.title}", ":material/arrow_forward:"):
            st.switch_page(following.page())


def foot_button(label: str, icon: str, *, disabled: bool = False) -> bool:
    """The one thing to do next, always in sight at the foot of the window."""
    with st.bottom, st.container(horizontal=True, horizontal_alignment="right"):
        return st.button(
            label, type="primary", icon=icon, icon_position="right", disabled=disabled, key="foot"
        )


def start(step: str) -> None:
    """Start the background job that makes a step of the journey, or "run" for all of it."""
    current, journey = session.dataset(), session.journey()
    if current is None or journey is None:
        return
    wanted = runs.run_id(journey) if step == "run" else journey.fingerprint(step)
    try:
        jobs.start(session.workspace(), current.id, session.options(), step, wanted)
    except AnalystError as error:
        show_error(error)
        return
    st.rerun()


def can_start() -> bool:
    """Whether a background job may begin: one at a time works in a workspace."""
    return session.journey() is not None and jobs.current(session.workspace()) is None


def require(*makes: str) -> Journey:
    """The journey with these steps made; where one is missing, say so, lead there and stop."""
    journey = session.journey()
    if journey is None:
        _send_to(STEPS[0], "Open a data set and confirm its columns first.")
    for step in JOURNEY:
        if step.makes in makes and not journey.ready(step.makes):
            _send_to(step, f"This page needs the step {step.title} first.")
    return journey


_ICONS: dict[State, str] = {
    "done": ":material/check_circle:",
    "current": ":material/radio_button_checked:",
    "next": ":material/arrow_circle_right:",
    "later": ":material/radio_button_unchecked:",
}
_WORDS: dict[State, str] = {
    "done": "Done",
    "current": "You are here",
    "next": "Next",
    "later": "Later",
}


def _states(current: Step, made: frozenset[str]) -> dict[str, State]:
    states: dict[str, State] = {s.name: "done" if s.name in made else "later" for s in JOURNEY}
    states[current.name] = "current"
    following = next((name for name, state in states.items() if state == "later"), None)
    if following:
        states[following] = "next"
    return states


def _waits(step: Step) -> bool:
    """Whether what this page makes is still to be made."""
    return step.makes is not None and step.name not in done()


def _send_to(step: Step, why: str) -> NoReturn:
    with st.container(border=True):
        st.markdown(why)
        st.page_link(step.page(), label=f"Go to {step.title}", icon=f":material/{step.icon}:")
    st.stop()
