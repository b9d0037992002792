"""What sequences look like, in small histograms for the page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.artifacts import (
    FIT,
    TEST,
    VALIDATE,
    CleanEvents,
    FloatArray,
    LongArray,
    Sequences,
    Splits,
    fingerprint,
)
from core.sequences.visits import suggest_session_gap

VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Bin:
    """Users that have from ``low`` to ``high`` of something, both included."""

    low: int
    high: int
    users: int


@dataclass(frozen=True, kw_only=True)
class PauseBin:
    """Pauses from ``low`` up to but without ``high`` seconds."""

    low: float
    high: float
    pauses: int


@dataclass(frozen=True, kw_only=True)
class SequenceSummary:
    """Lengths, pauses and visits of the events kept; all bins double, none is left out."""

    n_users: int
    n_events: int
    lengths: tuple[Bin, ...]
    """Users by the number of their events."""
    visits: tuple[Bin, ...]
    """Users by the number of their visits."""
    pauses: tuple[PauseBin, ...]
    """Times between neighbouring events of a user."""
    ties: int
    """Neighbouring events of a user at the same time; in none of the pauses."""
    session_gap: float
    """Minutes of a pause after which a new visit begins, where the log does not name visits."""


@dataclass(frozen=True, kw_only=True)
class SequenceDescription:
    """What the page tells of the sequences, so that it need not open them."""

    summary: SequenceSummary
    gap_reason: str
    """Why the pauses of the log suggest the end of a visit."""
    n_fit: int
    n_validate: int
    n_test: int
    """Users on each side."""
    cut: int | None
    """As in `Splits`."""
    note: str
    fingerprint: str


def describe(clean: CleanEvents, sequences: Sequences, splits: Splits) -> SequenceDescription:
    """Count once, where the sequences are made, what is told of them."""
    sides = np.bincount(splits.user, minlength=3)
    return SequenceDescription(
        summary=summarise(sequences),
        gap_reason=suggest_session_gap(clean).reason,
        n_fit=int(sides[FIT]),
        n_validate=int(sides[VALIDATE]),
        n_test=int(sides[TEST]),
        cut=splits.cut,
        note=splits.note,
        fingerprint=fingerprint(sequences.fingerprint, "description", VERSION, {}),
    )


def summarise(sequences: Sequences) -> SequenceSummary:
    """Count lengths, pauses and visits; the pause before a user's first kept event is none."""
    sizes = np.diff(sequences.offsets)
    follows = np.ones(sequences.n_events, dtype=bool)
    follows[sequences.offsets[:-1][sizes > 0]] = False
    gaps = np.asarray(sequences.gap)[follows]
    some = sizes > 0
    visits = np.zeros(len(sizes), dtype=np.int64)
    visits[some] = sequences.session[sequences.offsets[1:][some] - 1] + 1
    return SequenceSummary(
        n_users=sequences.n_users,
        n_events=sequences.n_events,
        lengths=_doubling(sizes),
        visits=_doubling(visits),
        pauses=_pauses(gaps[gaps > 0]),
        ties=int(np.count_nonzero(gaps == 0)),
        session_gap=sequences.vocabulary.session_gap,
    )


def _doubling(numbers: LongArray) -> tuple[Bin, ...]:
    """Users with 1, 2-3, 4-7 ... of something, before them those with none if there are any."""
    none = int(np.count_nonzero(numbers == 0))
    counts = np.bincount(np.log2(numbers[numbers > 0]).astype(np.int64))
    some = [Bin(low=2**i, high=2 ** (i + 1) - 1, users=int(n)) for i, n in enumerate(counts)]
    return (*([Bin(low=0, high=0, users=none)] if none else []), *some)


def _pauses(seconds: FloatArray) -> tuple[PauseBin, ...]:
    if not len(seconds):
        return ()
    doubling = np.floor(np.log2(seconds)).astype(np.int64)
    first = int(doubling.min())
    counts = np.bincount(doubling - first)
    return tuple(
        PauseBin(low=2.0 ** (first + i), high=2.0 ** (first + i + 1), pauses=int(n))
        for i, n in enumerate(counts)
    )
