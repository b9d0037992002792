"""Where a visit ends: by the log's own names of visits, else by a pause that is long for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.artifacts import CleanEvents, DoubleArray, Events, FloatArray, IntArray, LongArray
from core.events import engine
from core.sequences.stream import BY_PAUSE, NEW_VISIT, read_gaps, read_moments
from core.wording import duration

CUSTOMARY_MINUTES = 30.0
"""Catledge and Pitkow, 1995, found 25.5 minutes between visits; web analytics made it 30."""

_BINS_PER_DOUBLING = 4
_FIRST_DOUBLING, _LAST_DOUBLING = -20, 40
"""A microsecond to thousands of years, as powers of two of a second."""
_N_BINS = (_LAST_DOUBLING - _FIRST_DOUBLING) * _BINS_PER_DOUBLING
_DAY = 86_400_000_000
_FEWEST_GAPS = 100
_MOST_WHOLE_DAYS = 0.9
_FEWEST_OF_A_KIND = 0.02
_CLEARLY_TWO = 2.0
_SHORTEST, _LONGEST = 1.0, 24 * 60.0
"""Minutes between which a pause can mean the end of a visit."""
_STEPS = 500
_LEAST_DEVIATION = 0.25
_SETTLED = 1e-9


@dataclass(frozen=True, kw_only=True)
class SessionGap:
    """The pause that is taken to end a visit, why, and the pauses it was found in."""

    minutes: float
    found: bool
    """Whether the log shows it; else it is the customary one."""
    reason: str
    edges: tuple[float, ...]  # (B + 1,) seconds, four to every doubling
    counts: tuple[int, ...]  # (B,) pauses from an edge to the next
    ties: int
    """Neighbouring events of a user with the same time; in none of the bins."""


class GapCounts:
    """A histogram of pauses, filled batch by batch; its size does not depend on the log."""

    def __init__(self) -> None:
        self.bins = np.zeros(_N_BINS, dtype=np.int64)
        self.ties = 0
        self.whole_days = 0

    def add(self, gaps: LongArray) -> None:
        """Count gaps given in microseconds."""
        pauses = gaps[gaps > 0]
        self.ties += len(gaps) - len(pauses)
        self.whole_days += int(np.count_nonzero(pauses % _DAY == 0))
        place = np.floor(np.log2(pauses / 1e6) * _BINS_PER_DOUBLING).astype(np.int64)
        place -= _FIRST_DOUBLING * _BINS_PER_DOUBLING
        self.bins += np.bincount(np.clip(place, 0, _N_BINS - 1), minlength=_N_BINS)


def suggest_session_gap(log: Events | CleanEvents) -> SessionGap:
    """The pause that best parts the pauses within a visit from those between visits.

    Two normal distributions are fitted to the logarithms of the pauses; the suggestion is where
    a pause is as likely to be of the one as of the other. Source: Halfaker et al., 2015, "User
    Session Identification Based on Strong Regularities in Inter-activity Time". Fitted to a
    histogram, so nothing is random and memory does not grow with the log. Where the log shows no
    two kinds of pause (Ashman's D at most 2) the suggestion is `CUSTOMARY_MINUTES`.
    """
    counts = GapCounts()
    if isinstance(log, CleanEvents):
        _count(read_moments(log.path), counts)
    else:
        with engine.connect() as connection:
            engine.open_events(connection, log.path)
            ordered = connection.sql(
                'SELECT "user", "time" FROM events WHERE "user" IS NOT NULL '
                'AND "time" IS NOT NULL ORDER BY ALL'
            )
            _count(ordered.to_arrow_reader(), counts)
    return suggestion(counts)


def _count(batches: Iterable[pa.RecordBatch], counts: GapCounts) -> None:
    for gaps in read_gaps(iter(batches)):
        counts.add(gaps)


def suggestion(counts: GapCounts) -> SessionGap:
    """The pause suggested by a histogram, see `suggest_session_gap`."""
    minutes, reason = _found(counts)
    filled = np.flatnonzero(counts.bins)
    shown = slice(int(filled[0]), int(filled[-1]) + 1) if len(filled) else slice(0, 0)
    edges = np.exp2(np.arange(_N_BINS + 1) / _BINS_PER_DOUBLING + _FIRST_DOUBLING)
    return SessionGap(
        minutes=CUSTOMARY_MINUTES if minutes is None else minutes,
        found=minutes is not None,
        reason=reason,
        edges=tuple(edges[shown.start : shown.stop + 1].tolist()) if len(filled) else (),
        counts=tuple(counts.bins[shown].tolist()),
        ties=counts.ties,
    )


def number_visits(mark: IntArray, gap: FloatArray, offsets: LongArray, minutes: float) -> IntArray:
    """The visit of every event, from 0 for each user, shape (E,).

    ``mark`` is what the log says (see `stream`), ``gap`` in seconds; a user's events are
    ``[offsets[u]:offsets[u + 1]]``.
    """
    new = (mark == NEW_VISIT) | ((mark == BY_PAUSE) & (gap > np.float32(minutes * 60)))
    starts, sizes = offsets[:-1], np.diff(offsets)
    new[starts[sizes > 0]] = False
    so_far = np.cumsum(new, dtype=np.int32)
    at_start = np.zeros(len(starts), dtype=np.int32)
    at_start[sizes > 0] = so_far[starts[sizes > 0]]
    return np.asarray(so_far - np.repeat(at_start, sizes), dtype=np.int32)


def _found(counts: GapCounts) -> tuple[float | None, str]:
    """Minutes, or None, and the reason."""
    n_pauses = int(counts.bins.sum())
    customary = f"so the customary {CUSTOMARY_MINUTES:g} minutes are taken"
    if n_pauses < _FEWEST_GAPS:
        what = "most events of a user share one time" if counts.ties > n_pauses else "few events"
        return None, f"Only {n_pauses:,} pauses between events ({what}), {customary}."
    if counts.whole_days > _MOST_WHOLE_DAYS * n_pauses:
        return None, f"Times are whole days, so every day is a visit of its own; {customary}."
    kinds = _two_kinds(counts.bins)
    minutes = kinds.crossing_minutes()
    if minutes is None:
        return None, f"Pauses within and between visits cannot be told apart here, {customary}."
    if not _SHORTEST <= minutes <= _LONGEST:
        return None, (
            f"Pauses fall into two kinds at {duration(minutes * 60)}, which is no pause within a "
            f"visit, {customary}."
        )
    within, between = (duration(2.0**mean) for mean in kinds.mean)
    return minutes, (
        f"Pauses are of two kinds: around {within} within a visit, around {between} between "
        f"visits. A pause of {duration(minutes * 60)} is as likely to be of the one as of the "
        "other."
    )


@dataclass(frozen=True, kw_only=True)
class _Kinds:
    """Two normal distributions of log2 seconds, the one with the shorter pauses first."""

    share: DoubleArray  # (2,)
    mean: DoubleArray  # (2,)
    deviation: DoubleArray  # (2,)

    def crossing_minutes(self) -> float | None:
        """Where both are equally likely, to two digits; None where they are not clearly two.

        Ashman's D = |m1 - m2| sqrt(2 / (s1^2 + s2^2)) above 2 parts two modes cleanly (Ashman,
        Bird and Zepf, 1994).
        """
        apart = np.diff(self.mean)[0] * np.sqrt(2 / (self.deviation**2).sum())
        if apart <= _CLEARLY_TWO or self.share.min() < _FEWEST_OF_A_KIND:
            return None
        at = np.linspace(self.mean[0], self.mean[1], 10_001)
        within, between = _weighted(at, self)
        crossing = at[int(np.argmax(between >= within))]
        return float(f"{2.0**crossing / 60:.2g}")


def _two_kinds(bins: npt.NDArray[np.int64]) -> _Kinds:
    """Expectation-maximisation on a histogram, from the cut that parts it best (Otsu, 1979)."""
    x = (np.arange(_N_BINS) + 0.5) / _BINS_PER_DOUBLING + _FIRST_DOUBLING
    weight = bins / bins.sum()
    kinds = _moments(x, weight, (np.arange(_N_BINS) >= _best_cut(x, weight)).astype(float))
    before = -np.inf
    for _ in range(_STEPS):
        within, between = _weighted(x, kinds)
        total = np.maximum(within + between, np.finfo(float).tiny)
        likelihood = float(weight @ np.log(total))
        if likelihood - before < _SETTLED:
            break
        before = likelihood
        kinds = _moments(x, weight, between / total)
    return kinds


def _best_cut(x: DoubleArray, weight: DoubleArray) -> int:
    """First bin of the upper part when the variance between the two parts is greatest."""
    below, mass = np.cumsum(weight)[:-1], np.cumsum(weight * x)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (mass[-1] * below - mass[:-1]) ** 2 / (below * (1 - below))
    return int(np.argmax(np.nan_to_num(between, posinf=0.0))) + 1


def _moments(x: DoubleArray, weight: DoubleArray, upper: DoubleArray) -> _Kinds:
    """Share, mean and deviation of both parts; ``upper`` is each bin's share in the second."""
    parts = np.stack([weight * (1 - upper), weight * upper])  # (2, bins)
    share = parts.sum(axis=1)
    safe = np.maximum(share, np.finfo(float).tiny)
    mean = parts @ x / safe
    variance = (parts * (x - mean[:, None]) ** 2).sum(axis=1) / safe
    return _Kinds(share=share, mean=mean, deviation=np.maximum(np.sqrt(variance), _LEAST_DEVIATION))


def _weighted(x: DoubleArray, kinds: _Kinds) -> tuple[DoubleArray, DoubleArray]:
    """Density of both kinds at x, times their share."""
    away = (x - kinds.mean[:, None]) / kinds.deviation[:, None]
    density = kinds.share[:, None] / kinds.deviation[:, None] * np.exp(-(away**2) / 2)
    return density[0], density[1]
