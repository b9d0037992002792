"""Smaller copies of the trained encoder, on request: compared side by side, and handed out."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import jobs
from core.artifacts import Embeddings
from core.charts import smaller as charts
from core.pipeline import Journey
from core.smaller import STAGE, WAYS, is_encoder
from core.smaller.kept import SmallerModels, model_file, served_file, smaller_as
from core.smaller.measuring import ORIGINAL
from core.smaller.telling import COLUMNS, basis, label, rows, verdict
from ui import download_route, plots, progress, session
from ui.safe_text import errors_shown, safe


def show(journey: Journey, embeddings: Embeddings) -> None:
    """A door behind which the encoder is made smaller; nothing where there is none."""
    if not is_encoder(embeddings.method):
        return
    wanted = smaller_as(journey)
    found = journey.store.get(SmallerModels, wanted)
    newest = progress.newest(STAGE, session.DATASET.get() or "")
    asked = newest is not None and newest.identity == wanted
    with st.expander("Make it smaller", icon=":material/compress:", expanded=asked):
        st.markdown(
            "For serving elsewhere, or to keep many models: copies of this encoder that take less "
            "space, one of them also less time. Each is compared with the original on users that "
            "taught it nothing."
        )
        working = progress.watch(STAGE, wanted)
        if found is not None:
            _tell(journey, found)
        elif not working and st.button(
            "Make and compare smaller models", icon=":material/compress:", key="make-smaller"
        ):
            _make(wanted)


def _make(wanted: str) -> None:
    dataset = session.dataset()
    assert dataset is not None
    with errors_shown():
        jobs.start(session.workspace(), dataset.id, session.options(), STAGE, wanted)
        st.rerun()


def _tell(journey: Journey, found: SmallerModels) -> None:
    compared = found.comparison
    original = compared.original
    by_segments = original.same_segment is not None
    drawn = [
        charts.Model(
            name=label(model),
            kilobytes=model.model_bytes / 1e3,
            events_per_second=model.events_per_second,
            kept=model.same_segment if model.same_segment is not None else model.cosine_mean,
        )
        for model in compared.models
    ]
    kept = "Users in the same segment" if by_segments else "Mean cosine of points"
    plots.show(charts.models(drawn, kept), key="smaller-models")
    for model in compared.models[1:]:
        way = WAYS[model.way]
        st.markdown(f"- **{verdict(model, compared)}** {way.summary} Not gained: {way.not_gained}")
    table = pd.DataFrame(rows(compared), columns=list(COLUMNS)).set_index(COLUMNS[0])
    st.table(table, border="horizontal")
    st.caption(safe(basis(compared), limit=1000))
    _hand_out(journey, found)


def _hand_out(journey: Journey, found: SmallerModels) -> None:
    """Files of the model that is chosen."""
    names = {model.way: label(model) for model in found.comparison.models}
    chosen = st.selectbox(
        "Model to download", list(names), format_func=names.__getitem__, key="smaller-model"
    )
    with st.container(horizontal=True):
        _link("Model (safetensors)", found, model_file(chosen))
        if chosen in found.served:
            _link("For serving (ONNX)", found, served_file(chosen))
            _link("How to feed it (JSON)", found, served_file(chosen, "json"))
    if chosen not in found.served and chosen in WAYS:
        st.caption(
            "As ONNX it would be as large as the original and compute the same way, so it is not "
            f"offered. Take {names[ORIGINAL]} or {names['narrower']} for serving."
        )
    if found.refused:
        st.warning(safe(found.refused, limit=1000))
    st.caption(
        "A whole run with the smaller model in it, which `python -m core assign` takes, is written "
        "by `python -m core smaller RUN --events LOG --way NAME --out FOLDER`."
    )


def _link(text: str, found: SmallerModels, file: str) -> None:
    dataset = session.dataset()
    assert dataset is not None
    key = session.WORKSPACE.require()
    address = download_route.address(key, dataset.id, found.fingerprint, file)
    st.link_button(text, address, icon=":material/download:")
