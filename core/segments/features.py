"""What is measured of every user, and its mean and spread in every segment.

Users are measured block by block and only sums are kept, so memory does not grow with users.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.artifacts import DoubleArray, LongArray, Sequences
from core.segments._base import REST, Block, Groups, SegmentOptions, blocks, event_codes
from core.segments.flows import shares_of_next
from core.segments.scalars import (
    SCALARS,
    Calendar,
    Feature,
    known_scalars,
    scalar_values,
    share,
)

MOST_ACTIONS = 12
"""Actions whose transitions are compared, the commonest."""
MOST_CATEGORIES = 50
_PRIOR_MOVES = 2.0
"""A user's moves are blended with as many of everyone's, as most users make few of a kind."""


@dataclass(frozen=True, kw_only=True)
class Measures:
    """Sums over the users of every segment; G segments, F features."""

    features: tuple[Feature, ...]
    n: DoubleArray  # (G, F) users for whom the feature is defined
    total: DoubleArray  # (G, F)
    squares: DoubleArray  # (G, F)

    def shown(self, means: DoubleArray) -> DoubleArray:
        """Means (G, F) in the features' own units: geometric where the scale is "log"."""
        log = np.array([feature.scale == "log" for feature in self.features], dtype=np.bool_)
        return np.where(log, np.expm1(np.where(log, means, 0.0)), means)


def measure(
    sequences: Sequences, groups: Groups, moves: LongArray, options: SegmentOptions
) -> Measures:
    """Measure every user and sum per segment. ``moves`` are everyone's transitions, (A, A)."""
    plan = _Plan(sequences, moves, options)
    shape = (len(groups.ids), len(plan.features))
    n, total, squares = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for block in blocks(sequences):
        values = plan.values(block)
        row = groups.row[block.users]
        order = np.argsort(row, kind="stable")
        found, starts = np.unique(row[order], return_index=True)
        values = values[order]
        known = ~np.isnan(values)
        values[~known] = 0.0
        n[found] += np.add.reduceat(known, starts, axis=0, dtype=np.float64)
        total[found] += np.add.reduceat(values, starts, axis=0)
        squares[found] += np.add.reduceat(values**2, starts, axis=0)
    return Measures(features=plan.features, n=n, total=total, squares=squares)


class _Plan:
    """What can be measured in this log, settled once; ``values`` measures a block of users."""

    def __init__(self, sequences: Sequences, moves: LongArray, options: SegmentOptions) -> None:
        self.sequences = sequences
        words = sequences.vocabulary
        self.actions = _named(words.actions)
        self.movers = self.actions[:MOST_ACTIONS]
        self.next = shares_of_next(moves[np.ix_(self.movers, self.movers)])
        self.categories = _named(words.categories)[:MOST_CATEGORIES]
        self.calendar = Calendar(
            last=int(sequences.time.max()), pause=60.0 * options.session_minutes
        )
        self.scalars = known_scalars(sequences)
        self.features = (
            *(_action(words.actions, a) for a in self.actions),
            *(_category(words.categories, c) for c in self.categories),
            *(_move(words.actions, a, b) for a in self.movers for b in self.movers),
            *(SCALARS[name] for name in self.scalars),
        )

    def values(self, block: Block) -> DoubleArray:
        """Shape (n, F); NaN where a feature is undefined for a user."""
        scalars = scalar_values(self.sequences, self.calendar, block)
        return np.concatenate(
            [
                self._action_shares(block),
                self._category_shares(block),
                self._move_shares(block),
                np.stack([scalars[name] for name in self.scalars], axis=1),
            ],
            axis=1,
        )

    def _action_shares(self, block: Block) -> DoubleArray:
        codes = event_codes(self.sequences.action, block)
        width = len(self.sequences.vocabulary.actions) + 1
        counts = block.table(block.user, codes, width)[:, 1:]
        return share(counts[:, self.actions], counts.sum(axis=1, keepdims=True))

    def _category_shares(self, block: Block) -> DoubleArray:
        codes = event_codes(self.sequences.category, block)
        column = _column_of(self.categories, len(self.sequences.vocabulary.categories))[codes]
        told, known = column >= 0, codes > 0
        counts = block.table(block.user[told], column[told], len(self.categories))
        return share(counts, block.count(known)[:, None])

    def _move_shares(self, block: Block) -> DoubleArray:
        """Share of each next action after each action, (n, M * M); NaN where it never came."""
        n_movers = len(self.movers)
        column = _column_of(self.movers, len(self.sequences.vocabulary.actions))
        action = event_codes(self.sequences.action, block)
        came, goes = column[action[:-1]], column[action[1:]]
        step = ~block.first[1:] & (came >= 0) & (goes >= 0)
        user = block.user[1:][step]
        counts = block.table(user, came[step] * n_movers + goes[step], n_movers**2)
        counts = counts.reshape(block.n_users, n_movers, n_movers)
        made = counts.sum(axis=2, keepdims=True)
        counts += _PRIOR_MOVES * self.next
        counts /= np.where(made > 0, made + _PRIOR_MOVES, np.nan)
        return counts.reshape(block.n_users, n_movers**2)


def _named(words: tuple[str, ...]) -> LongArray:
    """Places of the words that stand for themselves."""
    return np.array([i for i, word in enumerate(words) if word != REST], dtype=np.int64)


def _column_of(places: LongArray, n_words: int) -> LongArray:
    """Column of every code; -1 for those without, and for code 0."""
    column = np.full(n_words + 1, -1, dtype=np.int64)
    column[places + 1] = np.arange(len(places))
    return column


def _action(words: tuple[str, ...], place: int) -> Feature:
    return Feature(
        kind="action",
        name="",
        words=(words[place],),
        codes=(int(place),),
        scale="share",
        alike=(f"action {place}",),
    )


def _category(words: tuple[str, ...], place: int) -> Feature:
    return Feature(
        kind="category",
        name="",
        words=(words[place],),
        codes=(int(place),),
        scale="share",
        alike=(f"category {place}",),
    )


def _move(words: tuple[str, ...], came: int, goes: int) -> Feature:
    return Feature(
        kind="transition",
        name="",
        words=(words[came], words[goes]),
        codes=(int(came), int(goes)),
        scale="share",
        alike=(f"from {came}", f"to {goes}"),
    )
