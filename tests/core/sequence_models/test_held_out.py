"""How well unseen users are foretold: figures by hand, and rules that cannot be cheated."""

import numpy as np
import pytest

from core.artifacts import FIT, TEST, VALIDATE
from core.evaluation import worlds
from core.sequence_models.counts import count
from core.sequence_models.held_out import Foretold, choose_memory, compare_k, folds, foretell
from core.sequence_models.mixture import log_likelihoods, path
from core.sequence_models.outcomes import Coding, outcomes_of
from tests.core.sequence_models.logs import acting, counted
from tests.worlds import sequences_of

PAIR = Foretold(bits=np.array([[-10.0, -8.0], [-6.0, -7.0]]), n_events=np.array([6, 4]))


def test_bits_per_event_are_of_all_events_together():
    np.testing.assert_allclose(PAIR.per_event(), [-1.6, -1.5])


def test_users_are_compared_with_themselves():
    behind, error = PAIR.behind(1)
    np.testing.assert_allclose(behind, [0.1, 0.0])
    differences = np.array([2.0, -1.0])
    np.testing.assert_allclose(error, [differences.std(ddof=1) * np.sqrt(2) / 10, 0.0])


def test_the_simplest_within_one_standard_error_of_the_best_is_taken():
    assert PAIR.simplest_of_the_best() == 0
    assert PAIR.simplest_of_the_best(errors=0.3) == 1
    sure = Foretold(bits=np.tile([-10.0, -9.9, -9.9], (20, 1)), n_events=np.full(20, 5))
    assert sure.simplest_of_the_best() == 1


def test_a_difference_too_small_to_matter_is_none_however_sure():
    bits = np.tile([-20.0, -10.1, -10.0], (20, 1))
    foretold = Foretold(bits=bits, n_events=np.full(20, 5))
    assert foretold.simplest_of_the_best() == 2
    assert foretold.simplest_of_the_best(least=0.02) == 1  # a hundredth of what the best gains
    assert foretold.simplest_of_the_best(least=0.005) == 2


def test_what_only_rounding_tells_apart_is_no_difference():
    bits = np.tile([-10.0, -10.0 + 1e-9], (20, 1))
    assert Foretold(bits=bits, n_events=np.full(20, 5)).simplest_of_the_best() == 0


@pytest.mark.parametrize("n_users", [0, 1])
def test_fewer_than_two_users_tell_nothing_so_the_simplest_is_taken(n_users):
    alone = Foretold(
        bits=np.array([[-9.0, -1.0]] * n_users).reshape(n_users, 2), n_events=np.full(n_users, 3)
    )
    assert np.isinf(alone.behind(1)[1]).all() and alone.simplest_of_the_best() == 0


def test_users_may_come_more_than_once():
    twice = PAIR.of(np.array([1, 1]))
    np.testing.assert_allclose(twice.per_event(), [-1.5, -1.75])


def test_every_user_is_foretold_once_by_others_and_no_test_user_is_looked_at():
    split = np.array([FIT, TEST, VALIDATE] * 7, dtype=np.int8)
    dealt = list(folds(split, 3, 0))
    foretold = np.concatenate([watched for _, watched in dealt])
    assert sorted(foretold.tolist()) == np.flatnonzero(split != TEST).tolist()
    for fitted, watched in dealt:
        assert not set(fitted) & set(watched)
        assert sorted([*fitted, *watched]) == np.flatnonzero(split != TEST).tolist()
    assert [w.tolist() for _, w in folds(split, 3, 1)] != [w.tolist() for _, w in dealt]


def noise():
    """300 users, 25 events each, every event drawn alike from six actions."""
    rng = np.random.default_rng(0)
    return acting({f"u{i:03d}": "".join(rng.choice(list("uvwxyz"), 25)) for i in range(300)})


def test_a_user_scored_by_its_own_label_seems_to_gain_on_pure_noise_and_by_bayes_rule_does_not():
    counts = counted(noise())
    known, unseen = counts.take(np.arange(200)), counts.take(np.arange(200, 300))
    found = path(known, 3, 1, np.random.default_rng(0))
    one, two = (foretell(found[k], unseen).sum() / unseen.n_events.sum() for k in (1, 2))
    own_label = (
        log_likelihoods(found[2], unseen).max(axis=1).sum() / np.log(2) / unseen.n_events.sum()
    )
    assert own_label > one + 0.005 and two < one + 0.001


def test_noise_is_foretold_best_by_one_model():
    plain, aside = compare_k(counted(noise()), np.zeros(300, dtype=np.int8), 3, 0)
    assert plain.bits.shape == aside.bits.shape == (300, 3)
    assert plain.n_events.tolist() == [25] * 300
    assert plain.simplest_of_the_best() == aside.simplest_of_the_best() == 0


@pytest.fixture(scope="module")
def drawn():
    """Worlds of 400 users as outcomes, by name."""

    def make(name):
        sequences = sequences_of(worlds.draw(name, 400, 0))
        return outcomes_of(sequences, Coding.of(sequences)), np.asarray(sequences.split)

    return make


@pytest.mark.parametrize(("name", "actions"), [("first_order", 1), ("second_order", 2)])
def test_as_much_memory_is_taken_as_foretells_better(drawn, name, actions):
    outcomes, split = drawn(name)
    memory = choose_memory(lambda tried: count(outcomes, tried), split, categories=True, seed=0)
    assert (memory.actions, memory.category) == (actions, "stay")


def test_a_background_that_is_not_wanted_is_not_tried():
    counts = counted(acting({f"u{i}": "xyxxy" for i in range(12)}))
    plain, aside = compare_k(counts, np.zeros(12, np.int8), 2, 0, tries_aside=False)
    both, _ = compare_k(counts, np.zeros(12, np.int8), 2, 0)
    assert aside is None
    np.testing.assert_array_equal(plain.bits, both.bits)


def test_progress_is_told_to_the_end():
    heard = []
    compare_k(
        counted(acting({f"u{i}": "xyxxy" for i in range(12)})),
        np.zeros(12, np.int8),
        2,
        0,
        tell=heard.append,
    )
    assert heard == sorted(heard) and heard[-1] == 1.0
