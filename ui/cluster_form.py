"""The settings of clustering, and the number of segments, which answers at once."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.artifacts import KCurve
from core.clustering import CLUSTERERS
from core.run_options import AUTO_CLUSTERER, ClusterOptions
from ui import controls, session
from ui.safe_text import errors_shown

_AT_ONCE_USERS = 50_000
"""Up to so many users another number of segments is computed while the analyst looks on."""


def settings() -> None:
    """Pick the algorithm, with its pros and cons, and what it takes."""
    options = session.options()
    picked = st.segmented_control(
        "Algorithm",
        list(CLUSTERERS),
        default=options.clusterer,
        format_func=lambda name: CLUSTERERS[name].label,
        required=True,
        key="algorithm",
    )
    entry = CLUSTERERS[picked]
    st.markdown(entry.summary)
    good, bad = st.columns(2)
    good.markdown(f":green[:material/thumb_up:] {entry.strengths}")
    bad.markdown(f":orange[:material/thumb_down:] {entry.weaknesses}")
    if picked != options.clusterer:
        method = "auto" if picked == AUTO_CLUSTERER else picked
        session.set_options(options.changed(cluster=ClusterOptions(method=method)))
        st.rerun()
    with st.expander("Settings", icon=":material/tune:"), st.form("cluster", border=False):
        params = controls.draw(
            entry.Options, options.cluster_params, key=f"cluster-{picked}", columns=3
        )
        tried = (
            controls.draw(type(options.choose_k), options.choose_k, key="choose-k", columns=3)
            if entry.needs_n_clusters
            else options.choose_k
        )
        if st.form_submit_button("Apply", icon=":material/check:"):
            session.set_options(options.changed(cluster_params=params, choose_k=tried))
            st.rerun()


def make_small_at_once() -> None:
    """Form the segments in place where that takes about a second, not in the background."""
    journey = session.require_journey()
    few = journey.embeddings().values.shape[0] <= _AT_ONCE_USERS
    if few and journey.ready("k_curve") and not journey.ready("labels"):
        with errors_shown(), st.spinner("Forming segments …"):
            journey.labels()


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
