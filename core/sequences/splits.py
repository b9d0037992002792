"""Who is fitted on and who judged, and where the future begins: decided here, once.

A user's side hangs on the user's id and the seed alone, so it stays when the log grows, is
sorted anew or loses users.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np

from core.artifacts import (
    FIT,
    TEST,
    VALIDATE,
    CleanEvents,
    LongArray,
    Sequences,
    SideArray,
    Splits,
    TextArray,
    fingerprint,
)
from core.events import engine
from core.sequences.options import SequenceOptions
from core.wording import counted

VERSION = 1

_DAY = 86_400
_SHORTEST_SPAN = 4 * _DAY
"""With less, the future would be shorter than a day, and only tell the time of day."""
_SHORTEST_PAST = 3 * _DAY
_FEWEST_USERS = 30
"""Users on both sides of a cut, below which no mean over them says anything."""


def split(log: Sequences | CleanEvents, options: SequenceOptions, seed: int) -> Splits:
    """The side of every user, by id, and the cuts in time.

    Sides are drawn with the shares of the options; T1 is the last ``future_share`` of the time
    looked at, and the inner cut the same share of T0. A cut is None, and the note says why,
    where the span is under 4 days (3 for the inner cut) or fewer than 30 users have events on
    both sides of it. Of sequences, only the events kept are known between their users' first
    and last; of a cleaned log all. The sides are the same for both, but a cleaned log also has
    the users without an event in the days looked at.
    """
    if isinstance(log, Sequences):
        ids, span, returning = log.user_ids, _span(log, options), _returning_in_sequences(log)
        cut, inner_cut, note = _cuts(span, returning, options)
    else:
        with engine.connect() as connection:
            engine.open_events(connection, log.path)
            ids, span = _users_and_span(connection, options)
            cut, inner_cut, note = _cuts(span, _returning_in_log(connection), options)
    made_by = options.to_dict() | {"seed": seed}
    return Splits(
        user=sides(ids, options, seed),
        cut=cut,
        inner_cut=inner_cut,
        note=note,
        fingerprint=fingerprint(log.fingerprint, "split", VERSION, made_by),
    )


def sides(user_ids: TextArray, options: SequenceOptions, seed: int) -> SideArray:
    """FIT, VALIDATE or TEST for every user, shape (U,); about 0.7 s per million users.

    By a keyed hash, which spreads ids evenly however alike they are. Test users are drawn
    first: they stay the same when the share of validation users is changed.
    """
    key = str(seed).encode()
    digests = b"".join(
        hashlib.blake2b(user.encode(), digest_size=8, key=key).digest() for user in user_ids
    )
    place = np.frombuffer(digests, dtype="<u8") / 2.0**64  # even in [0, 1)
    side = np.full(len(user_ids), FIT, dtype=np.int8)
    side[place < options.test_share + options.validate_share] = VALIDATE
    side[place < options.test_share] = TEST
    return side


@dataclass(frozen=True, kw_only=True)
class _Span:
    """Seconds of the first and the last event that is looked at."""

    first: int
    last: int


_Returning = Callable[[int, int, int], int]
"""How many users have events both in [start, cut) and in [cut, end)."""


def _cuts(
    span: _Span, returning: _Returning, options: SequenceOptions
) -> tuple[int | None, int | None, str]:
    share, end = options.future_share, span.last + 1
    if span.last - span.first < _SHORTEST_SPAN:
        return None, None, _too_short("The log covers", span.last - span.first)
    cut = round(span.last - share * (span.last - span.first))
    if (n_users := returning(span.first, cut, end)) < _FEWEST_USERS:
        return None, None, _too_few(n_users, "before and in the last part of the log")
    if cut - span.first < _SHORTEST_PAST:
        return cut, None, _too_short("The time before the future covers", cut - span.first)
    inner_cut = round(cut - share * (cut - span.first))
    if (n_users := returning(span.first, inner_cut, cut)) < _FEWEST_USERS:
        return cut, None, _too_few(n_users, "on both sides of the inner cut")
    return cut, inner_cut, ""


def _too_short(what: str, seconds: int) -> str:
    return f"{what} {seconds / _DAY:.1f} days, too short for a future to judge by."


def _too_few(n_users: int, where: str) -> str:
    return (
        f"Only {counted(n_users, 'user has', 'users have')} events {where}; with fewer than "
        f"{_FEWEST_USERS} a future says nothing."
    )


def _span(sequences: Sequences, options: SequenceOptions) -> _Span:
    times = sequences.time
    last = int(times.max()) if len(times) else 0
    first = int(sequences.first_time.min()) if len(times) else 0
    return _Span(first=_opened(first, last, options), last=last)


def _opened(first: int, last: int, options: SequenceOptions) -> int:
    return first if options.window_days is None else max(first, last - options.window_days * _DAY)


def _returning_in_sequences(sequences: Sequences) -> _Returning:
    def count(start: int, cut: int, end: int) -> int:
        before = _users_within(sequences, start, cut)
        # the first event counts even where it was cut off
        before |= (sequences.first_time >= start) & (sequences.first_time < cut)
        return int(np.count_nonzero(before & _users_within(sequences, cut, end)))

    return count


def _users_within(sequences: Sequences, start: int, end: int) -> Any:
    """Whether a user has an event in [start, end), shape (U,)."""
    within = np.flatnonzero((sequences.time >= start) & (sequences.time < end))
    user: LongArray = np.searchsorted(sequences.offsets, within, side="right") - 1
    met = np.zeros(sequences.n_users, dtype=bool)
    met[user] = True
    return met


def _users_and_span(
    connection: duckdb.DuckDBPyConnection, options: SequenceOptions
) -> tuple[TextArray, _Span]:
    users = connection.sql(
        'SELECT "user", epoch_us(min("time")) AS first, epoch_us(max("time")) AS last '
        'FROM events GROUP BY "user" ORDER BY "user"'
    ).to_arrow_table()
    first, last = (users[n].to_numpy() // 1_000_000 for n in ("first", "last"))
    end = int(last.max())
    span = _Span(first=_opened(int(first.min()), end, options), last=end)
    return users["user"].to_numpy(zero_copy_only=False), span


def _returning_in_log(connection: duckdb.DuckDBPyConnection) -> _Returning:
    def count(start: int, cut: int, end: int) -> int:
        found = connection.execute(
            "SELECT count(*) FROM (SELECT 1 FROM "
            '(SELECT "user", epoch_us("time") AS moment FROM events) '
            'WHERE moment >= $start AND moment < $end GROUP BY "user" '
            "HAVING bool_or(moment < $cut) AND bool_or(moment >= $cut))",
            {"start": start * 10**6, "cut": cut * 10**6, "end": end * 10**6},
        ).fetchone()
        assert found is not None
        return int(found[0])

    return count
