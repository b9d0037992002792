"""What is to be known of a file: each kind of trouble with its lines, the first few in sight."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.artifacts import Problem
from ui.remedies import Remedy, plain
from ui.safe_text import paragraphs, safe

_OPEN = 3
"""So many stand open; the rest is behind a door."""
_MOST = 100
_MOST_BUTTONS = 8


def problem_list(problems: Sequence[Problem]) -> None:
    """Warnings of a file that was read; nothing where all is well."""
    if not problems:
        st.caption(":green[:material/check_circle:] The file was read without any trouble.")
        return
    count = len(problems)
    title = "One thing to know about this file" if count == 1 else f"{count} things to know"
    st.warning(_listed(problems[:_OPEN]), title=title, icon=":material/info:")
    _rest(problems[_OPEN:])


def remarks(problems: Sequence[Problem]) -> None:
    """How tables beside the log fit it; nothing where all fits."""
    if problems:
        st.info(_listed(problems[:_OPEN]), title="Items and searches", icon=":material/info:")
        _rest(problems[_OPEN:])


def refusals(title: str, message: str, problems: Sequence[Problem]) -> None:
    """Why files were refused: all problems that were found, each with its lines."""
    if not problems:
        st.error(paragraphs(message), title=title, icon=":material/error:")
        return
    count = len(problems)
    if count > 1:
        title = f"{title}: {count} things to settle"
    st.error(_listed(problems[:_OPEN]), title=title, icon=":material/error:")
    _rest(problems[_OPEN:])


def offered(remedies: Sequence[Remedy]) -> Remedy | None:
    """A button for every decision that would answer the problems; the one just pressed."""
    pressed = None
    with st.container(horizontal=True):
        for place, remedy in enumerate(remedies[:_MOST_BUTTONS]):
            label = safe(remedy.label)
            if st.button(label, icon=":material/auto_fix_high:", key=f"remedy-{place}"):
                pressed = remedy
    return pressed


def _listed(problems: Sequence[Problem]) -> str:
    return "\n".join(f"- {safe(plain(problem.message), limit=600)}" for problem in problems)


def _rest(problems: Sequence[Problem]) -> None:
    if not problems:
        return
    with st.expander(f"{len(problems)} more", icon=":material/list:"):
        st.markdown(_listed(problems[:_MOST]))
        if len(problems) > _MOST:
            st.caption(f"The first {_MOST} of {len(problems):,} are listed.")
