"""Sequences for the tests, made of literal events or drawn from worlds whose truth is known."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.artifacts import FIT, Sequences
from tests.worlds import bare_sequences, vocabulary_of

SequencesOf = Callable[..., Sequences]
MONDAY = 1_767_571_200
"""Midnight of 5 January 2026, UTC."""


def _coded(words: list[str | None]) -> tuple[Any, tuple[str, ...]]:
    vocabulary = tuple(sorted({w for w in words if w is not None}))
    return np.array([vocabulary.index(w) + 1 if w else 0 for w in words], np.int32), vocabulary


def _sequences(
    users: Mapping[str, list[dict[str, Any]]], sides: Mapping[str, int] | None = None
) -> Sequences:
    """Events are dicts with action, category, platform, gap (default 60), duration, price.

    ``sides`` of the users; FIT where none is given.
    """
    ids = sorted(users)
    events = [event for user in ids for event in users[user]]
    lengths = np.array([len(users[user]) for user in ids], dtype=np.int64)
    first = [place == 0 for user in ids for place in range(len(users[user]))]
    gap = np.array(
        [0 if f else e.get("gap", 60) for e, f in zip(events, first, strict=True)], np.float32
    )
    time = [
        MONDAY + sum(e.get("gap", 60) for e in users[u][1 : i + 1])
        for u in ids
        for i in range(len(users[u]))
    ]
    action, actions = _coded([e.get("action", "view") for e in events])
    category, categories = _coded([e.get("category") for e in events])
    platform, platforms = _coded([e.get("platform") for e in events])
    return bare_sequences(
        ids,
        np.concatenate([[0], np.cumsum(lengths)]),
        action=action,
        category=category,
        platform=platform,
        time=np.array(time, dtype=np.int64),
        gap=gap,
        duration=np.array([e.get("duration", np.nan) for e in events], np.float32),
        price=np.array([e.get("price", np.nan) for e in events], np.float32),
        first_time=np.full(len(ids), MONDAY, dtype=np.int64),
        split=np.array([(sides or {}).get(u, FIT) for u in ids], dtype=np.int8),
        vocabulary=vocabulary_of(actions=actions, categories=categories, platforms=platforms),
        present=("user", "time", "action"),
    )


@pytest.fixture
def sequences_of() -> SequencesOf:
    """Make sequences of ``{user: [event, ...]}``."""
    return _sequences


@pytest.fixture
def of_actions() -> SequencesOf:
    """Make sequences of ``{user: "a b c"}``, a minute between events."""
    return lambda users, sides=None: _sequences(
        {user: [{"action": a} for a in line.split()] for user, line in users.items()}, sides
    )


@pytest.fixture
def with_arrays() -> Callable[..., Sequences]:
    """Replace arrays of sequences."""
    return replace
