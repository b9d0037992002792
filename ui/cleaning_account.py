"""The account of a cleaning on screen: what was touched, why, and whom it met."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.artifacts import CleaningReport, CleaningStep, FilePart
from core.events.problems import spell_lines
from core.wording import counted
from ui.remedies import plain
from ui.safe_text import safe

_USERS_NAMED = 3
_LINES_NAMED = 3
_USER_RULES = ("many_events", "busy_day", "wholesaler")
"""Rules whose users are worth a name: likely programs and wholesalers."""


def totals(report: CleaningReport, now: CleaningReport | None = None) -> None:
    """What is kept; with ``now``, the account in force, what would change."""
    events, users = report.events_after, report.users_after
    with st.container(horizontal=True):
        if now is None:
            _metric("Events kept", f"{events:,}", _of(events, report.events_before))
            _metric("Users kept", f"{users:,}", _of(users, report.users_before))
        else:
            _metric("Events kept", f"{events:,}", _against(events, now.events_after))
            _metric("Users kept", f"{users:,}", _against(users, now.users_after))
        _metric(
            "Events per user",
            f"{events / max(users, 1):.1f}",
            f"{report.events_before / max(report.users_before, 1):.1f} before",
        )


def account(
    report: CleaningReport,
    parts: Sequence[FilePart],
    now: CleaningReport | None = None,
    key: str = "account",
) -> None:
    """A line per rule that met something, and a sentence on those that did not.

    With ``now``, the account in force, a column says how many rows more or fewer it would be.
    """
    were = {step.rule: step.rows for step in now.steps} if now else {}
    touched = [step for step in report.steps if step.rows or were.get(step.rule)]
    rows = [
        {
            "What": step.effect.capitalize(),
            "Why": plain(step.reason),
            "Rows": step.rows,
            **({"Change": step.rows - were.get(step.rule, 0) or None} if now else {}),
            "Users": step.users,
            "Which users": _named(step),
            "Lines": _lines(step, parts),
        }
        for step in touched
    ]
    number = st.column_config.NumberColumn(format="localized", width="small")
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        height="content",
        column_config={
            "What": {"width": "small"},
            "Why": {"width": "large"},
            "Rows": number,
            "Change": st.column_config.NumberColumn(format="%+d", width="small"),
            "Users": number,
        },
        placeholder="",
        key=key,
        alt="Cleaning report",
    )
    quiet = [plain(step.reason) for step in report.steps if step not in touched]
    if quiet:
        st.caption(safe("Looked for and not found: " + "; ".join(quiet) + ".", limit=800))


def notes(report: CleaningReport) -> None:
    """What asks for a decision: repeats that may be real, programs and wholesalers by name."""
    for step in report.steps:
        if not step.rows:
            continue
        if step.rule == "duplicate" and step.effect == "flagged":
            st.info(safe(_sentence(step.reason), limit=400), icon=":material/content_copy:")
        if step.rule in _USER_RULES:
            done = {"dropped": "left out", "flagged": "kept, and named here"}
            what = f"{_sentence(step.reason)} ({done.get(step.effect, step.effect)}): "
            st.info(safe(what + _named(step), limit=400), icon=":material/smart_toy:")


def _sentence(reason: str) -> str:
    words = plain(reason)
    return words[:1].upper() + words[1:]


def _named(step: CleaningStep) -> str:
    named = [
        f"{found.user} ({counted(found.rows, 'row', 'rows')})"
        for found in step.examples[:_USERS_NAMED]
    ]
    more = step.users - len(named)
    return ", ".join(named) + (f" and {more:,} more" if named and more > 0 else "")


def _lines(step: CleaningStep, parts: Sequence[FilePart]) -> str:
    shown = step.lines[:_LINES_NAMED]
    if not shown:
        return ""
    return spell_lines(shown, max(len(shown), min(step.rows, len(step.lines))), parts)


def _of(after: int, before: int) -> str:
    return f"of {before:,}, {before - after:,} left out"


def _against(then: int, now: int) -> str:
    return "as now" if then == now else f"{then - now:+,} against now"


def _metric(label: str, value: str, below: str) -> None:
    st.metric(label, value, below, delta_color="off", delta_arrow="off", border=True)
