"""The settings of recommendations, and who met which item and how far that went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from core.action_roles import ROLES, Role, roles_by_code
from core.artifacts import IntArray, Labels, LongArray, Segments, Sequences
from core.options import Options, option

_USERS_PER_BLOCK = 65_536

STEPS = ("seen", "favourite", "cart", "purchase", "return")
"""How far a user went with an item; what is no other step counts as seen."""
SEEN, FAVOURITE, CART, PURCHASE, RETURN = range(len(STEPS))
_STEP_OF: dict[Role, int] = {
    "favourite": FAVOURITE,
    "cart": CART,
    "purchase": PURCHASE,
    "return": RETURN,
}


@dataclass(frozen=True, kw_only=True)
class RecommendOptions(Options):
    """How items are picked for each segment."""

    top_n: int = option(
        10, "Items per segment", "How many items are offered to a segment", low=1, high=1000
    )
    lift_weight: float = option(
        0.5,
        "Weight of the segment's own taste",
        "0 ranks by popularity within the segment; the higher, the more counts that the segment "
        "likes an item better than everyone does",
        low=0.0,
        high=3.0,
    )
    owned: Literal["discount", "exclude", "keep"] = option(
        "discount",
        "Items already bought",
        "discount lowers an item by the share of the segment that bought it already, exclude "
        "leaves out what many bought, keep ignores it",
    )
    owned_limit: float = option(
        0.3,
        "Bought by many",
        "With exclude, items that more than this share of the segment bought are left out",
        low=0.0,
        high=1.0,
        expert=True,
    )
    view_weight: float = option(
        1.0, "Weight of seeing", "How much it counts to have seen an item", low=0.0, high=100.0
    )
    favourite_weight: float = option(
        2.0, "Weight of a favourite", "How much it counts to have saved it", low=0.0, high=100.0
    )
    cart_weight: float = option(
        3.0, "Weight of the cart", "How much it counts to have carted it", low=0.0, high=100.0
    )
    purchase_weight: float = option(
        5.0, "Weight of buying", "How much it counts to have bought it", low=0.0, high=100.0
    )
    prior_users: float = option(
        20.0,
        "Caution with small segments",
        "As many users with everyone's taste are added to each segment",
        low=0.0,
        high=100_000.0,
        unit="users",
        expert=True,
    )
    min_users: int = option(
        3,
        "Users behind an item",
        "Items that fewer users of the segment met are not offered as its own",
        low=1,
        high=10_000,
        unit="users",
        expert=True,
    )
    repeat_share: float = option(
        0.2,
        "Bought again",
        "In a category where at least this share of what is bought is bought again on another "
        "day, having bought an item does not lower it",
        low=0.0,
        high=1.0,
        expert=True,
    )


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Which user is in which segment; G segments in the order of the descriptions."""

    ids: tuple[int, ...]
    row: LongArray  # (U,) place of the user's segment in ``ids``
    sizes: LongArray  # (G,)


def rows_of(labels: Labels, segments: Segments) -> Rows:
    """Who is in which segment."""
    ids = tuple(segment.id for segment in segments.segments)
    place = np.zeros(max(ids) + 2, dtype=np.int64)  # the last is NOISE, -1
    place[list(ids)] = np.arange(len(ids))
    row = place[labels.values]
    return Rows(ids=ids, row=row, sizes=np.bincount(row, minlength=len(ids)))


@dataclass(frozen=True, kw_only=True)
class Contacts:
    """Every pair of a user and an item that met, once; P pairs."""

    user: LongArray  # (P,)
    item: IntArray  # (P,) place in the vocabulary's items, from 0
    step: npt.NDArray[np.int8]  # (P,) the furthest of `STEPS`

    def take(self, places: LongArray) -> Contacts:
        """The pairs at the given places."""
        return Contacts(user=self.user[places], item=self.item[places], step=self.step[places])


def contacts_of(sequences: Sequences) -> Contacts:
    """Who met which item and how far it went; user, item and step packed to be sorted as one."""
    steps = np.array([_STEP_OF.get(role, SEEN) for role in ROLES], dtype=np.int64)
    step_of_code = steps[roles_by_code(sequences.vocabulary.actions)]
    width = len(sequences.vocabulary.items) + 1
    users, items, furthest = [], [], []
    for start in range(0, sequences.n_users, _USERS_PER_BLOCK):
        offsets = sequences.offsets[start : start + _USERS_PER_BLOCK + 1]
        events = slice(int(offsets[0]), int(offsets[-1]))
        user = np.repeat(np.arange(start, start + len(offsets) - 1), np.diff(offsets))
        item = np.asarray(sequences.item[events], dtype=np.int64)
        packed = ((user * width + item) << 3) | step_of_code[sequences.action[events]]
        packed = np.sort(packed[item > 0])
        pair = packed >> 3
        last = np.append(pair[1:] != pair[:-1], np.ones(min(len(pair), 1), dtype=np.bool_))
        users.append(pair[last] // width)
        items.append((pair[last] % width - 1).astype(np.int32))
        furthest.append((packed[last] & 7).astype(np.int8))
    return Contacts(
        user=np.concatenate(users), item=np.concatenate(items), step=np.concatenate(furthest)
    )
