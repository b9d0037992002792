"""Every cache of the dashboard, each bounded and keyed by content, never by a sampled hash.

Streamlit hashes large frames and arrays from a sample, so none is ever passed as a key: what
a cached function gets is a fingerprint, and the object behind it with a leading underscore.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.artifacts import (
    CleaningReport,
    ColumnMapping,
    Events,
    LongArray,
    Projection,
    RawLog,
)
from core.artifacts import fingerprint as artifact_fingerprint
from core.charts import projection as projection_charts
from core.events.clean import CleanOptions
from core.events.cleaning.non_goods import OddItem, suggest_non_goods
from core.events.columns.offers import Offer
from core.events.mapping import Guess, guess, guessed_mapping, suggest
from core.events.preview import ChoiceEffect, effects, preview
from core.pipeline import Journey
from core.run_options import RunOptions
from core.segments import SUMMARY
from core.segments.users import user_figures, user_stories
from core.sequences.forms import FormOptions, write_form
from core.workspace import Dataset, Workspace

_WORD_BATCHES = 10
"""Of 50,000 rows each: the words of an action column are told from so many."""


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


@contextmanager
def _parquet(path: Path) -> Iterator[Any]:
    """A Parquet file to read a little of; what it took of memory is given back."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    with parquet.ParquetFile(path, buffer_size=1 << 16, pre_buffer=False) as file:
        yield file
    pa.default_memory_pool().release_unused()


@st.cache_data(max_entries=16, show_spinner=False)
def guesses(fingerprint: str, _raw: RawLog) -> tuple[Guess, ...]:
    """What each column of a log seems to be."""
    return guess(_raw)


@st.cache_data(max_entries=16, show_spinner=False)
def guessed_columns(fingerprint: str, _raw: RawLog) -> ColumnMapping:
    """The mapping to start from: the guesses that are sure enough."""
    return guessed_mapping(_raw)


@st.cache_data(max_entries=32, show_spinner=False)
def offer(fingerprint: str, _raw: RawLog, mapping: ColumnMapping) -> Offer:
    """What a log suggests about its actions under a mapping."""
    return suggest(_raw, mapping)


@st.cache_data(max_entries=16, show_spinner=False)
def first_rows(fingerprint: str, _raw: RawLog, n_rows: int = 8) -> pd.DataFrame:
    """The first rows of a log as they came, all text."""
    with _parquet(_raw.path) as file:
        first = next(file.iter_batches(n_rows, columns=list(_raw.columns)), None)
    return first.to_pandas() if first is not None else pd.DataFrame(columns=list(_raw.columns))


@st.cache_data(max_entries=32, show_spinner=False)
def words_of(fingerprint: str, _raw: RawLog, column: str) -> dict[str, int]:
    """How often each word stands in a column over the first rows of a log, falling."""
    counts: Counter[str] = Counter()
    with _parquet(_raw.path) as file:
        for place, batch in enumerate(file.iter_batches(50_000, columns=[column])):
            counted = batch.column(0).drop_null().value_counts().to_pylist()
            counts.update({found["values"]: found["counts"] for found in counted})
            if place == _WORD_BATCHES - 1:
                break
    return dict(counts.most_common())


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


@st.cache_data(max_entries=16, show_spinner=False)
def set_aside_reasons(fingerprint: str, _raw: RawLog) -> dict[str, int]:
    """How many rows the gate set aside, by reason, the most frequent first."""
    counts: Counter[str] = Counter()
    with _parquet(_raw.set_aside) as file:
        for batch in file.iter_batches(50_000, columns=["reason"]):
            counted = batch.column(0).value_counts().to_pylist()
            counts.update({found["values"]: found["counts"] for found in counted})
    return dict(counts.most_common())


def cleaning_preview(events: Events, options: CleanOptions) -> CleaningReport:
    """The account that cleaning a log by some rules would give."""
    return _cleaning_preview(events.fingerprint, json.dumps(options.to_dict()), events, options)


@st.cache_data(max_entries=32, show_spinner=False)
def _cleaning_preview(
    fingerprint: str, made_by: str, _events: Events, _options: CleanOptions
) -> CleaningReport:
    return preview(_events, _options)


def choice_effects(events: Events, options: CleanOptions) -> tuple[ChoiceEffect, ...]:
    """What each choice of cleaning would do by itself."""
    return _choice_effects(events.fingerprint, json.dumps(options.to_dict()), events, options)


@st.cache_data(max_entries=16, show_spinner="Counting what each choice would do …")
def _choice_effects(
    fingerprint: str, made_by: str, _events: Events, _options: CleanOptions
) -> tuple[ChoiceEffect, ...]:
    return effects(_events, _options)


def odd_items(events: Events) -> tuple[OddItem, ...]:
    """Item codes of a log that look like no goods."""
    return _odd_items(events.fingerprint, events)


@st.cache_data(max_entries=16, show_spinner=False)
def _odd_items(fingerprint: str, _events: Events) -> tuple[OddItem, ...]:
    return suggest_non_goods(_events)


def form_file(journey: Journey, options: FormOptions) -> FormFile:
    """A table of the sequences for other programs, on disk."""
    made_from = artifact_fingerprint(journey.fingerprint("sequences"), "form", 1, options.to_dict())

    def make(folder: Path) -> FormFile:
        path = folder / f"{options.form}.parquet"
        write_form(journey.sequences(), options, path)
        return FormFile(path=path, fingerprint=made_from)

    return journey.store.get_or_make(FormFile, made_from, make)


@dataclass(frozen=True, kw_only=True)
class FormFile:
    """A table of sequences as a file."""

    path: Path
    fingerprint: str
