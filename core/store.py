"""Artifacts on disk, found again by their fingerprint; written whole or not at all.

A folder per artifact: plain values in ``artifact.json``, every array as ``.npy`` (opened
memory-mapped), text arrays as Arrow, learned state as safetensors with its SHA-256. Nothing is
pickled, so a folder from elsewhere can run no code.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
import types
import typing
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from core.artifacts import State
from core.errors import NotFound

T = TypeVar("T")
_META = "artifact.json"
_SECONDS = "seconds.txt"
_UNFINISHED = "unfinished"
_FORGOTTEN_SECONDS = 14 * 86_400.0
"""After so long without a change unfinished work is not expected to be gone on with."""


class Store:
    """A folder of artifacts; equal work is found again and never done twice."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, fingerprint: str) -> Path:
        """Where the artifact of that fingerprint stands, or will."""
        return self.root / fingerprint[:32]

    def has(self, fingerprint: str) -> bool:
        return (self.folder(fingerprint) / _META).exists()

    def get(self, kind: type[T], fingerprint: str) -> T | None:
        """Load an artifact made earlier, or None."""
        return load(kind, self.folder(fingerprint)) if self.has(fingerprint) else None

    def get_or_make(self, kind: type[T], fingerprint: str, make: Callable[[Path], T]) -> T:
        """Load the artifact, or make it in a scratch folder and keep it.

        ``make`` gets the scratch folder for files of its own (the artifact's Path fields).
        """
        if not self.has(fingerprint):
            with scratch_folder(self.root) as scratch:
                begun = time.perf_counter()
                save(make(scratch), scratch)
                write_text(scratch / _SECONDS, f"{time.perf_counter() - begun:.3f}")
                keep_first(scratch, self.folder(fingerprint))
            shutil.rmtree(self.unfinished(fingerprint), ignore_errors=True)
        return load(kind, self.folder(fingerprint))

    def unfinished(self, fingerprint: str) -> Path:
        """Where long work on that artifact is kept until it is made, so that it can go on.

        Outlives the process that works there; gone once the artifact is made.
        """
        return self.root / _UNFINISHED / fingerprint[:32]

    def seconds(self, fingerprint: str) -> float:
        """How long making the artifact took."""
        return float((self.folder(fingerprint) / _SECONDS).read_text(encoding="utf-8"))

    def sweep(self, older_than_seconds: float = 3600.0) -> None:
        """Remove what work that was killed left half made, and kept work long forgotten."""
        for scratch in self.root.glob(".*"):
            _remove_old(scratch, older_than_seconds)
        for kept in self.root.glob(f"{_UNFINISHED}/*"):
            _remove_old(kept, _FORGOTTEN_SECONDS)


def _remove_old(folder: Path, older_than_seconds: float) -> None:
    if time.time() - folder.stat().st_mtime > older_than_seconds:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """A new folder that is gone when the block ends, unless it was renamed by then."""
    scratch = parent / f".{uuid.uuid4().hex}"
    scratch.mkdir(parents=True)
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def keep_first(scratch: Path, target: Path) -> None:
    """Rename a folder, unless another process has finished the same one meanwhile."""
    try:
        scratch.rename(target)
    except OSError:
        if not target.exists():
            raise


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield a new folder that takes the place of ``target`` when the block ends well.

    When it does not, the old folder stays.
    """
    with scratch_folder(target.parent) as scratch:
        yield scratch
        with scratch_folder(target.parent) as old:
            if target.exists():
                target.rename(old / "old")
            scratch.rename(target)


@contextmanager
def replacing_file(target: Path) -> Iterator[Path]:
    """Yield the path of a new file that becomes ``target`` when the block ends well."""
    scratch = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")
    try:
        yield scratch
        scratch.replace(target)
    finally:
        scratch.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a small file so that a reader sees the old text or the new, never half of it."""
    with replacing_file(path) as scratch:
        scratch.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write plain values for programs and people alike, as `write_text` does."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def save(artifact: Any, folder: Path) -> None:
    """Write an artifact into an existing folder."""
    hints = typing.get_type_hints(type(artifact))
    meta: dict[str, Any] = {}
    for field in fields(artifact):
        value = getattr(artifact, field.name)
        if isinstance(value, np.ndarray):
            _save_array(value, folder / field.name)
        elif hints[field.name] == State:
            meta[field.name] = save_state(value, folder / f"{field.name}.safetensors")
        elif isinstance(value, Path):
            meta[field.name] = value.name
        else:
            meta[field.name] = to_plain(value)
    write_text(folder / _META, json.dumps(meta, ensure_ascii=False))


