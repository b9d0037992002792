"""How long a step will take here and what memory it needs, beside the button that begins it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.forecast import (
    Forecast,
    StepForecast,
    background,
    forecast_as,
    heavy_before,
    in_words,
)
from core.pipeline import STEPS, Journey
from core.run_options import RunOptions
from core.wording import duration
from ui import session

Take = Callable[[RunOptions], None]
"""Makes settings those of the session, and the page's own widgets show them."""
FEWEST_USERS = 5_000
"""With fewer users a step is begun sooner than its forecast is read."""
_EVERY_SECONDS = 1.0


def show(step: str, take: Take) -> None:
    """What making ``step`` will take, with a cheaper setting where it does not fit.

    Nothing for small logs, and where it is made already. It is worked out in the background, once
    per setting; the page waits for nothing.
    """
    journey = session.require_journey()
    steps = heavy_before(journey, step)
    if not steps or journey.missing("sequences"):
        return
    if journey.sequences().n_users < FEWEST_USERS:
        return
    found = background.found(journey, steps)
    if found is not None:
        _tell(found, take)
        return
    wanted, dataset_id = forecast_as(journey, steps), session.DATASET.require()
    background.begin(session.workspace(), dataset_id, journey.options, steps, wanted)
    if background.at_work(session.workspace(), wanted):
        _wait(journey, wanted)


@st.fragment(run_every=_EVERY_SECONDS)
def _wait(journey: Journey, wanted: str) -> None:
    if journey.store.has(wanted) or not background.at_work(session.workspace(), wanted):
        st.rerun()
    st.caption(":material/schedule: Working out how long this takes on this machine …")


def _tell(found: Forecast, take: Take) -> None:
    low, high = (
        sum(getattr(one, name) for one in found.steps) for name in ("low_seconds", "high_seconds")
    )
    memory = max(one.memory_mb for one in found.steps)
    st.markdown(f":material/schedule: {in_words(low, high, memory)} of memory on this machine.")
    for one in found.steps:
        if not one.fits:
            _warn(one, found, take)


def _warn(one: StepForecast, found: Forecast, take: Take) -> None:
    """Why a step does not fit, and a way out."""
    with st.container(border=True, key=f"forecast-{one.step}"):
        st.markdown(f":orange[:material/warning:] {STEPS[one.step]}: {_why(one, found)}.")
        if one.cheaper is None:
            st.caption("Nothing cheaper is known. You can begin all the same.")
            return
        cheaper = one.cheaper
        words = in_words(cheaper.low_seconds, cheaper.high_seconds, cheaper.memory_mb)
        still = "" if cheaper.fits else " That still does not fit, but nothing takes less."
        st.markdown(f"Cheaper: {cheaper.says}. {words}.{still}")
        st.button(
            "Take the cheaper setting",
            icon=":material/savings:",
            key=f"cheaper-{one.step}",
            on_click=lambda: take(RunOptions.from_dict(cheaper.options)),
        )


def _why(one: StepForecast, found: Forecast) -> str:
    if not one.has_room:
        return (
            f"needs about {one.memory_mb:,.0f} MB of memory, and {found.available_mb:,.0f} MB can "
            "be had on this machine"
        )
    return f"may well take longer than {duration(found.limit_seconds)}"
