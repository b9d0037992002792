"""Which items to offer to each segment: its own popularity, held back by everyone's.

With w the weight of the furthest step a user took with an item (0 where it was returned):

    p(i)    = sum of w over everyone / users
    q(s, i) = (sum of w over the segment + m p(i)) / (users of the segment + m)
    lift    = q(s, i) / p(i)
    score   = q(s, i) * lift ** lift_weight * (1 - share of the segment that owns it)

m = ``prior_users``: q is the mean of the segment's engagement, shrunk toward everyone's as an
empirical Bayes estimate is. The last factor falls away with ``owned`` other than "discount", and
in categories that are bought again and again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.action_roles import is_role
from core.artifacts import NOISE, DoubleArray, LongArray, Recommendation, Sequences
from core.recommend._base import (
    PURCHASE,
    RETURN,
    Contacts,
    RecommendOptions,
    Rows,
)
from core.wording import counted, figure, percent, quoted

_OWN_TASTE = 1.15
"""A lift from which on an item counts as the segment's own taste."""
_MOST_OF_EVERYONE = 4
"""Items popular with everyone that are looked through, as a multiple of ``top_n``."""
_ENOUGH_BOUGHT = 20
"""Things bought in a category before it is called one that is bought again."""
_DAY = 86_400


@dataclass(frozen=True, kw_only=True)
class Goods:
    """What must be known of the items; I items."""

    category: LongArray  # (I,) code, the item's commonest; 0 unknown
    popularity: DoubleArray  # (I,) p(i)
    again: DoubleArray  # (C + 1,) share of the things bought that were bought again, by category


@dataclass(frozen=True, kw_only=True)
class Offers:
    """Pairs of a segment and an item that can be offered; N pairs."""

    group: LongArray  # (N,)
    item: LongArray  # (N,)
    users: LongArray  # (N,) users of the segment that met it
    owned: DoubleArray  # (N,) share of the segment that bought and kept it
    engagement: DoubleArray  # (N,) sum of w


def recommend_items(
    sequences: Sequences, contacts: Contacts, rows: Rows, options: RecommendOptions
) -> tuple[Recommendation, ...]:
    """The best items of every segment, rank by rank; users in no segment get everyone's.

    So does a segment none of whose items was met by ``min_users`` of its users.
    """
    weights = _weights(options)
    goods = _goods(sequences, contacts, weights)
    offers = _offers(contacts, rows, weights, goods)
    found: list[Recommendation] = []
    for group, segment in enumerate(rows.ids):
        own = segment != NOISE and bool(
            np.any(offers.users[offers.group == group] >= options.min_users)
        )
        found += _ranked(_Shelf(sequences, goods, rows, options), offers, group, own)
    return tuple(found)


def _weights(options: RecommendOptions) -> DoubleArray:
    """Weight of every step of `STEPS`."""
    return np.array(
        [
            options.view_weight,
            options.favourite_weight,
            options.cart_weight,
            options.purchase_weight,
            0.0,
        ]
    )
