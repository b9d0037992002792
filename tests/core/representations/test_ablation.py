"""What order carries, on worlds in which it carries nothing, everything, or something."""

from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose

from core.artifacts import FIT, VALIDATE
from core.representations._base import Work
from core.representations.ablation import shuffled
from core.representations.encoder_options import EncoderOptions
from core.representations.learning import fit
from core.representations.order_free import History, Words, order_free_bits
from tests.worlds import bare_sequences, vocabulary_of

N_USERS, N_ACTIONS = 200, 5
_TILT = np.stack([np.roll([0.55, 0.3, 0.05, 0.05, 0.05], 2 * kind) for kind in range(2)])
_CHAINS = [0.75 * np.roll(np.eye(N_ACTIONS), s, axis=1) + 0.25 / N_ACTIONS for s in (1, -1)]


def chain(kind, length, rng):
    now, line = rng.integers(N_ACTIONS), []
    for _ in range(length):
        line.append(now)
        now = rng.choice(N_ACTIONS, p=_CHAINS[kind][now])
    return np.array(line)


def content(kind, length, rng):
    return rng.choice(N_ACTIONS, length, p=_TILT[kind])


def mixed_up(kind, length, rng):
    return rng.permutation(chain(kind, length, rng))


def both(kind, length, rng):
    ordered = rng.random(length) < 0.5
    return np.where(ordered, chain(kind, length, rng), content(kind, length, rng))


@cache
def found(world):
    rng = np.random.default_rng(1)
    lines = [world(u % 2, rng.integers(20, 40), rng) for u in range(N_USERS)]
    sequences = bare_sequences(
        [f"{u:03d}" for u in range(N_USERS)],
        np.cumsum([0, *map(len, lines)]),
        action=(np.concatenate(lines) + 1).astype(np.int32),
        split=np.where(np.arange(N_USERS) // 2 % 4 == 0, VALIDATE, FIT).astype(np.int8),
        vocabulary=vocabulary_of(actions=tuple("abcde")),
    )
    fitted = fit(sequences, EncoderOptions(hidden=16, epochs=20, contrastive_weight=0), Work())
    return {metric.name: metric for metric in fitted.findings}["order_share"]


def test_order_carries_nothing_where_only_the_shares_of_actions_differ():
    assert found(content).value < 0.1
    assert found(content).note.startswith("Order carries nothing here")


def test_order_carries_everything_where_only_what_follows_what_differs():
    assert found(chain).value > 0.95
    assert found(chain).note.startswith("Order carries 100% of the signal here: knowing it saves")


def test_an_encoder_trained_on_shuffled_events_says_that_order_carries_nothing():
    assert found(mixed_up).value < 0.05
    assert found(mixed_up).note.startswith("Order carries nothing here")


def test_where_both_tell_users_apart_order_carries_what_the_best_guess_without_it_loses():
    # An order-free Bayes guess that knows the kinds loses .44 of what the encoder gains here.
    assert 0.3 < found(both).value < 0.55


def test_the_guess_without_order_tells_kinds_apart_and_is_near_the_best_possible():
    rng = np.random.default_rng(2)
    kinds = np.arange(400) % 2
    known, codes = (np.stack([content(k, 30, rng) for k in kinds]) for _ in range(2))
    every = np.ones(known.shape, dtype=bool)
    words = Words(size=N_ACTIONS, known=known, known_real=every, codes=codes)
    free, overall = order_free_bits([words], every, 0)
    said = np.log(_TILT[:, codes])  # (kinds, U, T)
    odds = np.exp(np.cumsum(said, axis=2) - said)
    best = -np.log2((odds / odds.sum(axis=0) * _TILT[:, codes]).sum(axis=0))[:, 1:].sum(axis=1)
    assert best.sum() < overall.sum() - 0.2 * 400 * 29  # kinds are worth telling apart
    assert_allclose(free.sum(), best.sum(), rtol=0.01)
    shares = np.bincount(known.ravel()) / known.size
    own = History.of(codes, every).bits(shares[codes]).sum(axis=0).min()
    assert free.sum() < own - 0.05 * 400 * 29  # far better than the user's own shares


def test_two_words_are_told_apart_together():
    # Each word by itself says little of the kind, and only the first says what the second will be.
    rng = np.random.default_rng(3)
    kinds = np.arange(300) % 2
    first, second = (
        [np.stack([content(k, 12, rng) for k in kinds]) for _ in range(2)] for _ in range(2)
    )
    every = np.ones((300, 12), dtype=bool)
    a, b = (
        Words(size=N_ACTIONS, known=one[0], known_real=every, codes=one[1])
        for one in (first, second)
    )
    together = order_free_bits([a, b], every, 0)[0].sum()
    apart = sum(order_free_bits([one], every, 0)[0].sum() for one in (a, b))
    assert together < apart


def test_shuffling_keeps_the_first_event_every_other_one_and_the_padding():
    index = np.array([[5, 6, 7, 8, 9], [1, 2, 3, 3, 3]])
    real = np.array([[True] * 5, [True] * 3 + [False] * 2])
    mixed = shuffled(index, real, np.random.default_rng(0))
    assert mixed[:, 0].tolist() == [5, 1]
    assert sorted(mixed[0]) == [5, 6, 7, 8, 9] and sorted(mixed[1]) == [1, 2, 3, 3, 3]
    assert mixed[1, 3:].tolist() == [3, 3]
    assert (mixed[0] != index[0]).any()


def test_own_shares_count_what_the_user_did_before():
    codes = np.array([[1, 1, 2, 0], [2, 0, 0, 0]])
    real = np.array([[True, True, True, False], [True, False, False, False]])
    shares = np.array([0.2, 0.5, 0.3])
    bits = History.of(codes, real).bits(shares[codes])
    trust = 0.5  # the first of those tried: after one 1, then after two
    expected = -np.log2((1 + trust * 0.5) / 1.5) - np.log2(trust * 0.3 / 2.5)
    assert_allclose(bits[0, 0], expected)
    assert_allclose(bits[0, -1], -np.log2(0.5) - np.log2(0.3), rtol=1e-6)
    assert bits[1].tolist() == [0] * bits.shape[1]


def test_too_few_users_or_an_encoder_that_was_not_asked_give_no_figure(of_actions):
    def note_of(users, **options):
        fitted = fit(of_actions(users), EncoderOptions(hidden=8, epochs=1, **options), Work())
        metric = fitted.findings[-1]
        assert (metric.name, metric.value) == ("order_share", None)
        return metric.note

    assert "Only 2 users" in note_of({"ann": "a b", "bob": "b a a"})
    many = {f"{u}": "a b a" for u in range(30)}
    blind = note_of(many, action_weight=0, category_weight=0)
    assert blind == "The encoder was not asked to guess actions or categories."


@pytest.mark.parametrize("world", [content, chain])
def test_the_share_is_a_share(world):
    assert 0.0 <= found(world).value <= 1.0
