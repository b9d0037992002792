"""Events as the encoder reads them: codes, robustly scaled numbers, and classes to predict.

Nothing here identifies a user by itself: clock time only as part of the day, numbers scaled and
cut off, so that an encoder cannot learn to recognise people instead of behaviour.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from core.artifacts import FloatArray, IntArray, LongArray, Sequences, State

DAYPARTS = 6
"""Parts of the day of four hours each, from midnight UTC."""
NUMBERS = ("gap", "duration", "price")
PREDICTED = ("action", "category", *NUMBERS)
"""What is predicted of the next event. Numbers as classes: 0 where missing (a gap: where two
events share a second), then tenths; so no atom in the data can give a boundless likelihood."""
NUMERIC_INPUTS = 2 * len(NUMBERS) + 1
_CLASSES_PER_NUMBER = 10
_CUT_OFF = 4.0
"""Robust standard deviations beyond which a number counts as no more extreme."""
_SAMPLE = 1_000_000
_SECONDS_PER_PART = 86_400 // DAYPARTS

MaskArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Scales:
    """What was learned of the log before training: vocabulary sizes, centres, spreads, classes."""

    sizes: LongArray  # (3,) codes of actions, categories, platforms, "unknown" included
    dayparts: LongArray  # (1,) DAYPARTS, or 1 where the time of day is left out
    centre: FloatArray  # (3,) median of the logarithm of gap, duration, price
    spread: FloatArray  # (3,) 1.35 sigma-equivalent of its quartile range, at least .1
    gap_edges: FloatArray  # (<= 9,) of the logarithm, between classes
    duration_edges: FloatArray
    price_edges: FloatArray

    @classmethod
    def of(cls, sequences: Sequences, *, time_of_day: bool) -> Self:
        """Learn the scales from a log; from an even sample where it has over a million events."""
        words = sequences.vocabulary
        every = slice(None, None, max(1, sequences.n_events // _SAMPLE))
        logs = [_known_logs(name, getattr(sequences, name)[every]) for name in NUMBERS]
        quartiles = np.array([_quantiles(x, (0.25, 0.5, 0.75)) for x in logs], dtype=np.float32)
        return cls(
            sizes=np.array([len(words.actions), len(words.categories), len(words.platforms)]) + 1,
            dayparts=np.array([DAYPARTS if time_of_day else 1]),
            centre=quartiles[:, 1],
            spread=np.maximum((quartiles[:, 2] - quartiles[:, 0]) / np.float32(1.349), 0.1),
            **{f"{name}_edges": _edges(x) for name, x in zip(NUMBERS, logs, strict=True)},
        )

    @classmethod
    def from_state(cls, state: State) -> Self:
        return cls(**{f.name: np.asarray(state[f"scales.{f.name}"]) for f in fields(cls)})

    def to_state(self) -> dict[str, npt.NDArray[Any]]:
        return {f"scales.{f.name}": getattr(self, f.name) for f in fields(self)}

    def classes(self) -> dict[str, int]:
        """How many classes each thing to predict has; those with one class need no prediction."""
        edges = {name: getattr(self, f"{name}_edges") for name in NUMBERS}
        words = {"action": int(self.sizes[0]), "category": int(self.sizes[1])}
        return words | {name: len(e) + 2 if len(e) else 1 for name, e in edges.items()}


@dataclass(frozen=True, kw_only=True)
class EventBatch:
    """B stretches of T events, padded at the end by repeats of the last event."""

    action: LongArray  # (B, T)
    category: LongArray  # (B, T)
    platform: LongArray  # (B, T)
    daypart: LongArray  # (B, T)
    item: LongArray  # (B, T) row of the items' vectors; 0 where there are none
    query: LongArray  # (B, T) likewise of the queries'
    numeric: FloatArray  # (B, T, NUMERIC_INPUTS)
    classes: LongArray  # (B, T, 5) of `PREDICTED`: what an encoder before the event must guess
    real: MaskArray  # (B, T) False at padding


def gather(sequences: Sequences, scales: Scales, index: LongArray, real: MaskArray) -> EventBatch:
    """Read the events at ``index`` (B, T) as the encoder sees them."""
    first = _is_first(sequences, index)
    logs = [_logs(name, getattr(sequences, name)[index]) for name in NUMBERS]
    known = [np.isfinite(x) for x in logs]
    scaled = [
        np.clip((np.where(k, x, c) - c) / s, -_CUT_OFF, _CUT_OFF)
        for x, k, c, s in zip(logs, known, scales.centre, scales.spread, strict=True)
    ]
    classes = [
        np.where(k, 1 + np.searchsorted(getattr(scales, f"{name}_edges"), x, side="right"), 0)
        for name, x, k in zip(NUMBERS, logs, known, strict=True)
    ]
    day = np.asarray(sequences.time[index]) // _SECONDS_PER_PART % DAYPARTS
    action = _coded(sequences.action[index], scales.sizes[0])
    category = _coded(sequences.category[index], scales.sizes[1])
    return EventBatch(
        action=action,
        category=category,
        platform=_coded(sequences.platform[index], scales.sizes[2]),
        daypart=day if scales.dayparts[0] > 1 else np.zeros_like(day),
        item=_row(sequences.item, sequences.item_vectors, index),
        query=_row(sequences.query, sequences.query_vectors, index),
        numeric=np.stack([*scaled, *known, first], axis=-1).astype(np.float32),
        classes=np.stack([action, category, *classes], axis=-1),
        real=real,
    )


def hide_words(batch: EventBatch, share: float, rng: np.random.Generator) -> EventBatch:
    """Make a share of the events' words unknown to the encoder, never what it must predict."""
    shown = rng.random(batch.action.shape) >= share
    return replace(
        batch,
        action=batch.action * shown,
        category=batch.category * shown,
        platform=batch.platform * shown,
        item=batch.item * shown,
        query=batch.query * shown,
    )


