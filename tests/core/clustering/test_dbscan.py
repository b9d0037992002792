"""Dense places within a radius: as the library finds them, and a radius that is suggested."""

import numpy as np
import pytest
from sklearn.cluster import DBSCAN as Library
from sklearn.metrics import adjusted_rand_score

from core.clustering import assign, cluster
from core.clustering.dbscan import DBSCANOptions, bend_of, distances_to_neighbour


def with_strays(blobs, sizes=(300, 200, 100), n_strays=30, seed=0):
    points, of = blobs(list(sizes), width=4, seed=seed)
    strays = np.random.default_rng(seed + 1).uniform(-30, 30, size=(n_strays, 4))
    return np.vstack([points.values, strays]), np.append(of, np.full(n_strays, -1))


def test_with_the_suggested_radius_dense_groups_are_found_and_strays_left_out(blobs, points_of):
    points, of = with_strays(blobs)
    labels = cluster(points_of(points), "dbscan", DBSCANOptions(), 99, 0)
    assert labels.n_clusters == 3 and labels.note.startswith("The radius is ")
    grouped = of >= 0
    assert adjusted_rand_score(of[grouped], labels.values[grouped]) > 0.95
    assert (labels.values[~grouped] == -1).mean() > 0.9
    assert (labels.confidence[labels.values == -1] == 0).all()
    assert (labels.confidence[labels.values >= 0] >= 0.5).all()


@pytest.mark.parametrize("eps", [0.8, 1.2, 2.5])
def test_dense_users_and_noise_are_those_of_the_library(blobs, points_of, eps):
    points, _ = with_strays(blobs)
    points = points.astype(np.float32)
    ours = cluster(points_of(points), "dbscan", DBSCANOptions(eps=eps, min_samples=6), 1, 0)
    theirs = Library(eps=eps, min_samples=6).fit(points.astype(np.float64))
    dense = theirs.core_sample_indices_
    assert adjusted_rand_score(theirs.labels_[dense], ours.values[dense]) == 1.0
    np.testing.assert_array_equal(theirs.labels_ == -1, ours.values == -1)
    assert (ours.confidence[dense] == 1.0).all()


def test_held_out_users_get_the_segment_a_refit_with_them_would_give(blobs, points_of):
    points, _ = with_strays(blobs, (600, 400, 200))
    half = np.arange(len(points)) % 2 == 0
    options = DBSCANOptions(eps=1.6, min_samples=6)
    fitted = cluster(points_of(points[half]), "dbscan", options, 1, 0)
    values, _ = assign("dbscan", fitted.state, points[~half].astype(np.float32))
    whole = cluster(points_of(points), "dbscan", options, 1, 0).values[~half]
    assert adjusted_rand_score(whole, values) > 0.9


def test_the_distances_are_those_to_the_neighbour_that_makes_a_place_dense():
    points = np.array([[0.0], [1.0], [3.0], [7.0]])
    assert distances_to_neighbour(points, 1).tolist() == [0, 0, 0, 0]
    assert distances_to_neighbour(points, 2).tolist() == [1, 1, 2, 4]
    assert distances_to_neighbour(points, 9).tolist() == [4, 6, 7, 7]  # there are but four


def test_the_bend_is_where_the_curve_turns_steep():
    curve = np.concatenate([np.linspace(1.0, 1.5, 80), np.linspace(1.6, 9.0, 20)])
    assert bend_of(curve) == 79
    assert bend_of(np.array([2.0, 2.0, 2.0])) == 2
    assert bend_of(np.array([2.0])) == 0


def test_where_no_place_is_dense_everyone_is_in_one_segment_and_the_remedy_told(blobs, points_of):
    points, _ = with_strays(blobs)
    labels = cluster(points_of(points), "dbscan", DBSCANOptions(eps=1e-6), 1, 0)
    assert (labels.values == 0).all()
    assert "Nobody has 10 users within 1e-06" in labels.note
    assert "Widen the radius (cluster.eps, e.g. " in labels.note
    far = assign("dbscan", labels.state, np.full((1, 4), 1e6, dtype=np.float32))
    assert far[0].tolist() == [0] and far[1].tolist() == [1.0]


def test_all_alike_and_duplicate_groups(points_of):
    alike = cluster(points_of(np.ones((50, 3))), "dbscan", DBSCANOptions(), 1, 0)
    assert (alike.values == 0).all() and "All users are alike" in alike.note
    two = np.repeat([[0.0, 0.0], [5.0, 5.0]], [30, 20], axis=0)
    labels = cluster(points_of(two), "dbscan", DBSCANOptions(), 1, 0)
    assert labels.values.tolist() == [0] * 30 + [1] * 20


def test_past_a_size_dense_places_come_from_a_sample_and_everyone_is_placed(blobs, points_of):
    points, of = with_strays(blobs, (600, 400, 200))
    labels = cluster(points_of(points), "dbscan", DBSCANOptions(max_fitted_users=500), 1, 0)
    assert "Dense places come from a random sample of 500 of the 1,230 users" in labels.note
    grouped = of >= 0
    assert adjusted_rand_score(of[grouped], labels.values[grouped]) > 0.85
