"""What every metric is made of: one figure with all that is needed to read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.artifacts import DoubleArray, FloatArray, IntArray, LongArray
from core.evaluation.contingency import Contingency
from core.geometry import Silhouettes, blocks, doubles, silhouettes, sums_by_segment

Figure = tuple[float | None, str]
"""A value (None where undefined) and what to know of it."""

TOO_FEW = "Undefined: it compares segments, and there are fewer than two."


@dataclass(frozen=True, kw_only=True)
class Clustered:
    """The users in a segment, in the space that was clustered, with what the metrics share."""

    n_users: int
    """Users in a segment; noise is left out."""
    centres: DoubleArray  # (K, D) mean of every segment
    middle: DoubleArray  # (D,) mean of all these users
    sizes: LongArray  # (K,)
    squares: DoubleArray  # (K,) sum of squared distances to the own centre
    distances: DoubleArray  # (K,) mean distance to the own centre
    silhouettes: Silhouettes | None
    """None where there are fewer than two segments."""

    @property
    def k(self) -> int:
        return len(self.sizes)

    @property
    def loss(self) -> float:
        """J: sum of squared distances of all users to the centre of their segment."""
        return float(self.squares.sum())


def gathered(points: FloatArray, values: IntArray, per_segment: int, seed: int) -> Clustered:
    """All that the internal metrics need, in two passes over the users.

    ``points`` (n, D) and ``values`` (n,) in 0 .. K-1, every segment there, n >= 1, no noise.
    """
    k = int(values.max()) + 1
    centres, sizes = np.zeros((k, points.shape[1])), np.zeros(k, dtype=np.int64)
    for rows in blocks(len(points)):
        block_sums, block_sizes = sums_by_segment(doubles(points[rows]), values[rows], k)
        centres += block_sums
        sizes += block_sizes
    middle = centres.sum(axis=0) / len(points)
    centres /= sizes[:, None]
    squares, distances = np.zeros(k), np.zeros(k)
    for rows in blocks(len(points)):
        own = np.square(doubles(points[rows]) - centres[values[rows]]).sum(axis=1)
        squares += np.bincount(values[rows], weights=own, minlength=k)
        distances += np.bincount(values[rows], weights=np.sqrt(own), minlength=k)
    return Clustered(
        n_users=len(points),
        centres=centres,
        middle=middle,
        sizes=sizes,
        squares=squares,
        distances=distances / sizes,
        silhouettes=silhouettes(points, values, per_segment, seed) if k > 1 else None,
    )


@dataclass(frozen=True, kw_only=True)
class _Described:
    name: str
    label: str
    low: float | None
    high: float | None
    """Range of the values; None where it is open."""
    better: Literal["higher", "lower"]
    meaning: str
    """What it says, in one plain sentence."""
    source: str

    @property
    def range(self) -> str:
        """The range in words, e.g. "-1 to 1" or "0 and up"."""
        if self.high is None:
            return "any number" if self.low is None else f"{self.low:g} and up"
        return f"up to {self.high:g}" if self.low is None else f"{self.low:g} to {self.high:g}"


@dataclass(frozen=True, kw_only=True)
class InternalMetric(_Described):
    """A figure of the segments by themselves."""

    function: Callable[[Clustered], Figure]


@dataclass(frozen=True, kw_only=True)
class ExternalMetric(_Described):
    """A figure of the agreement between segments and known labels."""

    function: Callable[[Contingency], Figure]
