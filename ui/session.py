"""Every session key, typed; the analyst's workspace, data set and settings.

What belongs to one browser tab lives in the session. What must survive a reload stands in the
address (workspace, data set) and in the workspace itself (settings and names last used).
"""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from core.errors import NotFound
from core.events.read import ReadOptions
from core.pipeline import Journey
from core.run_options import RunOptions
from core.workspace import LOCAL, Dataset, Workspace, new_key, open_workspace
from ui import cached, drafts
from ui.drafts import Draft, Names

if TYPE_CHECKING:
    from core.runs import Run

T = TypeVar("T")
WORKSPACE_PARAM = "workspace"
DATASET_PARAM = "data"
AT_ONCE_ROWS = 400_000
"""Logs up to this size are typed while the analyst looks on, others by the worker."""


@dataclass(frozen=True)
class Key(Generic[T]):
    """One value of this browser session, under a name that no widget uses."""

    name: str
    missing: str = "Start with your data on the Upload page."
    """What to tell the analyst when the value is required and not there."""

    def get(self) -> T | None:
        value: T | None = st.session_state.get(f"session.{self.name}")
        return value

    def set(self, value: T) -> None:
        st.session_state[f"session.{self.name}"] = value

    def clear(self) -> None:
        st.session_state.pop(f"session.{self.name}", None)

    def require(self) -> T:
        """The value. Raises NotFound, which tells the analyst what to do."""
        value = self.get()
        if value is None:
            raise NotFound(self.missing)
        return value


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Users picked on a map."""

    projection: str
    """Fingerprint of the map on which they were picked."""
    user_ids: tuple[str, ...]


WORKSPACE: Key[str] = Key("workspace", "This link is not valid. Open the dashboard without it.")
DATASET: Key[str] = Key("dataset")
OPTIONS: Key[RunOptions] = Key("options")
NAMES: Key[Names] = Key("names")
"""Names the analyst gave: by fingerprint of the labels, then by segment."""
SELECTION: Key[Selection] = Key("selection", "Select users on the map first.")
BEGUN: Key[frozenset[str]] = Key("begun")
"""Fingerprints of the steps that a page has started by itself: once each, also if they failed."""
READ: Key[ReadOptions] = Key("read")
"""How the next file is to be read."""
UPLOAD_TOKEN: Key[str] = Key("upload-token")
UPLOADS_SEEN: Key[int] = Key("uploads-seen")
"""How many files have arrived: tells the upload box that its message is out of date."""
DISMISSED_JOB: Key[str] = Key("dismissed-job")
"""The ended job whose message the analyst has read."""
RUN: Key[int] = Key("run")
"""How often the script of a page has begun."""


def begin() -> None:
    """Find out whose data this is and which data set is open; call first in every run."""
    RUN.set((RUN.get() or 0) + 1)
    key = _workspace_key()
    if WORKSPACE.get() not in (None, key):
        close_dataset()
    WORKSPACE.set(key)
    asked_for = st.query_params.get(DATASET_PARAM)
    if DATASET.get() is None and asked_for:
        open_dataset(asked_for)
    address = {WORKSPACE_PARAM: key if is_shared() else None, DATASET_PARAM: DATASET.get()}
    for name, value in address.items():
        if value is None:
            st.query_params.pop(name, None)
        elif st.query_params.get(name) != value:
            st.query_params[name] = value


def is_shared() -> bool:
    """Whether others can reach this dashboard, so that every browser needs its own workspace."""
    if os.environ.get("SEGMENTLAB_SHARED", "") not in ("", "0"):
        return True
    address = st.get_option("server.address")
    return not (address and _is_loopback(str(address)))


def link() -> str:
    """The address under which this workspace and data set are found again."""
    address = {WORKSPACE_PARAM: WORKSPACE.require(), DATASET_PARAM: DATASET.get()}
    query = urlencode({name: value for name, value in address.items() if value})
    base = urlsplit(str(st.context.url or ""))
    return urlunsplit((base.scheme, base.netloc, base.path, query, ""))


def workspace() -> Workspace:
    """The workspace of this browser session."""
    return open_workspace(WORKSPACE.require())


def dataset() -> Dataset | None:
    """The open data set, or None."""
    dataset_id = DATASET.get()
    if dataset_id is None:
        return None
    try:
        return workspace().dataset(dataset_id)
    except NotFound:
        close_dataset()
        return None


def open_dataset(dataset_id: str) -> None:
    """Make a data set the open one, with the settings and names last used on it."""
    close_dataset()
    try:
        workspace().dataset(dataset_id)
    except NotFound:
        return
    DATASET.set(dataset_id)
    st.query_params[DATASET_PARAM] = dataset_id
    draft = drafts.read(_draft_file(dataset_id))
    OPTIONS.set(draft.options)
    NAMES.set(draft.names)


def reopen(run: Run) -> None:
    """Go back to how things stood when a run was recorded: data, columns, settings, names."""
    manifest = run.manifest
    dataset_id = manifest.source.dataset_id or ""
    workspace().confirm_mapping(dataset_id, manifest.source.mapping, run.options().map)
    open_dataset(dataset_id)
    given = {int(segment): name for segment, name in manifest.segment_names.items()}
    NAMES.set((NAMES.get() or {}) | {manifest.fingerprints["labels"]: given})
    OPTIONS.set(run.options())
    _write_draft()


def close_dataset() -> None:
    """Go back to no data set; nothing on disk changes."""
    for held in (DATASET, OPTIONS, NAMES, SELECTION, BEGUN, DISMISSED_JOB):
        held.clear()
    st.query_params.pop(DATASET_PARAM, None)


def delete_dataset(dataset_id: str) -> None:
    """Remove a data set and what was noted about it."""
    workspace().delete(dataset_id)
    _draft_file(dataset_id).unlink(missing_ok=True)
    if DATASET.get() == dataset_id:
        close_dataset()


def options() -> RunOptions:
    """The settings of the journey as the analyst has them now."""
    return OPTIONS.get() or RunOptions()


def set_options(new: RunOptions) -> None:
    """Keep changed settings, also over a reload."""
    if new != OPTIONS.get():
        OPTIONS.set(new)
        _write_draft()


def names(labels_fingerprint: str) -> dict[int, str]:
    """The names the analyst gave to the segments of a segmentation."""
    return (NAMES.get() or {}).get(labels_fingerprint, {})


def set_name(labels_fingerprint: str, segment: int, name: str) -> None:
    """Keep a segment's new name, also over a reload."""
    given = NAMES.get() or {}
    NAMES.set(given | {labels_fingerprint: given.get(labels_fingerprint, {}) | {segment: name}})
    _write_draft()


