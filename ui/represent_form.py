"""How users become points, picked by what the analyst wants to know of them."""

from __future__ import annotations

import streamlit as st

from core.representations import QUESTIONS, REPRESENTATIONS
from core.representations.ladder import AutoOptions
from core.run_options import RepresentOptions, RunOptions
from ui import session
from ui.controls import Look
from ui.settings import AUTO, Auto, describe, name_of, pick_method, seed_box, settings_form

LABELS = {name: entry.label for name, entry in REPRESENTATIONS.items()}
"""What every representation is called on screen."""
_TOOL = Auto(
    summary=(
        "Tries several representations on a sample of your users, forms segments with each, and "
        "takes the one whose segments best foretell what other users do next."
    ),
    strengths="You need to know nothing beforehand, and see how the others did.",
    weaknesses="Takes longer than any one of them, as a few must be tried first.",
)
_QUESTION = "question"
_COST = {
    True: ":gray[:material/model_training: Trained: takes minutes.]",
    False: ":gray[:material/calculate: Counted: takes seconds.]",
}


def settings() -> None:
    """The question, the representation that answers it, and all that can be set on it."""
    current = session.options().represent.method
    question = _pick_question(current)
    if question == AUTO:
        describe(_TOOL)
        _tell_candidates()
        _take(AUTO)
    else:
        _take(_pick_representation(question, current))
    _expert()
    seed_box()


def offer_comparison() -> None:
    """A way from what the analyst chose by hand to what the tool would say of it."""
    st.button(
        "Compare with others",
        icon=":material/compare:",
        on_click=_compare,
        help="Tries this one beside the usual ones on a sample, and takes the one whose segments "
        "best foretell what other users do next.",
    )


def _pick_question(current: str) -> str:
    asked = {entry.question for entry in REPRESENTATIONS.values()}
    words = {AUTO: _TOOL.label, **{q: text for q, text in QUESTIONS.items() if q in asked}}
    if _QUESTION not in st.session_state:  # not as a default, since `_compare` sets it too
        st.session_state[_QUESTION] = AUTO if current == AUTO else REPRESENTATIONS[current].question
    picked: str = st.segmented_control(
        "What do you want to know of your users?",
        list(words),
        format_func=words.__getitem__,
        required=True,
        key=_QUESTION,
    )
    return picked


def _pick_representation(question: str, current: str) -> str:
    """One of the representations that answer a question; there may be but one."""
    found = {name: entry for name, entry in REPRESENTATIONS.items() if entry.question == question}
    begin = current if current in found else next(iter(found))
    picked = begin
    if len(found) == 1:
        describe(found[begin])
    else:
        picked = pick_method("Representation", found, begin, key=f"representation-{question}")
    st.markdown(_COST[found[picked].learned])
    return picked


def _tell_candidates() -> None:
    params = session.options().represent_params
    if isinstance(params, AutoOptions):
        tried = " · ".join(name_of(name, REPRESENTATIONS) for name in params.candidates)
        st.markdown(f":gray[:material/compare: Compares: {tried}.]")


def _take(method: str) -> None:
    options = session.options()
    if method != options.represent.method:
        session.set_options(options.changed(represent=RepresentOptions(method=method)))
        st.rerun()


def _expert() -> None:
    method = session.options().represent.method
    own = "Comparison" if method == AUTO else LABELS[method]
    parts = {own: "represent_params", "Models of behaviour": "models"}
    look = Look(door=False, words={"candidates": LABELS})
    settings_form(parts, "Expert settings", look)


def take(options: RunOptions) -> None:
    """Settings from elsewhere than these widgets, which show them from then on."""
    method = options.represent.method
    question = AUTO if method == AUTO else REPRESENTATIONS[method].question
    st.session_state[_QUESTION] = question
    if question != AUTO:
        st.session_state[f"representation-{question}"] = method
    session.set_options(options)


def _compare() -> None:
    options = session.options()
    candidates = dict.fromkeys((*AutoOptions().candidates, options.represent.method))
    compared = options.changed(
        represent=RepresentOptions(method=AUTO),
        represent_params=AutoOptions(candidates=tuple(candidates)),
    )
    take(compared)
