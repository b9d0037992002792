"""What is measured of every user as one number: pace, hours, money, activity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from core.action_roles import has_role, is_role
from core.artifacts import DoubleArray, LongArray, Sequences
from core.segments._base import Block, event_codes

Kind = Literal["action", "category", "item", "transition", "timing", "value", "activity"]
Scale = Literal["share", "log", "count"]
"""How users are compared: as they are (share, count) or by ratio (log, log of 1 + value)."""

_DAY = 86_400


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One thing measured of every user."""

    kind: Kind
    name: str
    """A fixed word, or "" where ``words`` say what it is."""
    words: tuple[str, ...] = ()
    """Names out of the data: (action,), (category,) or (action, next action)."""
    codes: tuple[int, ...] = ()
    """Where the words stand in their vocabulary, from 0."""
    scale: Scale
    unit: str = "share"
    alike: tuple[str, ...] = ()
    """Features that share a word here tell nearly the same; one of them is told."""


def _clock(name: str) -> Feature:
    return Feature(kind="timing", name=name, scale="share", alike=("clock",))


SCALARS: dict[str, Feature] = {
    feature.name: feature
    for feature in (
        Feature(kind="timing", name="gap", scale="log", unit="seconds", alike=("pace",)),
        Feature(kind="timing", name="visit_events", scale="log", unit="events", alike=("visit",)),
        Feature(kind="timing", name="day_events", scale="log", unit="events", alike=("visit",)),
        _clock("morning"),
        _clock("afternoon"),
        _clock("evening"),
        _clock("night"),
        Feature(kind="timing", name="weekend", scale="share", alike=("weekend",)),
        Feature(kind="value", name="price", scale="log", unit="currency units", alike=("price",)),
        Feature(kind="value", name="paid", scale="log", unit="currency units", alike=("price",)),
        Feature(kind="value", name="spend", scale="count", unit="currency units", alike=("much",)),
        Feature(kind="value", name="purchases", scale="count", unit="purchases", alike=("much",)),
        Feature(kind="activity", name="events", scale="log", unit="events", alike=("events",)),
        Feature(kind="activity", name="active_days", scale="log", unit="days", alike=("events",)),
        Feature(kind="activity", name="tenure", scale="log", unit="days", alike=("tenure",)),
        Feature(kind="activity", name="recency", scale="log", unit="days", alike=("recency",)),
    )
}
"""Everything measured that is not counted by a name out of the data."""


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """What must be known of the whole log to measure one user."""

    last: int
    """Seconds of the log's last event."""
    pause: float
    """Seconds after which a visit is over."""


def known_scalars(log: Sequences) -> tuple[str, ...]:
    """Names of the scalars this log can tell, in order."""
    unknown: set[str] = set()
    if not np.any(log.time % _DAY):  # dates only
        unknown |= {"morning", "afternoon", "evening", "night"}
    if "price" not in log.present:
        unknown |= {"price", "paid", "spend"}
    if not has_role(log.vocabulary.actions, "purchase"):
        unknown |= {"paid", "spend", "purchases"}
    return tuple(name for name in SCALARS if name not in unknown)


def scalar_values(log: Sequences, calendar: Calendar, block: Block) -> dict[str, DoubleArray]:
    """Every scalar on its scale of comparison, shape (n,) each; NaN where undefined."""
    time, gap = np.asarray(log.time[block.events]), np.asarray(log.gap[block.events])
    starts = block.first | (gap > calendar.pause)
    day = time // _DAY
    new_day = block.first.copy()
    new_day[1:] |= day[1:] != day[:-1]
    seen = np.maximum(block.count(np.ones(len(time), dtype=np.bool_)), 1)
    ends = log.offsets[1:][block.users] - block.events.start - 1
    length = np.asarray(log.length[block.users], dtype=np.float64)
    days = np.maximum(block.count(new_day), 1)
    return {
        "gap": np.log1p(_median_gap(gap, block)),
        "visit_events": np.log1p(seen / np.maximum(block.count(starts), 1)),
        "day_events": np.log1p(seen / days),
        **_clock_shares(time, block, seen),
        **_values(log, block),
        "events": np.log1p(length),
        "active_days": np.log1p(days),
        "tenure": np.log1p((time[ends] - log.first_time[block.users]) / _DAY),
        "recency": np.log1p((calendar.last - time[ends]) / _DAY),
    }


def _clock_shares(time: LongArray, block: Block, seen: LongArray) -> dict[str, DoubleArray]:
    hour = time // 3600 % 24
    parts = {
        "morning": (hour >= 6) & (hour < 12),
        "afternoon": (hour >= 12) & (hour < 18),
        "evening": (hour >= 18) & (hour < 22),
        "night": (hour >= 22) | (hour < 6),
        "weekend": (time // _DAY + 3) % 7 >= 5,  # the first day of 1970 was a Thursday
    }
    return {name: block.count(chosen) / seen for name, chosen in parts.items()}


def _values(log: Sequences, block: Block) -> dict[str, DoubleArray]:
    price = np.asarray(log.price[block.events], dtype=np.float64)
    bought = is_role(event_codes(log.action, block), log.vocabulary.actions, "purchase")
    priced = price > 0
    spent = np.bincount(
        block.user[bought & priced], price[bought & priced], minlength=block.n_users
    )
    return {
        "price": _mean_log(price, priced, block),
        "paid": _mean_log(price, priced & bought, block),
        "spend": spent.astype(np.float64),
        "purchases": block.count(bought).astype(np.float64),
    }


def _mean_log(price: DoubleArray, chosen: npt.NDArray[np.bool_], block: Block) -> DoubleArray:
    """Mean of log(1 + price) per user over the chosen events; NaN where none is chosen."""
    sums = np.bincount(block.user[chosen], np.log1p(price[chosen]), minlength=block.n_users)
    return share(sums, block.count(chosen))


def _median_gap(gap: npt.NDArray[np.float32], block: Block) -> DoubleArray:
    """Median seconds between a user's events, (n,); NaN for users with one event.

    One sort for all users: of user and gap (in milliseconds) packed into one number.
    """
    later = ~block.first
    packed = block.user[later] << 44
    packed += np.minimum(np.rint(gap[later].astype(np.float64) * 1e3), 2**43).astype(np.int64)
    packed.sort()
    seconds = (packed & (2**44 - 1)) / 1e3
    n_gaps = block.count(later)
    starts = np.cumsum(n_gaps) - n_gaps
    some = n_gaps > 0
    medians = np.full(block.n_users, np.nan)
    lower, upper = (n_gaps[some] - 1) // 2 + starts[some], n_gaps[some] // 2 + starts[some]
    medians[some] = (seconds[lower] + seconds[upper]) / 2
    return medians


def share(counts: npt.NDArray[Any], totals: npt.NDArray[Any]) -> DoubleArray:
    """Counts as shares; NaN for users with nothing to share."""
    shares: DoubleArray = counts / np.where(totals > 0, totals, np.nan)
    return shares
