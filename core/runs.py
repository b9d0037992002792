"""Recorded runs: a folder each, written whole or not at all, that can be listed and compared.

The contract files (``assignments.csv``, ``evaluation.json`` ...) are for programs and keep ids
exactly as they came. ``artifacts/`` holds what assigning new users and reopening need.
"""

from __future__ import annotations

import json
import platform
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from core import segments as segments_stage
from core.artifacts import (
    CleaningLimits,
    ColumnMapping,
    Embeddings,
    ItemFeatures,
    Items,
    ItemVectors,
    Labels,
    Projection,
    RawLog,
    Recommendations,
    Segments,
    Vocabulary,
    fingerprint,
)
from core.errors import NotFound
from core.evaluation import to_contract
from core.events.gate.several import source_names
from core.events.saved import reusable
from core.events.set_aside import write_set_aside
from core.pipeline import Journey
from core.report import tables
from core.report.html import ReportView, report_html
from core.run_options import RunOptions
from core.store import from_plain, load, replacing, save, to_plain, write_json, write_text
from core.workspace import Dataset, Workspace

T = TypeVar("T")
FORMAT = 2
FILES = frozenset(
    {
        "artifacts",
        "assignments.csv",
        "cleaning.json",
        "evaluation.json",
        "history.json",
        "recommendations.csv",
        "report.html",
        "run.json",
        "segments.json",
        "set_aside.csv",
    }
)
"""All that stands in a run's folder."""
COMPARISON = "smaller.json"
"""Stands there too where the encoder was made smaller."""
_ID = re.compile(r"[0-9a-f]{16}")
_LIBRARIES = (
    "streamlit",
    "pandas",
    "numpy",
    "torch",
    "scikit-learn",
    "umap-learn",
    "hdbscan",
    "duckdb",
)


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the events of a run came from."""

    name: str
    dataset_id: str | None
    """The data set of the workspace; None for a run from the command line."""
    mapping: ColumnMapping
    labels_name: str | None
    items_name: str | None = None
    vectors_name: str | None = None
    read_as: Mapping[str, Any] = field(default_factory=dict)
    """`Events.read_as` of the log; `record` sees to it."""
    platforms: tuple[str, ...] = ()
    """What the files of the log are called, where they are its platforms; `record` sees to it."""


@dataclass(frozen=True, kw_only=True)
class MadeSmaller:
    """How a copy of a run came to its smaller encoder; `COMPARISON` tells what that changes."""

    of: str
    """Id of the run that was copied. Points, segments and report are those of that run."""
    way: str
    """A name of `core.smaller.WAYS`."""
    seed: int
    model_bytes: int
    original_bytes: int


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The record of one run (``run.json``)."""

    format: int
    id: str
    status: str
    created: str
    """ISO 8601, UTC."""
    source: Source
    options: dict[str, Any]
    seed: int
    fingerprints: dict[str, str]
    versions: dict[str, str]
    device: str
    timings: dict[str, float]
    """Seconds per step."""
    metrics: dict[str, float | None]
    segment_names: dict[str, str]
    taken: dict[str, str] = field(default_factory=dict)
    """Method per stage that has a choice of methods, also where it was left to the tool."""
    made_smaller: MadeSmaller | None = None
    """None for a run with the encoder it was trained with."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A recorded run and the folder it stands in."""

    folder: Path
    manifest: Manifest

    def options(self) -> RunOptions:
        """The settings the run was made with."""
        return RunOptions.from_dict(self.manifest.options)

    def reading(self) -> dict[str, dict[str, Any]]:
        """By which options of the stages ``read`` and ``map`` a new log is read as the run's was.

        What the log itself settled is told, so that no other log settles it otherwise.
        """
        options = self.manifest.options
        known = reusable({"read_as": self.manifest.source.read_as}, options)
        return {"read": dict(options["read"]), "map": known}

    def labels(self) -> Labels:
        """The segment of every user."""
        return load(Labels, self.folder / "artifacts" / "labels")

    def embeddings(self) -> Embeddings:
        """The points that were clustered, with the learned state."""
        return load(Embeddings, self.folder / "artifacts" / "embeddings")

    def projection(self) -> Projection:
        """The map of all users."""
        return load(Projection, self.folder / "artifacts" / "projection")

    def vocabulary(self) -> Vocabulary:
        """The words the encoder knows."""
        return load(Vocabulary, self.folder / "artifacts" / "vocabulary")

    def limits(self) -> CleaningLimits:
        """The bounds and fill values that the log of the run was cleaned by."""
        return load(CleaningLimits, self.folder / "artifacts" / "limits")

    def item_features(self) -> ItemFeatures | None:
        """How titles, searches and item vectors became numbers; None where there were none."""
        return self._if_there(ItemFeatures, "item_features")

    def items(self) -> Items | None:
        """The items table that missing categories came from; None where there was none."""
        return self._if_there(Items, "items")

    def vectors(self) -> ItemVectors | None:
        """The vectors of items that were brought beside the log; None where there were none."""
        return self._if_there(ItemVectors, "vectors")

    def _if_there(self, kind: type[T], name: str) -> T | None:
        folder = self.folder / "artifacts" / name
        return load(kind, folder) if folder.exists() else None

    def segments(self) -> Segments:
        """The segments under their present names."""
        return load(Segments, self.folder / "artifacts" / "segments")

    def recommendations(self) -> Recommendations:
        """What to offer and what to do, per segment."""
        return load(Recommendations, self.folder / "artifacts" / "recommendations")


