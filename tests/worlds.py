"""Tiny sequences, written event by event, for tests that know the right answer."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from core.artifacts import (
    FIT,
    NO_VECTORS,
    NOISE,
    TEST,
    VALIDATE,
    Labels,
    Sequences,
    Vocabulary,
)
from core.evaluation.worlds import N_ACTIONS, N_CATEGORIES, World
from core.sequences import SequenceOptions

DAWN = 1_735_689_600
"""2025-01-01 00:00 UTC."""

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
    gap[offsets[:-1][np.diff(offsets) > 0]] = 0
    prices = [event[4] for event in events]
    begun = {user: int(users[user][0][3]) if users[user] else 0 for user in ids}
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
        first_time=np.array([(firsts or begun).get(u, begun[u]) for u in ids], dtype=np.int64),
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


def sequences_of(world: World, seed: int = 0) -> Sequences:
    """The log of a simulated world as sequences; users 70/15/15 to fit, to watch and to test on."""
    log, n_users = world.log, len(world.truth)
    rng = np.random.default_rng([seed, 5])
    arrived = DAWN + rng.integers(0, 20 * 86_400, n_users)
    since, visits = np.cumsum(log.gap), np.cumsum(log.breaks)
    begun = log.offsets[:-1][log.user]
    return bare_sequences(
        list(world.user_ids()),
        log.offsets,
        action=(log.action + 1).astype(np.int32),
        category=(log.category + 1).astype(np.int32),
        session=(visits - visits[begun]).astype(np.int32),
        time=(arrived[log.user] + since - since[begun]).astype(np.int64),
        gap=log.gap.astype(np.float32),
        price=log.price.astype(np.float32),
        first_time=arrived,
        split=rng.choice([FIT, VALIDATE, TEST], n_users, p=[0.7, 0.15, 0.15]).astype(np.int8),
        vocabulary=vocabulary_of(
            actions=tuple(f"action {i}" for i in range(N_ACTIONS)),
            categories=tuple(f"category {i}" for i in range(N_CATEGORIES)),
        ),
        present=("user", "time", "action", "category", "price"),
    )
