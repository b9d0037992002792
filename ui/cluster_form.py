"""The settings of clustering, and the number of segments, which answers at once."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.artifacts import KCurve
from core.clustering import CLUSTERERS
from core.run_options import AUTO_CLUSTERER, ClusterOptions
from ui import session
from ui.safe_text import errors_shown
from ui.settings import pick_method, settings_form

_AT_ONCE_USERS = 50_000
"""Up to so many users another number of segments is computed while the analyst looks on."""


def settings() -> None:
    """Pick the algorithm, with its pros and cons, and what it takes."""
    options = session.options()
    picked = pick_method("Algorithm", CLUSTERERS, options.clusterer, key="algorithm")
    if picked != options.clusterer:
        method = "auto" if picked == AUTO_CLUSTERER else picked
        session.set_options(options.changed(cluster=ClusterOptions(method=method)))
        st.rerun()
    compared = {"Numbers compared": "choose_k"} if CLUSTERERS[picked].needs_n_clusters else {}
    settings_form({CLUSTERERS[picked].label: "cluster_params", **compared})


def make_small_at_once() -> None:
    """Form the segments in place where that takes about a second, not in the background."""
    journey = session.require_journey()
    needs_k = CLUSTERERS[journey.options.clusterer].needs_n_clusters
    few = len(journey.embeddings().user_ids) <= _AT_ONCE_USERS
    if needs_k and few and journey.ready("k_curve") and not journey.ready("labels"):
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
