"""How users stand: who is new, who left, who is worth much; as shares per segment and overall."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.action_roles import Role, has_role, is_role
from core.artifacts import DoubleArray, LongArray, Sequences
from core.recommend._base import CART, Contacts, Rows

_DAY = 86_400
_NEW_PART = 0.25
"""Who was first seen in this last part of the log's time is new."""
_UPPER, _EXTREME = 0.75, 0.99
"""Quantiles of everyone from which on a user has much, or above which unusually much."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One thing that is true of some users, compared between a segment and everyone."""

    inside: DoubleArray  # (G,) share of the segment's users of whom it is known
    everyone: float
    concerned: LongArray  # (G,) users of the segment of whom it is true
    known: LongArray  # (G,) users of the segment of whom it is known whether it is true


@dataclass(frozen=True, kw_only=True)
class _PerUser:
    """Figures of every user, (U,) each."""

    purchases: LongArray
    returns: LongArray
    views: LongArray
    spend: DoubleArray
    recency: DoubleArray  # days
    first: DoubleArray  # seconds
    whole: npt.NDArray[np.bool_]  # nothing of the user's history was cut off
    pace: DoubleArray  # events per day with events


def standings(sequences: Sequences, contacts: Contacts, rows: Rows) -> dict[str, Standing]:
    """Everything the rules look at, by name; what the log cannot tell is not there.

    "new": first seen in the last quarter of the log's time. "lapsed", "valuable": in the
    upper quarter of everyone in days since the last event, in spend (in purchases where the log
    has no price). "leaving": both. "abandoned": left an item in the cart. "hesitant": looked
    and did not buy. "returning": returned at least one purchase in two. "hurried": more events
    per active day than 99% of all users.

    What was bought before the cut to the last events is not seen, so "hesitant" is known only of
    users whose whole history is in the sequences; the others are left out of its shares.
    """
    users = _per_user(sequences)
    words = sequences.vocabulary.actions
    lapsed = _much(users.recency)
    true: dict[str, npt.NDArray[np.bool_]] = {
        "lapsed": lapsed,
        "new": _new(users, sequences),
        "hurried": users.pace > np.quantile(users.pace, _EXTREME),
    }
    if has_role(words, "purchase"):
        worth = users.spend if users.spend.any() else users.purchases.astype(np.float64)
        true["valuable"] = _much(worth)
        true["leaving"] = true["valuable"] & lapsed
        if has_role(words, "view"):
            true["hesitant"] = (users.views > 0) & (users.purchases == 0)
        if has_role(words, "return"):
            true["returning"] = (users.returns > 0) & (2 * users.returns >= users.purchases)
        if has_role(words, "cart") and len(contacts.user):
            left = np.bincount(contacts.user[contacts.step == CART], minlength=len(lapsed))
            true["abandoned"] = left > 0
    everyone = np.ones(len(lapsed), dtype=np.bool_)
    return {
        name: _standing(flags, users.whole if name == "hesitant" else everyone, rows)
        for name, flags in true.items()
    }


def _standing(flags: npt.NDArray[np.bool_], told: npt.NDArray[np.bool_], rows: Rows) -> Standing:
    """Shares among the users of whom it can be told, (U,) each."""
    concerned = np.bincount(rows.row[flags & told], minlength=len(rows.ids))
    known = np.bincount(rows.row[told], minlength=len(rows.ids))
    return Standing(
        inside=concerned / np.maximum(known, 1),
        everyone=float(flags[told].mean()) if told.any() else 0.0,
        concerned=concerned,
        known=known,
    )


def _much(values: DoubleArray) -> npt.NDArray[np.bool_]:
    """Who is in the upper quarter; where many tie at its edge they all are, if above the middle."""
    middle, edge = np.quantile(values, [0.5, _UPPER])
    found: npt.NDArray[np.bool_] = (values >= edge) & (values > middle)
    return found


def _new(users: _PerUser, sequences: Sequences) -> npt.NDArray[np.bool_]:
    begin, end = int(users.first.min()), int(sequences.time.max())
    new: npt.NDArray[np.bool_] = users.first > end - _NEW_PART * (end - begin)
    return new


def _per_user(sequences: Sequences) -> _PerUser:
    begins, ends = sequences.offsets[:-1], sequences.offsets[1:]
    user, n_users = sequences.user_of_event(), sequences.n_users
    bought = _of_role(sequences, "purchase")
    price = np.nan_to_num(sequences.price[bought].astype(np.float64))
    day = sequences.time // _DAY
    new_day = np.ones(len(day), dtype=np.bool_)
    new_day[1:] = (day[1:] != day[:-1]) | (user[1:] != user[:-1])
    last = sequences.time[ends - 1]
    return _PerUser(
        purchases=np.bincount(user[bought], minlength=n_users),
        returns=np.bincount(user[_of_role(sequences, "return")], minlength=n_users),
        views=np.bincount(user[_of_role(sequences, "view")], minlength=n_users),
        spend=np.bincount(user[bought], np.maximum(price, 0.0), minlength=n_users).astype(float),
        recency=(last.max() - last) / _DAY,
        first=sequences.first_time.astype(np.float64),
        whole=(ends - begins) == sequences.length,
        pace=(ends - begins) / np.bincount(user[new_day], minlength=n_users),
    )


def _of_role(sequences: Sequences, role: Role) -> npt.NDArray[np.bool_]:
    return is_role(sequences.action, sequences.vocabulary.actions, role)
