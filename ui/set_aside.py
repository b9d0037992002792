"""Rows of the file that are not used, counted by reason."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.artifacts import RawLog
from core.events.quality import Quality
from ui import cached

_REASONS = {"no_user": "no user", "no_time": "no time that could be read"}
"""Remarks of a log that are about rows without what it takes."""


def before_cleaning(raw: RawLog, seen: Quality) -> None:
    """What the reading set aside and what can be seen to be unusable; cleaning adds to it."""
    rows = [
        {"Why": reason, "Rows": count}
        for reason, count in cached.set_aside_reasons(raw.fingerprint, raw).items()
    ]
    rows += [
        {"Why": _REASONS[remark.code], "Rows": remark.rows}
        for remark in seen.remarks
        if remark.code in _REASONS
    ]
    if rows:
        st.dataframe(
            pd.DataFrame(rows),
            hide_index=True,
            height="content",
            column_config={"Rows": st.column_config.NumberColumn(format="localized")},
            key="set-aside",
            alt="Rows set aside by reason",
        )
    else:
        st.caption(":green[:material/check_circle:] Every row has a user and a time.")
    st.caption(
        "Prepare cleans the log and counts every row it touches; the list of all rows set aside, "
        "with file, line and reason, is downloaded there."
    )
