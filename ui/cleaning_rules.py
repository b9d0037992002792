"""The rules of cleaning, each with what it would do before it is applied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from core import jobs
from core.artifacts import EVENT_COLUMNS, CleaningReport, FilePart
from core.events.clean import CleanOptions
from core.events.cleaning.non_goods import OddItem, OddItems, looked_for_as
from core.events.preview import ChoiceEffect, Choices, counted_as
from core.options import option_info, option_types
from core.pipeline import Journey
from core.wording import counted
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
    odd = _odd_items(journey) if "item" in journey.events.present else None
    skip = [*_pointless(journey.events.present), *(["non_goods"] if odd is not None else [])]
    chosen = controls.draw(CleanOptions, held, key="clean-CleanOptions", skip=skip)
    if odd is not None:
        chosen = replace(chosen, non_goods=_non_goods(odd, held))
    if chosen == held:
        st.caption("These are the rules in force. Change one to see what it would do.")
    else:
        _foresee(journey, chosen)
    kind = "secondary" if chosen == held else "primary"
    applied = st.button("Apply", icon=":material/check:", type=kind, key="apply-clean")
    if applied and chosen != held:
        session.set_options(session.options().changed(clean=chosen))
        st.rerun()
    if not small:
        _count_choices(journey, chosen)
    elif st.toggle(
        "Show what each choice would do", key="every-choice", help="Each as if it alone changed."
    ):
        _every_choice(cached.choice_effects(journey.filled(), chosen))


def _pointless(present: Sequence[str]) -> list[str]:
    """Options about columns that the log lacks."""
    return [
        name
        for name in option_types(CleanOptions)
        if _ABOUT.get(name, name.removeprefix("missing_").removesuffix("_outliers"))
        in set(EVENT_COLUMNS) - set(present)
    ]


def _odd_items(journey: Journey) -> tuple[OddItem, ...] | None:
    """Item codes that look like no goods; None where a large log was not looked through yet."""
    if journey.events.n_events <= AT_ONCE_ROWS:
        return cached.odd_items(journey.events)
    found = journey.store.get(OddItems, looked_for_as(journey.events))
    return found.items if found else None


def _non_goods(odd: Sequence[OddItem], held: CleanOptions) -> tuple[str, ...]:
    """Item codes that are no goods: those that look like it are offered."""
    offered = {found.item: found for found in odd}
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
        placeholder=(
            f"{counted(len(offered), 'code looks', 'codes look')} like it"
            if offered
            else "None looks like it"
        ),
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
    tried = _under(chosen)
    wanted = tried.fingerprint("clean")
    working = progress.watch("clean", wanted)
    if tried.ready("clean"):
        return tried.clean().report
    if not working and st.button("Show what it would do", icon=":material/visibility:"):
        _start("clean", chosen, wanted)
    return None


def _count_choices(journey: Journey, chosen: CleanOptions) -> None:
    """The same for a large log: counted by the worker when asked for."""
    wanted = counted_as(_under(chosen).fingerprint("clean"))  # known before anything is made
    working = progress.watch("choices", wanted)
    found = journey.store.get(Choices, wanted)
    if found is not None:
        _every_choice(found.effects)
    elif not working and st.button(
        "Count what each choice would do",
        icon=":material/calculate:",
        key="count-choices",
        help="Each as if it alone changed. Item codes that look like no goods are looked for too.",
    ):
        _start("choices", chosen, wanted)


def _under(chosen: CleanOptions) -> Journey:
    """The journey of the open data set under other rules."""
    dataset = session.dataset()
    assert dataset is not None
    options = session.options().changed(clean=chosen)
    return cached.journey(session.workspace().root, dataset, options)


def _start(step: str, chosen: CleanOptions, wanted: str) -> None:
    dataset = session.dataset()
    assert dataset is not None
    options = session.options().changed(clean=chosen)
    with errors_shown():
        jobs.start(session.workspace(), dataset.id, options, step, wanted)
        st.rerun()


def _every_choice(effects: Sequence[ChoiceEffect]) -> None:
    """Rows and users that each choice would touch, were it the only one to be changed."""
    rows = [
        {
            "Rule": option_info(CleanOptions, effect.option).label,
            "Choice": effect.text,
            "Rows": effect.rows,
            "Users": effect.users,
        }
        for effect in effects
    ]
    figures = st.column_config.NumberColumn(format="localized", width="small")
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config={"Rows": figures, "Users": figures, "Choice": {"width": "large"}},
        key="choices",
        alt="What each choice of cleaning would do",
    )


def _parts() -> tuple[FilePart, ...]:
    dataset = session.dataset()
    return session.workspace().raw(dataset).parts if dataset else ()
