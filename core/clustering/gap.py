"""How far the loss J falls below what one structureless cloud of the same spread would show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.artifacts import DoubleArray
from core.clustering.kmeans import KMeansOptions
from core.clustering.sweep import sweep

REFERENCES = 5
_STARTS = KMeansOptions(n_init=1, max_iter=50)


@dataclass(frozen=True, kw_only=True)
class Gap:
    """For every number of segments, one segment first."""

    ks: tuple[int, ...]
    values: DoubleArray  # (n,) mean log J of the references less log J of the users
    references: DoubleArray  # (R, n) log J of every reference

    @property
    def peak(self) -> int:
        """Position of the largest gap."""
        return int(self.values.argmax())

    @property
    def beats_one(self) -> bool:
        """Whether some number leads one segment by more than two standard errors."""
        return bool(self.values[self.peak] - self.values[0] > 2.0 * self.error(0))

    @property
    def has_peak(self) -> bool:
        """Whether the gap has fallen again by the last number tried, by a standard error."""
        last = len(self.ks) - 1
        return bool(self.values[self.peak] - self.values[last] > self.error(last))

    def error(self, position: int) -> float:
        """Standard error of the peak's lead over another number; both saw the same references."""
        lead = self.references[:, self.peak] - self.references[:, position]
        return float(lead.std(ddof=1) * np.sqrt(1.0 + 1.0 / len(self.references)))


def gap(
    points: DoubleArray,
    losses: Sequence[float],
    ks: Sequence[int],
    seed: int,
    tell: Callable[[int], None],
) -> Gap:
    """Compare the losses J of 1 and ``ks`` segments with those of Gaussian clouds.

    The idea of the gap statistic (Tibshirani, Walther and Hastie, 2001), with one Gaussian of
    the users' own covariance for a reference (the null of Liu et al., 2008) rather than a box:
    a box makes any round cloud look like segments. ``losses`` has one segment first.
    """
    rng = np.random.default_rng(seed)
    covariance = np.atleast_2d(np.cov(points, rowvar=False))
    spread = np.sqrt(np.clip(np.linalg.eigvalsh(covariance), 0.0, None))
    references = []
    for done in range(REFERENCES):
        cloud = rng.normal(size=points.shape) * spread
        references.append(_log_losses(cloud, ks, int(rng.integers(2**31 - 1))))
        tell(done + 1)
    floor = 1e-12 * losses[0]  # J is 0 where every segment is one point
    observed = np.log(np.maximum(losses, floor))
    found = np.array(references)
    return Gap(ks=(1, *ks), values=found.mean(axis=0) - observed, references=found)


def _log_losses(cloud: DoubleArray, ks: Sequence[int], seed: int) -> DoubleArray:
    cloud -= cloud.mean(axis=0)
    losses = [float(np.einsum("nd,nd->", cloud, cloud))]
    losses += [found.trace[-1] for found in sweep(cloud, ks, _STARTS, seed)]
    return np.log(np.maximum(losses, 1e-12 * losses[0]))
