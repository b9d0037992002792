"""EM on planted chains, the way down from many models, and memberships by Bayes' rule."""

import numpy as np
import pytest

from core.sequence_models import background
from core.sequence_models.chances import chances
from core.sequence_models.mixture import (
    Mixture,
    bayes,
    everyone_of,
    fit,
    log_likelihoods,
    of_members,
    path,
    path_aside,
    posteriors,
)
from tests.core.sequence_models.logs import acting, counted

CHAINS = np.array(
    [
        [[0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.8, 0.1, 0.1]],
        [[0.1, 0.1, 0.8], [0.8, 0.1, 0.1], [0.1, 0.8, 0.1]],
    ]
)
"""Two ways round three actions: every action is as frequent in both."""


def walks(chains, lengths, seed=0):
    """One user per chain (U, 3, 3), each action drawn after the one before."""
    rng = np.random.default_rng(seed)
    users = {}
    for number, (chain, length) in enumerate(zip(chains, lengths, strict=True)):
        now, word = rng.integers(3), ""
        for _ in range(length):
            now = rng.choice(3, p=chain[now])
            word += "xyz"[now]
        users[f"u{number:03d}"] = word
    return acting(users)


@pytest.fixture(scope="module")
def two():
    """Counts of 80 users of the first way round and 40 of the second, 25 events each."""
    truth = np.repeat([0, 1], [80, 40])
    return counted(walks(CHAINS[truth], np.full(120, 25))), truth


def random_members(n_users, k, seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(k), n_users)


def test_two_planted_chains_are_found_though_nothing_else_tells_users_apart(two):
    counts, truth = two
    mixture = fit(counts, random_members(120, 2))
    found = posteriors(mixture, counts)[0].argmax(axis=1)
    same = (found == truth).mean()
    assert max(same, 1 - same) == 1.0
    assert sorted(mixture.shares.round(2).tolist()) == [0.34, 0.66]


def test_the_chances_are_those_that_were_planted(two):
    counts, truth = two
    mixture = of_members(counts, np.eye(2)[truth])
    action = counts.blocks[0]
    found = np.exp(mixture.logs[action.columns]).reshape(*action.levels, action.width, 2)
    # In the columns codes go by frequency, so look only at how likely the likeliest is.
    for k in range(2):
        np.testing.assert_allclose(found[1:, 1:, k][1:].max(axis=1), 0.8, atol=0.05)


@pytest.mark.parametrize("k", [2, 3, 5])
def test_the_likelihood_never_falls_once_it_is_cold(two, k):
    counts, _ = two
    start = random_members(120, k)
    seen = [fit(counts, start, hot=1.0, rounds=rounds).likelihood for rounds in range(1, 25)]
    # Chances are smoothed, so a hair's breadth is allowed.
    assert min(np.diff(seen)) > -1e-3 and seen[-1] > seen[0]


@pytest.mark.parametrize("seed", range(6))
def test_the_end_does_not_depend_on_the_start(two, seed):
    counts, truth = two
    found = posteriors(fit(counts, random_members(120, 2, seed)), counts)[0].argmax(axis=1)
    assert max((found == truth).mean(), (found != truth).mean()) == 1.0


def test_the_way_down_holds_every_number_of_models_and_each_fits_better_than_one_fewer(two):
    counts, _ = two
    found = path(counts, 5, 1, np.random.default_rng(0))
    assert sorted(found) == [1, 2, 3, 4, 5]
    for k, mixture in found.items():
        assert mixture.k == k == len(mixture.shares) and not mixture.has_background
        assert mixture.shares.sum() == pytest.approx(1.0)
    likelihoods = [found[k].likelihood for k in range(1, 6)]
    # Smoothing costs a hair's breadth where a model more finds nothing.
    assert likelihoods[1] > likelihoods[0] + 0.1 and min(np.diff(likelihoods)) > -1e-3


def test_there_are_never_more_models_than_users():
    counts = counted(acting({"a": "xyxy", "b": "yyxx", "c": "xxxx"}))
    assert sorted(path(counts, 9, 1, np.random.default_rng(0))) == [1, 2, 3]
    nobody = counts.take(np.zeros(0, dtype=np.int64))
    assert sorted(path(nobody, 9, 1, np.random.default_rng(0))) == [1]


