"""Points, seeded samples of them and distances among them; memory never grows with users squared.

Ground that several stages stand on; all sums in double precision.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.artifacts import DoubleArray, FloatArray, IntArray, LongArray

_BLOCK = 4096
Points = FloatArray | DoubleArray


@dataclass(frozen=True, kw_only=True)
class Silhouettes:
    """Silhouettes of up to so many users per segment, and what they say of everyone."""

    per_segment: tuple[DoubleArray, ...]
    """Per segment, the silhouettes of the users that were drawn, falling."""
    sizes: LongArray  # (K,) users of each segment, drawn or not

    @property
    def means(self) -> DoubleArray:
        """Mean silhouette of each segment, shape (K,)."""
        return np.array([values.mean() for values in self.per_segment])

    def macro(self) -> tuple[float, float]:
        """Mean over segments, each counting alike, and its standard error from the sampling."""
        return self._mean(np.full(len(self.sizes), 1.0 / len(self.sizes)))

    def micro(self) -> tuple[float, float]:
        """Mean over users, and its standard error from the sampling (0 where all were drawn)."""
        return self._mean(self.sizes / self.sizes.sum())

    def _mean(self, weights: DoubleArray) -> tuple[float, float]:
        variances = [
            values.var(ddof=1) / len(values) * (1.0 - len(values) / size) if len(values) > 1 else 0
            for values, size in zip(self.per_segment, self.sizes, strict=True)
        ]
        error = np.sqrt((weights**2 * np.array(variances)).sum())
        return float(weights @ self.means), float(error)


def blocks(n_rows: int) -> Iterator[slice]:
    """Slices that cover all rows, each small enough for the processor's cache."""
    for first in range(0, n_rows, _BLOCK):
        yield slice(first, min(first + _BLOCK, n_rows))


def doubles(points: npt.NDArray[Any]) -> DoubleArray:
    """The points in double precision; a memory-mapped array is read here."""
    return np.asarray(points, dtype=np.float64)


def scores(points: DoubleArray, centres: DoubleArray) -> DoubleArray:
    """Squared distances less the squared length of the point, shape (K, n)."""
    found: DoubleArray = (-2.0 * centres) @ points.T
    found += np.einsum("kd,kd->k", centres, centres)[:, None]
    return found


def squared_distances(points: DoubleArray, centres: DoubleArray) -> DoubleArray:
    """Squared Euclidean distances, shape (K, n), never negative."""
    found = scores(points, centres)
    found += np.einsum("nd,nd->n", points, points)
    return np.maximum(found, 0.0, out=found)


def drawn_users(n_users: int, at_most: int, seed: int) -> LongArray | None:
    """Rows of a seeded sample without repeats, rising; None where everyone fits in."""
    if n_users <= at_most:
        return None
    return np.sort(np.random.default_rng(seed).choice(n_users, size=at_most, replace=False))


def tolerance_of(points: npt.NDArray[Any]) -> float:
    """Differences below this are rounding, not behaviour."""
    largest = max(float(points.max(initial=0.0)), -float(points.min(initial=0.0)))
    return 1e-5 * largest + 1e-6


def all_alike(points: npt.NDArray[Any]) -> bool:
    """Whether every user stands on the same point, but for rounding."""
    spread = np.ptp(points, axis=0).max(initial=0.0)
    return bool(spread <= tolerance_of(points))


def sums_by_segment(
    points: DoubleArray, values: npt.NDArray[np.integer[Any]], k: int
) -> tuple[DoubleArray, LongArray]:
    """Sum of the points of every segment (K, D) and their number (K,)."""
    belongs = (values == np.arange(k)[:, None]).astype(np.float64)
    return belongs @ points, np.bincount(values, minlength=k).astype(np.int64)


def effective_rank(points: Points) -> float:
    """How many directions the points really spread in, from 1 to D; 0 where all are equal.

    Exponential of the entropy of the shares of variance by direction: a few strong directions
    beside many faint ones count as a few. Source: Roy and Vetterli, 2007, "The effective rank".
    """
    width = points.shape[1]
    centre = points.mean(axis=0, dtype=np.float64)
    scatter = np.zeros((width, width))
    for rows in blocks(len(points)):
        centred = doubles(points[rows]) - centre
        scatter += centred.T @ centred
    variances = np.clip(np.linalg.eigvalsh(scatter), 0.0, None)
    if variances.sum() <= 0.0:
        return 0.0
    shares = variances[variances > 0.0] / variances.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


def silhouettes(points: Points, values: IntArray, per_segment: int, seed: int) -> Silhouettes:
    """Silhouettes (b - a) / max(a, b) of a seeded draw of users of every segment; in [-1, 1].

    ``points`` (n, D) and ``values`` (n,) in 0 .. K-1, every segment there, K >= 2, no noise.
    ``per_segment`` users are scored against up to five times as many of every segment (20,000
    in all), so the cost does not grow with the users; exact where segments are no larger than
    that. A user alone in its segment scores 0. Source: Rousseeuw, 1987.
    """
    rng = np.random.default_rng(seed)
    sizes = np.bincount(values)
    members = np.split(np.argsort(values, kind="stable"), np.cumsum(sizes)[:-1])
    against_each = min(5 * per_segment, max(20_000 // len(sizes), 2))
    drawn = [rng.permutation(rows)[:against_each] for rows in members]
    against = doubles(points[np.concatenate(drawn)])
    against -= against.mean(axis=0)
    of = np.repeat(np.arange(len(sizes)), [len(rows) for rows in drawn])
    first = np.cumsum([0, *map(len, drawn)])
    found = []
    for k in range(len(sizes)):
        own = np.arange(first[k], first[k] + min(per_segment, len(drawn[k])))
        found.append(np.sort(_silhouettes_of(own, k, against, of))[::-1])
    return Silhouettes(per_segment=tuple(found), sizes=sizes.astype(np.int64))


def _silhouettes_of(
    rows: npt.NDArray[np.integer[Any]], k: int, points: DoubleArray, of: LongArray
) -> DoubleArray:
    """Silhouettes of some rows of segment k among all points."""
    distances = np.sqrt(squared_distances(points[rows], points))
    distances[rows, np.arange(len(rows))] = 0.0  # rounding leaves a trace there
    counts = np.bincount(of)
    if counts[k] == 1:
        return np.zeros(len(rows))
    totals = np.add.reduceat(distances, np.cumsum([0, *counts[:-1]]), axis=0)
    own = totals[k] / (counts[k] - 1)
    others = np.delete(totals / counts[:, None], k, axis=0).min(axis=0)
    widest = np.maximum(own, others)
    found: DoubleArray = (others - own) / np.where(widest > 0.0, widest, 1.0)
    return found
