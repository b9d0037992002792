"""What to offer to each segment and what to do for it, each with the numbers behind it."""

from __future__ import annotations

import numpy as np

from core.action_roles import has_role
from core.artifacts import Labels, Recommendations, Segments, Sequences, fingerprint
from core.recommend._base import RecommendOptions, contacts_of, rows_of
from core.recommend.actions import actions
from core.recommend.items import recommend_items
from core.recommend.standing import standings

__all__ = ["VERSION", "RecommendOptions", "recommend"]

VERSION = 2

_NO_ITEMS = (
    "The log has no items, so no items can be recommended. Map a column to the item role to get "
    "recommendations."
)
_NO_PURCHASES = (
    "No action of the log is known as a purchase, so what users already own is not known and "
    "every item counts as new to them."
)


def recommend(
    sequences: Sequences, labels: Labels, segments: Segments, options: RecommendOptions
) -> Recommendations:
    """Items and actions for every segment, in the order of the segments.

    ``segments`` must describe these labels. Nothing is random. Segment names are not used, so
    that they can be changed later. Work grows with events; about 40 bytes of memory per event.
    """
    if not np.array_equal(sequences.user_ids, labels.user_ids):
        raise ValueError("labels and sequences are of different users")
    rows = rows_of(labels, segments)
    contacts = contacts_of(sequences)
    items = recommend_items(sequences, contacts, rows, options)
    return Recommendations(
        items=items,
        actions=actions(segments, rows, items, standings(sequences, contacts, rows)),
        note=_note(sequences),
        fingerprint=fingerprint(
            segments.fingerprint, "recommendations", VERSION, options.to_dict()
        ),
    )


def _note(sequences: Sequences) -> str:
    """What the log lacks, in a sentence; empty where nothing is missing."""
    words = sequences.vocabulary
    if not words.items:
        return _NO_ITEMS
    return "" if has_role(words.actions, "purchase") else _NO_PURCHASES
