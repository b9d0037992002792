"""What came of turning users into points: figures, findings, and how other ways compare."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from core.artifacts import Embeddings, Metric, Rung
from core.charts import representations as charts
from core.geometry import effective_rank
from core.representations import REPRESENTATIONS
from core.wording import duration, figure, percent
from ui import plots
from ui.represent_form import LABELS
from ui.safe_text import safe

_FINDINGS: dict[str, tuple[str, Callable[[float], str]]] = {
    "effective_rank": ("Directions in use", lambda value: f"{value:.1f}"),
    "order_share": ("Carried by order", percent),
    "length_dependence": ("Told by how many events", percent),
    "drawn_to_segments": ("Moved by drawing to segments", percent),
}
"""Findings in the analyst's words, and how their values are written; others show their names."""
_IN_A_ROW = 3


def figures(embeddings: Embeddings) -> None:
    """How many users became how many numbers, where, and how fast."""
    with st.container(horizontal=True):
        st.metric("Users", f"{len(embeddings.user_ids):,}", border=True)
        st.metric("Numbers per user", embeddings.values.shape[1], border=True)
        if "effective_rank" not in {found.name for found in embeddings.findings}:
            st.metric(
                "Directions in use",
                f"{effective_rank(embeddings.values):.1f}",
                border=True,
                help="Effective rank: how many independent directions the points spread over.",
            )
        st.metric(
            "Computed on",
            embeddings.device.split(" ")[0].upper(),
            help=embeddings.device,
            border=True,
        )
        if embeddings.history:
            last = embeddings.history[-1]
            st.metric("Speed", f"{last.events_per_second:,.0f} events/s", border=True)
            st.metric("Time", f"{last.seconds:.0f} s", border=True)


def findings(found: tuple[Metric, ...]) -> None:
    """What was found out about the points; what has no value is a remark."""
    valued = [metric for metric in found if metric.value is not None]
    for first in range(0, len(valued), _IN_A_ROW):
        places = st.columns(_IN_A_ROW)
        for place, metric in zip(places, valued[first : first + _IN_A_ROW], strict=False):
            label, told = _FINDINGS.get(metric.name, (_readable(metric.name), figure))
            with place.container(border=True, height="stretch"):
                st.metric(label, told(metric.value or 0.0))
                st.caption(safe(metric.note, limit=600))
    for metric in found:
        if metric.value is None:
            label, _ = _FINDINGS.get(metric.name, (_readable(metric.name), figure))
            st.caption(f"**{label}**: {safe(metric.note, limit=600)}")


def comparison(embeddings: Embeddings) -> None:
    """All that was tried, side by side: maps, worth, cost, and what each sees."""
    tried, taken = embeddings.tried, embeddings.method
    st.subheader("What was compared", anchor=False)
    plots.show(charts.small_maps(tried, LABELS, taken), key="small-maps")
    rows = [_row(rung, taken) for rung in tried if not rung.problem]
    st.table(pd.DataFrame(rows).set_index("Representation"), border="horizontal")
    st.caption(
        "Each was made of the same sample of users and K-means formed as many segments in it. "
        "Bits per event say how well those segments foretell what users that were left out "
        "do next; nearer to 0 is better, ± is one standard error. Same segments: adjusted Rand "
        "index with those of the one taken, 1 the same, 0 what chance gives. The models of "
        "behaviour that all are measured by are not in the time."
    )
    for rung in tried:
        if rung.problem:
            why = safe(rung.problem, limit=600)
            st.markdown(f":material/block: **{LABELS[rung.method]}** could not be tried: {why}")


def _row(rung: Rung, taken: str) -> dict[str, str]:
    label = LABELS[rung.method]
    best = rung.behind == 0
    return {
        "Representation": f"**{label}** (taken)" if rung.method == taken else label,
        "Foretells unseen users (bits per event)": f"{rung.bits:.3f}",
        "Behind the best": "best" if best else _unbroken(f"{rung.behind:.3f} ± {rung.error:.3f}"),
        "Same segments": f"{rung.agreement:.2f}",
        "Time": _unbroken("under 0.1 s" if rung.seconds < 0.1 else duration(rung.seconds)),
        "Numbers per user": f"{rung.width:,}",
        "What it sees": REPRESENTATIONS[rung.method].summary,
    }


def _readable(name: str) -> str:
    """A finding's name; of one that is about a representation, that stands after a colon."""
    what, _, method = name.rpartition(" ")
    if what and method in LABELS:
        return f"{safe(what.capitalize())}: {LABELS[method]}"
    return safe(name.replace("_", " ").capitalize())


def _unbroken(text: str) -> str:
    return text.replace(" ", "\u00a0")
