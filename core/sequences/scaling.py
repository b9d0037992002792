"""Numbers brought to a common size, by what was learned of the users that are fitted.

=========  =====================================================================================
log        sign(x) ln(1 + |x|), then as robust: for money and pauses, whose ratios matter
standard   less the mean, over the standard deviation
robust     less the median, over the quartile range / 1.349 (the deviation of a bell curve)
min_max    0 at the smallest value, 1 at the largest
none       as it stands; large numbers then outweigh small ones
=========  =====================================================================================

A later value farther out than four deviations counts as four, and one beyond the smallest or
largest of min_max as that, so that one absurd number cannot outweigh all others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.artifacts import FloatArray

METHODS = ("log", "standard", "robust", "min_max", "none")
"""By place; states that were stored know a method by its place, so only ever append."""

_CUT_OFF = 4.0
_LEAST_LOG_SPREAD = 0.1
"""Values within a tenth of one another are much the same; their noise is not blown up."""
_DEVIATION = np.float32(1.349)
"""Quartile range of a normal distribution with deviation 1."""
_BOUNDS = {"min_max": (0.0, 1.0), "none": (-np.inf, np.inf)}

AnyArray = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """A method with its fitted numbers: (x - centre) / spread, where spread is above 0."""

    method: str
    centre: float
    spread: float


def fit_scaling(values: AnyArray, method: str) -> Scaling:
    """Learn centre and spread of a column; what is not finite is passed over.

    Where all values are the same, or there are none, the spread is 1 (for log .1 at least), so
    that such a column becomes 0 and nothing is divided by nothing. Numbers are exact to float32.
    """
    x = _shaped(values[np.isfinite(values)], method)
    centre, spread = _centre_and_spread(x, method) if len(x) else (0.0, 0.0)
    least = _LEAST_LOG_SPREAD if method == "log" else 0.0
    spread = max(float(np.float32(spread)), least) or 1.0
    return Scaling(method=method, centre=float(np.float32(centre)), spread=spread)


def scaled(values: AnyArray, scaling: Scaling) -> FloatArray:
    """The values at the common size, same shape, float32; NaN stays NaN."""
    return _moved(_shaped(values, scaling.method), scaling)


def from_logs(logs: FloatArray, scaling: Scaling) -> FloatArray:
    """What `scaled` makes by the method "log", where the `signed_log` of the values is at hand."""
    return _moved(logs, scaling)


def signed_log(values: AnyArray) -> FloatArray:
    """sign(x) ln(1 + |x|) as float32: near x at zero, and defined below it."""
    x = np.asarray(values, dtype=np.float32)
    return np.asarray(np.copysign(np.log1p(np.abs(x)), x), dtype=np.float32)


def _moved(x: FloatArray, scaling: Scaling) -> FloatArray:
    low, high = _BOUNDS.get(scaling.method, (-_CUT_OFF, _CUT_OFF))
    moved = (x - np.float32(scaling.centre)) / np.float32(scaling.spread)
    return np.asarray(np.clip(moved, low, high), dtype=np.float32)


def _shaped(values: AnyArray, method: str) -> FloatArray:
    return signed_log(values) if method == "log" else np.asarray(values, dtype=np.float32)


def _centre_and_spread(x: FloatArray, method: str) -> tuple[float, float]:
    if method == "none":
        return 0.0, 1.0
    if method == "min_max":
        return float(x.min()), float(x.max()) - float(x.min())
    if method == "standard":
        return _by_moments(x)
    centre, spread = _by_quartiles(x)
    # where half of the values are the same, the quartiles may show no spread though there is one
    return centre, spread if spread or method == "log" else _by_moments(x)[1]


def _by_moments(x: AnyArray) -> tuple[float, float]:
    return float(x.mean(dtype=np.float64)), float(x.std(dtype=np.float64))


def _by_quartiles(x: AnyArray) -> tuple[float, float]:
    low, middle, high = np.quantile(x, (0.25, 0.5, 0.75)).astype(np.float32)
    return float(middle), float((high - low) / _DEVIATION)
