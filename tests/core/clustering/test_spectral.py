"""Cuts of a graph of near users: bent segments, torn graphs, and users that were not fitted."""

import numpy as np
import pytest
from sklearn.cluster import SpectralClustering as Library
from sklearn.datasets import make_circles, make_moons
from sklearn.metrics import adjusted_rand_score

from core.clustering import assign, cluster, spectral
from core.clustering.spectral import SpectralOptions


def bent(kind, n_users=500, seed=0):
    if kind == "moons":
        return make_moons(n_users, noise=0.06, random_state=seed)
    return make_circles(n_users, noise=0.04, factor=0.4, random_state=seed)


@pytest.mark.filterwarnings("ignore:Graph is not fully connected")  # the library's own warning
@pytest.mark.parametrize("kind", ["moons", "circles"])
def test_bent_segments_are_found_as_by_the_library(points_of, kind):
    points, of = bent(kind)
    ours = cluster(points_of(points), "spectral", SpectralOptions(), 2, 0)
    theirs = Library(
        2, affinity="nearest_neighbors", n_neighbors=16, assign_labels="kmeans", random_state=0
    ).fit_predict(points)
    assert adjusted_rand_score(of, ours.values) > 0.97
    assert adjusted_rand_score(theirs, ours.values) > 0.97


def test_many_users_are_cut_as_few_are(points_of, monkeypatch):
    points, _ = bent("moons", 700, seed=2)
    few = cluster(points_of(points), "spectral", SpectralOptions(), 4, 0)
    monkeypatch.setattr(spectral, "_DENSE", 10)
    many = cluster(points_of(points), "spectral", SpectralOptions(), 4, 0)
    again = cluster(points_of(points), "spectral", SpectralOptions(), 4, 0)
    assert adjusted_rand_score(few.values, many.values) > 0.99
    np.testing.assert_array_equal(many.values, again.values)


@pytest.mark.parametrize("dense", [10, 1000])
def test_a_graph_that_falls_apart_is_tied_and_that_is_told(blobs, points_of, monkeypatch, dense):
    monkeypatch.setattr(spectral, "_DENSE", dense)
    points, of = blobs([120, 80, 60], width=3, seed=0)
    labels = cluster(points, "spectral", SpectralOptions(n_neighbors=5), 3, 0)
    assert adjusted_rand_score(of, labels.values) > 0.99
    assert "The graph of neighbours falls into 3 parts" in labels.note
    two = cluster(points, "spectral", SpectralOptions(n_neighbors=5), 2, 0)
    together = [set(two.values[of == k].tolist()) for k in range(3)]
    assert all(len(one) == 1 for one in together)  # no part is cut where two can be joined


def test_new_users_follow_most_of_their_neighbours(points_of):
    points, of = bent("moons", 600)
    fitted = np.arange(600) % 2 == 0
    labels = cluster(points_of(points[fitted]), "spectral", SpectralOptions(), 2, 0)
    values, confidence = assign("spectral", labels.state, points[~fitted].astype(np.float32))
    assert adjusted_rand_score(of[~fitted], values) > 0.95
    assert confidence.min() >= 0.5
    whole = cluster(points_of(points), "spectral", SpectralOptions(), 2, 0).values[~fitted]
    assert adjusted_rand_score(whole, values) > 0.95


def test_past_a_size_the_graph_is_of_a_sample_and_everyone_is_placed(points_of):
    points, of = bent("circles", 900)
    options = SpectralOptions(max_fitted_users=400)
    labels = cluster(points_of(points), "spectral", options, 2, 0)
    assert "The graph is of a random sample of 400 of the 900 users" in labels.note
    assert adjusted_rand_score(of, labels.values) > 0.95


def test_fewer_users_than_neighbours_and_one_segment(points_of):
    points = np.random.default_rng(0).normal(size=(6, 2))
    labels = cluster(points_of(points), "spectral", SpectralOptions(), 2, 0)
    assert labels.n_clusters == 2
    one = cluster(points_of(points), "spectral", SpectralOptions(), 1, 0)
    assert one.values.tolist() == [0] * 6 and (one.confidence == 1).all()
