"""The settings of a page: which method, with its pros and cons, and what can be set on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.run_options import RunOptions
from ui import controls, session
from ui.controls import Look
from ui.safe_text import errors_shown

AUTO = "auto"
AUTO_LABEL = "Let the tool find out"


@dataclass(frozen=True, kw_only=True)
class Auto:
    """The choice left to the tool, told as an entry of a catalogue is."""

    label: str = AUTO_LABEL
    summary: str
    strengths: str
    weaknesses: str


def pick_method(label: str, catalogue: Mapping[str, Any], current: str, key: str) -> str:
    """Let the analyst pick an entry of a catalogue; what it is good and bad at stands below."""
    picked: str = st.segmented_control(
        label,
        list(catalogue),
        default=current,
        format_func=lambda name: catalogue[name].label,
        required=True,
        key=key,
    )
    describe(catalogue[picked])
    return picked


def describe(entry: Any) -> None:
    """What an entry of a catalogue does, and what it is good and bad at."""
    st.markdown(entry.summary)
    good, bad = st.columns(2)
    good.markdown(f":green[:material/thumb_up:] {entry.strengths}")
    bad.markdown(f":orange[:material/thumb_down:] {entry.weaknesses}")


def name_of(method: str, catalogue: Mapping[str, Any]) -> str:
    """What a method is called on screen, also one that a later version no longer has."""
    return str(catalogue[method].label) if method in catalogue else method


def settings_form(parts: Mapping[str, str], title: str = "Settings", look: Look = Look()) -> None:
    """The options of some parts of `RunOptions`, by their headings, behind one door."""
    options = session.options()
    with (
        st.expander(title, icon=":material/tune:"),
        st.form("-".join(parts.values()), border=False),
    ):
        rooms = st.tabs(list(parts)) if len(parts) > 1 else [st.container()]
        drawn = {}
        for room, part in zip(rooms, parts.values(), strict=True):
            held = getattr(options, part)
            with room:
                key = f"{part}-{type(held).__name__}"
                drawn[part] = controls.draw(type(held), held, key=key, look=look)
        if st.form_submit_button("Apply", icon=":material/check:"):
            with errors_shown():
                # As from a file, which also refuses what only several options together settle.
                changed = options.changed(**drawn).to_dict()
                session.set_options(RunOptions.from_dict(changed))
                st.rerun()


def seed_box() -> None:
    """The seed of everything random; another one shows what is chance in a result."""
    options = session.options()
    given = st.number_input(
        "Seed",
        min_value=0,
        max_value=2**31 - 1,
        value=options.seed,
        step=1,
        help="Start of everything random. The same seed gives the same result; another one shows "
        "how much of a result is chance.",
        width=200,
    )
    if given is not None and given != options.seed:
        session.set_options(options.changed(seed=int(given)))
        st.rerun()
