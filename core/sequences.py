"""Sequences: every user's events in time order, as flat arrays that stay on disk.

The coding of words, the gaps and the cut to the last events are one SQL text over whole users
(`SEQUENCES_SQL`); what arrives here are numbers with the place they belong to.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields, replace
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.artifacts import (
    NO_VECTORS,
    CleanEvents,
    CleaningStep,
    LongArray,
    Sequences,
    Vocabulary,
    fingerprint,
)
from core.events import engine
from core.options import Options, option

VERSION = 2
OTHER = "(other)"
"""The last word of a vocabulary that was cut short: all the rarer words together."""

_BATCH = 200_000
_VOCABULARIES = {
    "action": "actions",
    "category": "categories",
    "item": "items",
    "platform": "platforms",
}
"""Column to the vocabulary that codes it."""
_PER_EVENT: dict[str, npt.DTypeLike] = {
    "action": np.int32,
    "category": np.int32,
    "item": np.int32,
    "platform": np.int32,
    "time": np.int64,
    "gap": np.float32,
    "duration": np.float32,
    "price": np.float32,
}


@dataclass(frozen=True, kw_only=True)
class SequenceOptions(Options):
    """How much of a user's history is looked at, and in how many words it is told."""

    last_n: int = option(
        200,
        "Events per user",
        "Only the most recent events of a user are looked at",
        low=1,
        high=100_000,
        unit="events",
    )
    max_categories: int = option(
        200,
        "Categories",
        "The most frequent categories keep their name; the rest count as one, (other)",
        low=1,
        high=10_000,
        unit="categories",
    )
    max_items: int = option(
        50_000,
        "Items",
        "The most frequent items are told apart; the rest count as unknown",
        low=1,
        high=5_000_000,
        unit="items",
        expert=True,
    )
    max_actions: int = option(
        60,
        "Actions",
        "The most frequent actions (and platforms) keep their name; the rest count as one, (other)",
        low=1,
        high=1000,
        unit="actions",
        expert=True,
    )


USERS_SQL = """
CREATE TEMP TABLE users AS
SELECT "user", n_events, n_kept, first_time,
    CAST(sum(n_kept) OVER (ORDER BY "user" ROWS UNBOUNDED PRECEDING) AS BIGINT) - n_kept AS start
FROM (
    SELECT "user", count(*) AS n_events, least(count(*), $1) AS n_kept,
        epoch_us(min("time")) AS first_time
    FROM events GROUP BY "user"
)
"""
"""Every user with the place where the user's events begin in the flat arrays."""

_CODES = ", ".join(
    f'CASE WHEN e."{column}" IS NULL THEN 0 ELSE coalesce({column}_words.code, $rest_{column}) END'
    f' AS "{column}"'
    for column in _VOCABULARIES
)
_JOINS = " ".join(
    f'LEFT JOIN {column}_words ON e."{column}" = {column}_words.word' for column in _VOCABULARIES
)

SEQUENCES_SQL = f"""
WITH coded AS (
    SELECT users.start, users.n_events, users.n_kept, e.row, epoch_us(e."time") AS moment,
        e.duration, e.price, {_CODES}
    FROM events AS e JOIN users ON e."user" = users."user" {_JOINS}
), placed AS (
    SELECT *, moment - lag(moment) OVER history AS gap, row_number() OVER history AS place
    FROM coded WINDOW history AS (PARTITION BY start ORDER BY row)
)
SELECT start + place - 1 - (n_events - n_kept) AS slot, action, category, item, platform,
    moment, coalesce(gap, 0) AS gap, duration, price
FROM placed WHERE place > n_events - n_kept
"""
"""Every event that is kept, in codes, with its slot in the flat arrays; in no order.

Reads ``events`` (rows numbered in time order within a user), ``users`` and one table of words
per coded column. ``gap`` is in microseconds, since the event before, even one that is cut off.
Parameters: ``rest_*``, the code of words that are not in the vocabulary.
"""


def build(
    clean: CleanEvents, options: SequenceOptions, vocabulary: Vocabulary | None = None
) -> Sequences:
    """The last events of every user, as numbers; users sorted by id.

    ``length`` counts a user's events before the cut to ``last_n``, and ``first_time`` is that of
    the very first of them. The gap of the first event
    kept is the true one, to the event before it that was cut off; it is 0 only where the user's
    history begins.

    Words are ordered by frequency in the whole cleaned log, falling, ties by word. Where actions,
    categories or platforms are cut short, `OTHER` becomes their last word and stands for all
    rarer ones; items that are cut off are unknown (0), as nobody can be offered "other".

    With a ``vocabulary`` made earlier (new users), a word it lacks gets the code of `OTHER`
    where the vocabulary ends with it, since so it would have been coded then, and 0 elsewhere.

    Nothing is random. About 50 bytes of memory per event kept, and what the engine may use.
    """
    with engine.connect() as connection:
        engine.open_events(connection, clean.path)
        known = vocabulary or _vocabulary(connection, options)
        connection.execute(USERS_SQL, [options.last_n])
        for column, name in _VOCABULARIES.items():
            connection.register(f"{column}_words", _codes(getattr(known, name)))
        users = connection.sql(
            'SELECT "user", n_events, n_kept, first_time FROM users ORDER BY "user"'
        ).to_arrow_table()
        offsets = np.concatenate([[0], np.cumsum(users["n_kept"].to_numpy(), dtype=np.int64)])
        arrays = _fill(connection, known, int(offsets[-1]))
    made_by = options.to_dict() | ({} if vocabulary is None else {"vocabulary": _digest(known)})
    return Sequences(
        user_ids=users["user"].to_numpy(zero_copy_only=False),
        offsets=offsets,
        **arrays,
        query=np.zeros(int(offsets[-1]), np.int32),
        length=users["n_events"].to_numpy().astype(np.int64),
        first_time=users["first_time"].to_numpy().astype(np.int64) // 1_000_000,
        vocabulary=known,
        item_vectors=NO_VECTORS,
        query_vectors=NO_VECTORS,
        present=clean.present,
        fingerprint=fingerprint(clean.fingerprint, "sequences", VERSION, made_by),
    )


