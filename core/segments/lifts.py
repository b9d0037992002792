"""Which categories and items a segment meets more often than everyone does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.artifacts import IntArray, Lift, LongArray, Sequences
from core.segments._base import REST, Groups, SegmentOptions, blocks, event_codes

_REACH = {"category": 0.05, "item": 0.0}
"""Share of a segment's users that must have met a name. Items are many and met by few."""


@dataclass(frozen=True, kw_only=True)
class _Cells:
    """Segment and name pairs that occur, by segment; as many as P."""

    group: LongArray  # (P,)
    code: LongArray  # (P,)
    events: LongArray  # (P,)
    users: LongArray  # (P,)


def lifts(
    sequences: Sequences,
    groups: Groups,
    column: Literal["category", "item"],
    options: SegmentOptions,
) -> tuple[tuple[Lift, ...], ...]:
    """Per segment the names with the highest lift, ties by users and then by frequency.

    Listed is what the segment meets at least as often as everyone; a category only where one
    user in twenty of the segment met it.

    lift = (events + m) / (expected + m), expected = the segment's events times the name's share
    among everyone (both of events that have a name), m = ``lift_prior``: the mean of a gamma
    posterior whose prior says 1 (DuMouchel, 1999). 1 means as often as everyone.
    """
    words = sequences.vocabulary.categories if column == "category" else sequences.vocabulary.items
    codes = sequences.category if column == "category" else sequences.item
    cells = _count(sequences, groups, codes, len(words) + 1)
    per_group = np.bincount(cells.group, cells.events, minlength=len(groups.ids))
    per_code = np.bincount(cells.code, cells.events, minlength=len(words) + 1)
    share = cells.events / per_group[cells.group]
    expected = per_group[cells.group] * (per_code / max(per_code.sum(), 1.0))[cells.code]
    prior = options.lift_prior
    lift = (cells.events + prior) / (expected + prior)
    listed = np.array([False, *(word != REST for word in words)])[cells.code]
    listed &= cells.users >= _REACH[column] * groups.sizes[cells.group]
    listed &= lift > 1.0 - 1e-9
    order = np.lexsort((cells.code, -cells.users, -lift, cells.group))
    order = order[listed[order]]
    begins = np.searchsorted(cells.group[order], np.arange(len(groups.ids) + 1))
    return tuple(
        tuple(
            Lift(
                name=words[int(cells.code[i]) - 1],
                users=int(cells.users[i]),
                share=float(share[i]),
                lift=float(lift[i]),
            )
            for i in order[begins[g] : begins[g + 1]][: options.top_n]
        )
        for g in range(len(groups.ids))
    )


def _count(sequences: Sequences, groups: Groups, codes: IntArray, width: int) -> _Cells:
    """Events and distinct users per segment and name; memory follows what occurs."""
    event_cells, user_cells = [], []
    for block in blocks(sequences):
        code = event_codes(codes, block)
        keys = (block.user * width + code)[code > 0]
        pairs, times = np.unique(keys, return_counts=True)
        row = groups.row[block.users][pairs // width]
        user_cells.append(row * width + pairs % width)
        event_cells.append(times)
    place, back = np.unique(np.concatenate(user_cells), return_inverse=True)
    events = np.bincount(back, np.concatenate(event_cells), minlength=len(place))
    return _Cells(
        group=place // width,
        code=place % width,
        events=events.astype(np.int64),
        users=np.bincount(back, minlength=len(place)),
    )
