"""From many raw coordinates to few even ones: what texts and vectors have in common."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from core.artifacts import DoubleArray, FloatArray, State

_STILL = 1e-4
"""Spread, as a share of the largest, under which a direction is rounding and tells nothing."""


@dataclass(frozen=True, kw_only=True)
class Axes:
    """Directions, and the centre and gain by which coordinates along them become features."""

    directions: FloatArray  # (W, D) from W raw columns
    centre: FloatArray  # (D,)
    gain: FloatArray  # (D,)

    @classmethod
    def from_state(cls, state: State, prefix: str) -> Self:
        return cls(**{f.name: np.asarray(state[f"{prefix}.{f.name}"]) for f in fields(cls)})

    def to_state(self, prefix: str) -> dict[str, npt.NDArray[Any]]:
        return {f"{prefix}.{f.name}": getattr(self, f.name) for f in fields(self)}

    @property
    def width(self) -> int:
        return len(self.gain)

    def place(self, coordinates: npt.NDArray[Any]) -> FloatArray:
        """Features from coordinates along the directions, shape (N, D)."""
        placed: FloatArray = ((coordinates - self.centre) * self.gain).astype(np.float32)
        return placed


def even(directions: npt.NDArray[Any], coordinates: npt.NDArray[Any], evenness: float) -> Axes:
    """Axes whose features have mean 0 and on average spread 1 over the rows of ``coordinates``.

    Directions (W, D) come with either sign; their largest entry is made positive. Each is divided
    by its spread to the power ``evenness`` (1: all spreads alike, 0: as they are), and those
    without any spread are left out.
    """
    largest = directions[np.abs(directions).argmax(axis=0), np.arange(directions.shape[1])]
    sign = np.where(largest < 0, -1.0, 1.0)
    spread: DoubleArray = coordinates.std(axis=0, dtype=np.float64)
    alive = spread > _STILL * max(float(spread.max(initial=0.0)), 1e-12)
    spread, sign = spread[alive], sign[alive]
    gain = spread**-evenness
    gain /= np.sqrt(np.mean((spread * gain) ** 2)) if len(gain) else 1.0
    centre = coordinates.mean(axis=0, dtype=np.float64)[alive] * sign
    return Axes(
        directions=(directions[:, alive] * sign).astype(np.float32),
        centre=centre.astype(np.float32),
        gain=gain.astype(np.float32),
    )
