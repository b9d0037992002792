from itertools import pairwise

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from core.clustering import assign, cluster
from core.clustering.kmeans import KMeansOptions, lloyd
from core.errors import TooLittleData


def test_every_restart_falls_until_it_stands_still_and_the_lowest_is_kept(blobs):
    points, of = blobs([300, 200, 100])
    labels = cluster(points, "kmeans", KMeansOptions(n_init=7), 3, 0)
    assert len(labels.loss_trace) == 7
    for trace in labels.loss_trace:
        assert all(later <= earlier for earlier, later in pairwise(trace))
        assert trace[-1] >= (1 - 1e-6) * trace[-2]
    ends = [trace[-1] for trace in labels.loss_trace]
    assert labels.loss_trace[labels.best_restart][-1] == min(ends)
    assert adjusted_rand_score(of, labels.values) == 1.0


def test_the_loss_is_that_of_the_labels_and_no_worse_than_the_reference(blobs):
    points, _ = blobs([200, 150, 100, 50], spread=4.0)
    labels = cluster(points, "kmeans", KMeansOptions(), 4, 0)
    values = points.values.astype(np.float64)
    by_hand = sum(
        np.square(values[labels.values == k] - values[labels.values == k].mean(axis=0)).sum()
        for k in range(4)
    )
    found = labels.loss_trace[labels.best_restart][-1]
    reference = KMeans(4, n_init=10, random_state=0, tol=0.0).fit(values).inertia_
    assert found == pytest.approx(by_hand, rel=1e-6)
    assert found <= reference * (1 + 1e-6)


def test_the_first_loss_is_that_of_the_starting_centres():
    line = np.array([[0.0], [1.0], [10.0], [11.0]])
    restart = lloyd(line - line.mean(), np.array([[0.0], [1.0]]) - line.mean(), 300, 0.0)
    # 0 | 1 10 11 costs 81 + 100; the means 0 and 22/3 take 1 to the left, then 0.5 and 10.5.
    assert restart.trace[0] == pytest.approx(181.0)
    assert restart.trace[-1] == pytest.approx(1.0)
    assert restart.trace[-1] == restart.trace[-2]


def test_a_centre_that_loses_its_users_starts_anew_without_the_loss_rising():
    line = np.array([[0.0], [1.0], [2.0], [50.0], [51.0], [90.0]])
    restart = lloyd(line, np.array([[1.0], [2000.0], [3000.0]]), 300, 0.0)
    assert all(b <= a for a, b in pairwise(restart.trace))
    assert sorted(restart.centres.ravel().tolist()) == [1.0, 50.5, 90.0]


def test_confidence_is_the_kernel_of_the_distances_with_the_stated_spread(blobs):
    points, _ = blobs([100, 80], width=2, spread=3.0, seed=3)
    labels = cluster(points, "kmeans", KMeansOptions(), 2, 0)
    sigma, centres = labels.state["sigma"][0], labels.state["centres"]
    squares = np.square(points.values[:, None, :] - centres).sum(axis=2)
    kernel = np.exp(-squares / (2 * sigma**2))
    expected = kernel.max(axis=1) / kernel.sum(axis=1)
    np.testing.assert_allclose(labels.confidence, expected, rtol=1e-5)
    residual = points.values - centres[labels.values]
    scatter = residual.T @ residual / len(residual)
    assert sigma**2 == pytest.approx(np.square(scatter).sum() / np.trace(scatter), rel=1e-4)


def test_directions_in_which_nobody_differs_do_not_change_the_confidence(blobs, points_of):
    points, _ = blobs([100, 80], width=2, spread=3.0, seed=3)
    flat = points_of(np.hstack([points.values, np.zeros((180, 60))]))
    narrow = cluster(points, "kmeans", KMeansOptions(), 2, 0)
    wide = cluster(flat, "kmeans", KMeansOptions(), 2, 0)
    np.testing.assert_allclose(narrow.confidence, wide.confidence, rtol=1e-4)


def test_a_large_log_is_fitted_on_a_sample_and_everyone_is_assigned(blobs):
    points, of = blobs([600, 300, 100])
    labels = cluster(points, "kmeans", KMeansOptions(max_fitted_users=200), 3, 0)
    assert adjusted_rand_score(of, labels.values) == 1.0
    assert np.bincount(labels.values).tolist() == [600, 300, 100]
    assert "200 of the 1,000 users" in labels.note


def test_a_user_midway_between_two_centres_is_assigned_as_it_was_fitted(points_of):
    points = points_of([[0.0], [1.0], [2.0]])
    for seed in range(10):
        labels = cluster(points, "kmeans", KMeansOptions(n_init=1), 2, seed)
        again, _ = assign("kmeans", labels.state, points.values)
        assert again.tolist() == labels.values.tolist()
        assert np.bincount(labels.values).tolist() == [2, 1]


def test_one_segment_of_users_who_are_alike_is_certain(points_of):
    labels = cluster(points_of(np.ones((5, 3))), "kmeans", KMeansOptions(), 1, 0)
    assert labels.n_clusters == 1
    assert labels.values.tolist() == [0] * 5
    assert labels.confidence.tolist() == [1.0] * 5


def test_fewer_users_than_segments_are_refused_with_what_to_do(points_of):
    with pytest.raises(
        TooLittleData, match=r"6 segments cannot be formed of 4 users\. Choose 4 or"
    ):
        cluster(points_of(np.eye(4)), "kmeans", KMeansOptions(), 6, 0)


def test_fewer_different_users_than_segments_are_refused_and_counted(points_of):
    twice = points_of(np.repeat(np.eye(3), 20, axis=0))
    with pytest.raises(TooLittleData, match="60 users, of whom only 3 differ"):
        cluster(twice, "kmeans", KMeansOptions(), 4, 0)
    assert cluster(twice, "kmeans", KMeansOptions(), 3, 0).n_clusters == 3


def test_differences_that_are_only_rounding_do_not_count(points_of):
    noise = np.random.default_rng(0).normal(scale=1e-8, size=(30, 4))
    with pytest.raises(TooLittleData, match="all behave alike"):
        cluster(points_of(5.0 + noise), "kmeans", KMeansOptions(), 2, 0)
