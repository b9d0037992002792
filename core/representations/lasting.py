"""What lasts in a user: how far what the earlier half of a history shows returns in the later half.

A number in which two halves of one history differ as much as two strangers do is chance, and would
only drown what tells users apart. What lasts may be more than segments: it is what can be asked
for, not a proof of any.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.artifacts import DoubleArray, FloatArray, IntArray, LongArray, Sequences, State
from core.geometry import blocks, doubles
from core.representations.columns import fit_columns, place_columns
from core.representations.counts import users_to_fit

Measure = Callable[[State, Sequences], FloatArray]
FEWEST_USERS = 200
"""Users of whom directions can be learned: with fewer, chance looks like behaviour."""
_USERS = 50_000
_FEWEST_EVENTS = 4
_FEWEST_OF_A_NUMBER = 30
_LEAST = 0.05
"""Weight of a number in which nothing lasts: it may not vanish, for it still tells users apart."""
_RIDGE = 0.01
"""Share of the mean spread that is added to every number, so that no faint one is blown up."""
_SHUFFLES = 5
_MARGIN = 0.03
_MOST = 16


def halves(sequences: Sequences) -> Sequences:
    """Some users to fit, each as two: the earlier half of its events at 2 i, the later at 2 i + 1.

    Cut between two visits, the nearest to the middle, for within one visit everything is alike;
    users with one visit are taken, and cut in the middle, only where fewer than 200 have two.
    Users with fewer than four events are left out; at most 50,000 are taken, at even distances.
    """
    users = users_to_fit(sequences)
    users = users[np.diff(sequences.offsets)[users] >= _FEWEST_EVENTS]
    last = sequences.offsets[users + 1] - 1
    again = users[sequences.session[last] != sequences.session[sequences.offsets[users]]]
    users = again if len(again) >= FEWEST_USERS else users
    users = users[:: -(-len(users) // _USERS) or 1]
    size = np.diff(sequences.offsets)[users]
    ends = np.cumsum(size)
    events = np.arange(size.sum()) + np.repeat(sequences.offsets[users] - ends + size, size)
    cuts = _cuts(sequences.session[events], ends - size, ends)
    offsets = np.concatenate([[0], np.stack([cuts, ends], axis=1).ravel()]).astype(np.int64)
    return sequences.regrouped(np.repeat(users, 2), events, offsets)


def fit_weighed(
    measure: Measure, known: State, sequences: Sequences, *, by_what_lasts: bool
) -> dict[str, npt.NDArray[Any]]:
    """Centre, spread and weight of every number (C,), by the users to fit.

    ``measure(known, sequences)`` gives the numbers of every user, (U, C). The weights say how far
    each lasts, or are all 1.
    """
    raw = measure(known, sequences)
    found = fit_columns(raw, users_to_fit(sequences))
    if not by_what_lasts:
        return found | {"weight": np.ones(raw.shape[1], dtype=np.float32)}
    return found | {"weight": lasting(place_columns(measure(known, halves(sequences)), found))}


def place_weighed(measure: Measure, state: State, sequences: Sequences) -> FloatArray:
    """Users by weighed numbers, (U, C); what a user does not have counts as the middle user's."""
    placed = place_columns(measure(state, sequences), state)
    return np.nan_to_num(placed, copy=False, nan=0.0) * state["weight"]


def _cuts(visit: IntArray, starts: LongArray, ends: LongArray) -> LongArray:
    """The first event of each user's later half, (U,): where a visit begins, if two there are."""
    place = np.arange(len(visit))
    begins = np.ones(len(visit), dtype=np.bool_)
    begins[1:] = visit[1:] != visit[:-1]
    begins[starts] = True
    middle = starts + (ends - starts) // 2
    before = np.maximum.accumulate(np.where(begins, place, 0))[middle]
    upcoming = np.append(np.where(begins, place, len(visit)), len(visit))
    after = np.minimum.accumulate(upcoming[::-1])[::-1][middle + 1]
    no_before, no_after = before <= starts, after >= ends
    nearer_after = no_before | (~no_after & (after - middle < middle - before))
    cuts = np.where(nearer_after, after, before)
    return np.where(no_before & no_after, middle, cuts)