def record(target: Path, journey: Journey, source: Source, raw: RawLog) -> Run:
    """Finish a journey and write its folder; replaces the folder that stands there.

    ``raw`` is the log as it was read, for the list of rows that were set aside.
    """
    recommendations = journey.recommendations()
    evaluation, projection = journey.evaluation(), journey.projection()
    source = replace(
        source, read_as=journey.events.read_as, platforms=_platforms(raw, source.mapping)
    )
    manifest = _manifest(journey, source)
    with replacing(target) as scratch:
        artifacts = {
            "labels": journey.labels(),
            "embeddings": journey.embeddings(),
            "projection": projection,
            "vocabulary": journey.sequences().vocabulary,
            "limits": journey.clean().limits,
            "segments": journey.segments(),
            "recommendations": recommendations,
            "item_features": journey.item_features(),
            "items": journey.beside.items,
            "vectors": journey.beside.vectors,
        }
        for name, artifact in artifacts.items():
            if artifact is None:
                continue
            folder = scratch / "artifacts" / name
            folder.mkdir(parents=True)
            save(artifact, folder)
            if isinstance(artifact, Items):
                shutil.copyfile(artifact.path, folder / artifact.path.name)
        write_set_aside(
            raw, journey.filled(), journey.options.clean, None, scratch / "set_aside.csv"
        )
        tables.write_assignments(scratch / "assignments.csv", journey.labels())
        write_json(scratch / "evaluation.json", to_contract(evaluation))
        write_json(scratch / "cleaning.json", to_plain(journey.cleaning_report()))
        write_json(scratch / "history.json", to_plain(journey.embeddings().history))
        write_manifest(manifest, scratch)
        _write_described(scratch, journey, source, journey.segments())
    return load_run(target)


def record_in_workspace(workspace: Workspace, dataset: Dataset, journey: Journey) -> Run:
    """Record a run of the dashboard; the same work is recorded once."""
    assert dataset.mapping is not None
    target = workspace.runs / run_id(journey)
    if (target / "run.json").exists():
        return load_run(target)
    source = Source(
        name=dataset.name,
        dataset_id=dataset.id,
        mapping=dataset.mapping,
        labels_name=dataset.labels_name or dataset.mapping.label,
        items_name=dataset.items_name,
        vectors_name=dataset.vectors_name,
    )
    return record(target, journey, source, workspace.raw(dataset))


def run_id(journey: Journey) -> str:
    """Identity of a run: the same log, labels and settings give the same id (16 hex digits)."""
    made = {
        step: journey.fingerprint(step) for step in ("evaluation", "recommendations", "projection")
    }
    told = {"report": journey.options.report.to_dict()}
    return fingerprint(journey.events.fingerprint, "run", FORMAT, made | told)[:16]


def write_manifest(manifest: Manifest, folder: Path) -> None:
    """Write ``run.json`` into the folder of a run."""
    write_json(folder / "run.json", to_plain(manifest))


def load_run(folder: Path) -> Run:
    """Open a recorded run. Raises NotFound, also where its record is damaged."""
    try:
        plain = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        return Run(folder=folder, manifest=_manifest_of(plain))
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(
            f"'{folder}' holds no run (there is no run.json in it). Give the folder that "
            "`python -m core run ... --out` wrote."
        ) from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise NotFound(
            f"The record of the run in '{folder}' is damaged or of another version: its run.json "
            "cannot be read. Make the run again."
        ) from None


def holds_only_a_run(folder: Path) -> bool:
    """Whether a folder holds a run and nothing else, so that another may take its place."""
    names = {path.name for path in folder.iterdir()}
    return "run.json" in names and names <= FILES | {COMPARISON}


def list_runs(workspace: Workspace) -> list[Run]:
    """All recorded runs of a workspace that can be opened, newest first."""
    found = []
    for path in workspace.runs.glob("*/run.json"):
        if _ID.fullmatch(path.parent.name):
            with suppress(NotFound):  # one damaged record must not hide the others
                found.append(load_run(path.parent))
    return sorted(found, key=lambda run: run.manifest.created, reverse=True)


