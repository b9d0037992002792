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
    working = progress.watch(step, draw=draw)
    if journey.ready(step):
        return True
    begun = session.BEGUN.get() or frozenset()
    wanted = journey.fingerprint(step)
    if by_itself and not working and wanted not in begun and steps.can_start():
        session.BEGUN.set(begun | {wanted})
        steps.start(step)
    return False


def recorded_run(journey: Journey) -> Run:
    """The run of this journey; made and recorded in the background if it is not there yet."""
    target = session.workspace().runs / runs.run_id(journey)
    working = progress.watch("run")
    if (target / "run.json").exists():
        return runs.load_run(target)
    begun = session.BEGUN.get() or frozenset()
    if not working and target.name not in begun and steps.can_start():
        session.BEGUN.set(begun | {target.name})
        steps.start("run")
    st.stop()