def _is_first(sequences: Sequences, index: LongArray) -> MaskArray:
    place = np.searchsorted(sequences.offsets, index, side="left")
    return np.asarray(sequences.offsets[np.minimum(place, sequences.n_users)] == index)


def _coded(codes: npt.NDArray[Any], size: np.int64) -> LongArray:
    """Codes as the encoder can look them up; what it has never seen is 0, "unknown"."""
    return np.where(codes < size, codes, 0).astype(np.int64)


def _row(codes: IntArray, vectors: FloatArray, index: LongArray) -> LongArray:
    """Row of the vectors for every event; codes are read only where there is something to find."""
    if not vectors.shape[1]:
        return np.zeros(index.shape, dtype=np.int64)
    return _coded(codes[index], np.int64(len(vectors)))


def _logs(name: str, values: npt.NDArray[Any]) -> FloatArray:
    """Signed logarithm of 1 + value; NaN where missing and where two events share a second."""
    x = np.asarray(values, dtype=np.float32)
    logs = np.sign(x) * np.log1p(np.abs(x))
    return np.where(x == 0, np.float32(np.nan), logs) if name == "gap" else logs


def _known_logs(name: str, values: npt.NDArray[Any]) -> FloatArray:
    logs = _logs(name, values)
    return logs[np.isfinite(logs)]


def _quantiles(logs: FloatArray, at: tuple[float, ...]) -> npt.NDArray[Any]:
    return np.quantile(logs, at) if len(logs) else np.zeros(len(at))


def _edges(logs: FloatArray) -> FloatArray:
    """Borders between classes of about equal size; fewer where many values are the same."""
    steps = np.linspace(0, 1, _CLASSES_PER_NUMBER + 1)[1:-1]
    found = np.unique(np.quantile(logs, steps)) if len(logs) else np.zeros(0)
    return found.astype(np.float32)
