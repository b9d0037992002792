"""The rules of cleaning, each with what it would do before it is applied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from core import jobs
from core.artifacts import EVENT_COLUMNS, CleaningReport, FilePart
from core.events.clean import CleanOptions
from core.options import option_info, option_types
from core.pipeline import Journey
from ui import cached, controls, progress, session
from ui.cleaning_account import account, totals
from ui.safe_text import errors_shown

_ABOUT = {"non_goods": "item", "wholesalers": "quantity", "wholesaler_factor": "quantity"}
"""Options about a column that their name does not say."""
AT_ONCE_ROWS = 1_000_000
"""Up to so many rows the effect of rules is counted while they are changed; more take a click."""


def cleaning_rules(journey: Journey) -> None:
    """The rules, what a change would do, and the button that applies it."""
    if journey.events.n_events <= AT_ONCE_ROWS:
        st.fragment(_rules)(journey)  # a change redraws this part alone
    else:
        _rules(journey)


def _rules(journey: Journey) -> None:
    held = session.options().clean
    small = journey.events.n_events <= AT_ONCE_ROWS
    has_items = "item" in journey.events.present
    skip = [*_pointless(journey.events.present), *(["non_goods"] if small else [])]
    chosen = controls.draw(CleanOptions, held, key="clean-CleanOptions", skip=skip, columns=3)
    if small and has_items:
        chosen = replace(chosen, non_goods=_non_goods(journey, held))
    if chosen == held:
        st.caption("These are the rules in force. Change one to see what it would do.")
    else:
        _foresee(journey, chosen)
    kind = "secondary" if chosen == held else "primary"
    applied = st.button("Apply", icon=":material/check:", type=kind, key="apply-clean")
    if applied and chosen != held:
        session.set_options(session.options().changed(clean=chosen))
        st.rerun()
    if small and st.toggle(
        "Show what each choice would do", key="every-choice", help="Each as if it alone changed."
    ):
        _every_choice(journey, chosen)


def _pointless(present: Sequence[str]) -> list[str]:
    """Options about columns that the log lacks."""
    return [
        name
        for name in option_types(CleanOptions)
        if _ABOUT.get(name, name.removeprefix("missing_").removesuffix("_outliers"))
        in set(EVENT_COLUMNS) - set(present)
    ]


def _non_goods(journey: Journey, held: CleanOptions) -> tuple[str, ...]:
    """Item codes that are no goods: those that look like it are offered."""
    offered = {odd.item: odd for odd in cached.odd_items(journey.events)}
    key = f"non-goods-{'|'.join(held.non_goods)}"
    picked = st.multiselect(
        option_info(CleanOptions, "non_goods").label,
        list(dict.fromkeys([*held.non_goods, *offered])),
        default=list(held.non_goods),
        key=key,
        accept_new_options=True,
        format_func=lambda item: (
            f"{item} ({offered[item].rows:,} rows)" if item in offered else item
        ),
        placeholder=f"{len(offered)} codes look like it" if offered else "None looks like it",
        help="Codes such as POST or BANK CHARGES are lines of a bill and not goods. Rows with one "
        "of them are dropped. Those offered hold no digit, where nearly all others do.",
    )
    return tuple(picked)


def _foresee(journey: Journey, chosen: CleanOptions) -> None:
    """What the chosen rules would do, against those in force."""
    report = _report(journey, chosen)
    if report is None:
        return
    now = journey.clean().report if journey.ready("clean") else None
    st.markdown("**With these rules**")
    if report.events_after == 0:
        st.error("Nothing would be left of the log.", icon=":material/block:")
    totals(report, now)
    account(report, _parts(), now, key="account-foreseen")


def _report(journey: Journey, chosen: CleanOptions) -> CleaningReport | None:
    """The account that cleaning would give; None where it is still to be counted."""
    if journey.events.n_events <= AT_ONCE_ROWS:
        return cached.cleaning_preview(journey.filled(), chosen)
    dataset = session.dataset()
    assert dataset is not None
    options = session.options().changed(clean=chosen)
    tried = cached.journey(session.workspace().root, dataset, options)
    wanted = tried.fingerprint("clean")
    working = progress.watch("clean", wanted)
    if tried.ready("clean"):
        return tried.clean().report
    if not working and st.button("Show what it would do", icon=":material/visibility:"):
        with errors_shown():
            jobs.start(session.workspace(), dataset.id, options, "clean", wanted)
            st.rerun()
    return None


def _every_choice(journey: Journey, chosen: CleanOptions) -> None:
    """Rows and users that each choice would touch, were it the only one to be changed."""
    rows = [
        {
            "Rule": option_info(CleanOptions, effect.option).label,
            "Choice": effect.text,
            "Rows": effect.rows,
            "Users": effect.users,
        }
        for effect in cached.choice_effects(journey.filled(), chosen)
    ]
    counted = st.column_config.NumberColumn(format="localized", width="small")
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config={"Rows": counted, "Users": counted, "Choice": {"width": "large"}},
        key="choices",
        alt="What each choice of cleaning would do",
    )


def _parts() -> tuple[FilePart, ...]:
    dataset = session.dataset()
    return session.workspace().raw(dataset).parts if dataset else ()
