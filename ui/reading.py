"""From files that have arrived to a data set: progress, and what to do where a file is refused.

A refused file stays until it was read or dismissed, so that the analyst can decide how it is
written and try again without sending it once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from core import jobs
from core.artifacts import Problem
from core.errors import AnalystError, FileRefused, NotFound
from core.events.read import ReadOptions
from core.jobs import JobStatus, Upload
from core.options import option_types
from ui import controls, progress, remedies, session
from ui.problem_list import offered, refusals
from ui.safe_text import safe
from ui.upload import discard

AT_ONCE_BYTES = 3_000_000
"""Files up to this size in all are read while the analyst looks on, others by the worker."""


@dataclass(frozen=True, kw_only=True)
class Refused:
    """Files that could not be read as they are, and why."""

    uploads: tuple[Upload, ...]
    message: str
    problems: tuple[Problem, ...] = ()
    title: str = "This file cannot be read as it is"


_REFUSED: session.Key[Refused] = session.Key("refused")
_READING: session.Key[str] = session.Key("reading")
"""The job that reads for this session."""
_SETTLED: session.Key[str] = session.Key("settled")
"""The job whose end was dealt with."""


def begin(uploads: tuple[Upload, ...]) -> None:
    """Read files that have arrived as one log, and open what comes of it."""
    _REFUSED.clear()
    place = session.workspace()
    options = session.READ.get() or ReadOptions()
    try:
        if sum(place.arrived(upload.id).stat().st_size for upload in uploads) > AT_ONCE_BYTES:
            run_options = session.options().changed(read=options)
            _READING.set(jobs.start_read(place, uploads, run_options))
        else:
            _read_here(uploads, options)
    except FileRefused as refused:
        _REFUSED.set(Refused(uploads=uploads, message=str(refused), problems=refused.problems))
    except AnalystError as error:
        _REFUSED.set(Refused(uploads=uploads, message=str(error), title="Not read yet"))
    st.rerun()


def panel() -> None:
    """Where reading stands, or what was refused; nothing where there is nothing to say."""
    found = progress.newest("read", "")
    if found is not None and found.at_work:
        _READING.set(found.id)  # also in a tab that was opened while it went on
        names(found.uploads)
        progress.panel(found.id)
        return
    if found is not None and found.id != _SETTLED.get():
        _SETTLED.set(found.id)
        _ended(found)
    refused = _REFUSED.get()
    if refused is not None:
        _refusal(refused)


def waiting() -> bool:
    """Whether files are being read or wait for a decision."""
    found = progress.newest("read", "")
    return _REFUSED.get() is not None or (found is not None and found.at_work)


def names(uploads: Sequence[Upload]) -> None:
    """Which files it is about."""
    if uploads:
        listed = " · ".join(safe(upload.name, limit=60) for upload in uploads[:12])
        more = f" · and {len(uploads) - 12:,} more" if len(uploads) > 12 else ""
        st.markdown(f":material/draft: {listed}{more}")


def _read_here(uploads: tuple[Upload, ...], options: ReadOptions) -> None:
    place = session.workspace()
    with st.spinner("Reading …"):
        paths = [place.arrived(upload.id) for upload in uploads]
        made = place.add(paths, [upload.name for upload in uploads], options)
    discard(uploads)
    _open(made.id)


def _open(dataset_id: str) -> None:
    """Open what was read; the next file begins without this one's settings."""
    session.READ.clear()
    session.open_dataset(dataset_id)


def _ended(found: JobStatus) -> None:
    """Deal once with a job that has ended: open the data set, or keep what was refused."""
    mine = found.id == _READING.get()
    _READING.clear()
    if found.state == "done":
        if mine and found.made:
            _open(found.made)
            st.rerun()
    elif _all_here(found.uploads):
        titles = {"cancelled": "Reading was cancelled", "lost": "Reading broke off"}
        message = "The file is still here: read it, or dismiss it."
        _REFUSED.set(
            Refused(
                uploads=found.uploads,
                message=message if found.state == "cancelled" else found.error or "",
                problems=found.problems,
                title=titles.get(found.state, Refused.title),
            )
        )


def _all_here(uploads: Sequence[Upload]) -> bool:
    try:
        return bool([session.workspace().arrived(upload.id) for upload in uploads])
    except NotFound:
        return False


def _refusal(refused: Refused) -> None:
    """What stands against the files, and everything that may be decided about it."""
    with st.container(border=True, key="refused"):
        names(refused.uploads)
        refusals(refused.title, refused.message, refused.problems)
        held = session.READ.get() or ReadOptions()
        messages = [problem.message for problem in refused.problems]
        picked = offered(remedies.suggested("read", *messages))
        if picked is not None:
            session.READ.set(replace(held, **picked.change))
            begin(refused.uploads)
        with st.form("read-again", border=False):
            chosen = _decide(held, remedies.concerned("read", *messages))
            with st.container(horizontal=True):
                again = st.form_submit_button(
                    "Read it again", type="primary", icon=":material/refresh:"
                )
                dismissed = st.form_submit_button(
                    "Dismiss the file" if len(refused.uploads) == 1 else "Dismiss the files",
                    icon=":material/close:",
                )
        if again:
            session.READ.set(chosen)
            begin(refused.uploads)
        if dismissed:
            discard(refused.uploads)
            _REFUSED.clear()
            session.READ.clear()
            st.rerun()


def _decide(held: ReadOptions, concerned: Sequence[str]) -> ReadOptions:
    """The options that the problems name in front, all others behind a door."""
    others = [name for name in option_types(ReadOptions) if name not in concerned]
    decided = {}
    if concerned:
        drawn = controls.draw(ReadOptions, held, key="again", skip=others)
        decided = {name: getattr(drawn, name) for name in concerned}
    rest = "More on how the file is written" if concerned else "How the file is written"
    with st.expander(rest, icon=":material/tune:"):
        chosen = controls.draw(ReadOptions, held, key="again-rest", skip=concerned)
    return replace(chosen, **decided)
