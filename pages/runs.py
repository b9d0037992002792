from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from core import runs
from core.clustering import CLUSTERERS
from core.errors import AnalystError
from core.representations import REPRESENTATIONS
from core.runs import Run
from ui import session, steps
from ui.safe_text import errors_shown, safe
from ui.settings import AUTO, name_of


def methods(run: Run) -> tuple[str, str]:
    try:
        options = run.options()
    except AnalystError:
        return ("of another version", "of another version")
    taken = run.manifest.taken
    return (
        told(options.represent.method, taken.get("represent"), REPRESENTATIONS),
        told(options.cluster.method, taken.get("cluster"), CLUSTERERS),
    )


def told(method: str, taken: str | None, catalogue: Mapping[str, Any]) -> str:
    if method != AUTO:
        return name_of(method, catalogue)
    return f"{AUTO}: {name_of(taken, catalogue)}" if taken else AUTO


def row(run: Run) -> dict[str, object]:
    manifest = run.manifest
    representation, algorithm = methods(run)
    return {
        "Run": manifest.id[:8],
        "Made (UTC)": manifest.created.replace("T", " ")[:16],
        "Data set": manifest.source.name,
        "Segments": manifest.metrics.get("segments"),
        "Silhouette": manifest.metrics.get("macro_silhouette"),
        "ARI": manifest.metrics.get("ari"),
        "Representation": representation,
        "Algorithm": algorithm,
        "Seconds": sum(manifest.timings.values()),
    }


def reopen(run: Run) -> None:
    source = run.manifest.source
    if source.dataset_id is None or source.dataset_id not in known_datasets:
        st.caption("Its data set was deleted; upload the file again to reopen it.")
    elif st.button("Reopen", icon=":material/folder_open:", key=f"reopen-{run.manifest.id}"):
        session.reopen(run)
        st.switch_page(steps.step_of("segments").page())


def delete(run: Run) -> None:
    with st.popover("Delete", icon=":material/delete:", key=f"ask-{run.manifest.id}"):
        st.markdown("The run and its report go; the data set stays.")
        if st.button("Delete for good", type="primary", key=f"delete-{run.manifest.id}"):
            runs.delete_run(run)
            st.rerun()


def compare(first: Run, second: Run) -> None:
    found = runs.compare(first, second)
    names = [f"{run.manifest.id[:8]} ({run.manifest.source.name})" for run in (first, second)]
    if found.agreement is None:
        st.info("The two runs share no users, so their segments cannot be compared.")
    else:
        st.markdown(
            f"On the {found.shared_users:,} users both have, the segments agree with an adjusted "
            f"Rand index of **{found.agreement:.2f}** (1 the same, 0 what chance gives)."
        )
    st.dataframe(
        pd.DataFrame(found.rows, columns=["What differs", *names]),
        hide_index=True,
        alt="What differs between the two runs",
    )


recorded = runs.list_runs(session.workspace())
known_datasets = {dataset.id for dataset in session.workspace().datasets()}
if not recorded:
    with st.container(border=True):
        st.markdown("No run is recorded yet. A run is recorded when you open the Report page.")
        st.page_link(
            steps.STEPS[0].page(), label="Start with your data", icon=":material/upload_file:"
        )
    st.stop()
picked = st.dataframe(
    pd.DataFrame([row(run) for run in recorded]),
    hide_index=True,
    on_select="rerun",
    selection_mode="multi-row",
    column_config={
        "Silhouette": st.column_config.NumberColumn(format="%.2f"),
        "ARI": st.column_config.NumberColumn(
            format="%.2f", help="Agreement with the known labels: 1 the same, 0 what chance gives."
        ),
        "Seconds": st.column_config.NumberColumn(
            format="%.0f", help="Time that all steps took when they were made."
        ),
    },
    placeholder="·",
    key="runs",
    alt="Recorded runs",
).selection.rows
chosen = [recorded[index] for index in picked]
if not chosen:
    st.caption("Tick one run to reopen or delete it, two to compare them.")
with errors_shown():
    if len(chosen) == 1:
        st.subheader(safe(chosen[0].manifest.source.name), anchor=False)
        with st.container(horizontal=True):
            reopen(chosen[0])
            delete(chosen[0])
    elif len(chosen) == 2:
        compare(*chosen)
    elif chosen:
        st.caption("Two at a time can be compared.")
