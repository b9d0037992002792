"""What is to be known of a file: each kind of trouble with its lines."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.artifacts import Problem
from ui.safe_text import safe


def problem_list(problems: Sequence[Problem]) -> None:
    """Warnings of a file that was read; nothing where all is well."""
    if not problems:
        st.caption(":green[:material/check_circle:] The file was read without any trouble.")
        return
    count = len(problems)
    title = "One thing to know about this file" if count == 1 else f"{count} things to know"
    st.warning(
        "\n".join(f"- {safe(problem.message, limit=600)}" for problem in problems),
        title=title,
        icon=":material/info:",
    )
