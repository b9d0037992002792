"""Watches background work: where it stands, how long it takes, and how it ended.

The job stands in the workspace, not in the browser session, so any page, tab or reload that
calls `watch` sees the same job.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core import jobs
from core.artifacts import EpochReport
from core.errors import AnalystError
from core.jobs import JobStatus
from core.pipeline import STEPS
from core.workspace import Workspace
from ui import session
from ui.safe_text import safe, show_error

DrawEpochs = Callable[[tuple[EpochReport, ...]], None]
_EVERY_SECONDS = 0.5
_WORDS = STEPS | {
    "read": "Reading the files",
    "events": "Reading times and numbers",
    "set_aside": "Listing rows set aside",
    "choices": "Counting what each choice would do",
    "quality": "Looking at what the log can carry",
    "items": "Reading the items table",
    "vectors": "Reading the item vectors",
    "known_labels": "Reading the known labels",
    "smaller": "Making smaller models",
    "run": "Making the whole journey",
}
_ENDINGS = {
    "failed": "The step did not work",
    "lost": "The background process is gone",
    "cancelled": "Cancelled",
    "paused": "Paused",
}


def watch(step: str, identity: str = "", draw: DrawEpochs | None = None) -> bool:
    """Show the newest job of the open data set where it makes ``step``.

    True while it is at work: the page then offers no second start. ``identity`` is the
    fingerprint of what the page waits for: work under other settings is named as such, and how
    that ended is not shown. ``draw`` gets the epochs so far, for a live chart. How a job ended is
    shown until the analyst has read it.
    """
    found = newest(step, session.DATASET.get() or "")
    if found is None:
        return False
    elsewhere = bool(identity and found.identity and identity != found.identity)
    if found.at_work:
        if elsewhere:
            st.info("Work under the settings you had before is still going on. Cancel it, or wait.")
        panel(found.id, None if elsewhere else draw)
        return True
    if elsewhere:
        return False
    if found.state in _ENDINGS and session.DISMISSED_JOB.get() != found.id:
        _ending(found)
    return False


def glance() -> None:
    """What is at work in this workspace, small, for the sidebar of every page."""
    workspace = session.workspace()
    job_id = jobs.current(workspace)
    if job_id is not None:
        _glance(job_id)


@st.fragment(run_every=_EVERY_SECONDS)
def panel(job_id: str, draw: DrawEpochs | None = None) -> None:
    """A job at work or waiting for its turn: where it stands, and the ways to stop it."""
    status = jobs.status(session.workspace(), job_id)
    if not status.at_work:
        st.rerun()
    with st.container(border=True, key="job"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{_WORDS.get(status.step, safe(status.step))}**")
            st.space("stretch")
            if _keeps_its_state(status) and _pause_button(status):
                _ask(jobs.pause, job_id)
            if st.button("Cancel", icon=":material/stop_circle:", key=f"cancel-{job_id}"):
                _ask(jobs.cancel, job_id)
        st.progress(_share(status), text=_text(status))
        _figures(status)
        if status.progress is not None and status.progress.note:
            st.caption(f":material/info: {safe(status.progress.note, limit=400)}")
        if draw is not None and status.epochs:
            draw(status.epochs)
        goes_on = "begins by itself" if status.state == "waiting" else "goes on"
        st.caption(f"You can leave this page or close the tab; the work {goes_on}.")


@st.fragment(run_every=2 * _EVERY_SECONDS)
def _glance(job_id: str) -> None:
    status = jobs.status(session.workspace(), job_id)
    if not status.at_work:
        st.rerun()
    st.caption(f":material/progress_activity: {_WORDS.get(status.step, safe(status.step))}")
    st.progress(_share(status))


def _keeps_its_state(status: JobStatus) -> bool:
    """Whether a pause within the work loses nothing: smaller models are begun again."""
    return status.learns and (status.step == "run" or status.step in STEPS)


def _pause_button(status: JobStatus) -> bool:
    return st.button(
        "Pausing …" if status.pausing else "Pause",
        icon=":material/pause_circle:",
        key=f"pause-{status.id}",
        disabled=status.pausing,
        help="Save where it stands and stop; Resume goes on from there, also after days.",
    )


def _ask(what: Callable[[Workspace, str], object], job_id: str) -> None:
    """Pause, resume or cancel a job, and show what came of it."""
    try:
        what(session.workspace(), job_id)
    except AnalystError as error:
        show_error(error)
        return
    st.rerun()


def _figures(status: JobStatus) -> None:
    last = status.epochs[-1] if status.epochs else None
    words = [f":material/schedule: {_duration(status.seconds)} so far"]
    if last is not None:
        words.append(f":material/speed: {last.events_per_second:,.0f} events per second")
    with st.container(horizontal=True, gap="medium"):
        for word in words:
            st.caption(word, width="content")


def _ending(status: JobStatus) -> None:
    box = st.info if status.state in ("cancelled", "paused") else st.error
    box(safe(status.error or "", limit=600), title=_ENDINGS[status.state])
    with st.container(horizontal=True):
        if status.can_go_on and st.button(
            "Resume", key=f"resume-{status.id}", icon=":material/play_circle:", type="primary"
        ):
            _ask(jobs.resume, status.id)
        if st.button("Understood", key=f"dismiss-{status.id}", icon=":material/check:"):
            session.DISMISSED_JOB.set(status.id)
            st.rerun()


def newest(step: str, dataset_id: str) -> JobStatus | None:
    """The newest job of the workspace, if it makes this step of this data set.

    Files that are being read have no data set yet: its id is empty.
    """
    workspace = session.workspace()
    job_id = jobs.latest(workspace)
    if job_id is None:
        return None
    status = jobs.status(workspace, job_id)
    return status if (status.dataset_id, status.step) == (dataset_id, step) else None


def _share(status: JobStatus) -> float:
    return min(max(status.progress.done, 0.0), 1.0) if status.progress else 0.0


def _text(status: JobStatus) -> str:
    if status.state == "waiting":
        jobs_ahead = "1 job" if status.ahead == 1 else f"{status.ahead} jobs"
        return f"Waiting for its turn: {jobs_ahead} ahead of yours"
    if status.progress is None:
        return "Starting the background process …"
    return safe(status.progress.text or _WORDS.get(status.progress.stage, status.progress.stage))


def _duration(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole} s" if whole < 90 else f"{whole // 60} min {whole % 60:02d} s"
