"""When users come and how fast they go: pauses, hours, weekdays, rhythm; not what they do.

========================  =========================================================================
pause_log                 mean logarithm of 1 + seconds between neighbouring events, zeros left out
pause_spread              standard deviation of these logarithms
within_log, _spread       the same, only pauses within a visit
within_zero               share of the pauses within visits that are 0 (events in the same second)
between_log, _spread      the same, only pauses from one visit to the next
burstiness                (s - m) / (s + m) of the mean m and deviation s of the pauses between
                          visits: -1 like a clock, 0 at random, 1 in bursts
visit_events              logarithm of events per visit
day_visits                logarithm of visits per day on which there is one
visit_length              mean logarithm of 1 + seconds from the first to the last event of a visit
duration_log, _spread     mean and deviation of the logarithm of 1 + durations, where there are any
recency                   logarithm of 1 + days from a user's last event to the last of the log
hour_0 .. hour_5          square root of the share of events in each four hours of the day, UTC
weekday_0 .. weekday_6    square root of the share of events on each weekday, Monday first
========================  =========================================================================

Burstiness: Goh and Barabasi, 2008, "Burstiness and memory in complex systems".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.artifacts import DoubleArray, FloatArray, IntArray, LongArray, Sequences, State
from core.device import COUNTED_ON
from core.options import Options, option
from core.representations._base import Fitted, Representation, Work
from core.representations.columns import (
    mean_per_user,
    smoothed_roots,
    spread_per_user,
    stack,
)
from core.representations.counts import user_blocks, users_to_fit
from core.representations.lasting import fit_weighed, place_weighed

DAY = 86_400
_PARTS, _WEEKDAYS = 6, 7
_THURSDAY = 3
"""Weekday of 1 January 1970, where Monday is 0."""
_RECENCY = 13
"""Column of the recency, the last of the numbers where it is used."""
_STANDING = 0.3
"""Weight of the recency: by its kind it cannot be seen to last."""
_CLOCKS = {"hour": _PARTS, "weekday": _WEEKDAYS}

MaskArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class TimeOptions(Options):
    """What of time is compared."""

    clock: bool = option(
        True,
        "Use hours and weekdays",
        "Also compare at which time of day (in parts of four hours) and on which weekdays",
    )
    recency: bool = option(
        True,
        "Use recency",
        "Also compare how long ago a user was last seen; tells more of when the log ends than of "
        "how a user behaves",
    )
    lasting: bool = option(
        True,
        "Weigh by what lasts",
        "Let each number count as far as the earlier half of a user's history agrees with the "
        "later; else all count the same, and numbers that are chance drown the others",
        expert=True,
    )
    prior: float = option(
        4.0,
        "Caution with few events",
        "Events like everyone's that are added to each user's own hours and weekdays",
        low=0.01,
        high=1000,
        unit="events",
        expert=True,
    )


def fit(sequences: Sequences, options: TimeOptions, work: Work) -> Fitted:
    """One point per user: the numbers above, brought to a common size by the users to fit.

    Shape (U, 14 + 13), fewer by option. Each is less its median, over its quartile range, times
    how far it lasts. What a user does not have counts as the median. Nothing is random.
    """
    users = users_to_fit(sequences)
    state: dict[str, npt.NDArray[Any]] = {
        "last": np.array([sequences.time.max() if sequences.n_events else 0]),
        "recency": np.array([options.recency]),
        "prior": np.array([options.prior]),
    }
    for name in _CLOCKS if options.clock else ():
        counts = _clock(name, sequences)[users].sum(axis=0) + 1.0 / _CLOCKS[name]
        state[f"{name}_shares"] = counts / counts.sum()
    state |= fit_weighed(_measured, state, sequences, by_what_lasts=options.lasting)
    if options.recency:
        state["weight"][_RECENCY] = _STANDING
    return Fitted(values=transform(state, sequences), state=state, device=COUNTED_ON)


def transform(state: State, sequences: Sequences) -> FloatArray:
    """Place users in the space that was fitted, shape (U, D)."""
    return place_weighed(_measured, state, sequences)


def _clock(name: str, sequences: Sequences) -> IntArray:
    """Events of every user by hour or weekday, (U, 6) or (U, 7)."""
    n_parts = _CLOCKS[name]
    counts = np.zeros((sequences.n_users, n_parts), dtype=np.int32)
    for users, events, rows in user_blocks(sequences):
        time = np.asarray(sequences.time[events])
        part = time // (DAY // _PARTS) % _PARTS if name == "hour" else (time // DAY + _THURSDAY) % 7
        shape = (users.stop - users.start, n_parts)
        counts[users] = np.bincount(rows * n_parts + part, minlength=shape[0] * n_parts).reshape(
            shape
        )
    return counts


def _measured(state: State, sequences: Sequences) -> FloatArray:
    """The numbers of every user as they are, (U, C); NaN where a user has none."""
    return np.concatenate([_numbers(state, sequences), *_clock_roots(state, sequences)], axis=1)


def _clock_roots(state: State, sequences: Sequences) -> list[FloatArray]:
    everyone = {name: state.get(f"{name}_shares") for name in _CLOCKS}
    return [
        smoothed_roots(_clock(name, sequences), shares, float(state["prior"][0]))
        for name, shares in everyone.items()
        if shares is not None
    ]


def _numbers(state: State, sequences: Sequences) -> FloatArray:
    blocks = [np.zeros((0, _RECENCY + int(state["recency"][0])), dtype=np.float32)]
    for users, events, rows in user_blocks(sequences):
        block = Block.of(sequences, events, rows, users.stop - users.start)
        columns = block.pauses() | block.visits() | block.durations(sequences.duration[events])
        if state["recency"][0]:
            columns["recency"] = block.recency(int(state["last"][0]))
        blocks.append(stack(columns))
    return np.concatenate(blocks)


@dataclass(frozen=True, kw_only=True)
class Block:
    """The times of some users' events, (E,) each."""

    rows: LongArray
    """Place of the user in the block."""
    time: LongArray
    gap: DoubleArray
    first: MaskArray
    """The user's first event that was kept; its gap leads out of what is looked at."""
    begins: MaskArray
    """The first event of a visit."""
    n_users: int

    @classmethod
    def of(cls, sequences: Sequences, events: slice, rows: LongArray, n_users: int) -> Block:
        visit = np.asarray(sequences.session[events])
        first = np.ones(len(rows), dtype=np.bool_)
        first[1:] = rows[1:] != rows[:-1]
        begins = first.copy()
        begins[1:] |= visit[1:] != visit[:-1]
        gap = np.nan_to_num(sequences.gap[events].astype(np.float64), nan=0.0, posinf=0.0)
        return cls(
            rows=rows,
            time=np.asarray(sequences.time[events]),
            gap=np.maximum(gap, 0.0),
            first=first,
            begins=begins,
            n_users=n_users,
        )

    def pauses(self) -> dict[str, DoubleArray]:
        """Length and spread of pauses, and how regular visits are."""
        later, within, between = ~self.first, ~self.begins, self.begins & ~self.first
        mean = self._mean(self.gap, between)
        spread = self._spread(self.gap, between)
        return {
            "pause_log": self._mean(np.log1p(self.gap), later & (self.gap > 0)),
            "pause_spread": self._spread(np.log1p(self.gap), later & (self.gap > 0)),
            "within_log": self._mean(np.log1p(self.gap), within & (self.gap > 0)),
            "within_spread": self._spread(np.log1p(self.gap), within & (self.gap > 0)),
            "within_zero": self._mean(self.gap == 0, within),
            "between_log": self._mean(np.log1p(self.gap), between),
            "between_spread": self._spread(np.log1p(self.gap), between),
            "burstiness": (spread - mean) / np.where(spread + mean > 0, spread + mean, np.nan),
        }

    def visits(self) -> dict[str, DoubleArray]:
        """How much happens in a visit, and how long one takes."""
        begins = np.flatnonzero(self.begins)
        ends = np.append(begins[1:], len(self.rows))[: len(begins)] - 1
        seconds = np.maximum(self.time[ends] - self.time[begins], 0)
        new_day = self.first.copy()
        new_day[1:] |= self.time[1:] // DAY != self.time[:-1] // DAY
        n_visits = self._count(self.begins)
        return {
            "visit_events": np.log(self._count(np.ones_like(self.first)) / n_visits),
            "day_visits": np.log(n_visits / self._count(new_day)),
            "visit_length": mean_per_user(self.rows[begins], np.log1p(seconds), self.n_users),
        }

    def durations(self, duration: FloatArray) -> dict[str, DoubleArray]:
        """How long what was done took, where it is known."""
        known = np.isfinite(duration) & (duration >= 0)
        logs = np.log1p(np.where(known, duration, 0.0))
        return {
            "duration_log": self._mean(logs, known),
            "duration_spread": self._spread(logs, known),
        }

    def recency(self, last: int) -> DoubleArray:
        """Logarithm of 1 + days from the user's last event to the moment ``last``."""
        latest = np.full(self.n_users, np.nan)
        latest[self.rows] = self.time  # of several events of one user the last one stays
        days: DoubleArray = np.maximum(last - latest, 0) / DAY
        return np.asarray(np.log1p(days))

    def _count(self, chosen: MaskArray) -> DoubleArray:
        """Chosen events of every user; NaN for none."""
        counts = np.bincount(self.rows[chosen], minlength=self.n_users)
        return np.where(counts > 0, counts, np.nan)

    def _mean(self, values: npt.NDArray[Any], chosen: MaskArray) -> DoubleArray:
        return mean_per_user(self.rows[chosen], values[chosen], self.n_users)

    def _spread(self, values: npt.NDArray[Any], chosen: MaskArray) -> DoubleArray:
        return spread_per_user(self.rows[chosen], values[chosen], self.n_users)


TIME = Representation(
    name="time",
    label="When and how fast",
    summary="Compares users by pauses, hours, weekdays, and how regularly and long they visit.",
    strengths="Takes seconds, and every number has a name.",
    weaknesses="Does not see what users do or look at; needs several events of each user.",
    question="time",
    learned=False,
    Options=TimeOptions,
    fit=fit,
    transform=transform,
)
