"""The ONNX file of an encoder: built, run beside the original, and written only if they agree."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.artifacts import FloatArray, Sequences, State
from core.errors import FileRefused
from core.representations.batches import Stretches
from core.representations.inputs import gather
from core.representations.space import place
from core.representations.trained import Trained
from core.serving.encoder_graph import OUTPUT, build, input_names
from core.serving.feeding import feeding
from core.smaller import check_encoder
from core.store import replacing_file, to_plain

_MOST_CHECKED = 2_000
_AT_ONCE = 64
"""Users per call of the model; of unlike length, so that shorter ones are padded."""
_LEAST_COSINE = 0.9999
_MOST_OFF = 1e-4
"""Largest difference of a number, as a share of the largest number."""


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How far the exported model places users where the original does."""

    n_users: int
    max_abs_difference: float
    """Of any number of any point."""
    largest: float
    """Size of the largest number, to compare that with."""
    min_cosine: float

    @property
    def holds(self) -> bool:
        """Whether the exported model can stand in for the original."""
        near = self.max_abs_difference <= _MOST_OFF * self.largest  # False for NaN
        return near and self.min_cosine >= _LEAST_COSINE


@dataclass(frozen=True, kw_only=True)
class Exported:
    """An ONNX model that was checked, and what is told beside it."""

    model: bytes
    feeding: Mapping[str, Any]
    agreement: Agreement


def export(
    method: str, state: State, sequences: Sequences, about: Mapping[str, str] = {}
) -> Exported:
    """The encoder of a state as ONNX, checked on at most 2,000 users of the log.

    ``about`` is kept in the model and beside it. Raises OptionRefused where there is no encoder,
    FileRefused where the exported model places users elsewhere.
    """
    check_encoder(method)
    trained = Trained.of(state, sequences, "cpu")
    known = {"method": method, **about}
    model = build(trained, known)
    found = check(model, trained, sequences)
    if not found.holds:
        raise FileRefused(
            "The ONNX model places users elsewhere than the encoder it was made of: numbers are "
            f"off by up to {found.max_abs_difference:.2g}, the largest being {found.largest:.2g}, "
            f"and the least cosine is {found.min_cosine:.4f} (allowed: {_MOST_OFF:g} of the "
            f"largest, {_LEAST_COSINE}). Nothing was written. Serve the run with `python -m core "
            "assign` instead, and report this."
        )
    told = {
        **known,
        "sha256": hashlib.sha256(model).hexdigest(),
        "checked": to_plain(found),
        **feeding(trained, sequences.vocabulary),
    }
    return Exported(model=model, feeding=told, agreement=found)


def write(exported: Exported, path: Path) -> Path:
    """Write the model, and beside it (``.json``) how it is fed; the path of the latter."""
    beside = path.with_suffix(".json")
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing_file(path) as model, replacing_file(beside) as told:
        model.write_bytes(exported.model)
        text = json.dumps({"model": path.name, **exported.feeding}, indent=1, ensure_ascii=False)
        told.write_text(text + "\n", encoding="utf-8")
    return beside


def check(model: bytes, trained: Trained, sequences: Sequences) -> Agreement:
    """Place some users by both, and compare; users without events are among them."""
    step = -(-sequences.n_users // _MOST_CHECKED) or 1
    some = sequences.of_users(np.arange(0, sequences.n_users, step))
    space = {"centre": trained.centre, "axes": trained.axes}
    wanted, got = place(space, trained.states(some)), placed(model, trained, some)
    lengths = np.linalg.norm(wanted, axis=1) * np.linalg.norm(got, axis=1)
    cosines = ((wanted * got).sum(axis=1) / np.where(lengths > 0, lengths, 1.0))[lengths > 0]
    return Agreement(
        n_users=some.n_users,
        max_abs_difference=float(np.abs(wanted - got).max(initial=0.0)),
        largest=float(np.abs(wanted).max(initial=0.0)),
        min_cosine=float(cosines.min(initial=1.0)),
    )


def placed(model: bytes, trained: Trained, sequences: Sequences) -> FloatArray:
    """Users placed by an ONNX model, (U, D), in padded batches of unlike lengths."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    asked = input_names(trained.encoder)
    points = np.zeros((sequences.n_users, trained.axes.shape[1]), dtype=np.float32)
    for users, stretches in _batches(sequences):
        read = gather(sequences, trained.scales, *stretches.padded())
        feed = {name: getattr(read, name) for name in asked}
        (points[users],) = session.run([OUTPUT], feed)
    return points


def _batches(sequences: Sequences) -> Iterator[tuple[np.ndarray[Any, Any], Stretches]]:
    """Users with events, in their own order."""
    length = np.diff(sequences.offsets)
    some = np.flatnonzero(length > 0)
    for first in range(0, len(some), _AT_ONCE):
        users = some[first : first + _AT_ONCE]
        yield users, Stretches(start=sequences.offsets[users], length=length[users])
