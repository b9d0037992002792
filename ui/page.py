"""How every page of the journey begins: its step is made, or the page shows how it gets made."""

from __future__ import annotations

import streamlit as st

from core.pipeline import Journey
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
    working = progress.watch(step.makes, draw=draw)
    if journey.ready(step.makes):
        return journey
    if not working:
        begun = session.BEGUN.get() or frozenset()
        wanted = journey.fingerprint(step.makes)
        if by_itself and wanted not in begun and steps.can_start():
            session.BEGUN.set(begun | {wanted})
            steps.make(step)
        steps.next_button(name)
    st.stop()
