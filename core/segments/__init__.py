"""What the segments are: size, figures, what sets each apart, its ways, stories and a name."""

from __future__ import annotations

import numpy as np

from core.artifacts import DoubleArray, Labels, Segment, Segments, Sequences, fingerprint
from core.segments._base import SegmentOptions, groups_of
from core.segments.facts import CAVEAT, facts, findings
from core.segments.features import measure
from core.segments.flows import shares_of_next, stories, transition_counts
from core.segments.lifts import lifts
from core.segments.naming import names, rename
from core.segments.profiles import SUMMARY, event_shares, summaries, value_shares

__all__ = ["CAVEAT", "SUMMARY", "VERSION", "SegmentOptions", "profile", "rename"]

VERSION = 2


def profile(sequences: Sequences, labels: Labels, options: SegmentOptions, seed: int) -> Segments:
    """All segments, described and named; the largest first, users without a segment last.

    The labels must be those of the sequences' users, in the same order. Nothing is random:
    ``seed`` is there because every step that may draw has one. Work grows with events, and so
    does memory: about 60 bytes per event beside the sequences.
    """
    if not np.array_equal(sequences.user_ids, labels.user_ids):
        raise ValueError("labels and sequences are of different users")
    groups = groups_of(labels)
    moves = transition_counts(sequences, groups)
    measures = measure(sequences, groups, moves.sum(axis=0), options)
    found = findings(measures, groups.sizes, moves, options)
    words = sequences.vocabulary
    categories = lifts(sequences, groups, "category", options)
    items = lifts(sequences, groups, "item", options)
    shares, values = event_shares(sequences, groups), value_shares(measures, groups)
    figures, called = summaries(sequences, groups, measures), names(groups.ids, found)
    return Segments(
        segments=tuple(
            Segment(
                id=segment,
                name=called[g],
                size=int(groups.sizes[g]),
                share=float(groups.sizes[g] / sequences.n_users),
                event_share=float(shares[g]),
                value_share=values[g],
                summary=figures[g],
                facts=facts(found[g], options),
                categories=categories[g],
                items=items[g],
                transitions=_plain(shares_of_next(moves[g])),
                stories=stories(sequences, labels, np.flatnonzero(groups.row == g), options),
            )
            for g, segment in enumerate(groups.ids)
        ),
        actions=words.actions,
        fingerprint=fingerprint(
            labels.fingerprint, "segments", VERSION, options.to_dict() | {"seed": seed}
        ),
    )


def _plain(matrix: DoubleArray) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in matrix.tolist())
