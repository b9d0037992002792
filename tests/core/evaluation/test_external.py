from itertools import combinations

import numpy as np
import pytest
from sklearn import metrics

from core.evaluation.contingency import contingency, noise_apart
from core.evaluation.external import external_metrics


def figures(labels, segments):
    table = contingency(np.asarray(labels), np.asarray(segments))
    return {m.name: m.value for m in external_metrics(table)}


@pytest.fixture
def drawn():
    """Labels, and segments that follow them for a part; noise among them."""
    rng = np.random.default_rng(0)
    labels = rng.integers(4, size=300)
    segments = np.where(rng.random(300) < 0.5, labels % 3, rng.integers(-1, 3, size=300))
    return labels, segments.astype(np.int32)


def test_figures_agree_with_the_reference_to_nine_digits(drawn):
    labels, segments = drawn
    for parts in (segments, noise_apart(segments)):
        found = figures(labels, parts)
        assert found["ari"] == pytest.approx(metrics.adjusted_rand_score(labels, parts), abs=1e-9)
        assert found["ami"] == pytest.approx(
            metrics.adjusted_mutual_info_score(labels, parts), abs=1e-9
        )
        for ours, theirs in (
            ("nmi", metrics.normalized_mutual_info_score),
            ("nmi", metrics.v_measure_score),
        ):
            assert found[ours] == pytest.approx(theirs(labels, parts), abs=1e-9)


def test_pairs_are_counted_as_if_each_were_looked_at(drawn):
    labels, segments = drawn[0][:60], drawn[1][:60]
    pairs = list(combinations(range(60), 2))
    together = [(labels[i] == labels[j], segments[i] == segments[j]) for i, j in pairs]
    both = sum(a and b for a, b in together)
    found = figures(labels, segments)
    assert found["pair_precision"] == pytest.approx(both / sum(b for _, b in together), abs=1e-12)
    assert found["pair_recall"] == pytest.approx(both / sum(a for a, _ in together), abs=1e-12)


def test_b_cubed_is_counted_as_if_each_user_were_looked_at(drawn):
    labels, segments = drawn[0][:60], drawn[1][:60]
    precision = np.mean([np.mean(labels[segments == segments[i]] == labels[i]) for i in range(60)])
    recall = np.mean([np.mean(segments[labels == labels[i]] == segments[i]) for i in range(60)])
    found = figures(labels, segments)
    assert found["bcubed_precision"] == pytest.approx(precision, abs=1e-12)
    assert found["bcubed_recall"] == pytest.approx(recall, abs=1e-12)
    assert found["bcubed_f1"] == pytest.approx(2 * precision * recall / (precision + recall))


def test_figures_worked_out_by_hand():
    # Segment 0 holds a a b, segment 1 holds b b: 4 pairs together, 2 of them of one label.
    found = figures([0, 0, 1, 1, 1], [0, 0, 0, 1, 1])
    assert found["pair_precision"] == pytest.approx(2 / 4)
    assert found["pair_recall"] == pytest.approx(2 / 4)
    assert found["pair_f1"] == pytest.approx(1 / 2)
    assert found["purity"] == pytest.approx(4 / 5)
    assert found["ari"] == pytest.approx((2 - 4 * 4 / 10) / (4 - 4 * 4 / 10))
    # a with segment 0: 2*2/(2+3); b with segment 1: 2*2/(3+2).
    assert found["matched_f1"] == pytest.approx(0.8)


def test_a_label_without_a_segment_of_its_own_counts_nothing_when_matched():
    assert figures([0, 0, 1, 1], [0, 0, 0, 0])["matched_f1"] == pytest.approx((2 * 2 / 6) / 2)


def test_one_segment_for_everyone_is_what_purity_and_recall_must_be_read_against():
    found = figures([0, 0, 0, 1], [0, 0, 0, 0])
    assert found["purity"] == 0.75
    assert found["pair_recall"] == 1.0
    assert found["pair_precision"] == pytest.approx(3 / 6)
    assert (found["ari"], found["ami"], found["nmi"]) == (0.0, 0.0, 0.0)


def test_a_segment_per_user_has_no_pairs_to_be_right_about():
    found = figures([0, 0, 1], [0, 1, 2])
    assert found["pair_precision"] is None
    assert found["pair_recall"] == 0.0
    assert found["purity"] == 1.0
    assert found["ari"] == 0.0


def test_a_label_with_one_value_leaves_agreement_undefined():
    found = figures([0, 0, 0], [0, 1, 1])
    assert found["ari"] is None
    assert found["ami"] is None
    assert found["nmi"] is None
    assert found["purity"] == 1.0


def test_nobody_to_count_is_undefined_everywhere():
    nobody = np.zeros(0, dtype=np.int32)
    assert set(figures(nobody, nobody).values()) == {None}


def test_a_million_users_are_counted_by_cells_not_by_pairs():
    rng = np.random.default_rng(0)
    labels, segments = rng.integers(5, size=10**6), rng.integers(6, size=10**6)
    found = figures(labels, segments)
    assert abs(found["ari"]) < 1e-4
    assert found["pair_precision"] == pytest.approx(0.2, abs=0.001)


def test_every_noise_user_becomes_a_segment_of_its_own():
    apart = noise_apart(np.array([-1, 0, 1, -1], dtype=np.int32))
    assert apart.tolist() == [2, 0, 1, 3]
    assert noise_apart(np.array([-1, -1], dtype=np.int32)).tolist() == [0, 1]