def load(kind: type[T], folder: Path) -> T:
    """Read back what `save` wrote; arrays stay on disk and are read as they are touched."""
    try:
        meta = json.loads((folder / _META).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotFound(f"There is no stored {kind.__name__} in '{folder.name}'.") from None
    hints = typing.get_type_hints(kind)
    values: dict[str, Any] = {}
    for field in fields(kind):  # type: ignore[arg-type]
        hint = hints[field.name]
        if _is_array(hint):
            values[field.name] = _load_array(folder / field.name)
        elif hint == State:
            values[field.name] = _load_state(folder / f"{field.name}.safetensors", meta[field.name])
        elif hint is Path:
            values[field.name] = folder / meta[field.name]
        else:
            values[field.name] = from_plain(hint, meta[field.name])
    return kind(**values)


def to_plain(value: Any) -> Any:
    """Dataclasses, tuples, times and NumPy scalars as JSON values; NaN and infinities as None."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(k): to_plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return to_plain(value.tolist())
    if isinstance(value, np.generic):
        return to_plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Path) else value


def from_plain(hint: Any, value: Any) -> Any:
    """Undo `to_plain` by the type that is expected; None becomes NaN where a number must be."""
    origin, args = get_origin(hint), get_args(hint)
    if value is None:
        return float("nan") if hint is float else None
    if origin in (typing.Union, types.UnionType):
        return from_plain(next(a for a in args if a is not types.NoneType), value)
    if is_dataclass(hint) and isinstance(hint, type):
        hints = typing.get_type_hints(hint)
        return hint(**{name: from_plain(hints[name], part) for name, part in value.items()})
    if origin is tuple:
        inner = args if args and args[-1] is not Ellipsis else (args[0],) * len(value)
        return tuple(from_plain(a, v) for a, v in zip(inner, value, strict=True))
    if origin is not None and origin is not Literal and issubclass(origin, Mapping):
        return {k: from_plain(args[1], v) for k, v in value.items()}
    if hint is datetime:
        return datetime.fromisoformat(value)
    return float(value) if hint is float else value


def _is_array(hint: Any) -> bool:
    return get_origin(hint) is np.ndarray


def _save_array(values: Any, path: Path) -> None:
    if values.dtype == object:
        table = pa.table({"values": pa.array(values, pa.string())})
        feather.write_feather(table, str(path.with_suffix(".arrow")))
    elif not _is_file(values, path.with_suffix(".npy")):
        np.save(path.with_suffix(".npy"), values, allow_pickle=False)


def _is_file(values: Any, path: Path) -> bool:
    """Whether an array is that very file, mapped: it was made there, and needs no writing."""
    if not (isinstance(values, np.memmap) and values.filename and path.exists()):
        return False
    values.flush()
    whole = values.flags.c_contiguous and path.stat().st_size == values.offset + values.nbytes
    return bool(whole and Path(values.filename).samefile(path))


def _load_array(path: Path) -> Any:
    text = path.with_suffix(".arrow")
    if text.exists():
        return feather.read_table(str(text))["values"].to_numpy(zero_copy_only=False)
    return np.load(path.with_suffix(".npy"), mmap_mode="r", allow_pickle=False)


def save_state(state: State, path: Path) -> str:
    """Write learned arrays as safetensors; the SHA-256 of the file."""
    payload = save_tensors({k: np.ascontiguousarray(v) for k, v in state.items()})
    path.write_bytes(payload)
    return hashlib.sha256(payload).hexdigest()


def _load_state(path: Path, expected: str) -> State:
    payload = path.read_bytes()
    if hashlib.sha256(payload).hexdigest() != expected:
        raise NotFound(
            f"'{path.parent.name}/{path.name}' is damaged: its checksum is not the one that was "
            "recorded when it was written. Run the step again."
        )
    tensors: State = load_tensors(payload)
    return tensors
