import numpy as np
import pytest
from sklearn.metrics import silhouette_samples

from core.geometry import (
    all_alike,
    blocks,
    drawn_users,
    effective_rank,
    silhouettes,
    squared_distances,
)


def test_blocks_cover_every_row_once():
    covered = np.concatenate([np.arange(9001)[rows] for rows in blocks(9001)])
    assert covered.tolist() == list(range(9001))
    assert list(blocks(0)) == []


def test_squared_distances_by_hand_are_never_negative():
    found = squared_distances(
        np.array([[3.0, 4.0], [1e8, 0.1]]), np.array([[0.0, 0.0], [1e8, 0.1]])
    )
    assert found[0, 0] == 25.0
    assert found.shape == (2, 2)
    assert found.min() >= 0.0


def test_effective_rank_counts_the_directions_points_spread_in():
    axes = np.vstack([np.eye(4), -np.eye(4)])
    assert effective_rank(axes) == pytest.approx(4.0)
    assert effective_rank(np.outer(np.arange(5.0), np.ones(3))) == pytest.approx(1.0)
    assert effective_rank(np.ones((5, 3))) == 0.0
    cloud = np.random.default_rng(0).normal(size=(20_000, 5)).astype(np.float32)
    assert effective_rank(cloud) == pytest.approx(5.0, abs=0.01)


def test_a_sample_has_no_repeats_and_is_left_out_where_everyone_fits_in():
    rows = drawn_users(1000, 50, 3)
    assert rows is not None and len(np.unique(rows)) == 50 and (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(rows, drawn_users(1000, 50, 3))
    assert (rows != drawn_users(1000, 50, 4)).any()
    assert drawn_users(50, 50, 3) is None


def test_users_apart_by_rounding_only_are_alike():
    same = np.full((50, 3), 100.0, np.float32)
    assert all_alike(same)
    assert all_alike(same * (1 + 1e-7 * np.arange(50, dtype=np.float32)[:, None]))
    assert not all_alike(same + 0.1 * np.eye(50, 3))


def test_silhouettes_of_everyone_are_those_of_the_reference():
    rng = np.random.default_rng(0)
    of = rng.permutation(np.repeat([0, 1, 2], [50, 40, 1])).astype(np.int32)
    points = rng.normal(size=(91, 3)) + of[:, None]
    each = silhouette_samples(points, of)
    for k, found in enumerate(silhouettes(points, of, 200, 0).per_segment):
        np.testing.assert_allclose(found, np.sort(each[of == k])[::-1], atol=1e-9)


def test_the_error_shrinks_to_nothing_where_everyone_is_scored():
    rng = np.random.default_rng(0)
    of = np.repeat([0, 1], 100).astype(np.int32)
    points = rng.normal(size=(200, 3)) + of[:, None]
    assert silhouettes(points, of, 200, 0).macro()[1] == 0.0
    assert silhouettes(points, of, 50, 0).macro()[1] > 0.0
