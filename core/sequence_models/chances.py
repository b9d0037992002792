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
_COMMON = 16.0
"""Events' worth of trust in what everyone does in the same context, so that small segments are told
apart by less that is chance. Not for actions: what only one segment does must stay a surprise to
the others, and would be none if they took everyone's word for it."""
_USUAL_STAY = 0.3
_STEPS = 6


def chances(totals: DoubleArray, blocks: Sequence[Block]) -> DoubleArray:
    """Smoothed chances (K, columns) from expected counts (K, columns), all above 0."""
    found = np.empty_like(totals)
    for block in blocks:
        part = totals[:, block.columns]
        found[:, block.columns] = _stays(part, block) if block.stays else _backed_off(part, block)
    return found


def _backed_off(totals: DoubleArray, block: Block) -> DoubleArray:
    """Every row drawn toward the same outcomes after a shorter context, and toward everyone's.

    Shape (K, rows * width).
    """
    common = 0.0 if block.name == "action" else _COMMON
    counts = totals.reshape(len(totals), *block.levels, block.width)
    found = everyones = np.full((1, block.width), 1.0 / block.width)
    for known in range(len(block.levels) + 1):  # the nearest part of the context first
        trust = _TRUST if known else 1.0
        finer = counts.sum(axis=tuple(range(1, len(block.levels) + 1 - known)))
        shorter, all_shorter = (np.expand_dims(x, 1) if known else x for x in (found, everyones))
        everyones = smoothed(finer.sum(axis=0, keepdims=True), all_shorter, trust)
        prior = (trust * shorter + common * everyones) / (trust + common)
        found = smoothed(finer, prior, trust + common)
    return found.reshape(len(totals), -1)


def smoothed(counts: DoubleArray, prior: DoubleArray, weight: float) -> DoubleArray:
    """Shares of the last axis, with ``weight`` further counts that fall as the prior says."""
    return np.asarray((counts + weight * prior) / (counts.sum(axis=-1, keepdims=True) + weight))


def _stays(totals: DoubleArray, block: Block) -> DoubleArray:
    """A category is kept with a chance s, else drawn anew: p(c) = s [c = last] + (1 - s) q(c).

    Shape (K, kinds * width). s differs within a visit and over its border; s and q are drawn
    toward everyone's.
    """
    kinds = totals.reshape(len(totals), KINDS_OF_CATEGORY, block.width)
    flat = np.full((1, 1, block.width), 1.0 / block.width), np.full((1, 2, 1), _USUAL_STAY)
    everyones = _kept_or_drawn(kinds.sum(axis=0, keepdims=True), *flat, 1.0)
    drawn, stay = _kept_or_drawn(kinds, *everyones, 1.0 + _COMMON)
    found = np.empty_like(kinds)
    found[:, 0] = drawn[:, 0]
    found[:, 1::2] = (1 - stay) * drawn
    found[:, 2::2] = stay + (1 - stay) * drawn
    return found.reshape(len(totals), -1)


def _kept_or_drawn(
    kinds: DoubleArray, drawn: DoubleArray, stay: DoubleArray, trust: float
) -> tuple[DoubleArray, DoubleArray]:
    """q (K, 1, C) and s (K, 2, 1), from their priors and counts (K, kinds, C).

    Whether an event of the same category kept it or drew it is not seen, so s and q come from a
    few steps of EM.
    """
    first, other, same = kinds[:, :1], kinds[:, 1::2], kinds[:, 2::2]  # (K, 1, C), (K, 2, C) twice
    drawn_before, stay_before = drawn, stay
    n_pairs = (other + same).sum(axis=2, keepdims=True)
    anew = first + (other + same).sum(axis=1, keepdims=True)
    for _ in range(_STEPS):
        kept = same * stay / (stay + (1 - stay) * drawn)
        drawn = smoothed(anew - kept.sum(axis=1, keepdims=True), drawn_before, trust)
        stay = (kept.sum(axis=2, keepdims=True) + trust * stay_before) / (n_pairs + trust)
    return drawn, stay
