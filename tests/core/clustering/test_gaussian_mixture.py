"""Clouds: of which shape they are, who belongs to which, and what is told of them."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture as Library

from core.clustering import assign, cluster
from core.clustering.gaussian_mixture import GaussianMixtureOptions


def clouds(shape, seed=0):
    """Two clouds of 300 users each, near one another, of a shape that only its own model has."""
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(2, 300, 2))
    long = np.array([[2.0, 0.0], [0.0, 0.5]])
    turned = np.array([[0.8, 0.6], [-0.6, 0.8]])
    if shape == "tied":
        spread = (long @ turned, long @ turned)
    elif shape == "diag":
        spread = (long, np.diag([0.5, 2.0]))
    else:
        spread = (long @ turned, np.diag([0.6, 0.6]) @ turned.T + 0.3)
    points = np.vstack([first @ spread[0], second @ spread[1] + [3.0, -4.0]])
    return points.astype(np.float32), np.repeat([0, 1], 300)


@pytest.mark.parametrize("shape", ["full", "diag", "tied"])
def test_the_shape_is_found_and_told_with_what_the_others_have(points_of, shape):
    points, of = clouds(shape)
    labels = cluster(points_of(points), "gaussian_mixture", GaussianMixtureOptions(), 2, 0)
    assert labels.note.startswith(f"The shape of the clouds is {shape}, by the lowest BIC (full ")
    assert adjusted_rand_score(of, labels.values) > 0.9


@pytest.mark.parametrize("shape", ["full", "diag", "tied"])
def test_labels_and_probabilities_are_those_of_the_library(points_of, shape):
    points, _ = clouds("full", seed=1)
    options = GaussianMixtureOptions(covariance=shape, n_init=1)
    ours = cluster(points_of(points), "gaussian_mixture", options, 3, 5)
    doubles = points.astype(np.float64)
    floor = 1e-3 * doubles.var(axis=0).mean()
    theirs = Library(3, covariance_type=shape, reg_covar=floor, max_iter=200, random_state=5).fit(
        doubles
    )
    assert adjusted_rand_score(theirs.predict(doubles), ours.values) == 1.0
    np.testing.assert_allclose(
        theirs.predict_proba(doubles).max(axis=1), ours.confidence, atol=1e-6
    )
    assert ours.note == ""


def test_overlapping_clouds_are_told_with_the_right_certainty(points_of):
    rng = np.random.default_rng(0)
    of = rng.integers(0, 2, 4000)
    points = rng.normal(size=(4000, 1)) + 2.0 * of[:, None]
    labels = cluster(points_of(points), "gaussian_mixture", GaussianMixtureOptions(), 2, 0)
    right = labels.values == (of if (labels.values == of).mean() > 0.5 else 1 - of)
    for low in (0.5, 0.6, 0.7, 0.8, 0.9):
        sure = (labels.confidence >= low) & (labels.confidence < low + 0.1)
        assert right[sure].mean() == pytest.approx(labels.confidence[sure].mean(), abs=0.06)


def test_past_a_size_clouds_come_from_a_sample_and_everyone_is_placed(points_of):
    points, of = clouds("full")
    options = GaussianMixtureOptions(max_fitted_users=200)
    labels = cluster(points_of(points), "gaussian_mixture", options, 2, 0)
    assert "a random sample of 200 of the 600 users" in labels.note
    assert adjusted_rand_score(of, labels.values) > 0.9


def test_no_cloud_shrinks_onto_one_user_or_a_number_that_never_differs(points_of):
    points, of = clouds("full")
    flat = np.column_stack([points, np.full(600, 7.0), points[:, 0]]).astype(np.float32)
    flat[:5] = [50.0, 50.0, 7.0, 50.0]
    labels = cluster(points_of(flat), "gaussian_mixture", GaussianMixtureOptions(), 3, 0)
    assert np.isfinite(labels.confidence).all() and (labels.values[:5] == 2).all()
    assert adjusted_rand_score(of[5:], labels.values[5:]) > 0.9


def test_a_fit_that_did_not_settle_says_so(points_of):
    points, _ = clouds("full")
    options = GaussianMixtureOptions(max_iter=1)
    labels = cluster(points_of(points), "gaussian_mixture", options, 4, 0)
    assert (
        "EM ended before it stood still; allow more iterations (cluster.max_iter)." in labels.note
    )


def test_a_cloud_in_which_nobody_is_likeliest_is_left_out_for_new_users_too(points_of):
    points = np.repeat(np.array([[0.0], [1.0], [10.0]], dtype=np.float32), [400, 1, 400], axis=0)
    options = GaussianMixtureOptions(covariance="tied")
    labels = cluster(points_of(points), "gaussian_mixture", options, 3, 0)
    line = np.linspace(-5, 15, 500, dtype=np.float32)[:, None]
    values, _ = assign("gaussian_mixture", labels.state, line)
    assert values.max() == labels.n_clusters - 1 == labels.values.max()
