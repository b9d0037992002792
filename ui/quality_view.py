"""What an analyst must know of a log: read in ten seconds, then looked into tab by tab."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import pandas as pd
import streamlit as st

from core.artifacts import Problem
from core.charts import events as charts
from core.events.profile import Profile
from core.events.quality import Quality
from core.events.readiness import Remark
from core.wording import duration, percent
from ui import plots
from ui.remedies import plain
from ui.safe_text import safe

_OPEN = 3
"""So many remarks stand open, and every reason why the log cannot be used; the rest is behind a
door."""
_MOST = 100
_ICONS = {
    "cannot": ":red[:material/block:]",
    "care": ":orange[:material/warning:]",
    "problem": ":orange[:material/report:]",
    "note": ":gray[:material/info:]",
}
_VISIT_SECONDS = 1800.0
"""Where a visit is customarily taken to end; Prepare suggests one from the log itself."""


def summary(seen: Quality, problems: Sequence[Problem]) -> None:
    """The figures, the verdict with its reasons, and what else to mind by weight."""
    _figures(seen)
    boxes = {"good": st.success, "care": st.warning, "cannot": st.error}
    icons = {
        "good": ":material/check_circle:",
        "care": ":material/warning:",
        "cannot": ":material/block:",
    }
    lines = _lines(seen.remarks, problems)
    open_lines = max(_OPEN, sum(kind == "cannot" for kind, _ in lines))
    boxes[seen.level](
        "\n".join(f"- {text}" for _, text in lines[:open_lines])
        or "Users, days, events, actions and times were counted.",
        title=seen.verdict.rstrip("."),
        icon=icons[seen.level],
    )
    rest = lines[open_lines:]
    if rest:
        with st.expander(f"{len(rest)} more to know about this log", icon=":material/list:"):
            st.markdown("\n\n".join(f"{_ICONS[kind]} {text}" for kind, text in rest[:_MOST]))


def tabs(seen: Quality, profile: Profile, set_aside: Callable[[], None]) -> None:
    """The log from every side; ``set_aside`` draws what is known of rows set aside."""
    names = ["Over time", "Pauses", "Events per user", "Actions", "Columns", "Rows set aside"]
    rooms = dict(zip(names, st.tabs(names, key="quality-tabs"), strict=True))
    with rooms["Over time"]:
        plots.show(charts.events_over_time(seen.overview.timeline), key="quality-over-time")
    with rooms["Pauses"]:
        plots.show(charts.pauses(seen.pauses, _VISIT_SECONDS), key="quality-pauses")
        if seen.pauses_of < seen.n_users:
            st.caption(f"From {seen.pauses_of:,} users drawn out of {seen.n_users:,}.")
    with rooms["Events per user"]:
        plots.show(charts.events_per_user(seen.overview.events_per_user), key="quality-per-user")
    with rooms["Actions"]:
        _actions(seen)
    with rooms["Columns"]:
        columns(profile)
    with rooms["Rows set aside"]:
        set_aside()


def columns(profile: Profile) -> None:
    """A line per column of the file: how full, how various, what it looks like."""
    rows = [
        {
            "Column": column.name,
            "Looks like": column.kind,
            "Filled": column.filled / max(profile.n_rows, 1),
            "Different values": column.distinct,
            "Most frequent": " · ".join(column.frequent),
            "Smallest": column.low,
            "Largest": column.high,
        }
        for column in profile.columns
    ]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config={
            "Filled": st.column_config.ProgressColumn(
                format="percent", min_value=0, max_value=1, width="small"
            ),
            "Different values": st.column_config.NumberColumn(format="localized", width="small"),
        },
        key="quality-columns",
        alt="Columns of the file",
    )
    if not profile.exact:
        st.caption("Different values are estimated to within about 2%, as the log is large.")
    if len(profile.columns) < profile.n_columns:
        st.caption(f"The first {len(profile.columns)} of {profile.n_columns:,} columns are shown.")


def _figures(seen: Quality) -> None:
    actions = safe(", ".join(seen.actions[:3]), limit=34) or "none named"
    with st.container(horizontal=True, key="quality-figures"):
        _metric("Users", f"{seen.n_users:,}", _per_user(seen))
        _metric("Events", f"{seen.n_rows:,}", "rows of the file")
        _metric("Span", *_span(seen.first, seen.last))
        _metric("Actions", f"{seen.n_actions:,}", actions)
        left_out = f"{seen.n_rows - seen.n_usable:,} without user or time"
        _metric("Usable rows", _share(seen.n_usable, seen.n_rows), left_out)


def _metric(label: str, value: str, below: str) -> None:
    st.metric(label, value, below, delta_color="off", delta_arrow="off", border=True)


def _per_user(seen: Quality) -> str:
    return f"{seen.n_usable / seen.n_users:.1f} events each" if seen.n_users else "none"


def _share(part: int, whole: int) -> str:
    """A share that reads 100% only where nothing is missing."""
    share = part / max(whole, 1)
    return "over 99%" if 0.995 <= share < 1 else percent(share)


def _span(first: datetime | None, last: datetime | None) -> tuple[str, str]:
    if first is None or last is None:
        return "none", "no time could be read"
    return duration((last - first).total_seconds()), f"{first:%d %b %Y} to {last:%d %b %Y}"


def _lines(remarks: Sequence[Remark], problems: Sequence[Problem]) -> list[tuple[str, str]]:
    """Kind and text of all that is to be known: what weighs most first, mere notes last."""
    heavy = [remark for remark in remarks if remark.weight != "note"]
    notes = [remark for remark in remarks if remark.weight == "note"]
    found = sorted(problems, key=lambda problem: -problem.count)  # stable
    return [
        *((str(remark.weight), safe(remark.text, limit=600)) for remark in heavy),
        *(("problem", safe(plain(problem.message), limit=600)) for problem in found),
        *(("note", safe(remark.text, limit=600)) for remark in notes),
    ]


def _actions(seen: Quality) -> None:
    left, right = st.columns(2)
    with left:
        plots.show(charts.action_counts(seen.overview.actions), key="quality-actions")
        if seen.overview.categories:
            plots.show(charts.category_counts(seen.overview.categories), key="quality-categories")
    with right:
        if seen.funnel:
            plots.show(charts.funnel(seen.funnel, seen.n_users), key="quality-funnel")
        else:
            st.caption(
                "There is no funnel: the words of the actions do not say which of them is a view, "
                "a cart or a purchase. Rename them under the columns."
            )
