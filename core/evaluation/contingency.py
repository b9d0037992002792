"""Users counted by known label and segment: all that any external metric needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.artifacts import DoubleArray, IntArray, LongArray


@dataclass(frozen=True, kw_only=True)
class Contingency:
    """The cells with users in them, so that a segment per user costs no more than the users."""

    counts: LongArray  # (C,) users in a cell, at least 1
    label: LongArray  # (C,) row of the cell
    segment: LongArray  # (C,) column of the cell
    by_label: LongArray  # (L,) users of every label, each at least 1
    by_segment: LongArray  # (K,) users of every segment, each at least 1

    @property
    def n_users(self) -> int:
        return int(self.counts.sum())


def contingency(labels: npt.NDArray[np.integer], segments: npt.NDArray[np.integer]) -> Contingency:
    """Count users by label and segment, whatever the two are numbered; (n,) each."""
    label_names, label = np.unique(labels, return_inverse=True)
    segment_names, segment = np.unique(segments, return_inverse=True)
    cells, counts = np.unique(label * max(len(segment_names), 1) + segment, return_counts=True)
    return Contingency(
        counts=counts,
        label=cells // max(len(segment_names), 1),
        segment=cells % max(len(segment_names), 1),
        by_label=np.bincount(label, minlength=len(label_names)),
        by_segment=np.bincount(segment, minlength=len(segment_names)),
    )


def noise_apart(segments: IntArray) -> LongArray:
    """The segments with a segment of its own for every noise user."""
    apart = segments.astype(np.int64)
    noise = np.flatnonzero(segments < 0)
    apart[noise] = max(int(segments.max(initial=-1)), -1) + 1 + np.arange(len(noise))
    return apart


def entropy(sizes: LongArray) -> float:
    """Entropy of a partition, in nats."""
    shares: DoubleArray = sizes / sizes.sum()
    return float(-(shares * np.log(shares)).sum())


def mutual_information(table: Contingency) -> float:
    """How much knowing the segment tells of the label, in nats."""
    n = table.n_users
    expected = table.by_label[table.label] * (table.by_segment[table.segment] / n)
    return max(float((table.counts / n * np.log(table.counts / expected)).sum()), 0.0)


def expected_mutual_information(table: Contingency) -> float:
    """Mutual information that chance gives partitions of these sizes, in nats.

    Over all ways to deal the users out (hypergeometric); equal sizes are computed once.
    Source: Vinh, Epps and Bailey, 2010.
    """
    from scipy.special import gammaln

    n, total = table.n_users, 0.0
    labels, label_times = np.unique(table.by_label, return_counts=True)
    segments, segment_times = np.unique(table.by_segment, return_counts=True)
    log_factorial = gammaln(np.arange(n + 2) + 1.0)
    for a, a_times in zip(labels, label_times, strict=True):
        for b, b_times in zip(segments, segment_times, strict=True):
            both = np.arange(max(1, a + b - n), min(a, b) + 1)
            log_chance = (
                log_factorial[a] + log_factorial[n - a] + log_factorial[b] + log_factorial[n - b]
            ) - (
                log_factorial[n]
                + log_factorial[both]
                + log_factorial[a - both]
                + log_factorial[b - both]
                + log_factorial[n - a - b + both]
            )
            gain = both / n * (np.log(n) + np.log(both) - np.log(a) - np.log(b))
            total += float(a_times * b_times * (gain * np.exp(log_chance)).sum())
    return total
