"""Sequences: every user's events in time order, as flat arrays that stay on disk.

A cleaned log is ordered, so one pass over it is enough: `stream` reads whole users, `building`
puts them into arrays, `visits` tells where a visit ends, `splits` who is fitted on and who judged.
"""

from core.sequences.building import VERSION, build, take, truncation
from core.sequences.new_words import with_new_words
from core.sequences.options import SequenceOptions
from core.sequences.splits import split
from core.sequences.visits import suggest_session_gap
from core.sequences.words import OTHER

__all__ = [
    "OTHER",
    "VERSION",
    "SequenceOptions",
    "build",
    "split",
    "suggest_session_gap",
    "take",
    "truncation",
    "with_new_words",
]