def journey() -> Journey | None:
    """The journey of the open data set under the present settings, or None before it can begin.

    A large log that is confirmed, but not typed yet, is no journey: the worker is still at it.
    """
    current = dataset()
    if current is None or current.mapping is None or not is_typed(current):
        return None
    return cached.journey(workspace().root, current, options())


def is_typed(current: Dataset) -> bool:
    """Whether the log of a confirmed data set is typed, or small enough to be typed here."""
    place = workspace()
    return place.raw(current).n_rows <= AT_ONCE_ROWS or place.quality_ready(current)


def require_journey() -> Journey:
    """The journey. Raises NotFound, which tells the analyst what to do first."""
    found = journey()
    if found is None:
        raise NotFound("There is no data yet. Open a data set and confirm its columns on Upload.")
    return found


def _workspace_key() -> str:
    if not is_shared():
        return LOCAL
    asked_for = st.query_params.get(WORKSPACE_PARAM)
    if asked_for == LOCAL:
        raise NotFound("This workspace link is not valid. Open the dashboard without it.")
    if asked_for:
        open_workspace(asked_for)
    return asked_for or WORKSPACE.get() or new_key()


def _is_loopback(address: str) -> bool:
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _draft_file(dataset_id: str) -> Path:
    return workspace().root / "drafts" / f"{dataset_id}.json"


def _write_draft() -> None:
    dataset_id = DATASET.get()
    if dataset_id is not None:
        drafts.write(_draft_file(dataset_id), Draft(options=options(), names=NAMES.get() or {}))
