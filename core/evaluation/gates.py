"""Conditions that segments must meet to be usable: named results, not errors."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from core.artifacts import Embeddings, Gate, IntArray, Labels, LongArray
from core.evaluation.options import EvaluateOptions
from core.geometry import effective_rank


def gates(
    embeddings: Embeddings, labels: Labels, length: LongArray, options: EvaluateOptions
) -> tuple[Gate, ...]:
    """Every gate that applies. ``length`` (U,) is the users' events before truncation."""
    return tuple(_gates(embeddings, labels, length, options))


def activity_explained(values: IntArray, length: LongArray) -> float:
    """Share of the variance of log(length) that lies between segments (eta squared), in [0, 1].

    Users in no segment are left out; 0 where there are no differences to explain.
    """
    inside = values >= 0
    if not inside.any():
        return 0.0
    of, logs = values[inside], np.log(np.maximum(length[inside], 1))
    logs -= logs.mean()
    total = float(logs @ logs)
    if total <= 1e-12 * len(logs):
        return 0.0
    sums, sizes = np.bincount(of, weights=logs), np.bincount(of)
    return float((sums**2 / np.maximum(sizes, 1)).sum() / total)


def smallest_usable(n_users: int, options: EvaluateOptions) -> int:
    """Users that a segment needs in a log of so many."""
    asked = max(options.min_segment_users, round(0.01 * n_users))
    return max(min(asked, round(0.05 * n_users)), 1)


def _gates(
    embeddings: Embeddings, labels: Labels, length: LongArray, options: EvaluateOptions
) -> Iterator[Gate]:
    n_users = len(labels.values)
    sizes = np.bincount(labels.values[labels.values >= 0], minlength=1)
    yield _size(int(sizes.min()), n_users, options)
    yield _largest(float(sizes.max() / n_users), options.max_share)
    yield _noise(float((labels.values < 0).mean()), options.max_noise)
    if embeddings.learned:
        yield _rank(effective_rank(embeddings.values), options.min_effective_rank)
    yield _activity(activity_explained(labels.values, length), options.max_activity)


def _size(smallest: int, n_users: int, options: EvaluateOptions) -> Gate:
    needed = smallest_usable(n_users, options)
    scaled = " (fewer than usual, for a small log)" if needed < options.min_segment_users else ""
    return Gate(
        name="segment_size",
        passed=smallest >= needed,
        value=float(smallest),
        threshold=float(needed),
        text=f"The smallest segment has {smallest:,} users; {needed:,} are needed{scaled}.",
    )


def _largest(share: float, most: float) -> Gate:
    return Gate(
        name="largest_share",
        passed=share <= most,
        value=share,
        threshold=most,
        text=f"The largest segment holds {share:.0%} of the users; at most {most:.0%} is useful.",
    )


def _noise(share: float, most: float) -> Gate:
    return Gate(
        name="noise_share",
        passed=share <= most,
        value=share,
        threshold=most,
        text=f"{share:.0%} of the users are in no segment; at most {most:.0%} is useful.",
    )


def _rank(rank: float, least: float) -> Gate:
    verdict = "it has not collapsed" if rank >= least else "it has collapsed; train it differently"
    return Gate(
        name="effective_rank",
        passed=rank >= least,
        value=rank,
        threshold=least,
        text=f"The learned representation spreads in {rank:.1f} directions (at least {least:g} "
        f"are needed): {verdict}.",
    )


def _activity(explained: float, most: float) -> Gate:
    reading = (
        "segments are more than heavy and light users"
        if explained <= most
        else "segments are mostly heavy and light users"
    )
    return Gate(
        name="activity",
        passed=explained <= most,
        value=explained,
        threshold=most,
        text=f"Segments explain {explained:.0%} of the differences in how active users are (at "
        f"most {most:.0%}): {reading}.",
    )