def test_one_model_has_everyones_chances(two):
    counts, _ = two
    alone = path(counts, 1, 1, np.random.default_rng(0))[1]
    everyones = chances(everyone_of(counts)[None], counts.blocks)[0]
    np.testing.assert_allclose(np.exp(alone.logs[:, 0]), everyones, rtol=1e-5)
    np.testing.assert_allclose(alone.shares, [1.0])


def test_memberships_and_likelihoods_follow_bayes_rule():
    members, total = bayes(np.log([[0.2 * 0.5, 0.1 * 0.5], [0.0001, 0.0003]]))
    np.testing.assert_allclose(members, [[2 / 3, 1 / 3], [0.25, 0.75]])
    np.testing.assert_allclose(total, np.log([0.15, 0.0004]))


def test_likelihoods_too_small_for_a_number_are_still_compared():
    members, total = bayes(np.array([[-5000.0, -5001.0]]))
    np.testing.assert_allclose(members[0], [1 / (1 + np.exp(-1)), 1 / (1 + np.exp(1))])
    assert total[0] == pytest.approx(-5000 + np.log1p(np.exp(-1)))


def test_models_in_another_order_place_users_in_that_order(two):
    counts, _ = two
    mixture = fit(counts, random_members(120, 3))
    other = mixture.reordered(np.array([2, 0, 1]))
    members, again = posteriors(mixture, counts)[0], posteriors(other, counts)[0]
    np.testing.assert_allclose(again, members[:, [2, 0, 1]], atol=1e-12)


@pytest.fixture(scope="module")
def strays():
    """80 and 40 users of the two ways round and 40 with a chain of their own, 60 events each."""
    rng = np.random.default_rng(1)
    own = rng.dirichlet(np.full(3, 0.6), (40, 3))
    truth = np.repeat([0, 1, -1], [80, 40, 40])
    chains = np.concatenate([CHAINS[truth[:120]], own])
    counts = counted(walks(chains, np.full(160, 60)))
    return counts, truth, background.own_likelihoods(counts, everyone_of(counts))


def aside(strays, rng=0):
    counts, _, own = strays
    plain = path(counts, 3, 1, np.random.default_rng(rng))
    return path_aside(counts, plain, own, 1, np.random.default_rng(rng))


def test_users_that_follow_nobody_are_found_beside_the_planted_chains(strays):
    counts, truth, _ = strays
    mixture = aside(strays)[2]
    assert mixture.has_background and mixture.k == 2 and len(mixture.shares) == 3
    found = posteriors(mixture, counts)[0].argmax(axis=1)
    assert (found[truth < 0] == 2).mean() > 0.8 and (found[truth >= 0] == 2).mean() < 0.05
    assert len(set(found[:80][found[:80] < 2].tolist())) == 1
    assert mixture.shares[2] == pytest.approx(0.25, abs=0.06)


def test_a_background_stays_last_when_models_are_reordered_and_can_be_left_out(strays):
    counts, _, _ = strays
    mixture = aside(strays)[2]
    other = mixture.reordered(np.array([1, 0]))
    np.testing.assert_allclose(other.shares, mixture.shares[[1, 0, 2]])
    members = posteriors(mixture, counts)[0]
    np.testing.assert_allclose(posteriors(other, counts)[0], members[:, [1, 0, 2]], atol=1e-12)
    without = mixture.without_background()
    assert not without.has_background and without.shares.sum() == pytest.approx(1.0)
    expected = members[:, :2] / members[:, :2].sum(axis=1, keepdims=True)
    sure = members[:, 2] < 0.999
    np.testing.assert_allclose(posteriors(without, counts)[0][sure], expected[sure], atol=1e-6)


def test_there_is_a_background_for_every_number_of_models_even_one(strays):
    found = aside(strays)
    assert sorted(found) == [1, 2, 3] and all(m.has_background for m in found.values())


def test_a_background_can_stand_where_nothing_is_foretold():
    counts = counted(acting({"a": "xx", "b": "xxx", "c": "x"}))
    own = background.own_likelihoods(counts, everyone_of(counts))
    mixture = fit(counts, np.full((3, 2), 0.5), own)
    assert mixture.k == 1 and mixture.has_background
    np.testing.assert_array_equal(log_likelihoods(mixture, counts), np.zeros((3, 2)))


def test_the_same_start_gives_the_same_models_to_the_bit(strays):
    first, again = (aside(strays, rng=3) for _ in range(2))
    for k, mixture in first.items():
        for name in ("shares", "logs", "everyone", "straying"):
            assert getattr(mixture, name).tobytes() == getattr(again[k], name).tobytes()
    assert isinstance(first[1], Mixture)
