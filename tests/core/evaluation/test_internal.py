import numpy as np
import pytest
from sklearn.metrics import (
    calinski_harabasz_score,
    davies_bouldin_score,
    silhouette_samples,
    silhouette_score,
)

from core.evaluation._base import gathered
from core.evaluation.internal import internal_metrics


def figures(points, values, n_noise=0, per_segment=200):
    found = gathered(np.asarray(points), np.asarray(values, dtype=np.int32), per_segment, 0)
    return {m.name: m for m in internal_metrics(found, n_noise)}


def test_figures_agree_with_the_reference_to_nine_digits(overlapping):
    points, of = overlapping
    found = figures(points, of)
    each = silhouette_samples(points, of)
    macro = np.mean([each[of == k].mean() for k in range(3)])
    assert found["macro_silhouette"].value == pytest.approx(macro, abs=1e-9)
    assert found["micro_silhouette"].value == pytest.approx(silhouette_score(points, of), abs=1e-9)
    assert found["calinski_harabasz"].value == pytest.approx(
        calinski_harabasz_score(points, of), rel=1e-9
    )
    assert found["davies_bouldin"].value == pytest.approx(
        davies_bouldin_score(points, of), abs=1e-9
    )


def test_figures_worked_out_by_hand():
    # Segments {0, 2} and {10, 12, 14}: centres 1 and 12, squares 1+1 and 4+0+4.
    found = figures([[0.0], [2.0], [10.0], [12.0], [14.0]], [1, 1, 0, 0, 0])
    assert found["loss_j"].value == pytest.approx(10.0)
    assert found["mean_intra_distance"].value == pytest.approx((1 + 1 + 2 + 0 + 2) / 5)
    # Between: 2 * 6.6² + 3 * 4.4² = 145.2, over 1; within: 10 over 3.
    assert found["calinski_harabasz"].value == pytest.approx(145.2 / (10 / 3))
    assert found["davies_bouldin"].value == pytest.approx((1 + 4 / 3) / 11)
    assert found["macro_silhouette"].note == ""


def test_far_from_the_origin_the_silhouette_is_the_same(overlapping):
    points, of = overlapping
    near, far = figures(points, of), figures(points + 1e4, of)
    name = "macro_silhouette"
    assert far[name].value == pytest.approx(near[name].value, abs=1e-7)


def test_one_segment_leaves_comparisons_undefined_and_says_why():
    found = figures([[0.0], [2.0]], [0, 0])
    for name in ("macro_silhouette", "micro_silhouette", "calinski_harabasz", "davies_bouldin"):
        assert found[name].value is None
        assert "fewer than two" in found[name].note
    assert found["loss_j"].value == 2.0
    assert found["mean_intra_distance"].value == 1.0


def test_segments_of_one_user_score_nothing_and_the_rest_is_undefined_in_words():
    found = figures([[0.0], [5.0]], [0, 1])
    assert found["macro_silhouette"].value == 0.0
    assert found["calinski_harabasz"].value is None
    assert found["loss_j"].value == 0.0


def test_segments_on_one_spot_are_undefined_not_infinite():
    found = figures([[1.0], [1.0], [1.0], [1.0]], [0, 0, 1, 1])
    assert found["davies_bouldin"].value is None
    assert "same centre" in found["davies_bouldin"].note
    assert found["macro_silhouette"].value == 0.0


def test_users_left_out_are_said_beside_every_figure(overlapping):
    points, of = overlapping
    for metric in figures(points, of, n_noise=20).values():
        assert "180 users in a segment; 20 users in none are left out" in metric.note


def test_nobody_in_a_segment_is_undefined_everywhere():
    assert all(m.value is None and m.note for m in internal_metrics(None, 12))


def test_a_sample_estimates_the_silhouettes_within_its_stated_error():
    rng = np.random.default_rng(1)
    of = np.repeat([0, 1], [1500, 500]).astype(np.int32)
    points = rng.normal(size=(2000, 4)) + 2.0 * np.eye(2, 4)[of]
    each = silhouette_samples(points, of)
    found = figures(points, of, per_segment=200)
    for name, truth in (
        ("micro_silhouette", each.mean()),
        ("macro_silhouette", (each[of == 0].mean() + each[of == 1].mean()) / 2),
    ):
        error = float(found[name].note.split()[2].rstrip(","))
        assert 0.003 < error < 0.03
        assert abs(found[name].value - truth) < 4 * error
