"""The settings of clustering, and the number of segments, which answers at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from core.artifacts import NOISE, KCurve, Labels
from core.clustering import CLUSTERERS
from core.options import option_info, option_types
from core.run_options import ClusterOptions, RunOptions
from core.wording import counted, percent
from ui import session
from ui.controls import Look
from ui.safe_text import errors_shown, safe
from ui.settings import AUTO, Auto, pick_method, settings_form

LABELS = {name: entry.label for name, entry in CLUSTERERS.items()}
"""What every algorithm is called on screen."""
_TOOL = Auto(
    summary=(
        "Forms segments with several algorithms and takes those that best foretell what users "
        "that were left out do next."
    ),
    strengths="You need to know nothing beforehand, and read why it was taken.",
    weaknesses="Takes as long as all of them together.",
)
_ALGORITHM = "algorithm"
_REFINE = "refine"


def settings() -> None:
    """Pick the algorithm, with its pros and cons, and what it takes."""
    options = session.options()
    offered = {AUTO: _TOOL, **CLUSTERERS}
    picked = pick_method("Algorithm", offered, options.cluster.method, key=_ALGORITHM)
    if picked != AUTO:
        st.caption(f":material/timer: {CLUSTERERS[picked].cost}")
    if picked != options.cluster.method:
        session.set_options(options.changed(cluster=ClusterOptions(method=picked)))
        st.rerun()
    has_own = bool(option_types(type(options.cluster_params)))
    own = {offered[picked].label: "cluster_params"} if has_own else {}
    compared = {"Numbers compared": "choose_k"} if needs_k(picked) else {}
    look = Look(words={"candidates": LABELS})
    if picked == AUTO or CLUSTERERS[picked].reads == "points":
        _refine_switch()
    settings_form({**own, **compared}, look=look)


def _refine_switch() -> None:
    """Let models of behaviour improve segments of points."""
    options = session.options()
    told = option_info(ClusterOptions, "refine")
    wanted = st.toggle(told.label, value=options.cluster.refine, help=told.help, key=_REFINE)
    if wanted != options.cluster.refine:
        cluster = replace(options.cluster, refine=wanted)
        session.set_options(options.changed(cluster=cluster))
        st.rerun()


def take(options: RunOptions) -> None:
    """Settings from elsewhere than these widgets, which show them from then on."""
    st.session_state[_ALGORITHM] = options.cluster.method
    st.session_state[_REFINE] = options.cluster.refine
    session.set_options(options)


def needs_k(method: str) -> bool:
    """Whether the number of segments is to be chosen, and not found by the algorithm itself."""
    return method == AUTO or CLUSTERERS[method].needs_n_clusters


def make_small_at_once() -> None:
    """Form segments of few points in place, where that takes a second or two, not in a job."""
    journey = session.require_journey()
    method = journey.options.cluster.method
    if method == AUTO or journey.options.cluster.refine:
        return
    few = len(journey.embeddings().user_ids) <= CLUSTERERS[method].at_once_users
    if few and journey.ready("k_curve") and not journey.ready("labels"):
        with errors_shown(), st.spinner("Forming segments …"):
            journey.labels()


def tell_taken(labels: Labels, method: str) -> None:
    """Which algorithm ``method`` became and why, and how many users are set aside."""
    label = LABELS[labels.method]
    if method == AUTO and label not in labels.note:
        st.markdown(f"The choice is {label}.")
    if labels.note:
        st.markdown(safe(labels.note, limit=1000))
    aside = int((np.asarray(labels.values) == NOISE).sum())
    if aside:
        users = counted(aside, "user is", "users are")
        share = percent(aside / len(labels.values))
        st.markdown(f":material/person_off: {users} set aside, in no segment ({share} of all).")


def pick_k(curve: KCurve) -> None:
    """Let the analyst take another number of segments than the suggested one."""
    options = session.options()
    wanted = options.cluster.n_clusters
    now = curve.suggested if wanted == "auto" else wanted
    offered = sorted({*curve.ks, now})
    picked = st.select_slider(
        "Number of segments", offered, value=now, key=f"k-{curve.fingerprint}-{now}"
    )
    if picked != now:
        n_clusters = "auto" if picked == curve.suggested else picked
        session.set_options(
            options.changed(cluster=replace(options.cluster, n_clusters=n_clusters))
        )
        st.rerun()
