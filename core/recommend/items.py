"""Which items to offer to each segment: its own popularity, held back by everyone's.

With w the weight of the furthest step a user took with an item (0 where it was returned):

    p(i)    = sum of w over everyone / users
    q(s, i) = (sum of w over the segment + m p(i)) / (users of the segment + m)
    lift    = q(s, i) / p(i)
    score   = q(s, i) * lift ** lift_weight * (1 - share of the segment that owns it)

m = ``prior_users``: q is the segment's engagement shrunk toward everyone's, as if m users with
everyone's taste were in the segment too. The last factor falls away with ``owned`` other than
"discount", and in categories where things are bought again and again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.artifacts import NOISE, DoubleArray, LongArray, Recommendation, Sequences
from core.recommend._base import PURCHASE, Contacts, RecommendOptions, Rows
from core.recommend.goods import Goods, goods_of
from core.wording import figure, percent, quoted

OWN_TASTE = 1.15
"""A lift from which on an item counts as the segment's own taste."""


@dataclass(frozen=True, kw_only=True)
class _Shelf:
    """All items as one segment sees them, (I,) each."""

    size: int
    """Users of the segment."""
    own: bool
    """Whether the ranking is the segment's own, not everyone's."""
    users: LongArray  # that met the item
    owned: DoubleArray  # share of the segment that bought and kept it
    lift: DoubleArray
    score: DoubleArray  # 0 where the item is not to be offered
    repeats: npt.NDArray[np.bool_]  # of a category where things are bought again


def recommend_items(
    sequences: Sequences, contacts: Contacts, rows: Rows, options: RecommendOptions
) -> tuple[Recommendation, ...]:
    """The best items of every segment, rank by rank, ties by frequency in the log.

    Users in no segment are offered what is popular with everyone, and so is a segment none of
    whose items was met by ``min_users`` of its users; their reasons say so.
    """
    goods = goods_of(sequences, contacts, _weights(options))
    row = rows.row[contacts.user]
    order = np.argsort(row, kind="stable")
    begins = np.searchsorted(row, np.arange(len(rows.ids) + 1), sorter=order)
    found: list[Recommendation] = []
    for group, segment in enumerate(rows.ids):
        mine = contacts.take(order[begins[group] : begins[group + 1]])
        shelf = _shelf(goods, mine, int(rows.sizes[group]), options, own=segment != NOISE)
        found += _offered(segment, shelf, goods, options)
    return tuple(found)


def _shelf(
    goods: Goods, contacts: Contacts, size: int, options: RecommendOptions, *, own: bool
) -> _Shelf:
    """Score all items for the users whose contacts these are."""
    n_items, prior = len(goods.names), options.prior_users
    users = np.bincount(contacts.item, minlength=n_items)
    bought = np.bincount(contacts.item[contacts.step == PURCHASE], minlength=n_items)
    engagement = np.bincount(contacts.item, _weights(options)[contacts.step], minlength=n_items)
    everyone = goods.popularity
    local = (engagement + prior * everyone) / (size + prior)
    lift = np.divide(local, everyone, out=np.ones(n_items), where=everyone > 0)
    enough = users >= options.min_users
    own = own and bool(enough.any())
    score = np.where(enough, local * lift**options.lift_weight, 0.0) if own else everyone.copy()
    owned = bought / max(size, 1)
    repeats = goods.again[goods.category] >= options.repeat_share
    _mark_down(score, owned, repeats, options)
    return _Shelf(
        size=size, own=own, users=users, owned=owned, lift=lift, score=score, repeats=repeats
    )


def _mark_down(
    score: DoubleArray,
    owned: DoubleArray,
    repeats: npt.NDArray[np.bool_],
    options: RecommendOptions,
) -> None:
    """Lower what the segment already owns, unless it is bought again and again."""
    if options.owned == "discount":
        score *= np.where(repeats, 1.0, 1.0 - owned)
    elif options.owned == "exclude":
        score[~repeats & (owned > options.owned_limit)] = 0.0


def _offered(
    segment: int, shelf: _Shelf, goods: Goods, options: RecommendOptions
) -> list[Recommendation]:
    best = np.flatnonzero(shelf.score > 0)
    best = best[np.argsort(-shelf.score[best], kind="stable")[: options.top_n]]
    return [
        Recommendation(
            segment=segment,
            rank=rank,
            item=goods.names[i],
            category=goods.categories[int(goods.category[i])],
            score=float(shelf.score[i]),
            segment_users=int(shelf.users[i]),
            lift=float(shelf.lift[i]),
            owned_share=float(shelf.owned[i]),
            reason=_reason(shelf, goods, i, options),
        )
        for rank, i in enumerate(best.tolist(), start=1)
    ]


def _reason(shelf: _Shelf, goods: Goods, item: int, options: RecommendOptions) -> str:
    met, lift = int(shelf.users[item]), float(shelf.lift[item])
    share = f"{met:,} of {shelf.size:,} users here met it ({percent(met / shelf.size)})"
    if not shelf.own:
        text = f"Popular with everyone, not this group's own taste; {share}"
    elif lift >= OWN_TASTE:
        text = f"{share}, {figure(lift)} times the engagement of everyone"
    else:
        text = f"{share}, popular with everyone too ({figure(lift)} times the usual engagement)"
    return text + _of_owners(shelf, goods, item, options) + "."


def _of_owners(shelf: _Shelf, goods: Goods, item: int, options: RecommendOptions) -> str:
    owned, code = float(shelf.owned[item]), int(goods.category[item])
    if owned == 0:
        return ""
    if shelf.repeats[item]:
        again = percent(float(goods.again[code]))
        name = quoted(goods.categories[code])
        return f"; {percent(owned)} bought it, but {again} of buys in {name} are repeated"
    lowers = ", which lowers its rank" if options.owned == "discount" else ""
    return f"; {percent(owned)} already bought it{lowers}"


def _weights(options: RecommendOptions) -> DoubleArray:
    """Weight of every one of `STEPS`."""
    return np.array(
        [
            options.view_weight,
            options.favourite_weight,
            options.cart_weight,
            options.purchase_weight,
            0.0,  # returned
        ]
    )