def delete_run(run: Run) -> None:
    """Remove a recorded run; the data set stays."""
    shutil.rmtree(run.folder)


def rename_segments(run: Run, journey: Journey, names: Mapping[int, str]) -> Run:
    """Give segments other names in the record and its files. Raises OptionRefused."""
    renamed = segments_stage.rename(run.segments(), names)
    save(renamed, run.folder / "artifacts" / "segments")
    write_manifest(replace(run.manifest, segment_names=_names(renamed)), run.folder)
    _write_described(run.folder, journey, run.manifest.source, renamed)
    return load_run(run.folder)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two runs side by side."""

    rows: tuple[tuple[str, str, str], ...]
    """What, in the first run, in the second; only what differs, settings after figures."""
    shared_users: int
    agreement: float | None
    """Adjusted Rand index of the two segmentations on the shared users; None below two."""


def compare(first: Run, second: Run) -> Comparison:
    """How two runs differ in settings and figures, and how far their segments agree."""
    a, b = first.manifest, second.manifest
    pairs: list[tuple[str, Any, Any]] = [("data set", a.source.name, b.source.name)]
    pairs += [
        (name, a.metrics.get(name), b.metrics.get(name)) for name in {**a.metrics, **b.metrics}
    ]
    flat_a, flat_b = _flat(a.options), _flat(b.options)
    pairs += [(name, flat_a.get(name, "-"), flat_b.get(name, "-")) for name in {**flat_a, **flat_b}]
    rows = tuple((name, _shown(x), _shown(y)) for name, x, y in pairs if x != y)
    shared, agreement = _agreement(first.labels(), second.labels())
    return Comparison(rows=rows, shared_users=shared, agreement=agreement)


def _agreement(first: Labels, second: Labels) -> tuple[int, float | None]:
    from sklearn.metrics import adjusted_rand_score

    found = pd.Index(second.user_ids).get_indexer(pd.Index(first.user_ids))
    shared = found >= 0
    n_shared = int(shared.sum())
    if n_shared < 2:
        return n_shared, None
    ours, theirs = np.asarray(first.values)[shared], np.asarray(second.values)[found[shared]]
    return n_shared, float(adjusted_rand_score(ours, theirs))


def _manifest_of(plain: dict[str, Any]) -> Manifest:
    if plain["format"] != FORMAT:
        raise ValueError(f"format {plain['format']}")
    manifest: Manifest = from_plain(Manifest, plain)
    return manifest


def _manifest(journey: Journey, source: Source) -> Manifest:
    evaluation = journey.evaluation()
    contract = to_contract(evaluation)
    metrics = {"segments": evaluation.k, **contract["internal"]}
    if contract["external"]:
        metrics |= {name: contract["external"][name] for name in ("ari", "nmi", "purity")}
    return Manifest(
        format=FORMAT,
        id=run_id(journey),
        status="complete",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        source=source,
        options=journey.options.to_dict(),
        seed=journey.options.seed,
        fingerprints={step: journey.fingerprint(step) for step in journey.seconds()},
        versions=_versions(),
        device=journey.embeddings().device,
        timings=journey.seconds(),
        metrics=metrics,
        segment_names=_names(journey.segments()),
        taken={"represent": journey.embeddings().method, "cluster": journey.labels().method},
    )


def _write_described(folder: Path, journey: Journey, source: Source, segments: Segments) -> None:
    """Write the files in which segments have names."""
    recommendations = journey.recommendations()
    write_json(folder / "segments.json", to_plain(segments.segments))
    write_text(
        folder / "recommendations.csv", tables.recommendations_csv(recommendations, segments)
    )
    view = ReportView(
        title=source.name,
        created=datetime.now(UTC).isoformat(timespec="minutes"),
        journey_options=journey.options.to_dict(),
        cleaning=journey.cleaning_report(),
        k_curve=journey.k_curve() if journey.ready("k_curve") else None,
        embeddings=journey.embeddings(),
        labels=journey.labels(),
        projection=journey.projection(),
        evaluation=journey.evaluation(),
        segments=segments,
        recommendations=recommendations,
        versions=_versions(),
    )
    write_text(folder / "report.html", report_html(view))


def _platforms(raw: RawLog, mapping: ColumnMapping) -> tuple[str, ...]:
    if raw.source_column is None or mapping.platform != raw.source_column:
        return ()
    return tuple(source_names([part.name for part in raw.parts]))


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}}


def _names(segments: Segments) -> dict[str, str]:
    return {str(segment.id): segment.name for segment in segments.segments}


def _flat(options: Mapping[str, Any]) -> dict[str, Any]:
    stages = {k: v if isinstance(v, Mapping) else {"": v} for k, v in options.items()}
    return {
        f"{s}.{name}".rstrip("."): value for s, o in stages.items() for name, value in o.items()
    }


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
