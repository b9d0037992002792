"""Where data sets, work in progress and runs stand on disk.

Bound to loopback there is one workspace for the person at the machine; elsewhere every browser
has its own, under a key that cannot be guessed.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from core.artifacts import (
    Beside,
    ColumnMapping,
    Events,
    Items,
    ItemVectors,
    KnownLabels,
    RawLog,
    Report,
    fingerprint,
    silent,
)
from core.errors import NotFound
from core.events.items import read_items
from core.events.known import known_labels_in_log, read_known_labels
from core.events.map_options import MapOptions
from core.events.mapping import map_events, mapped_as
from core.events.profile import Profile, profile, profiled_as
from core.events.quality import Quality, measured_as, quality
from core.events.read import ReadOptions, read_all
from core.events.saved import recall, remember
from core.events.vectors import read_vectors
from core.store import Store, keep_first, load, replacing, save, scratch_folder

LOCAL = "local"
_KEY = re.compile(r"local|w-[A-Za-z0-9_-]{32,64}")
_ID = re.compile(r"[0-9a-f]{16}")
_UPLOAD_ID = re.compile(r"[0-9a-f]{32}")


def home() -> Path:
    """The folder of all workspaces: ``SEGMENTLAB_HOME``, else ``~/.segmentlab``."""
    chosen = os.environ.get("SEGMENTLAB_HOME")
    return Path(chosen) if chosen else Path.home() / ".segmentlab"


def new_key() -> str:
    """A workspace key that cannot be guessed (192 random bits)."""
    return f"w-{secrets.token_urlsafe(24)}"


def open_workspace(key: str = LOCAL) -> Workspace:
    """The workspace of that key; made when it is first used. Raises NotFound for a bad key."""
    if not _KEY.fullmatch(key):
        raise NotFound("This workspace link is not valid. Open the dashboard without it.")
    return Workspace(home() / key)


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """One uploaded log, as it stands on disk."""

    id: str
    name: str
    created: str
    """ISO 8601, UTC."""
    mapping: ColumnMapping | None
    """None until the analyst has confirmed it."""
    map_options: Mapping[str, Any] = field(default_factory=dict)
    """How its cells are read, as `MapOptions` takes it."""
    labels_name: str | None = None
    """Name of the label table that was added, if any."""
    labels_id: str | None = None
    """SHA-256 of that table's bytes, so that another table of the same name is another one."""
    items_name: str | None = None
    items_id: str | None = None
    """Fingerprint of the items table that was added, if any."""
    vectors_name: str | None = None
    vectors_id: str | None = None
    """Fingerprint of the item vectors that were added, if any."""


