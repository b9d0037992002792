"""How every page of the journey begins: its step is made, or the page shows how it gets made."""

from __future__ import annotations

import streamlit as st

from core import runs
from core.pipeline import Journey
from core.runs import Run
from ui import progress, session, steps
from ui.progress import DrawEpochs


def begin(
    name: str, *needs: str, by_itself: bool = True, draw: DrawEpochs | None = None
) -> Journey:
    """The journey with this page's step made; until then its progress, and the page stops here.

    ``needs`` are the steps that other pages must have made. With ``by_itself`` the step starts
    without a click, once per setting, so that a step that failed is not tried again and again.
    """
    step = steps.step_of(name)
    journey = steps.require(*needs)
    assert step.makes is not None
    if not made(journey, step.makes, by_itself=by_itself, draw=draw):
        steps.next_button(name)
        st.stop()
    return journey


def made(
    journey: Journey, step: str, *, by_itself: bool = True, draw: DrawEpochs | None = None
) -> bool:
    """Whether a step is made; if not, start it (once per setting) and show how it gets on."""
    wanted = journey.fingerprint(step)
    working = progress.watch(step, wanted, draw)
    if journey.ready(step):
        return True
    if by_itself and not working:
        _start_once(step, wanted)
    return False


def _start_once(step: str, wanted: str) -> None:
    """Start what is wanted if it never was; else leave it to the analyst to try again."""
    begun = session.BEGUN.get() or frozenset()
    if not steps.can_start():
        return
    if wanted not in begun:
        session.BEGUN.set(begun | {wanted})
        steps.start(step)
    elif st.button("Try again", icon=":material/refresh:", key=f"again-{step}"):
        steps.start(step)


def recorded_run(journey: Journey) -> Run:
    """The run of this journey; made and recorded in the background if it is not there yet."""
    wanted = runs.run_id(journey)
    working = progress.watch("run", wanted)
    target = session.workspace().runs / wanted
    if (target / "run.json").exists():
        return runs.load_run(target)
    if not working:
        _start_once("run", wanted)
    st.stop()
