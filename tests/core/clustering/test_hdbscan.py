import numpy as np
import pytest
from hdbscan import HDBSCAN as Library
from sklearn.metrics import adjusted_rand_score

from core.clustering import assign, cluster
from core.clustering.hdbscan import HDBSCANOptions
from core.errors import TooLittleData


def with_strays(blobs, points_of, sizes, n_strays, seed=0):
    points, of = blobs(sizes, width=4, seed=seed)
    strays = np.random.default_rng(seed + 1).uniform(-30, 30, size=(n_strays, 4))
    return points_of(np.vstack([points.values, strays])), np.append(of, np.full(n_strays, -1))


def test_dense_groups_are_found_and_strays_belong_to_none(blobs, points_of):
    points, of = with_strays(blobs, points_of, [300, 200, 100], 30)
    labels = cluster(points, "hdbscan", HDBSCANOptions(), 99, 0)
    assert labels.n_clusters == 3
    grouped = of >= 0
    assert adjusted_rand_score(of[grouped], labels.values[grouped]) > 0.97
    assert (labels.values[~grouped] == -1).mean() > 0.9
    assert (labels.confidence[labels.values == -1] == 0).all()


def test_labels_and_confidence_are_those_of_the_library(blobs, points_of):
    points, _ = with_strays(blobs, points_of, [300, 200, 100], 30)
    ours = cluster(points, "hdbscan", HDBSCANOptions(min_cluster_size=20, min_samples=5), 1, 0)
    theirs = Library(min_cluster_size=20, min_samples=5, core_dist_n_jobs=1).fit(
        points.values.astype(np.float64)
    )
    assert adjusted_rand_score(theirs.labels_, ours.values) == 1.0
    np.testing.assert_allclose(ours.confidence, theirs.probabilities_, atol=1e-6)


def test_new_users_join_the_group_they_stand_in_and_far_ones_none(blobs, points_of):
    points, of = with_strays(blobs, points_of, [300, 200, 100], 30)
    labels = cluster(points, "hdbscan", HDBSCANOptions(), 1, 0)
    middles = np.array([points.values[of == k].mean(axis=0) for k in range(3)])
    newcomers = np.vstack([middles, [[100.0] * 4]]).astype(np.float32)
    values, confidence = assign("hdbscan", labels.state, newcomers)
    expected = [
        int(np.bincount(labels.values[(of == k) & (labels.values >= 0)]).argmax()) for k in range(3)
    ]
    assert values.tolist() == [*expected, -1]
    assert confidence[3] == 0.0
    assert confidence[:3].min() > 0.5


def test_held_out_users_get_the_segment_a_refit_with_them_would_give(blobs, points_of):
    points, of = with_strays(blobs, points_of, [400, 300, 200], 40, seed=4)
    half = np.arange(len(of)) % 2 == 0
    options = HDBSCANOptions(min_cluster_size=20, min_samples=5)
    fitted = cluster(points_of(points.values[half]), "hdbscan", options, 1, 0)
    values, _ = assign("hdbscan", fitted.state, points.values[~half])
    whole = cluster(points, "hdbscan", options, 1, 0).values[~half]
    assert adjusted_rand_score(whole, values) > 0.9


def test_a_large_log_is_fitted_on_a_sample_and_everyone_is_assigned(blobs, points_of):
    points, of = blobs([600, 300, 100], width=4)
    labels = cluster(points, "hdbscan", HDBSCANOptions(max_fitted_users=300), 1, 0)
    inside = labels.values >= 0
    assert inside.mean() > 0.8
    assert adjusted_rand_score(of[inside], labels.values[inside]) == 1.0
    assert "300 of the 1,000 users" in labels.note


def test_users_who_are_alike_are_one_segment(points_of):
    labels = cluster(points_of(np.ones((60, 3))), "hdbscan", HDBSCANOptions(), 1, 0)
    assert (labels.n_clusters, set(labels.values.tolist())) == (1, {0})
    assert labels.confidence.min() == 1.0
    assert "alike" in labels.note


def test_where_nothing_is_denser_everyone_is_in_one_segment_and_it_says_so(points_of):
    even = np.random.default_rng(0).normal(size=(60, 3))
    labels = cluster(points_of(even), "hdbscan", HDBSCANOptions(min_cluster_size=30), 1, 0)
    assert set(labels.values.tolist()) == {0}
    assert "No group is denser" in labels.note
    values, confidence = assign("hdbscan", labels.state, even[:3].astype(np.float32))
    assert values.tolist() == [0, 0, 0]
    assert confidence.tolist() == [1.0, 1.0, 1.0]


def test_groups_of_duplicates_are_segments_with_full_confidence(points_of):
    points = points_of(np.repeat(np.eye(3), [40, 30, 20], axis=0))
    labels = cluster(points, "hdbscan", HDBSCANOptions(), 1, 0)
    assert np.bincount(labels.values).tolist() == [40, 30, 20]
    assert labels.confidence.min() == 1.0
    again, _ = assign("hdbscan", labels.state, points.values)
    assert again.tolist() == labels.values.tolist()


def test_a_smallest_segment_beyond_the_users_is_refused_with_what_to_do(blobs):
    points, _ = blobs([10, 10])
    with pytest.raises(TooLittleData, match=r"set to 30 users, and 20 users .* at most 10"):
        cluster(points, "hdbscan", HDBSCANOptions(min_cluster_size=30), 1, 0)


@pytest.mark.parametrize("n_users", [1, 2, 3, 4])
def test_a_handful_of_users_is_one_segment(n_users, points_of):
    labels = cluster(points_of(np.eye(4)[:n_users]), "hdbscan", HDBSCANOptions(), 1, 0)
    assert labels.values.tolist() == [0] * n_users
