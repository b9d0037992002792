"""What a call names, read: the log, the tables beside it, and the settings."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.artifacts import (
    ROLES,
    Beside,
    ColumnMapping,
    Events,
    Items,
    ItemVectors,
    KnownLabels,
    RawLog,
)
from core.commands.telling import Teller, tell, tell_conflicts
from core.errors import NotFound
from core.run_options import RunOptions, answers, load_options
from core.store import Store

if TYPE_CHECKING:
    from core.pipeline import Journey
    from core.runs import Run


def options_of(call: argparse.Namespace) -> RunOptions:
    """The settings of a call; over those of its file go those kept with the mapping."""
    from core.events.saved import mapping_from_file

    kept = {"map": mapping_from_file(call.mapping)[1].to_dict()} if call.mapping else {}
    return load_options(call.options, call.set, call.seed, kept)


def journey_of(
    call: argparse.Namespace, options: RunOptions, scratch: Path, *, labelled: bool = False
) -> tuple[Journey, RawLog, ColumnMapping]:
    """The log and the tables beside it as a journey not yet begun; as text; and how it was typed.

    Known labels, of their file or of the log, only where it is to be ``labelled``.
    """
    from core.pipeline import Journey

    items = items_from(call.items, scratch) if call.items else None
    vectors = getattr(call, "item_vectors", None)
    vectors = vectors_from(vectors) if vectors else None
    raw, events, mapping = events_of(call, options, scratch)
    labels = _known_labels(call, events, mapping) if labelled else None
    beside = Beside(labels=labels, items=items, vectors=vectors)
    store = Store(scratch / "store")
    return Journey(store, events, options, beside=beside, listen=Teller()), raw, mapping


def _known_labels(
    call: argparse.Namespace, events: Events, mapping: ColumnMapping
) -> KnownLabels | None:
    from core.events.known import known_labels_in_log

    known = labels_from(call.labels, events) if call.labels else None
    known = known or known_labels_in_log(events, mapping.label or "label")
    tell_conflicts(known)
    return known


def events_of(
    call: argparse.Namespace, options: RunOptions, scratch: Path
) -> tuple[RawLog, Events, ColumnMapping]:
    """The log of all files given, read as one; as text, typed, and how it was typed."""
    from core.events.mapping import complete, map_events, parse_mapping
    from core.events.saved import mapping_from_file

    given = parse_mapping(call.map)
    if call.mapping:
        given = exactly(mapping_from_file(call.mapping)[0]) | given
    if call.labels_column:
        given["label"] = call.labels_column
    raw = read_log(call.events, scratch, options)
    mapping = complete(raw, given)
    events = map_events(raw, mapping, scratch, options.map)
    tell(raw.name, events.problems)
    return raw, events, mapping


def exactly(mapping: ColumnMapping) -> dict[str, str]:
    """A given mapping that leaves nothing to guess; an empty name is "no such column"."""
    return {role: mapping.columns().get(role, "") for role in ROLES}


def read_log(inputs: Sequence[str], scratch: Path, options: RunOptions) -> RawLog:
    """Read files, folders and patterns as one log."""
    from core.events.inputs import find_logs
    from core.events.read import read_all

    paths = find_logs(inputs)
    return read_all(paths, scratch, options.read, names=[path.name for path in paths])


def events_as_in(
    run: Run, call: argparse.Namespace, scratch: Path, platform: str | None = None
) -> Events:
    """A log, typed as the run's own was."""
    from core.assign import read_log
    from core.events.inputs import find_logs
    from core.events.mapping import complete, map_events

    options = answers(run.reading(), call.options, call.set)
    raw, needed = read_log(run, find_logs(call.events), scratch, options.read, platform)
    events = map_events(raw, complete(raw, exactly(needed)), scratch, options.map)
    tell(raw.name, events.problems)
    return events


def labels_from(path: Path, events: Events) -> KnownLabels:
    """A table of known labels. Raises NotFound."""
    from core.events.known import read_labels_file

    if not path.is_file():
        raise NotFound(f"There is no labels file '{path}'.")
    found = read_labels_file(path, events=events)
    for note in found.notes:
        print(f"note: {path.name}: {note}", file=sys.stderr)
    return found.labels


def items_from(path: Path, scratch: Path) -> Items:
    """A table of items. Raises NotFound."""
    from core.events.items import read_items
    from core.events.read import ReadOptions

    if not path.is_file():
        raise NotFound(f"There is no items file '{path}'.")
    folder = scratch / "items"
    folder.mkdir()
    items = read_items(path, folder, ReadOptions(), name=path.name)
    tell(path.name, items.problems)
    return items


def vectors_from(path: Path) -> ItemVectors:
    """Item vectors. Raises NotFound."""
    from core.events.vectors import read_vectors

    if not path.is_file():
        raise NotFound(f"There is no file of item vectors '{path}'.")
    vectors = read_vectors(path, name=path.name)
    tell(path.name, vectors.problems)
    return vectors