def lasting(values: FloatArray) -> FloatArray:
    """Weight of each number, in [0.05, 1], (C,), from `halves`, (2 n, C), NaN where unknown.

    With r the correlation of the two halves, (2 r / (1 + r)) squared: the correlation that two
    histories as long as the whole would have (Spearman, 1910; Brown, 1910), squared, as what
    lasts a little is mostly chance. 1 where fewer than 30 users tell.
    """
    found = [_weight(column[::2], column[1::2]) for column in values.T.astype(np.float64)]
    return np.array(found, dtype=np.float32)


def _weight(earlier: DoubleArray, later: DoubleArray) -> float:
    known = np.isfinite(earlier) & np.isfinite(later)
    if np.count_nonzero(known) < _FEWEST_OF_A_NUMBER:
        return 1.0
    one, other = earlier[known] - earlier[known].mean(), later[known] - later[known].mean()
    size = float(np.sqrt((one @ one) * (other @ other)))
    r = float(one @ other) / size if size > 0 else 0.0
    return max(_LEAST, (2 * r / (1 + r)) ** 2) if r > 0 else _LEAST


@dataclass(frozen=True, kw_only=True)
class Directions:
    """Directions in which users stay themselves, the most lasting first."""

    axes: DoubleArray  # (C, k), k may be 0
    reliability: DoubleArray  # (k,) in (0, 1], of a whole history, see `lasting`
    chance: float
    """The largest correlation of halves that was seen when halves were paired at random."""


def lasting_directions(values: FloatArray, lengths: LongArray, seed: int) -> Directions:
    """Directions along which the halves of a user agree more than chance, of `halves`, (2 n, C).

    Linear discriminant analysis (Fisher, 1936) with every user a class of two: the covariance
    between halves against that within them. What follows from a history's length alone is taken
    out first. As many directions are kept as agree more than the best one does when the halves
    are paired at random, at most 16. ``seed`` draws these pairs.
    """
    earlier = _beside_length(values[::2], lengths[::2])
    later = _beside_length(values[1::2], lengths[1::2])
    n_users = len(earlier)
    within = (_product(earlier, earlier) + _product(later, later)) / (2 * n_users)
    within += max(_RIDGE * float(np.trace(within)) / len(within), 1e-12) * np.eye(len(within))
    found, axes = _agreement(_product(earlier, later) / n_users, within)
    rng = np.random.default_rng(seed)
    by_chance = [
        _agreement(_product(earlier, later, rng.permutation(n_users)) / n_users, within)[0][0]
        for _ in range(_SHUFFLES)
    ]
    kept = int(np.count_nonzero(found[:_MOST] > max(by_chance) + _MARGIN))
    return Directions(
        axes=axes[:, :kept],
        reliability=2 * found[:kept] / (1 + found[:kept]),
        chance=float(max(by_chance)),
    )


def _beside_length(values: FloatArray, lengths: LongArray) -> FloatArray:
    """Values less what a cubic in the logarithm of a history's length tells of them."""
    logs = np.log(lengths.astype(np.float64))
    logs -= logs.mean()
    known = np.stack([np.ones_like(logs), logs, logs**2, logs**3], axis=1)
    told = np.linalg.pinv(known.T @ known, hermitian=True) @ _product(known, values)
    away = np.empty_like(values)
    for rows in blocks(len(values)):
        away[rows] = values[rows] - known[rows] @ told
    return away


def _product(
    one: npt.NDArray[Any], other: npt.NDArray[Any], order: LongArray | None = None
) -> DoubleArray:
    """Transposed ``one`` (n, C) times ``other`` (n, D), the rows of this in ``order``: (C, D).

    In double precision, without a copy of either.
    """
    total = np.zeros((one.shape[1], other.shape[1]))
    for rows in blocks(len(one)):
        total += doubles(one[rows]).T @ doubles(other[rows if order is None else order[rows]])
    return total


def _agreement(between: DoubleArray, within: DoubleArray) -> tuple[DoubleArray, DoubleArray]:
    """Correlations of halves along the best directions, falling, and these, (C, C)."""
    from scipy.linalg import eigh

    found, axes = eigh((between + between.T) / 2, within)
    axes = axes[:, ::-1]
    largest = axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])]
    return found[::-1], axes * np.where(largest < 0, -1.0, 1.0)  # either sign would do
