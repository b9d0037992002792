"""Joining step by step: the tree is the library's, and new users join as fitted ones did."""

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster
from sklearn.cluster import AgglomerativeClustering as Library
from sklearn.metrics import adjusted_rand_score

from core.clustering import assign, cluster
from core.clustering.hierarchical import HierarchicalOptions, cut

EVERY = pytest.mark.parametrize("linkage", ["ward", "average", "complete"])


@EVERY
@pytest.mark.parametrize("k", [1, 2, 5, 17])
def test_segments_are_those_of_the_library(blobs, points_of, linkage, k):
    points, _ = blobs([200, 150, 50], width=4, seed=1)
    ours = cluster(points, "hierarchical", HierarchicalOptions(linkage=linkage), k, 0)
    theirs = Library(k, linkage=linkage).fit(points.values.astype(np.float64))
    assert adjusted_rand_score(theirs.labels_, ours.values) == 1.0
    assert ours.n_clusters == k


@EVERY
def test_a_new_user_is_where_joining_costs_least(blobs, linkage):
    points, _ = blobs([60, 40, 20], width=3, seed=2)
    fitted = points.values.astype(np.float64)
    labels = cluster(points, "hierarchical", HierarchicalOptions(linkage=linkage), 4, 0)
    new = np.random.default_rng(3).normal(size=(50, 3)).astype(np.float32) * 6.0
    values, confidence = assign("hierarchical", labels.state, new)
    for user, value, sure in zip(new.astype(np.float64), values, confidence, strict=True):
        costs = []
        for k in range(4):
            members = fitted[labels.values == k]
            far = np.linalg.norm(members - user, axis=1)
            n = len(members)
            widening = n / (n + 1) * np.square(members.mean(axis=0) - user).sum()
            costs.append({"ward": widening, "average": far.mean(), "complete": far.max()}[linkage])
        assert value == np.argmin(costs)
        best, other = sorted(costs)[:2]
        assert sure == pytest.approx(other / (best + other), abs=1e-5)


@EVERY
def test_held_out_users_get_the_segment_a_refit_with_them_would_give(blobs, points_of, linkage):
    points, _ = blobs([200, 150, 50], width=4, seed=3)
    half = np.arange(400) % 2 == 0
    options = HierarchicalOptions(linkage=linkage)
    fitted = cluster(points_of(points.values[half]), "hierarchical", options, 3, 0)
    values, _ = assign("hierarchical", fitted.state, points.values[~half])
    whole = cluster(points, "hierarchical", options, 3, 0).values[~half]
    assert adjusted_rand_score(whole, values) > 0.95


def test_the_tree_can_be_cut_anywhere_even_where_joins_are_equally_high():
    from scipy.cluster.hierarchy import linkage

    rng = np.random.default_rng(0)
    merges = linkage(rng.normal(size=(40, 2)), "average")
    for k in range(1, 41):
        found = cut(merges, k)
        assert len(np.unique(found)) == k
        assert adjusted_rand_score(fcluster(merges, k, "maxclust"), found) == 1.0
    alike = linkage(np.repeat(np.arange(4.0)[:, None], 3, axis=0), "complete")  # joins at 0
    assert [len(np.unique(cut(alike, k))) for k in (1, 3, 6, 12)] == [1, 3, 6, 12]


def test_past_a_size_the_tree_is_of_a_sample_and_everyone_is_placed(blobs):
    points, of = blobs([300, 200, 100], width=4, seed=4)
    labels = cluster(points, "hierarchical", HierarchicalOptions(max_fitted_users=150), 3, 0)
    assert "The tree is of a random sample of 150 of the 600 users" in labels.note
    assert adjusted_rand_score(of, labels.values) > 0.97
    assert np.bincount(labels.values).tolist() == sorted(np.bincount(labels.values))[::-1]


def test_one_user_alone_is_one_segment(points_of):
    labels = cluster(points_of(np.ones((1, 3))), "hierarchical", HierarchicalOptions(), 1, 0)
    assert labels.values.tolist() == [0] and labels.confidence.tolist() == [1.0]
