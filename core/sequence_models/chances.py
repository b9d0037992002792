"""Chances out of counts: every context drawn toward a shorter one, so that few events mislead less.

Interpolated back-off (Jelinek and Mercer, 1980) with a fixed weight: a Dirichlet prior around the
chances after the shorter context.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.artifacts import DoubleArray
from core.sequence_models.counts import KINDS_OF_CATEGORY, Block

_TRUST = 8.0
"""Events' worth of trust in the shorter context."""
_USUAL_STAY = 0.3
_STEPS = 12


def chances(totals: DoubleArray, blocks: Sequence[Block]) -> DoubleArray:
    """Smoothed chances (K, columns) from expected counts (K, columns), all above 0."""
    found = np.empty_like(totals)
    for block in blocks:
        part = totals[:, block.columns]
        found[:, block.columns] = _stays(part, block) if block.stays else _backed_off(part, block)
    return found


def _backed_off(totals: DoubleArray, block: Block) -> DoubleArray:
    """Every row drawn toward the same outcomes after a shorter context, (K, rows * width)."""
    counts = totals.reshape(len(totals), *block.levels, block.width)
    n_levels = len(block.levels)
    found = _drawn_anew(counts.sum(axis=tuple(range(1, n_levels + 1))))
    for known in range(1, n_levels + 1):  # the nearest part of the context first
        finer = counts.sum(axis=tuple(range(1, n_levels + 1 - known)))
        found = smoothed(finer, np.expand_dims(found, 1), _TRUST)
    return found.reshape(len(totals), -1)


def smoothed(counts: DoubleArray, prior: DoubleArray | float, weight: float) -> DoubleArray:
    """Shares of the last axis, with ``weight`` further counts that fall as the prior says."""
    return np.asarray((counts + weight * prior) / (counts.sum(axis=-1, keepdims=True) + weight))


def _drawn_anew(counts: DoubleArray) -> DoubleArray:
    """Shares of the last axis, with one further count dealt out evenly."""
    return smoothed(counts, 1.0 / counts.shape[-1], 1.0)


def _stays(totals: DoubleArray, block: Block) -> DoubleArray:
    """A category is kept with a chance s, else drawn anew: p(c) = s [c = last] + (1 - s) q(c).

    Whether an event of the same category kept it or drew it is not seen, so s and q come from a
    few steps of EM; s differs within a visit and over its border.
    """
    kinds = totals.reshape(len(totals), KINDS_OF_CATEGORY, block.width)
    first, other, same = kinds[:, 0], kinds[:, 1::2], kinds[:, 2::2]  # (K, C), (K, 2, C) twice
    drawn = _drawn_anew(first + other.sum(axis=1))[:, None]  # (K, 1, C)
    stay = np.full((len(totals), 2, 1), _USUAL_STAY)
    n_pairs = (other + same).sum(axis=2, keepdims=True)
    for _ in range(_STEPS):
        kept = same * stay / (stay + (1 - stay) * drawn)
        drawn = _drawn_anew(first + (other + same - kept).sum(axis=1))[:, None]
        stay = (kept.sum(axis=2, keepdims=True) + _USUAL_STAY) / (n_pairs + 1.0)
    found = np.empty_like(kinds)
    found[:, 0] = drawn[:, 0]
    found[:, 1::2] = (1 - stay) * drawn
    found[:, 2::2] = stay + (1 - stay) * drawn
    return found.reshape(len(totals), -1)
