import numpy as np
from numpy.testing import assert_allclose

from core.representations.space import fit_space, place


def states(n=500, seed=0):
    spread = np.array([1.0, 0.1, 0.1, 0.01])
    return (np.random.default_rng(seed).normal(size=(n, 4)) * spread + 1).astype(np.float32)


def test_points_are_centred_uncorrelated_and_strongest_first():
    given = states()
    points = place(fit_space(given, 0.0), given)
    covariance = np.cov(points.T)
    assert_allclose(points.mean(axis=0), 0, atol=1e-5)
    assert_allclose(covariance - np.diag(np.diag(covariance)), 0, atol=1e-5)
    assert (np.diff(np.diag(covariance)) <= 0).all()


def test_full_evenness_gives_every_direction_the_same_spread():
    given = states()
    alive = place(fit_space(given, 1.0), given).std(axis=0)
    assert_allclose(alive[:3], 1, atol=0.02)


def test_turning_alone_keeps_distances():
    given = states()
    points = place(fit_space(given, 0.0), given)
    unit = given / np.linalg.norm(given, axis=1, keepdims=True)
    assert_allclose(
        np.linalg.norm(points[0] - points[1]), np.linalg.norm(unit[0] - unit[1]), rtol=1e-4
    )


def test_rounding_differences_do_not_become_behaviour():
    same = np.full((50, 4), 0.3, dtype=np.float32)
    same += np.random.default_rng(0).normal(size=same.shape).astype(np.float32) * 1e-7
    assert (place(fit_space(same, 1.0), same) == 0).all()


def test_a_user_without_events_stands_at_the_centre():
    given = states()
    points = place(fit_space(given, 0.25), np.zeros((1, 4), np.float32))
    assert (points == 0).all()
