"""Unfinished training on disk: its last two states, each used whole or not at all.

A folder per state, named by the step after which it was taken, the training that it is a state of
and the SHA-256 of its manifest:

    0000000340-5d1e…-3f2a91…/
        weights.safetensors      what has been learned so far
        optimizer.safetensors    the optimiser's averages
        best.safetensors         weights of the best epoch so far; empty where none is kept
        standing.json            where training stands: counters (all dice are thrown by them, so
                                 they are the state of the dice too), sums, reports so far
        manifest.json            version, of what it is a state, SHA-256 of the other files

Written beside, flushed to the disk (files, then folder) and renamed. The name guards the manifest
and the manifest the files, so that no byte can change unnoticed; nothing is pickled.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from core.artifacts import State

FORMAT = 2
_MANIFEST = "manifest.json"
_TAG = 16
_NAME = re.compile(rf"\d{{10,}}-[0-9a-f]{{{_TAG}}}-[0-9a-f]{{64}}", re.ASCII)
"""Of the folder of a state, as `_write_whole` gives it."""
_OF_ANOTHER = "Kept work of other settings, other data or another version was passed over."
_KEPT = 2
_LEAST_SECONDS = 5.0
"""Between two states at the end of short epochs."""
_WORTH = 20
"""Writing may take one part in so many of the time."""
_LEFT_BEHIND_SECONDS = 600.0
"""After so long a folder that was never renamed belongs to a process that was killed."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """All that is needed to go on after a step as if nothing had happened."""

    step: int
    weights: State
    optimizer: State
    best: State
    standing: Mapping[str, Any]
    """Plain JSON values."""

    def to_files(self) -> dict[str, bytes]:
        """Content by file name."""
        return {
            "weights.safetensors": _saved(self.weights),
            "optimizer.safetensors": _saved(self.optimizer),
            "best.safetensors": _saved(self.best),
            "standing.json": json.dumps({"step": self.step, **self.standing}).encode(),
        }

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Snapshot:
        """Undo `to_files`."""
        standing = json.loads(files["standing.json"])
        return cls(
            step=standing.pop("step"),
            weights=load_tensors(files["weights.safetensors"]),
            optimizer=load_tensors(files["optimizer.safetensors"]),
            best=load_tensors(files["best.safetensors"]),
            standing=standing,
        )

    def packed(self) -> bytes:
        """As one piece, to be sent to another process."""
        return save_tensors({k: np.frombuffer(v, np.uint8) for k, v in self.to_files().items()})

    @classmethod
    def unpacked(cls, payload: bytes) -> Snapshot:
        """Undo `packed`."""
        return cls.from_files({k: v.tobytes() for k, v in load_tensors(payload).items()})


class Checkpoints:
    """Where the states of one training are kept, and when it is time for the next.

    Nothing here ends a training: what cannot be read or written is told.
    """

    def __init__(
        self,
        folder: Path | None,
        *,
        every_minutes: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.beginning = ""
        """What this sitting goes on from, and what was passed over; empty where it is the first."""
        self.trouble = ""
        """Why the work is not kept just now; empty where all is well."""
        self._folder = folder
        self._every_seconds = 60 * every_minutes
        self._clock = clock
        self._last = clock()
        self._took = 0.0
        self._good: list[str] = []

    def due(self, *, epoch_ended: bool) -> bool:
        """Whether it is time to write: not often in short epochs, nor where writing is slow."""
        pause = _LEAST_SECONDS if epoch_ended else self._every_seconds
        since = self._clock() - self._last
        return self._folder is not None and since >= max(pause, _WORTH * self._took)

    def write(self, of: str, snapshot: Snapshot) -> None:
        """Keep a state of the training ``of`` (its identity); the last two stay.

        Where that fails (a full disk, say) the last good ones stay and ``trouble`` says so.
        """
        if self._folder is None:
            return
        began = self._clock()
        try:
            name = _write_whole(self._folder, of, snapshot)
        except OSError as error:
            kept = "from the state saved before" if self._good else "from the beginning"
            self.trouble = (
                f"The state of learning could not be saved ({error.strerror or error}). Learning "
                f"goes on; if it is interrupted now, it goes on {kept}."
            )
        else:
            self.trouble = ""
            self._good = [*(kept for kept in self._good if kept != name), name][-_KEPT:]
            self._clear(of)
        self._last = self._clock()
        self._took = self._last - began

    def latest(self, of: str) -> Snapshot | None:
        """The newest whole state of that training; ``beginning`` tells what was passed over."""
        found, passed_over = [], []
        for folder in _states(self._folder):
            if _training_of(folder) != of[:_TAG]:
                passed_over.append(_OF_ANOTHER)
                continue
            try:
                found.append((folder.name, _read_whole(folder, of)))
            except _NotUsable as reason:
                passed_over.append(str(reason))
        self._good = [name for name, _ in reversed(found)][-_KEPT:]
        self.beginning = " ".join(dict.fromkeys(passed_over))
        return found[0][1] if found else None

    def _clear(self, of: str) -> None:
        """Remove other states than the last good ones, and what killed processes left."""
        assert self._folder is not None
        for old in _states(self._folder):
            if old.name not in self._good and _training_of(old) == of[:_TAG]:
                shutil.rmtree(old, ignore_errors=True)
        for scratch in self._folder.glob(".*"):
            if time.time() - _modified(scratch) > _LEFT_BEHIND_SECONDS:
                shutil.rmtree(scratch, ignore_errors=True)


def _saved(state: State) -> bytes:
    # safetensors copies the memory as it lies, so it must lie row by row
    return bytes(save_tensors({k: np.asarray(v, order="C") for k, v in state.items()}))


class _NotUsable(Exception):
    """Why a state on disk is passed over."""


def write_durably(path: Path, payload: bytes) -> None:
    """Write a file and wait until the disk has it."""
    with path.open("wb") as file:
        file.write(payload)
        file.flush()
        os.fsync(file.fileno())


def _write_whole(parent: Path, of: str, snapshot: Snapshot) -> str:
    """Write a state; returns the name of its folder."""
    parent.mkdir(parents=True, exist_ok=True)
    files = snapshot.to_files()
    sums = {name: hashlib.sha256(payload).hexdigest() for name, payload in files.items()}
    manifest = json.dumps({"format": FORMAT, "of": of, "files": sums}).encode()
    name = f"{snapshot.step:010d}-{of[:_TAG]}-{hashlib.sha256(manifest).hexdigest()}"
    scratch = parent / f".{uuid.uuid4().hex}"
    try:
        scratch.mkdir()
        for file, payload in {**files, _MANIFEST: manifest}.items():
            write_durably(scratch / file, payload)
        _flush_folder(scratch)
        shutil.rmtree(parent / name, ignore_errors=True)  # the same state, found damaged before
        scratch.rename(parent / name)
        _flush_folder(parent)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return name


def _flush_folder(folder: Path) -> None:
    """Wait until the disk has the names in a folder; Windows has no way to ask for it."""
    if os.name == "nt":
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _states(folder: Path | None) -> list[Path]:
    """Folders of states, the newest first; a copy that someone made under another name is none."""
    if folder is None or not folder.is_dir():
        return []
    found = [path for path in folder.iterdir() if _NAME.fullmatch(path.name)]
    return sorted(found, key=lambda path: path.name, reverse=True)


def _training_of(folder: Path) -> str:
    return folder.name.split("-")[1]


def _read_whole(folder: Path, of: str) -> Snapshot:
    step, _, digest = folder.name.split("-")
    manifest = json.loads(_checked(folder, _MANIFEST, digest, step))
    if (manifest["format"], manifest["of"]) != (FORMAT, of):
        raise _NotUsable(_OF_ANOTHER)
    return Snapshot.from_files(
        {name: _checked(folder, name, known, step) for name, known in manifest["files"].items()}
    )


def _checked(folder: Path, name: str, digest: str, step: str) -> bytes:
    """Content of a file that is what was written. Raises _NotUsable."""
    try:
        payload = (folder / name).read_bytes()
    except OSError:
        raise _NotUsable(_damaged(name, step, "cannot be read")) from None
    if hashlib.sha256(payload).hexdigest() != digest:
        raise _NotUsable(_damaged(name, step, "is not what was written"))
    return payload


def _damaged(name: str, step: str, how: str) -> str:
    after = f" after step {int(step):,}" if step.isdecimal() else ""
    return f"A state kept{after} is damaged ({name} {how}) and was passed over."


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return time.time()
