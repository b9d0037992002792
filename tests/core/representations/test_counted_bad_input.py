"""Logs that are hard on whatever counts: each must give finite numbers, or an error in words."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from core.artifacts import Sequences
from core.errors import TooLittleData
from core.representations import REPRESENTATIONS, represent, transform
from core.representations._base import Work
from tests.worlds import bare_sequences, vocabulary_of

COUNTED = [name for name, entry in REPRESENTATIONS.items() if not entry.learned]
DAY = 86_400


def log(lengths: np.ndarray, n_actions: int = 3, seed: int = 0) -> Sequences:
    rng = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    n = int(offsets[-1])
    gap = rng.exponential(600, n).astype(np.float32)
    gap[offsets[:-1][lengths > 0]] = 0
    words = tuple(f"a{i}" for i in range(n_actions))
    return bare_sequences(
        [f"u{i:04d}" for i in range(len(lengths))],
        offsets,
        action=rng.integers(1, n_actions + 1, n).astype(np.int32),
        category=rng.integers(0, 5, n).astype(np.int32),
        item=rng.integers(0, 20, n).astype(np.int32),
        gap=gap,
        time=(1_767_571_200 + np.cumsum(gap)).astype(np.int64),
        price=rng.lognormal(2, 1, n).astype(np.float32),
        first_time=np.full(len(lengths), 1_767_571_200),
        vocabulary=vocabulary_of(
            actions=words, categories=tuple("abcd"), items=tuple(str(i) for i in range(19))
        ),
    )


def one_action() -> Sequences:
    return log(np.full(300, 8), n_actions=1)


def one_category_per_user() -> Sequences:
    sequences = log(np.full(300, 8))
    return replace(sequences, category=(1 + sequences.user_of_event() % 4).astype(np.int32))


def whole_days() -> Sequences:
    sequences = log(np.full(300, 8))
    place = np.arange(sequences.n_events) % 8
    gap = np.where((place > 0) & (place % 2 == 0), float(DAY), 0.0).astype(np.float32)
    time = 1_767_571_200 + DAY * (place // 2)
    return replace(sequences, gap=gap, time=time, session=(place // 2).astype(np.int32))


def one_event_users() -> Sequences:
    return log(np.ones(300, dtype=np.int64))


def one_user() -> Sequences:
    return log(np.array([7]))


def missing_and_absurd_numbers() -> Sequences:
    sequences = log(np.full(300, 8))
    rng = np.random.default_rng(1)
    odd = np.array([np.nan, np.inf, -np.inf, -5, 0, 1e30], np.float32)
    numbers = {name: rng.choice(odd, sequences.n_events) for name in ("price", "duration", "gap")}
    return replace(sequences, **numbers)


def a_very_long_history() -> Sequences:
    return log(np.array([100_000, *([6] * 300)]))


HARD = [
    one_action,
    one_category_per_user,
    whole_days,
    one_event_users,
    one_user,
    missing_and_absurd_numbers,
    a_very_long_history,
]


@pytest.mark.parametrize("method", COUNTED)
@pytest.mark.parametrize("hard", HARD)
def test_hard_logs_give_finite_numbers_and_new_users_theirs(
    method: str, hard: Callable[[], Sequences]
) -> None:
    sequences = hard()
    found = represent(sequences, method, REPRESENTATIONS[method].Options(), Work())
    assert found.values.shape[0] == sequences.n_users
    assert found.values.shape[1] >= 1
    assert np.isfinite(found.values).all()
    again = transform(method, found.state, log(np.array([3, 0, 1, 40]), seed=9))
    assert again.shape == (4, found.values.shape[1])
    assert np.isfinite(again).all()
    assert all(np.isfinite(v).all() for v in found.state.values() if v.dtype.kind == "f")


@pytest.mark.parametrize("method", COUNTED)
def test_without_any_event_there_are_finite_numbers_or_an_error_in_words(method: str) -> None:
    sequences = log(np.zeros(5, dtype=np.int64))
    try:
        found = represent(sequences, method, REPRESENTATIONS[method].Options(), Work())
    except TooLittleData as refused:
        assert "so there is nothing to compare." in str(refused)
    else:
        assert np.isfinite(found.values).all()


@pytest.mark.parametrize("method", COUNTED)
def test_codes_that_were_not_fitted_count_as_unknown(method: str) -> None:
    sequences = log(np.full(300, 8))
    found = represent(sequences, method, REPRESENTATIONS[method].Options(), Work())
    unknown = np.zeros(sequences.n_events, np.int32)
    codes = ("action", "category", "item", "query", "platform")
    beyond = replace(sequences, **dict.fromkeys(codes, unknown + 9_999))
    nothing = replace(sequences, **dict.fromkeys(codes, unknown))
    np.testing.assert_array_equal(
        transform(method, found.state, beyond), transform(method, found.state, nothing)
    )


@pytest.mark.parametrize("method", COUNTED)
def test_a_very_long_history_outweighs_nobody(method: str) -> None:
    usual = represent(log(np.full(300, 8)), method, REPRESENTATIONS[method].Options(), Work())
    long = a_very_long_history()
    found = represent(long, method, REPRESENTATIONS[method].Options(), Work())
    limit = 4 * np.linalg.norm(usual.values, axis=1).max() + 4
    assert np.linalg.norm(found.values[0]) < limit