def take(sequences: Sequences, user_index: LongArray) -> Sequences:
    """The sequences of some users, in the order given; a user may be taken more than once.

    ``user_index`` holds positions in ``user_ids``, shape (V,), each in [0, U). The ids stay
    sorted only if the positions are.
    """
    starts = sequences.offsets[:-1][user_index]
    sizes = sequences.offsets[1:][user_index] - starts
    offsets = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
    events = np.repeat(starts - offsets[:-1], sizes) + np.arange(offsets[-1])
    taken = hashlib.sha256(np.ascontiguousarray(user_index, dtype="<i8").tobytes()).hexdigest()
    per_event: dict[str, Any] = {name: getattr(sequences, name)[events] for name in _PER_EVENT}
    return replace(
        sequences,
        user_ids=sequences.user_ids[user_index],
        length=sequences.length[user_index],
        first_time=sequences.first_time[user_index],
        offsets=offsets,
        fingerprint=fingerprint(sequences.fingerprint, "take", VERSION, {"users": taken}),
        **per_event,
    )


def truncation(sequences: Sequences, last_n: int) -> CleaningStep | None:
    """How many events the cut to the last ``last_n`` left unseen, and of how many users.

    None where every user's whole history is looked at. Such events stay in the cleaned log, so
    the step is "flagged" and takes no part in the sums of the cleaning report.
    """
    unseen = sequences.length - np.diff(sequences.offsets)
    if not unseen.any():
        return None
    seen = "event of each user is" if last_n == 1 else f"{last_n:,} events of each user are"
    return CleaningStep(
        rule="cut",
        reason=f"only the last {seen} looked at",
        effect="flagged",
        rows=int(unseen.sum()),
        users=int(np.count_nonzero(unseen)),
    )


def _vocabulary(connection: duckdb.DuckDBPyConnection, options: SequenceOptions) -> Vocabulary:
    return Vocabulary(
        actions=_words(connection, "action", options.max_actions, with_rest=True),
        categories=_words(connection, "category", options.max_categories, with_rest=True),
        items=_words(connection, "item", options.max_items, with_rest=False),
        platforms=_words(connection, "platform", options.max_actions, with_rest=True),
        queries=(),
    )


def _words(
    connection: duckdb.DuckDBPyConnection, column: str, limit: int, *, with_rest: bool
) -> tuple[str, ...]:
    """The most frequent words of a column; `OTHER` after them where some did not fit."""
    found = connection.execute(
        f'SELECT "{column}" AS word FROM events WHERE word IS NOT NULL '
        "GROUP BY word ORDER BY count(*) DESC, word LIMIT $1",
        [limit + 1],
    ).fetchall()
    words = tuple(word for (word,) in found)
    if len(words) <= limit:
        return words
    # a word of the log that reads the same joins the rest, for no word stands twice
    return (*(w for w in words[:limit] if w != OTHER), OTHER) if with_rest else words[:limit]


def _codes(words: tuple[str, ...]) -> pa.Table:
    codes = pa.array(np.arange(1, len(words) + 1, dtype=np.int32))
    return pa.table({"word": pa.array(words, pa.string()), "code": codes})


def _fill(
    connection: duckdb.DuckDBPyConnection, vocabulary: Vocabulary, n_events: int
) -> dict[str, npt.NDArray[Any]]:
    """Put every event where it belongs, batch by batch as they come."""
    arrays = {name: np.empty(n_events, dtype) for name, dtype in _PER_EVENT.items()}
    rest = {
        f"rest_{column}": _rest_code(getattr(vocabulary, name))
        for column, name in _VOCABULARIES.items()
    }
    for batch in connection.sql(SEQUENCES_SQL, params=rest).to_arrow_reader(_BATCH):
        read = {n: batch[n].to_numpy(zero_copy_only=False) for n in batch.schema.names}
        slot = read["slot"]
        arrays["time"][slot] = read["moment"] // 1_000_000
        arrays["gap"][slot] = read["gap"] / 1_000_000
        for name in (*_VOCABULARIES, "duration", "price"):
            arrays[name][slot] = read[name]
    return arrays


def _rest_code(words: tuple[str, ...]) -> int:
    """Code of words that the vocabulary lacks."""
    return len(words) if words and words[-1] == OTHER else 0


def _digest(vocabulary: Vocabulary) -> str:
    words = {field.name: getattr(vocabulary, field.name) for field in fields(vocabulary)}
    return fingerprint("", "vocabulary", VERSION, words)
