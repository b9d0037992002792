"""What must be known of the items: their category, popularity, whether they are bought again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.action_roles import is_role
from core.artifacts import DoubleArray, LongArray, Sequences
from core.recommend._base import Contacts

_ENOUGH_BOUGHT = 20
"""Things bought in a category before it can be called one where things are bought again."""
_DAY = 86_400


@dataclass(frozen=True, kw_only=True)
class Goods:
    """What must be known of the items; I items, C categories."""

    names: tuple[str, ...]
    categories: tuple[str, ...]
    """Names by code; the first is "", for unknown."""
    category: LongArray  # (I,) code, the item's commonest
    popularity: DoubleArray  # (I,) p(i)
    again: DoubleArray  # (C + 1,) share of the things bought that were bought again


def goods_of(sequences: Sequences, contacts: Contacts, weights: DoubleArray) -> Goods:
    """Look at all items; ``weights`` are those of the steps."""
    words = sequences.vocabulary
    engagement = np.bincount(contacts.item, weights[contacts.step], minlength=len(words.items))
    category = _commonest_category(sequences)
    return Goods(
        names=words.items,
        categories=("", *words.categories),
        category=category,
        popularity=engagement / max(sequences.n_users, 1),
        again=_bought_again(sequences, category),
    )


def _commonest_category(sequences: Sequences) -> LongArray:
    """Category code in which every item is met most often, (I,); ties to the lower code."""
    words = sequences.vocabulary
    width = len(words.categories) + 1
    known = (sequences.item > 0) & (sequences.category > 0)
    cell = (sequences.item[known].astype(np.int64) - 1) * width + sequences.category[known]
    place, times = np.unique(cell, return_counts=True)
    order = np.lexsort((place % width, -times, place // width))
    item, first = np.unique(place[order] // width, return_index=True)
    category = np.zeros(len(words.items), dtype=np.int64)
    category[item] = place[order][first] % width
    return category


def _bought_again(sequences: Sequences, category: LongArray) -> DoubleArray:
    """By category, the share of things bought that the same user bought on another day too.

    0 for code 0 and where fewer than 20 things were bought.
    """
    words = sequences.vocabulary
    bought = is_role(sequences.action, words.actions, "purchase") & (sequences.item > 0)
    item = sequences.item[bought].astype(np.int64) - 1
    pair = sequences.user_of_event()[bought] * len(words.items) + item
    day = sequences.time[bought] // _DAY
    order = np.lexsort((day, pair))
    pair, day = pair[order], day[order]
    fresh = np.append(True, pair[1:] != pair[:-1])[: len(pair)]
    other_day = ~fresh
    other_day[1:] &= day[1:] != day[:-1]
    begins = np.flatnonzero(fresh)
    repeated = np.logical_or.reduceat(other_day, begins) if len(begins) else other_day
    code = category[pair[begins] % max(len(words.items), 1)]
    n_codes = len(words.categories) + 1
    things = np.bincount(code, minlength=n_codes)
    share = np.bincount(code, repeated, minlength=n_codes) / np.maximum(things, 1)
    share[(things < _ENOUGH_BOUGHT) | (np.arange(n_codes) == 0)] = 0.0
    return share
