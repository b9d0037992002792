"""Tiny sequences, written event by event, for tests that know the right answer."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from core.artifacts import NO_VECTORS, NOISE, Labels, Sequences, Vocabulary

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
    return Sequences(
        user_ids=np.array(ids, dtype=object),
        offsets=offsets.astype(np.int64),
        **{
            name: np.array([_code(words[i], e[i]) for e in events], dtype=np.int32)
            for i, name in enumerate(named)
        },
        platform=np.zeros(len(events), dtype=np.int32),
        query=np.zeros(len(events), dtype=np.int32),
        time=times,
        gap=gap,
        duration=np.full(len(events), np.nan, dtype=np.float32),
        price=np.array([np.nan if p is None else p for p in prices], dtype=np.float32),
        length=np.array([(lengths or {}).get(u, len(users[u])) for u in ids], dtype=np.int64),
        first_time=np.array([(firsts or {}).get(u, users[u][0][3]) for u in ids], dtype=np.int64),
        vocabulary=Vocabulary(
            actions=words[0], categories=words[1], items=words[2], platforms=(), queries=()
        ),
        item_vectors=NO_VECTORS,
        query_vectors=NO_VECTORS,
        present=("user", "time", *present, *(["price"] if any(prices) else [])),
        fingerprint="s" * 64,
    )


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