@dataclass(frozen=True)
class Workspace:
    """A folder of data sets, stored artifacts, jobs and runs that belong together."""

    root: Path

    def store(self, dataset_id: str) -> Store:
        """What was made of a data set, found again by fingerprint; it goes with the data set."""
        return Store(self._folder(dataset_id) / "store")

    @property
    def runs(self) -> Path:
        """The folder of recorded runs."""
        return self.root / "runs"

    @property
    def _mappings(self) -> Path:
        return self.root / "mappings"

    @property
    def jobs(self) -> Path:
        """The folder of background jobs."""
        return self.root / "jobs"

    @property
    def incoming(self) -> Path:
        """The folder of uploads under way."""
        folder = self.root / "incoming"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def arrived(self, upload_id: str) -> Path:
        """An uploaded file. Raises NotFound."""
        path = self.incoming / upload_id
        if not _UPLOAD_ID.fullmatch(upload_id) or not path.is_file():
            raise NotFound("The uploaded file is no longer here. Upload it again.")
        return path

    def datasets(self) -> list[Dataset]:
        """All data sets, newest first."""
        folders = (self.root / "datasets").glob("*")
        found = [load(Dataset, folder) for folder in folders if _ID.fullmatch(folder.name)]
        return sorted(found, key=lambda dataset: dataset.created, reverse=True)

    def dataset(self, dataset_id: str) -> Dataset:
        """One data set. Raises NotFound."""
        folder = self._folder(dataset_id)
        if not folder.exists():
            raise NotFound("This data set is no longer here. Upload the file again.")
        return load(Dataset, folder)

    def raw(self, dataset: Dataset) -> RawLog:
        """The strictly read file behind a data set."""
        return load(RawLog, self._folder(dataset.id) / "raw")

    def add(
        self,
        paths: Sequence[Path],
        names: Sequence[str],
        options: ReadOptions,
        listen: Report = silent,
    ) -> Dataset:
        """Read one file, or several as one log, through the strict gate and keep it.

        ``names`` are what the analyst calls the files. Raises FileRefused.
        """
        with scratch_folder(self.root / "datasets") as scratch:
            raw_folder = scratch / "raw"
            raw_folder.mkdir()
            raw = read_all(paths, raw_folder, options, names=names, listen=listen)
            save(raw, raw_folder)
            dataset = Dataset(
                id=raw.fingerprint[:16],
                name=raw.name,
                created=datetime.now(UTC).isoformat(timespec="seconds"),
                mapping=None,
            )
            save(dataset, scratch)
            keep_first(scratch, self._folder(dataset.id))
        return self.dataset(dataset.id)

    def confirm_mapping(
        self, dataset_id: str, mapping: ColumnMapping, options: MapOptions = MapOptions()
    ) -> Dataset:
        """Keep the mapping the analyst confirmed, also for the next file with these columns."""
        dataset = self.dataset(dataset_id)
        remember(self._mappings, self.raw(dataset), mapping, options)
        return self._update(replace(dataset, mapping=mapping, map_options=options.to_dict()))

    def recalled(self, dataset: Dataset) -> tuple[ColumnMapping, MapOptions] | None:
        """The mapping last confirmed for a file with the same columns, or None."""
        return recall(self._mappings, self.raw(dataset))

    def add_labels(self, dataset_id: str, path: Path, name: str) -> Dataset:
        """Keep a table of known labels (user, label) beside the log. Raises FileRefused."""
        dataset = self.dataset(dataset_id)
        events = self.events(dataset) if dataset.mapping else None
        labels = read_known_labels(path, name, events)
        with replacing(self._folder(dataset_id) / "labels") as scratch:
            save(labels, scratch)
        with path.open("rb") as file:
            labels_id = hashlib.file_digest(file, "sha256").hexdigest()
        dataset = self.dataset(dataset_id)  # anew: reading may have taken a while
        return self._update(replace(dataset, labels_name=name, labels_id=labels_id))

    def add_items(self, dataset_id: str, path: Path, name: str) -> Dataset:
        """Keep a table of items beside the log. Raises FileRefused."""
        with replacing(self._folder(dataset_id) / "items") as scratch:
            items = read_items(path, scratch, ReadOptions(), name=name)
            save(items, scratch)
        dataset = self.dataset(dataset_id)
        return self._update(replace(dataset, items_name=name, items_id=items.fingerprint))

    def add_vectors(self, dataset_id: str, path: Path, name: str) -> Dataset:
        """Keep vectors of items made elsewhere beside the log. Raises FileRefused."""
        vectors = read_vectors(path, name=name)
        with replacing(self._folder(dataset_id) / "vectors") as scratch:
            save(vectors, scratch)
        dataset = self.dataset(dataset_id)
        return self._update(replace(dataset, vectors_name=name, vectors_id=vectors.fingerprint))

    def beside(self, dataset: Dataset) -> Beside:
        """What was brought beside the log: labels, items and their vectors."""
        folder = self._folder(dataset.id)
        return Beside(
            labels=self.known_labels(dataset),
            items=load(Items, folder / "items") if dataset.items_id else None,
            vectors=load(ItemVectors, folder / "vectors") if dataset.vectors_id else None,
        )

    def events(self, dataset: Dataset) -> Events:
        """The typed log under the confirmed mapping; made once and kept."""
        if dataset.mapping is None:
            raise NotFound("The columns of this data set are not confirmed yet.")
        raw, mapping = self.raw(dataset), dataset.mapping
        options = MapOptions.from_dict(dataset.map_options, where="map")
        made_from = self._mapped_as(dataset)
        assert made_from is not None
        return self.store(dataset.id).get_or_make(
            Events, made_from, lambda folder: map_events(raw, mapping, folder, options)
        )

    def _mapped_as(self, dataset: Dataset) -> str | None:
        if dataset.mapping is None:
            return None
        options = MapOptions.from_dict(dataset.map_options, where="map")
        return mapped_as(self.raw(dataset), dataset.mapping, options)

    def quality(self, dataset: Dataset) -> Quality:
        """What an analyst must know of the typed log; made once and kept."""
        events = self.events(dataset)
        return self.store(dataset.id).get_or_make(
            Quality, measured_as(events), lambda _: quality(events)
        )

    def quality_ready(self, dataset: Dataset) -> bool:
        """Whether `quality` is there already, and the typed log with it."""
        store = self.store(dataset.id)
        mapped = self._mapped_as(dataset)
        if mapped is None or not store.has(mapped):
            return False
        return store.has(measured_as(self.events(dataset)))

    def profile(self, dataset: Dataset) -> Profile:
        """What stands in every column of the file; made once and kept."""
        raw = self.raw(dataset)
        return self.store(dataset.id).get_or_make(Profile, profiled_as(raw), lambda _: profile(raw))

    def known_labels(self, dataset: Dataset) -> KnownLabels | None:
        """Labels from the added table, else from the log's label column, else None."""
        folder = self._folder(dataset.id) / "labels"
        if folder.exists():
            return load(KnownLabels, folder)
        mapped = dataset.mapping.label if dataset.mapping else None
        if mapped is None:
            return None
        events = self.events(dataset)
        nothing = np.empty(0, dtype=object)
        nobody = KnownLabels(name=mapped, user_ids=nothing, values=nothing)
        known = self.store(dataset.id).get_or_make(
            KnownLabels,
            fingerprint(events.fingerprint, "known_labels", 1, {"name": mapped}),
            lambda _: known_labels_in_log(events, mapped) or nobody,
        )
        return known if len(known.user_ids) or known.n_conflicting else None

    def delete(self, dataset_id: str) -> None:
        """Remove a data set and all that was made of it; recorded runs stay."""
        self.dataset(dataset_id)
        shutil.rmtree(self._folder(dataset_id))

    def _folder(self, dataset_id: str) -> Path:
        if not _ID.fullmatch(dataset_id):
            raise NotFound("This is not the name of a data set.")
        return self.root / "datasets" / dataset_id

    def _update(self, dataset: Dataset) -> Dataset:
        save(dataset, self._folder(dataset.id))
        return dataset
