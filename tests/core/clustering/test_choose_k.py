from itertools import pairwise

import numpy as np
import pytest
from sklearn.metrics import silhouette_samples

from core.clustering.choose_k import KOptions, Tried, k_curve, knee_of, suggest
from core.clustering.gap import Gap
from core.errors import OptionRefused


@pytest.mark.parametrize("seed", range(4))
def test_three_clear_groups_are_seen(seed, blobs):
    points, _ = blobs([40, 30, 30], seed=seed)
    curve = k_curve(points, KOptions(), 0)
    assert curve.suggested == 3
    assert "3 segments are suggested" in curve.reason
    assert "No such figure can tell whether there are segments at all" in curve.reason


@pytest.mark.parametrize("seed", range(3))
def test_six_groups_of_unequal_size_are_seen(seed, blobs):
    points, _ = blobs([300, 200, 120, 80, 60, 40], width=16, spread=3.0, seed=seed)
    assert k_curve(points, KOptions(), 0).suggested == 6


def test_four_groups_in_two_regions_are_four_though_silhouette_favours_two(points_of):
    rng = np.random.default_rng(0)
    places = np.array([[0, 0], [4.5, 0], [60, 0], [64.5, 0]])
    points = points_of(np.repeat(places, 60, axis=0) + rng.normal(size=(240, 2)))
    curve = k_curve(points, KOptions(), 0)
    assert curve.ks[int(np.nanargmax(curve.silhouette))] == 2
    assert curve.suggested == 4


def test_one_segment_stands_first_and_the_loss_never_rises_with_k(blobs):
    points, _ = blobs([100, 80], spread=8.0)
    curve = k_curve(points, KOptions(), 0)
    assert curve.ks == tuple(range(1, 11))
    assert np.isnan(curve.silhouette[0])
    assert curve.inertia[0] == pytest.approx(180 * points.values.var(axis=0).sum(), rel=1e-4)
    assert all(b <= a for a, b in pairwise(curve.inertia))


def test_the_silhouette_is_the_mean_over_segments(points_of):
    line = points_of([[0.0], [1.0], [2.0], [3.0], [40.0], [41.0], [41.5], [42.0], [2.5], [0.5]])
    curve = k_curve(line, KOptions(k_max=2), 0)
    of = (line.values[:, 0] > 20).astype(int)
    each = silhouette_samples(line.values.astype(np.float64), of)
    expected = (each[of == 0].mean() + each[of == 1].mean()) / 2
    assert curve.silhouette[1] == pytest.approx(expected, abs=1e-9)


def test_a_single_cloud_gets_a_suggestion_that_warns(points_of):
    cloud = points_of(np.random.default_rng(1).normal(size=(400, 6)))
    curve = k_curve(cloud, KOptions(), 0)
    assert "there may be no segments" in curve.reason


def test_where_the_gap_still_grows_silhouette_decides_and_it_says_so():
    tried = [
        Tried(k=k, inertia=10.0 - k, silhouette=s, error=0.001)
        for k, s in ((2, 0.2), (3, 0.3), (4, 0.25))
    ]
    references = np.zeros((5, 4))
    growing = Gap(ks=(1, 2, 3, 4), values=np.array([0.0, 0.1, 0.3, 0.5]), references=references)
    k, reason = suggest(tried, growing, knee=None)
    assert k == 3 and "finer groups" in reason
    peaked = Gap(ks=(1, 2, 3, 4), values=np.array([0.0, 0.6, 0.3, 0.5]), references=references)
    assert suggest(tried, peaked, knee=None)[0] == 2


def test_users_who_are_alike_are_one_segment(points_of):
    curve = k_curve(points_of(np.full((30, 4), 0.25)), KOptions(), 0)
    assert (curve.ks, curve.suggested, curve.knee) == ((1,), 1, None)
    assert "All 30 users are alike" in curve.reason


@pytest.mark.parametrize(("n_users", "ks"), [(1, (1,)), (2, (1,)), (3, (1, 2)), (20, (1, 2, 3, 4))])
def test_few_users_cut_the_range_and_it_says_so(n_users, ks, points_of):
    points = points_of(np.random.default_rng(0).normal(size=(n_users, 3)))
    curve = k_curve(points, KOptions(), 0)
    assert curve.ks == ks
    assert "user" in curve.reason
    if len(ks) > 1:
        assert f"Tried up to {ks[-1]} segments instead of 10" in curve.reason


def test_more_segments_than_different_users_are_not_tried(points_of):
    curve = k_curve(points_of(np.repeat(np.eye(3), 30, axis=0)), KOptions(), 0)
    assert curve.ks == (1, 2, 3)
    assert curve.suggested == 3
    assert "90 users with 3 different behaviours" in curve.reason


def test_a_large_log_is_compared_on_a_sample_and_it_says_so(blobs):
    points, _ = blobs([300, 200, 100])
    curve = k_curve(points, KOptions(k_max=5, k_max_users=150), 0)
    assert curve.suggested == 3
    assert "random sample of 150 users" in curve.reason


def test_the_same_seed_gives_the_same_curve_and_progress_rises(blobs):
    points, _ = blobs([50, 40], spread=5.0)
    heard = []
    first = k_curve(points, KOptions(k_max=4), 7, heard.append)
    assert repr(first) == repr(k_curve(points, KOptions(k_max=4), 7))
    done = [progress.done for progress in heard]
    assert done == sorted(done)
    assert done[-1] == 1.0


def test_a_range_that_ends_before_it_begins_is_refused():
    with pytest.raises(OptionRefused, match=r"cluster\.k_min is 8, more than k_max, which is 5"):
        KOptions.from_dict({"k_min": 8, "k_max": 5}, where="cluster")


def test_the_knee_is_where_the_fall_bends():
    assert knee_of([1, 2, 3, 4, 5, 6], [100, 60, 20, 16, 13, 10]) == 3


def test_a_straight_fall_has_no_knee():
    assert knee_of([1, 2, 3, 4, 5], [50, 40, 30, 20, 10]) is None
    assert knee_of([1, 2], [50, 10]) is None
    assert knee_of([1, 2, 3], [0, 0, 0]) is None
