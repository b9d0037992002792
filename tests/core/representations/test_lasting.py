import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from core.artifacts import VALIDATE
from core.representations.lasting import halves, lasting, lasting_directions


def test_every_user_to_fit_becomes_its_earlier_and_its_later_events(of_actions):
    users = {"ann": "a b c d e", "bob": "a b c", "cid": "a b c d", "dan": "d d d d"}
    found = halves(of_actions(users, {"cid": VALIDATE}))
    assert found.user_ids.tolist() == ["ann", "ann", "dan", "dan"]  # bob has too few events
    assert found.offsets.tolist() == [0, 2, 5, 7, 9]
    assert found.action.tolist() == [1, 2, 3, 4, 5, 4, 4, 4, 4]
    assert found.gap.tolist() == [0, 60, 60, 60, 60, 0, 60, 60, 60]


def test_of_nobody_there_are_no_halves(of_actions):
    assert halves(of_actions({"ann": "a", "bob": ""})).n_users == 0


def visits_of(of_actions, with_arrays, visits):
    sequences = of_actions({f"u{i:03d}": "a " * len(visits) for i in range(200)})
    return with_arrays(sequences, session=np.tile(np.array(visits, np.int32), 200))


@pytest.mark.parametrize(
    ("visits", "earlier"),
    [
        ([0, 0, 0, 0, 0, 0, 1, 1], 6),  # the middle is in the first visit: after it
        ([0, 1, 1, 1, 1, 1, 1, 1], 1),  # in the last one: before it
        ([0, 0, 0, 1, 1, 1, 1, 2], 3),  # the nearer border of the visit in the middle
        ([0, 1, 1, 1, 1, 2, 2, 2], 5),
        ([0, 0, 0, 0, 1, 1, 1, 1], 4),
        ([0, 0, 0, 0, 0, 0, 0, 0], 4),  # one visit is cut in the middle
    ],
)
def test_histories_are_cut_between_visits(of_actions, with_arrays, visits, earlier):
    found = halves(visits_of(of_actions, with_arrays, visits))
    assert np.diff(found.offsets).tolist() == [earlier, 8 - earlier] * 200


def test_users_with_one_visit_tell_nothing_where_others_can(of_actions, with_arrays):
    sequences = of_actions({f"u{i:03d}": "a a a a" for i in range(260)})
    returned = np.arange(260) < 250
    visits = np.where(returned[:, None], [0, 0, 1, 1], 0).ravel().astype(np.int32)
    assert halves(with_arrays(sequences, session=visits)).n_users == 2 * 250
    few = np.where((np.arange(260) < 150)[:, None], [0, 0, 1, 1], 0).ravel().astype(np.int32)
    assert halves(with_arrays(sequences, session=few)).n_users == 2 * 260


def halved(earlier, later):
    return np.stack([earlier, later], axis=1).reshape(-1, earlier.shape[1]).astype(np.float32)


def test_a_number_counts_as_far_as_it_returns_in_the_later_half():
    rng = np.random.default_rng(0)
    trait, (one, other) = rng.normal(size=1000), rng.normal(size=(2, 1000))
    earlier = np.stack([trait, trait + one, one, -trait, np.ones(1000)], axis=1)
    later = np.stack([trait, trait + other, other, trait, np.ones(1000)], axis=1)
    found = lasting(halved(earlier, later))
    # half of the variance lasts: r = 1/2 of halves, 2/3 of whole histories
    assert_allclose(found, [1, (2 / 3) ** 2, 0.05, 0.05, 0.05], atol=0.05)


def test_where_too_few_users_have_a_number_it_counts():
    earlier = np.random.default_rng(0).normal(size=(100, 2))
    later = np.random.default_rng(1).normal(size=(100, 2))
    earlier[20:, 1] = np.nan
    found = lasting(halved(earlier, later))
    assert found[0] < 0.2 and found[1] == 1


def noisy(n_users, width, seed):
    rng = np.random.default_rng(seed)
    return rng, rng.normal(size=(2, n_users, width))


def test_the_one_direction_that_lasts_is_found_among_much_noise():
    rng, (earlier, later) = noisy(2000, 30, 0)
    trait = rng.normal(size=2000)
    for half in (earlier, later):
        half[:, 3] += trait
        half[:, 8] -= trait
    found = lasting_directions(halved(earlier, later), np.full(4000, 10), 0)
    assert found.axes.shape == (30, 1)
    direction = found.axes[:, 0] / np.linalg.norm(found.axes)
    assert_allclose(abs(direction[3] - direction[8]), np.sqrt(2), atol=0.05)
    # variance 2 of 3 along it lasts: r = 2/3, and 2 r / (1 + r) = .8
    assert_allclose(found.reliability, [0.8], atol=0.05)
    assert found.chance < 0.25


@pytest.mark.parametrize("seed", range(5))
def test_in_pure_noise_nothing_lasts(seed):
    _, (earlier, later) = noisy(1000, 20, seed)
    found = lasting_directions(halved(earlier, later), np.full(2000, 10), seed)
    assert found.axes.shape == (20, 0)
    assert found.reliability.shape == (0,)


def test_what_follows_from_the_length_of_a_history_alone_does_not_count():
    rng, (earlier, later) = noisy(1000, 5, 0)
    lengths = rng.integers(4, 200, 1000)
    for half in (earlier, later):
        half[:, 2] += 5 * np.log(lengths)
    found = lasting_directions(halved(earlier, later), np.repeat(lengths, 2), 0)
    assert found.axes.shape == (5, 0)
    flat = lasting_directions(halved(earlier, later), np.full(2000, 10), 0)
    assert flat.axes.shape == (5, 1)


def test_columns_without_differences_do_no_harm():
    rng, (earlier, later) = noisy(500, 4, 0)
    trait = rng.normal(size=500)
    for half in (earlier, later):
        half[:, 0] += 2 * trait
        half[:, 2] = 7.0
    found = lasting_directions(halved(earlier, later), np.full(1000, 10), 0)
    assert np.isfinite(found.axes).all()
    assert found.axes.shape == (4, 1)
    nothing = lasting_directions(np.ones((400, 3), np.float32), np.full(400, 10), 0)
    assert nothing.axes.shape == (3, 0)


def test_the_same_seed_gives_the_same_directions():
    rng, (earlier, later) = noisy(300, 6, 0)
    trait = rng.normal(size=(300, 1))
    values = halved(earlier + trait, later + trait)
    one, other = (lasting_directions(values, np.full(600, 10), 4) for _ in range(2))
    assert_array_equal(one.axes, other.axes)
