"""Tiny sequences, written event by event, for tests that know the right answer."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from core.artifacts import FIT, NO_VECTORS, NOISE, Labels, Sequences, Vocabulary
from core.sequences import SequenceOptions

Event = tuple[str | None, str | None, str | None, float, float | None]
"""(action, category, item, time in seconds, price)"""


def tiny_sequences(
    users: Mapping[str, Sequence[Event]],
    lengths: Mapping[str, int] | None = None,
    firsts: Mapping[str, int] | None = None,
) -> Sequences:
    """Sequences of the users' events; words by frequency.

    ``lengths`` and ``firsts``: number of events, and time of the first, before an earlier cut.
    """
    ids = sorted(users)
    events = [event for user in ids for event in users[user]]
    words = [_words([event[column] for event in events]) for column in range(3)]
    offsets = np.concatenate([[0], np.cumsum([len(users[user]) for user in ids])])
    times = np.array([event[3] for event in events], dtype=np.int64)
    gap = np.diff(times, prepend=times[:1]).astype(np.float32)
    gap[offsets[:-1]] = 0
    prices = [event[4] for event in events]
    named = ("action", "category", "item")
    present = [name for name, some in zip(named, words, strict=True) if some]
    return bare_sequences(
        ids,
        offsets,
        **{
            name: np.array([_code(words[i], e[i]) for e in events], dtype=np.int32)
            for i, name in enumerate(named)
        },
        time=times,
        gap=gap,
        price=np.array([np.nan if p is None else p for p in prices], dtype=np.float32),
        length=np.array([(lengths or {}).get(u, len(users[u])) for u in ids], dtype=np.int64),
        first_time=np.array([(firsts or {}).get(u, users[u][0][3]) for u in ids], dtype=np.int64),
        vocabulary=vocabulary_of(actions=words[0], categories=words[1], items=words[2]),
        present=("user", "time", *present, *(["price"] if any(prices) else [])),
    )


def bare_sequences(user_ids: Sequence[str], offsets: Sequence[int], **known: Any) -> Sequences:
    """Sequences of which nothing is known but what is given: no words, no numbers, time 0.

    Nothing was cut off before; all users are to be fitted; numbers are scaled by default.
    """
    n_users, n_events = len(user_ids), int(offsets[-1])
    lengths = known.get("length", np.diff(offsets))
    codes = ("action", "category", "item", "platform", "query", "session")
    return Sequences(
        **{
            "user_ids": np.array(user_ids, dtype=object),
            "offsets": np.asarray(offsets, dtype=np.int64),
            **{name: np.zeros(n_events, dtype=np.int32) for name in codes},
            "time": np.zeros(n_events, dtype=np.int64),
            "gap": np.zeros(n_events, dtype=np.float32),
            "duration": np.full(n_events, np.nan, dtype=np.float32),
            "price": np.full(n_events, np.nan, dtype=np.float32),
            "length": np.asarray(lengths, dtype=np.int64),
            "in_window": np.asarray(lengths, dtype=np.int64),
            "first_time": np.zeros(n_users, dtype=np.int64),
            "split": np.full(n_users, FIT, dtype=np.int8),
            "users_outside": 0,
            "events_outside": 0,
            "vocabulary": vocabulary_of(),
            "item_vectors": NO_VECTORS,
            "query_vectors": NO_VECTORS,
            "scaling": SequenceOptions().scaling(),
            "present": ("user", "time"),
            "fingerprint": "s" * 64,
            **known,
        }
    )


def vocabulary_of(**words: tuple[str, ...]) -> Vocabulary:
    """A vocabulary of the words given, and none of any other kind."""
    none = {f.name: () for f in fields(Vocabulary)} | {"session_gap": 30.0}
    return Vocabulary(**none | words)


def tiny_labels(sequences: Sequences, segment_of: Mapping[str, int]) -> Labels:
    """Every user's segment, by user id; full confidence but for noise."""
    values = np.array([segment_of[user] for user in sequences.user_ids], dtype=np.int32)
    return Labels(
        user_ids=sequences.user_ids,
        values=values,
        confidence=(values != NOISE).astype(np.float32),
        n_clusters=int(values.max()) + 1,
        method="literal",
        loss_trace=(),
        best_restart=0,
        state={},
        fingerprint="l" * 64,
    )


def _words(column: Sequence[str | None]) -> tuple[str, ...]:
    counts = Counter(word for word in column if word is not None)
    return tuple(sorted(counts, key=lambda word: (-counts[word], word)))


def _code(words: tuple[str, ...], word: str | None) -> int:
    return 0 if word is None else words.index(word) + 1
