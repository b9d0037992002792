"""Every cache of the dashboard, each bounded and keyed by content, never by a sampled hash.

Streamlit hashes large frames and arrays from a sample, so none is ever passed as a key: what
a cached function gets is a fingerprint, and the object behind it with a leading underscore.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.artifacts import CleanEvents, ColumnMapping, Events, LongArray, Projection, RawLog
from core.charts import projection as projection_charts
from core.events.mapping import Guess, guess, guessed_mapping
from core.events.overview import Overview, overview
from core.pipeline import Journey
from core.run_options import RunOptions
from core.segments import SUMMARY
from core.segments.users import user_figures, user_stories
from core.workspace import Dataset, Workspace


def journey(root: Path, dataset: Dataset, options: RunOptions) -> Journey:
    """The journey of a data set under some settings, with what it has loaded so far."""
    made_from = json.dumps([repr(dataset), options.to_dict()], sort_keys=True)
    return _journey(str(root), made_from, dataset, options)


@st.cache_resource(max_entries=8, show_spinner=False)
def _journey(root: str, made_from: str, _dataset: Dataset, _options: RunOptions) -> Journey:
    workspace = Workspace(Path(root))
    return Journey(
        workspace.store(_dataset.id),
        workspace.events(_dataset),
        _options,
        beside=workspace.beside(_dataset),
    )


def forget_journeys() -> None:
    """Read labels and logs anew: what stands behind a data set has changed."""
    _journey.clear()


@st.cache_data(max_entries=16, show_spinner=False)
def guesses(fingerprint: str, _raw: RawLog) -> tuple[Guess, ...]:
    """What each column of a log seems to be."""
    return guess(_raw)


@st.cache_data(max_entries=16, show_spinner=False)
def guessed_columns(fingerprint: str, _raw: RawLog) -> ColumnMapping:
    """The mapping to start from: the guesses that are sure enough."""
    return guessed_mapping(_raw)


@st.cache_data(max_entries=16, show_spinner=False)
def first_rows(fingerprint: str, _raw: RawLog, n_rows: int = 8) -> pd.DataFrame:
    """The first rows of a log as they came, all text."""
    import pyarrow.parquet as parquet

    batches = parquet.ParquetFile(_raw.path).iter_batches(n_rows, columns=list(_raw.columns))
    first = next(batches, None)
    return first.to_pandas() if first is not None else pd.DataFrame(columns=list(_raw.columns))


def user_table(journey: Journey, names: dict[int, str], drawn: LongArray) -> pd.DataFrame:
    """A row per user, in the order of the sequences: segment, known label, figures, story.

    Stories are told of the ``drawn`` users only; the others' are empty.
    """
    return _user_table(_users_made_from(journey, names), journey, names, drawn)


def user_map(journey: Journey, names: dict[int, str], drawn: LongArray, by: str) -> go.Figure:
    """The map of the drawn users, coloured by a column of their table."""
    made_from = f"{_users_made_from(journey, names)} {journey.fingerprint('projection')} {by}"
    return _user_map(made_from, journey.projection(), user_table(journey, names, drawn), by, drawn)


def _users_made_from(journey: Journey, names: dict[int, str]) -> str:
    # The evaluation's fingerprint has the segments and the known labels in it.
    steps = [journey.fingerprint(step) for step in ("evaluation", "segments")]
    return json.dumps([*steps, names], sort_keys=True)


@st.cache_resource(max_entries=4, show_spinner=False)
def _user_table(
    made_from: str, _journey: Journey, _names: dict[int, str], _drawn: LongArray
) -> pd.DataFrame:
    sequences, labels = _journey.sequences(), _journey.labels()
    options = _journey.options.segment
    # Noise is code -1, which is how a categorical says "none of these".
    names = [_names[segment] for segment in range(labels.n_clusters)]
    segments = pd.Categorical.from_codes(np.asarray(labels.values), names)
    table = pd.DataFrame({"user": sequences.user_ids, "segment": segments})
    labels_known = _journey.beside.labels
    if labels_known is not None:
        known = dict(zip(labels_known.user_ids, labels_known.values, strict=True))
        table["known label"] = table["user"].map(known)
    for name, values in user_figures(sequences, options).items():
        if name in SUMMARY:
            table[SUMMARY[name].label.lower()] = values
    stories = np.full(len(table), "", dtype=object)
    stories[_drawn] = user_stories(sequences, _drawn, options)
    table["story"] = stories
    return table


@st.cache_resource(max_entries=8, show_spinner=False)
def _user_map(
    made_from: str, _projection: Projection, _table: pd.DataFrame, _by: str, _drawn: LongArray
) -> go.Figure:
    return projection_charts.user_map(_projection, _table, _by, _drawn)


def overview_of(log: Events | CleanEvents) -> Overview:
    """What the charts of a log need."""
    return _overview(log.fingerprint, log)


@st.cache_data(max_entries=16, show_spinner="Counting events …")
def _overview(fingerprint: str, _log: Events | CleanEvents) -> Overview:
    return overview(_log)
