"""One pass over a cleaned log: the last events of every user, in codes, as they stand in it.

The log is ordered by user and time, so a user's gaps are differences of neighbours and a user's
last events are the end of a run of rows. Batches of rows come in, batches of whole users go out;
memory holds one batch, and the last events of the user that is not finished yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from core.artifacts import LongArray, Vocabulary
from core.sequences.batches import NUMBERS, read_batches, word_of_row
from core.sequences.words import CODED, Coder

SAME_VISIT, NEW_VISIT, BY_PAUSE = 0, 1, 2
"""What the log itself says of an event's visit; by the pause where it does not name it."""

Columns = Mapping[str, npt.NDArray[Any]]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Rows:
    """A batch of rows in codes; the events of a user stand together, in time order."""

    columns: Columns
    """A code per word, ``moment`` and ``gap`` in microseconds, the numbers as float32, and
    ``mark``: what the log says of the visit."""
    begins: BoolArray  # (rows,) whether a user's history begins here
    ids: pa.Array
    """Ids of the users that begin in this batch, in order."""


@dataclass(frozen=True, kw_only=True)
class Users:
    """V users as a whole: the events of theirs that are kept, and what is known of each."""

    columns: Columns  # (E,) each, as in `Rows`
    kept: LongArray  # (V,) how many of the events are the user's
    in_window: LongArray  # (V,) events that are not too old
    length: LongArray  # (V,) all events
    first_moment: LongArray  # (V,) microseconds


def read_rows(path: Path, vocabulary: Vocabulary) -> Iterator[Rows]:
    """The rows of a cleaned log in codes, in the order of the file."""
    coders = {name: Coder(name, vocabulary) for name in CODED}
    before = _RowBefore()
    for batch in read_batches(path, ["user", "time", "session", *CODED, *NUMBERS]):
        users, moment = batch["user"], _moments(batch["time"])
        begins, gap = before.user_begins(users), before.gaps(moment)
        gap[begins] = 0
        yield Rows(
            columns={
                **{name: coder.codes(batch[name]) for name, coder in coders.items()},
                **{name: _floats(batch[name]) for name in NUMBERS},
                "moment": moment,
                "gap": gap,
                "mark": before.marks(batch["session"]),
            },
            begins=begins,
            ids=users.dictionary.take(users.indices.filter(pa.array(begins))),
        )


def read_gaps(batches: Iterator[pa.RecordBatch]) -> Iterator[LongArray]:
    """Microseconds between neighbouring events of a user, of users and times in order."""
    before = _RowBefore()
    for batch in batches:
        users = batch["user"]
        coded = users if pa.types.is_dictionary(users.type) else users.dictionary_encode()
        begins = before.user_begins(coded)
        yield before.gaps(_moments(batch["time"]))[~begins]


def read_moments(path: Path) -> Iterator[pa.RecordBatch]:
    """User and time of every row of a cleaned log, in the order of the file."""
    return read_batches(path, ["user", "time"])


def whole_users(rows: Iterator[Rows], last_n: int, after: int | None) -> Iterator[Users]:
    """The last ``last_n`` events of every user, and none up to the moment ``after``."""
    tail = _Tail(last_n=last_n, after=after)
    for batch in rows:
        columns, starts = tail.joined(batch)
        ends = np.append(starts[1:], len(columns["moment"]))
        if len(starts) > 1:
            finished = {name: values[: starts[-1]] for name, values in columns.items()}
            yield tail.finish(finished, starts[:-1], ends[:-1])
        tail.remember({name: values[starts[-1] :] for name, values in columns.items()})
    if tail.columns:
        end = np.array([len(tail.columns["moment"])])
        yield tail.finish(tail.columns, np.zeros(1, dtype=np.int64), end)


