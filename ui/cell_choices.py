"""What the cells of the columns mean: names of coded actions, rules, and how they are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from core.action_roles import role_of
from core.artifacts import ColumnMapping, RawLog
from core.events.columns.offers import Offer, whole_code
from core.events.map_options import MapOptions
from ui import cached, controls
from ui.safe_text import safe

_MOST_CODES = 24
"""More different words than this are no codes that anyone would name by hand."""
_OWN_WIDGETS = ("action_names", "rules")


def cell_choices(raw: RawLog, mapping: ColumnMapping, current: MapOptions, key: str) -> MapOptions:
    """The choices as the analyst has set them; those that the log does not ask for are closed."""
    names, rules = current.action_names, current.rules
    if mapping.action in raw.columns:
        names = _action_names(raw, str(mapping.action), names, key)
    offer = cached.offer(raw.fingerprint, raw, mapping)
    title = (
        f"Rules for actions ({len(offer.rules)} suggested)" if offer.rules else "Rules for actions"
    )
    with st.expander(title, icon=":material/rule:"):
        rules = _rules(offer, rules, key)
    with st.expander("How cells are read", icon=":material/tune:", key=f"{key}-cells"):
        chosen = controls.draw(MapOptions, current, key=f"{key}-map", skip=_OWN_WIDGETS)
    return replace(chosen, action_names=names, rules=rules)


def _action_names(raw: RawLog, column: str, named: Sequence[str], key: str) -> tuple[str, ...]:
    """A box per code; the door stands open where the words tell nothing."""
    words: dict[str, Counter[str]] = {}
    for cell, count in cached.words_of(raw.fingerprint, raw, column).items():
        words.setdefault(whole_code(cell), Counter())[cell] = count
    if not 0 < len(words) <= _MOST_CODES:
        return tuple(named)
    given = {
        whole_code(code): name
        for text in named
        for code, equals, name in [text.rpartition("=")]
        if equals
    }
    coded = all(len(word) <= 2 or word.isdigit() for word in words)
    untold = all(role_of(word) == "unknown" for word in words)
    title = "What do the actions mean?" if coded and untold else "Rename actions"
    with st.expander(title, icon=":material/translate:", expanded=coded and untold):
        if coded and untold:
            st.markdown(
                "The actions are codes. Name them (view, cart, purchase ...), so that the funnel, "
                "the segments and the recommendations can be told in words."
            )
        boxes = st.columns(4)
        found = {}
        for place, (word, cells) in enumerate(words.items()):
            with boxes[place % 4]:
                found[word] = st.text_input(
                    f"{safe(word, limit=40)} ({cells.total():,} times)",
                    given.get(word, ""),
                    key=f"{key}-code-{column}-{word}",
                    max_chars=60,
                    placeholder="as it is",
                ).strip()
                if "=" in found[word]:
                    found[word] = ""
                    st.error("A name holds no equals sign.")
    gone = {word: name for word, name in given.items() if word not in words}
    kept = gone | {
        word: name for word, name in found.items() if name and set(words[word]) != {name}
    }
    return tuple(f"{word}={name}" for word, name in kept.items())


def _rules(offer: Offer, current: Sequence[str] | str, key: str) -> tuple[str, ...] | str:
    """Rules as lines that can be switched off: those that the log suggests, then one's own."""
    # Before the reasons of the rules may stand that of the default action.
    reasons = dict(zip(offer.rules, offer.why[len(offer.why) - len(offer.rules) :], strict=True))
    taken, own = [], []
    if offer.rules:
        st.markdown("**The log suggests**")
    for rule, reason in reasons.items():
        on = current == "auto" or rule in current
        if st.checkbox(safe(rule), on, key=f"{key}-rule-{rule}", help=safe(reason, limit=300)):
            taken.append(rule)
        st.caption(safe(reason, limit=300))
    if current != "auto":
        own = [rule for rule in current if rule not in offer.rules]
    text = st.text_area(
        "Other rules for actions, one a line",
        "\n".join(own),
        key=f"{key}-rules",
        placeholder="return if Quantity < 0\nvisit if Item is blank",
        help="The action, the word if, a column, and what its cell is like: a number with < <= > "
        ">=, a text with = != starts or contains, or is blank.",
    )
    own = [line.strip() for line in text.splitlines() if line.strip()]
    unchanged = not own and tuple(taken) == offer.rules
    return "auto" if unchanged else (*taken, *own)
