"""Events as outcomes that a model can foretell: a few classes for each thing an event tells.

Numbers become classes, so that no atom in the data (a pause of exactly 0, a standard price) can
give a boundless likelihood; rare actions and categories are taken together.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from core.artifacts import FIT, FloatArray, IntArray, LongArray, Sequences, State
from core.geometry import blocks, scores

FORETOLD = ("action", "category", "pause", "price", "duration", "platform", "daypart", "item")
"""What is foretold of every event: what was done, on what, how long after the event before it, at
which price, for how long; of every visit, where and in which part of the day it begins; and of
every other item, of which kind it is, where titles or vectors tell kinds of items apart."""
MOST_ACTIONS, MOST_CATEGORIES, MOST_PLATFORMS = 20, 64, 8
"""Words of each kind that are told apart; rarer ones are taken together."""
_CLASSES = 12
"""Classes of about equal size for each number."""
_KINDS, _ITEMS = 12, 5_000
"""Most kinds of items, and most events whose items they are formed of."""
MOST_CODED = 1_000_000
"""Most events of which classes are learned."""
DAYPARTS = 6
_SECONDS_PER_PART = 86_400 // DAYPARTS
TIE = 1
"""Pause class of events that share a second; 0 is "no event before"."""


@dataclass(frozen=True, kw_only=True)
class Coding:
    """How events become outcomes; learned from the users to fit."""

    actions: IntArray  # (A + 1,) class of every code
    categories: IntArray  # (C + 1,)
    platforms: IntArray  # (P + 1,)
    pause_edges: FloatArray  # of log seconds, within visits
    away_edges: FloatArray  # between visits
    price_edges: FloatArray  # of the logarithm
    duration_edges: FloatArray
    item_centres: FloatArray  # (M, F) kinds of items, by what is known of them; (0, F) for none
    told: IntArray  # places in FORETOLD of what is not the same for all

    @classmethod
    def of(cls, sequences: Sequences) -> Self:
        """Learn the classes; of more than a million events, from some."""
        events = _events_to_fit(sequences)
        gap, breaks = _gaps(sequences)
        gap, breaks = gap[events], breaks[events]
        coding = cls(
            told=np.arange(len(FORETOLD), dtype=np.int32),
            actions=_commonest(
                sequences.action[events], sequences.vocabulary.actions, MOST_ACTIONS
            ),
            categories=_commonest(
                sequences.category[events], sequences.vocabulary.categories, MOST_CATEGORIES
            ),
            platforms=_commonest(
                sequences.platform[events], sequences.vocabulary.platforms, MOST_PLATFORMS
            ),
            pause_edges=_edges(_known(gap[~breaks & (gap > 0)])),
            away_edges=_edges(_known(gap[breaks & (gap > 0)])),
            price_edges=_edges(_known(sequences.price[events])),
            duration_edges=_edges(_known(sequences.duration[events])),
            item_centres=_kinds_of_items(sequences, events),
        )
        some = outcomes_of(sequences, coding, _some_users(sequences))
        told = [i for i, name in enumerate(FORETOLD) if some.varies(name)]
        return replace(coding, told=np.array(told, dtype=np.int32))

    @classmethod
    def from_state(cls, state: State) -> Self:
        return cls(**{f.name: np.asarray(state[f"coding.{f.name}"]) for f in fields(cls)})

    def to_state(self) -> dict[str, npt.NDArray[Any]]:
        return {f"coding.{f.name}": getattr(self, f.name) for f in fields(self)}

    def names_told(self) -> frozenset[str]:
        """What of an event is foretold."""
        return frozenset(FORETOLD[i] for i in self.told)

    def sizes(self) -> dict[str, int]:
        """Number of classes of each thing foretold."""
        return {
            "action": int(self.actions.max()) + 1,
            "category": int(self.categories.max()) + 1,
            "pause": 2 + len(self.pause_edges) + 1 + len(self.away_edges) + 1,
            "price": 2 + len(self.price_edges),
            "duration": 2 + len(self.duration_edges),
            "platform": int(self.platforms.max()) + 1,
            "daypart": DAYPARTS,
            "item": 1 + len(self.item_centres),
        }


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """Every event as classes. The events of user u are ``[offsets[u]:offsets[u + 1]]``."""

    offsets: LongArray  # (U + 1,)
    user: LongArray  # (E,)
    first: npt.NDArray[np.bool_]  # (E,) whether it is the user's first
    breaks: npt.NDArray[np.bool_]  # (E,) whether it begins a visit; the first does
    action: LongArray  # (E,)
    category: LongArray  # (E,)
    pause: LongArray  # (E,) 0 for the first, TIE, then classes within, then between visits
    price: LongArray  # (E,) 0 where missing
    duration: LongArray  # (E,)
    platform: LongArray  # (E,)
    daypart: LongArray  # (E,)
    item: LongArray  # (E,) kind of the item, 0 where nothing is known of it
    again: npt.NDArray[np.bool_]  # (E,) whether the item is that of the user's event before
    sizes: dict[str, int]
    first_away: int
    """The first pause class between visits."""
    told: frozenset[str]
    """What of an event is foretold: all that was not the same for all users to fit."""

    @property
    def n_users(self) -> int:
        return len(self.offsets) - 1

    def varies(self, name: str) -> bool:
        """Whether an outcome is not the same for all events; else there is nothing to foretell."""
        values = getattr(self, name)
        seen = values[~self.first] if name == "pause" else values
        return bool(len(seen) and (seen != seen[0]).any())

    def lengths(self) -> LongArray:
        """Events of every user, (U,)."""
        return np.diff(self.offsets)


def outcomes_of(sequences: Sequences, coding: Coding, users: LongArray | None = None) -> Outcomes:
    """The events of some users (all where None), in that order, as outcomes."""
    chosen = np.arange(sequences.n_users) if users is None else users
    lengths = np.diff(sequences.offsets)[chosen]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    user = np.repeat(np.arange(len(chosen)), lengths)
    events = np.arange(offsets[-1]) - offsets[user] + np.asarray(sequences.offsets)[chosen][user]
    place = np.arange(offsets[-1]) - offsets[user]
    first = place == 0
    session = np.asarray(sequences.session[events])
    breaks = first | (session != np.roll(session, 1))
    gap = np.nan_to_num(np.asarray(sequences.gap[events], dtype=np.float64))
    logs = _log(gap)
    within = 2 + np.searchsorted(coding.pause_edges, logs, side="right")
    first_away = 3 + len(coding.pause_edges)
    away = first_away + np.searchsorted(coding.away_edges, logs, side="right")
    pause = np.where(breaks, away, np.where(gap > 0, within, TIE))
    item = np.asarray(sequences.item[events])
    return Outcomes(
        offsets=offsets,
        user=user,
        first=first,
        breaks=breaks,
        action=_coded(sequences.action[events], coding.actions),
        category=_coded(sequences.category[events], coding.categories),
        pause=np.where(first, 0, pause),
        price=_class_of(sequences.price[events], coding.price_edges),
        duration=_class_of(sequences.duration[events], coding.duration_edges),
        platform=_coded(sequences.platform[events], coding.platforms),
        daypart=np.asarray(sequences.time[events]) // _SECONDS_PER_PART % DAYPARTS,
        item=_kinds(item, sequences.item_vectors, coding.item_centres),
        again=~first & (item == np.roll(item, 1)),
        sizes=coding.sizes(),
        first_away=first_away,
        told=coding.names_told(),
    )


def _some_users(sequences: Sequences) -> LongArray:
    """Users to fit (all where there is none), evenly taken where there are many."""
    fitted = np.flatnonzero(np.asarray(sequences.split) == FIT)
    users = fitted if len(fitted) else np.arange(sequences.n_users)
    return users[
        :: max(1, len(users) * sequences.n_events // (sequences.n_users or 1) // MOST_CODED)
    ]


def _gaps(sequences: Sequences) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    session = np.asarray(sequences.session)
    breaks = session != np.roll(session, 1)
    return np.asarray(sequences.gap), breaks


def _events_to_fit(sequences: Sequences) -> LongArray:
    """Events of the users to fit (of all where there is none), at even distances."""
    step = max(1, sequences.n_events // MOST_CODED)
    events = np.arange(0, sequences.n_events, step)
    user = np.searchsorted(sequences.offsets, events, side="right") - 1
    fitted = np.asarray(sequences.split)[user] == FIT
    return events[fitted] if fitted.any() else events


def _kinds_of_items(sequences: Sequences, events: LongArray) -> FloatArray:
    """Centres (M, F) of the kinds of items that were met, by K-means on what is known of them."""
    vectors = np.asarray(sequences.item_vectors)
    codes = np.asarray(sequences.item)[events]
    known = np.asarray(vectors.any(axis=1))
    met = codes[known[np.where(codes < len(vectors), codes, 0)]]
    distinct = np.unique(vectors[np.unique(met)], axis=0)
    if len(distinct) <= _KINDS:
        return distinct
    from sklearn.cluster import KMeans

    some = met[np.linspace(0, len(met) - 1, min(len(met), _ITEMS)).astype(np.int64)]
    points = vectors[some]
    k = min(_KINDS, len(np.unique(points, axis=0)))
    found = KMeans(k, n_init=3, random_state=0).fit(points).cluster_centers_
    return np.asarray(found, dtype=np.float32)


def _kinds(codes: npt.NDArray[Any], vectors: FloatArray, centres: FloatArray) -> LongArray:
    """Kind (E,) of every item: the nearest centre, from 1; 0 where nothing is known of it."""
    if not len(centres) or centres.shape[1] != vectors.shape[1]:
        return np.zeros(len(codes), dtype=np.int64)
    met, place = np.unique(np.where(codes < len(vectors), codes, 0), return_inverse=True)
    known = np.asarray(vectors[met], dtype=np.float64)
    kind = np.empty(len(met), dtype=np.int64)
    for rows in blocks(len(met)):
        kind[rows] = 1 + scores(known[rows], centres.astype(np.float64)).argmin(axis=0)
    return np.where(known.any(axis=1), kind, 0)[place]


def _commonest(codes: IntArray, words: tuple[str, ...], most: int) -> IntArray:
    """Class of every code, (W + 1,): the commonest have one each, the rest share the last.

    Codes that do not occur share the class of code 0, "unknown", so that no class is empty.
    """
    counts = np.bincount(codes, minlength=len(words) + 1)
    column = np.zeros(len(words) + 1, dtype=np.int32)
    order = np.argsort(-counts[1:], kind="stable") + 1
    order = order[counts[order] > 0]
    column[order[:most]] = np.arange(1, len(order[:most]) + 1)
    column[order[most:]] = most + 1
    return column


def _coded(codes: npt.NDArray[Any], column: IntArray) -> LongArray:
    known = np.where(codes < len(column), codes, 0)
    return column[known].astype(np.int64)


def _known(values: FloatArray) -> FloatArray:
    x = np.asarray(values, dtype=np.float32)
    return x[np.isfinite(x)]


def _log(values: npt.NDArray[Any]) -> FloatArray:
    """Logarithms in the precision of the edges: else rounding would part a value from itself."""
    x = np.asarray(values, dtype=np.float64)
    return np.asarray(np.sign(x) * np.log1p(np.abs(x)), dtype=np.float32)


def _class_of(values: FloatArray, edges: FloatArray) -> LongArray:
    x = np.asarray(values)
    known = np.isfinite(x)
    return np.where(known, 1 + np.searchsorted(edges, _log(np.where(known, x, 0)), "right"), 0)


def _edges(values: npt.NDArray[Any]) -> FloatArray:
    """Borders between classes of about equal size; fewer where many values are the same.

    A border stands midway between two values that were met, so that none is cut by rounding.
    """
    logs = np.sort(_log(values))
    n_values = len(logs)
    between = np.concatenate([[0], np.flatnonzero(np.diff(logs)) + 1, [n_values]])
    wanted = np.linspace(0, n_values, _CLASSES + 1)[1:-1]
    above = np.clip(np.searchsorted(between, wanted), 1, len(between) - 1)
    low, high = between[above - 1], between[above]
    cuts = np.unique(np.where(wanted - low < high - wanted, low, high))
    cuts = cuts[(cuts > 0) & (cuts < n_values)]
    return np.asarray((logs[cuts - 1] + logs[cuts]) / 2, dtype=np.float32)
