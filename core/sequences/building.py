"""A cleaned log as flat arrays of numbers, some of its users, and what the cuts leave out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.artifacts import (
    NO_VECTORS,
    CleanEvents,
    CleaningStep,
    LongArray,
    Sequences,
    TextArray,
    Vocabulary,
    fingerprint,
)
from core.events import engine
from core.sequences.arrays import GrowingArray
from core.sequences.options import SequenceOptions
from core.sequences.splits import sides
from core.sequences.stream import Rows, Users, read_rows, whole_users
from core.sequences.visits import number_visits, suggest_session_gap
from core.sequences.words import CODED, read_vocabulary
from core.wording import counted

VERSION = 3

PER_EVENT: dict[str, npt.DTypeLike] = {
    **dict.fromkeys(CODED, np.int32),
    "session": np.int32,
    "time": np.int64,
    "gap": np.float32,
    "duration": np.float32,
    "price": np.float32,
}
PER_USER = ("user_ids", "length", "in_window", "first_time", "split")
_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
_EVENTS_AT_ONCE = 1_000_000


def build(
    clean: CleanEvents,
    options: SequenceOptions,
    vocabulary: Vocabulary | None = None,
    *,
    seed: int = 0,
    folder: Path | None = None,
) -> Sequences:
    """The last events of every user, as numbers; users sorted by id.

    ``length`` counts a user's events before any cut, ``in_window`` those in the days looked at,
    and ``first_time`` is that of the very first. The gap of the first event kept is the true
    one, to the event before it that was cut off; it is 0 only where the user's history begins.
    With ``window_days``, an event is looked at where it is less than so many days before the
    last event of the log; users without any such event are left out and counted.

    Words are ordered by frequency in the whole cleaned log, see `read_vocabulary`. With a
    ``vocabulary`` made earlier (new users), a word it lacks gets the code of `OTHER` where the
    vocabulary ends with it, since so it would have been coded then, and 0 elsewhere; and visits
    end by its pause, where that is left to the log.

    ``seed`` draws the side of every user. With a ``folder``, the arrays per event are files in
    it, mapped, and memory does not grow with the events, only with users (about 150 bytes each)
    and words; without, 44 bytes per event more.
    """
    known = _known(clean, options, vocabulary)
    made = _Growing(folder)
    rows = made.note_ids(read_rows(clean.path, known))
    for users in whole_users(rows, options.last_n, _looked_at_after(clean, options)):
        made.add(users)
    ids, per_user = made.ids(), made.per_user()
    inside = per_user["kept"] > 0
    made_by = options.to_dict() | {"seed": seed} | _given(vocabulary)
    return Sequences(
        user_ids=ids[inside],
        length=per_user["length"][inside],
        in_window=per_user["in_window"][inside],
        first_time=per_user["first_time"][inside],
        **made.per_event(known.session_gap),
        split=sides(ids[inside], options, seed),
        users_outside=int(np.count_nonzero(~inside)),
        events_outside=int(per_user["length"][~inside].sum()),
        vocabulary=known,
        scaling=options.scaling(),
        item_vectors=NO_VECTORS,
        query_vectors=NO_VECTORS,
        present=clean.present,
        fingerprint=fingerprint(clean.fingerprint, "sequences", VERSION, made_by),
    )


def take(sequences: Sequences, user_index: LongArray) -> Sequences:
    """The sequences of some users, in the order given; a user may be taken more than once.

    ``user_index`` holds positions in ``user_ids``, shape (V,), each in [0, U). The ids stay
    sorted only if the positions are. Users keep their side; those outside the days looked at
    are counted no more.
    """
    starts = sequences.offsets[:-1][user_index]
    sizes = sequences.offsets[1:][user_index] - starts
    offsets = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
    events = np.repeat(starts - offsets[:-1], sizes) + np.arange(offsets[-1])
    taken = hashlib.sha256(np.ascontiguousarray(user_index, dtype="<i8").tobytes()).hexdigest()
    parts: dict[str, Any] = {
        **{name: getattr(sequences, name)[events] for name in PER_EVENT},
        **{name: getattr(sequences, name)[user_index] for name in PER_USER},
    }
    return replace(
        sequences,
        offsets=offsets,
        users_outside=0,
        events_outside=0,
        fingerprint=fingerprint(sequences.fingerprint, "take", VERSION, {"users": taken}),
        **parts,
    )


def truncation(sequences: Sequences, options: SequenceOptions) -> tuple[CleaningStep, ...]:
    """How many events the days looked at, and the cut to the last ``last_n``, leave unseen.

    A step for each of the two that leaves anything out. Such events stay in the cleaned log, so
    the steps are "flagged" and take no part in the sums of the cleaning report.
    """
    in_window = sequences.in_window
    last_n, days = options.last_n, options.window_days
    each = "event of each user is" if last_n == 1 else f"{last_n:,} events of each user are"
    log = "day of the log is" if days == 1 else f"{days or 0:,} days of the log are"
    outside = counted(
        sequences.users_outside,
        "user has no event in that time and is left out",
        "users have no event in that time and are left out",
    )
    steps = (
        _unseen(
            "window",
            f"only the last {log} looked at" + (f"; {outside}" if sequences.users_outside else ""),
            sequences.length - in_window,
            (sequences.events_outside, sequences.users_outside),
        ),
        _unseen(
            "cut", f"only the last {each} looked at", in_window - np.diff(sequences.offsets), (0, 0)
        ),
    )
    return tuple(step for step in steps if step.rows)


def _unseen(rule: str, reason: str, events: LongArray, beside: tuple[int, int]) -> CleaningStep:
    """``events`` unseen per user, shape (U,), and events and users beside them."""
    return CleaningStep(
        rule=rule,
        reason=reason,
        effect="flagged",
        rows=int(events.sum()) + beside[0],
        users=int(np.count_nonzero(events)) + beside[1],
    )


class _Growing:
    """Sequences while the log is read: arrays that grow by a batch of whole users at a time."""

    def __init__(self, folder: Path | None) -> None:
        self._arrays = {name: GrowingArray(name, kind, folder) for name, kind in PER_EVENT.items()}
        self._users: list[Users] = []
        self._ids: list[pa.Array] = []

    def note_ids(self, rows: Iterator[Rows]) -> Iterator[Rows]:
        """Pass rows on, and remember whose they are."""
        for batch in rows:
            self._ids.append(batch.ids)
            yield batch

    def add(self, users: Users) -> None:
        """Append the events of whole users."""
        columns = users.columns
        for name in (*CODED, "duration", "price"):
            self._arrays[name].append(columns[name])
        self._arrays["time"].append(columns["moment"] // _SECOND)
        self._arrays["gap"].append(columns["gap"] / _SECOND)
        self._arrays["session"].append(columns["mark"])  # a visit's number follows at the end
        self._users.append(replace(users, columns={}))

    def ids(self) -> TextArray:
        """Every user, also those of whom nothing is kept."""
        return np.asarray(pa.chunked_array(self._ids, pa.string()).to_numpy(), dtype=object)

    def per_user(self) -> dict[str, LongArray]:
        """What is known of each user."""
        parts = self._users
        return {
            "kept": np.concatenate([part.kept for part in parts]),
            "length": np.concatenate([part.length for part in parts]),
            "in_window": np.concatenate([part.in_window for part in parts]),
            "first_time": np.concatenate([part.first_moment for part in parts]) // _SECOND,
        }

    def per_event(self, session_gap: float) -> dict[str, npt.NDArray[Any]]:
        """The offsets and the finished arrays, visits numbered."""
        kept = np.concatenate([part.kept for part in self._users])
        offsets = np.concatenate([[0], np.cumsum(kept[kept > 0], dtype=np.int64)])
        arrays = {name: growing.array() for name, growing in self._arrays.items()}
        for users in some_at_a_time(offsets):
            events = slice(int(offsets[users.start]), int(offsets[users.stop]))
            arrays["session"][events] = number_visits(
                arrays["session"][events],
                arrays["gap"][events],
                offsets[users.start : users.stop + 1] - events.start,
                session_gap,
            )
        return {"offsets": offsets, **arrays}


def some_at_a_time(offsets: LongArray) -> Iterator[slice]:
    """Users in order, about a million events at a time."""
    n_users, first = len(offsets) - 1, 0
    while first < n_users:
        enough = int(np.searchsorted(offsets, offsets[first] + _EVENTS_AT_ONCE, side="right")) - 1
        yield slice(first, last := min(max(enough, first + 1), n_users))
        first = last


def _known(
    clean: CleanEvents, options: SequenceOptions, vocabulary: Vocabulary | None
) -> Vocabulary:
    """The words and the pause to read the log by: those given, else those it shows."""
    asked = options.session_gap
    if vocabulary is not None:
        return vocabulary if asked == "auto" else replace(vocabulary, session_gap=asked)
    gap = suggest_session_gap(clean).minutes if asked == "auto" else asked
    return read_vocabulary(clean.path, options, gap)


def _looked_at_after(clean: CleanEvents, options: SequenceOptions) -> int | None:
    """The moment (microseconds) after which events are looked at; None for all of the log."""
    if options.window_days is None:
        return None
    with engine.connect() as connection:
        engine.open_events(connection, clean.path)
        found = connection.execute('SELECT epoch_us(max("time")) FROM events').fetchone()
    assert found is not None
    return int(found[0]) - options.window_days * _DAY


def _given(vocabulary: Vocabulary | None) -> dict[str, str]:
    """A vocabulary made earlier as part of what sequences were made by; nothing where none was."""
    if vocabulary is None:
        return {}
    words = {field.name: getattr(vocabulary, field.name) for field in fields(vocabulary)}
    return {"vocabulary": fingerprint("", "vocabulary", VERSION, words)}