class _RowBefore:
    """What must be known of the row before a batch to judge the first row in it."""

    def __init__(self) -> None:
        self._user: Any = None
        self._session: Any = None
        self._moment: int | None = None

    def user_begins(self, users: pa.DictionaryArray) -> BoolArray:
        """Whether a row is of another user than the row before it."""
        word = word_of_row(users)
        begins = np.empty(len(word), dtype=bool)
        np.not_equal(word[1:], word[:-1], out=begins[1:])
        begins[0] = users[0].as_py() != self._user
        self._user = users[-1].as_py()
        return begins

    def gaps(self, moment: LongArray) -> LongArray:
        """Microseconds since the row before, whoever's it is; 0 at the very first row."""
        gap = np.diff(moment, prepend=moment[0] if self._moment is None else self._moment)
        self._moment = int(moment[-1])
        return gap

    def marks(self, sessions: pa.DictionaryArray) -> npt.NDArray[np.int32]:
        """Whether a row is of another visit than the row before; by the pause if one is unnamed."""
        word, nameless = word_of_row(sessions), len(sessions.dictionary)
        mark = np.empty(len(word), dtype=np.int32)
        mark[1:] = np.where(word[1:] != word[:-1], NEW_VISIT, SAME_VISIT)
        mark[1:][(word[1:] == nameless) | (word[:-1] == nameless)] = BY_PAUSE
        first = sessions[0].as_py()
        same = SAME_VISIT if first == self._session else NEW_VISIT
        mark[0] = BY_PAUSE if first is None or self._session is None else same
        self._session = sessions[-1].as_py()
        return mark


class _Tail:
    """The last events of a user that is not finished, and how many came before them."""

    def __init__(self, *, last_n: int, after: int | None) -> None:
        self.columns: Columns = {}
        self._last_n = last_n
        self._after = after
        self._first_moment = 0
        self._length = self._in_window = 0  # of the events that are forgotten

    def joined(self, batch: Rows) -> tuple[Columns, LongArray]:
        """The events remembered and those of the batch, and where in them each user starts."""
        starts = np.flatnonzero(batch.begins)
        if not self.columns:
            return batch.columns, starts
        n = len(self.columns["moment"])
        columns = {
            name: np.concatenate([self.columns[name], values])
            for name, values in batch.columns.items()
        }
        return columns, np.append(0, starts + n)

    def finish(self, columns: Columns, starts: LongArray, ends: LongArray) -> Users:
        """Cut whole users to what is kept; the first of them is the one that was remembered."""
        length, first_moment = ends - starts, columns["moment"][starts]
        in_window = self._recent(columns, starts)
        kept = np.minimum(in_window, self._last_n)
        if (kept < length).any():
            from_end = np.repeat(ends, length) - np.arange(len(columns["moment"]))
            stays = from_end <= np.repeat(kept, length)
            columns = {name: values[stays] for name, values in columns.items()}
        if self._length:
            length[0] += self._length
            in_window[0] += self._in_window
            first_moment[0] = self._first_moment
            self._length = self._in_window = 0
        return Users(
            columns=columns,
            kept=kept,
            in_window=in_window,
            length=length,
            first_moment=first_moment,
        )

    def remember(self, columns: Columns) -> None:
        """Keep the last events of the user whose end has not been seen."""
        if not self._length:
            self._first_moment = int(columns["moment"][0])
        excess = max(0, len(columns["moment"]) - self._last_n)
        if excess:
            forgotten = {"moment": columns["moment"][:excess]}
            self._length += excess
            self._in_window += int(self._recent(forgotten, np.zeros(1, dtype=np.int64))[0])
        # copied, so that the batch they are cut from can go
        self.columns = {name: values[excess:].copy() for name, values in columns.items()}

    def _recent(self, columns: Columns, starts: LongArray) -> LongArray:
        """How many events of each user are not too old."""
        if self._after is None:
            return np.diff(starts, append=len(columns["moment"]))
        recent = columns["moment"] > self._after
        return np.add.reduceat(recent, starts, dtype=np.int64)


def _moments(times: pa.Array) -> LongArray:
    """Microseconds since 1970-01-01 UTC."""
    moments: LongArray = times.cast(pa.timestamp("us")).cast(pa.int64()).to_numpy()
    return moments


def _floats(numbers: pa.Array) -> npt.NDArray[np.float32]:
    """As float32, NaN where missing."""
    filled = pc.fill_null(numbers, float("nan")) if numbers.null_count else numbers
    return np.asarray(filled.to_numpy(), dtype=np.float32)
