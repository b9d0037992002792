import numpy as np
from numpy.testing import assert_allclose

from core.representations.columns import (
    fit_columns,
    mean_per_user,
    place_columns,
    smoothed_roots,
    spread_per_user,
)


def test_columns_come_to_a_like_size_by_the_users_to_fit_alone():
    values = np.array([[1, 0], [2, 100], [3, 200], [99, 300], [np.nan, 1e9]], np.float32)
    state = fit_columns(values, np.arange(3))
    assert_allclose(state["centre"], [2, 100])
    assert_allclose(state["spread"], [1 / 1.349, 100 / 1.349], rtol=1e-6)
    placed = place_columns(values, state)
    assert_allclose(placed[:3, 0], [-1.349, 0, 1.349], rtol=1e-6)
    assert_allclose(placed[3, 0], 4)  # far out counts as four deviations
    assert np.isnan(placed[4, 0])


def test_rounding_is_not_blown_up_and_a_column_of_nothing_does_no_harm():
    values = np.array([[1, np.nan], [1 + 1e-6, np.nan], [1, np.nan]], np.float32)
    placed = place_columns(values, fit_columns(values, np.arange(3)))
    assert np.abs(placed[:, 0]).max() < 1e-3
    assert np.isnan(placed[:, 1]).all()


def test_means_and_spreads_are_per_user_and_unknown_where_there_is_nothing():
    rows, values = np.array([0, 0, 2]), np.array([1.0, 4.0, 7.0])
    assert_allclose(mean_per_user(rows, values, 3), [2.5, np.nan, 7])
    assert_allclose(spread_per_user(rows, values, 3), [1.5, np.nan, np.nan])


def test_few_events_leave_shares_near_everyones():
    counts = np.array([[0, 0], [1, 0], [96, 0]])
    roots = smoothed_roots(counts, np.array([0.25, 0.75]), 4.0)
    assert_allclose(roots[0] ** 2, [0.25, 0.75], rtol=1e-6)
    assert_allclose(roots[1] ** 2, [2 / 5, 3 / 5], rtol=1e-6)
    assert_allclose(roots[2] ** 2, [0.97, 0.03], rtol=1e-5)
