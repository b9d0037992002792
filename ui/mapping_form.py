"""The form in which the analyst says which column plays which role."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.artifacts import ROLES, ColumnMapping, RawLog
from core.events.mapping import Guess
from ui import cached
from ui.safe_text import safe

REQUIRED = ("user", "time")
_ALWAYS = (*REQUIRED, "action", "item", "category")
"""Roles in sight even where no column looks like them; the rest then stand behind a door."""
_SURE, _LIKELY = 0.8, 0.5
_LABELS = {
    "user": ("User", "Who did it: an id that stays the same for one person."),
    "time": ("Time", "When it happened."),
    "action": ("Action", "What was done: view, cart, purchase. Without it all events are alike."),
    "item": ("Item", "What it was done to: the id of a product."),
    "category": ("Category", "The class of the item."),
    "duration": ("Duration", "How long it took, in seconds."),
    "price": ("Price", "What one piece costs, in your currency."),
    "quantity": ("Quantity", "How many pieces. The money of an event is price times quantity."),
    "value": ("Value", "The money of the whole event, where the file holds it ready made."),
    "session": ("Session", "The visit an event belongs to. Without it visits are told by pauses."),
    "query": ("Search text", "The words a user searched for."),
    "platform": ("Platform", "Where it happened: web, app, shop ..."),
    "label": ("Known label", "What is known of the user from elsewhere. It is never used to form "
              "segments, only to judge them."),
}  # fmt: skip


def mapping_form(raw: RawLog, current: ColumnMapping | None, key: str) -> ColumnMapping:
    """Draw one list per role, filled with ``current`` or else with what was guessed."""
    guesses = {found.role: found for found in cached.guesses(raw.fingerprint, raw)}
    known = (current or cached.guessed_columns(raw.fingerprint, raw)).columns()
    in_sight = [role for role in ROLES if role in _ALWAYS or role in known]
    behind = [role for role in ROLES if role not in in_sight]

    def draw(roles: list[str]) -> dict[str, str | None]:
        chosen: dict[str, str | None] = {}
        for first in range(0, len(roles), 3):  # rows of their own, so that the boxes align
            for column, role in zip(st.columns(3), roles[first : first + 3], strict=False):
                with column:
                    chosen[role] = _role(role, raw, known.get(role), f"{key}-{role}")
                    _why(guesses.get(role), chosen[role])
        return chosen

    chosen = draw(in_sight)
    if behind:
        names = ", ".join(_LABELS[role][0].lower() for role in behind)
        with st.expander(f"More columns: {names}", icon=":material/view_column:"):
            chosen |= draw(behind)
    return ColumnMapping(**chosen)


def first_rows(raw: RawLog, mapping: ColumnMapping) -> None:
    """The first rows as they came, each column headed by the role it plays."""
    role_of = {column: _LABELS[role][0] for role, column in mapping.columns().items()}
    rows: pd.DataFrame = cached.first_rows(raw.fingerprint, raw)
    st.dataframe(
        rows,
        hide_index=True,
        column_order=[*role_of, *(c for c in raw.columns if c not in role_of)],
        column_config={
            column: st.column_config.TextColumn(f"{role_of[column]} ← {column}")
            for column in role_of
        },
        placeholder="·",
        alt="First rows of the file",
    )


def _role(role: str, raw: RawLog, column: str | None, key: str) -> str | None:
    label, help_text = _LABELS[role]
    required = role in REQUIRED
    if key not in st.session_state:
        st.session_state[key] = column if column in raw.columns else None
    return st.selectbox(
        f"{label} (required)" if required else label,
        raw.columns,
        index=None,
        placeholder="Choose a column" if required else "Not in this file",
        key=key,
        help=help_text,
    )


def _why(guess: Guess | None, column: str | None) -> None:
    if guess is None:
        st.caption("No column looks like it." if column is None else "Your choice.")
    elif guess.column == column:
        st.caption(f"{_how_sure(guess.confidence)}: {safe(guess.why)}")
    else:
        st.caption("Left out." if column is None else "Your choice.")


def _how_sure(confidence: float) -> str:
    if confidence >= _SURE:
        return ":green[:material/check_circle:] Sure"
    if confidence >= _LIKELY:
        return ":orange[:material/help:] Likely"
    return ":red[:material/error:] A guess, please check"
