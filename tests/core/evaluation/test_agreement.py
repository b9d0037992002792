import numpy as np
import pytest

from core.evaluation.agreement import MOST_LABELS_SHOWN, agreement, chance_ari
from core.evaluation.contingency import contingency


def by_name(metrics):
    return {m.name: m.value for m in metrics}


def test_labels_are_matched_by_user_whatever_their_order(labels_of, known_of):
    labels = labels_of([0, 0, 0, 1, 1])
    known = known_of(
        ["b", "b", "a", "a", "a", "x"], users=["u0004", "u0003", "u0002", "u0001", "u0000", "else"]
    )
    found = agreement(labels, known, 0)
    assert (found.n_labelled, found.n_unmatched) == (5, 1)
    assert by_name(found.without_noise)["ari"] == 1.0
    assert found.confusion.labels == ("a", "b")
    assert found.confusion.segments == (0, 1)
    assert found.confusion.counts == ((3, 0), (0, 2))


def test_noise_is_counted_twice_once_dropped_once_as_segments_of_one(labels_of, known_of):
    labels = labels_of([0, 0, 1, 1, -1, -1])
    found = agreement(labels, known_of(["a", "a", "b", "b", "a", "b"]), 0)
    assert found.coverage == pytest.approx(4 / 6)
    assert by_name(found.without_noise)["pair_recall"] == 1.0
    assert by_name(found.noise_as_singletons)["pair_recall"] == pytest.approx(2 / 6)
    assert by_name(found.noise_as_singletons)["pair_precision"] == 1.0
    assert found.confusion.segments == (0, 1, -1)
    assert found.confusion.counts == ((2, 0, 1), (0, 2, 1))


def test_the_baseline_is_everyone_in_one_segment(labels_of, known_of):
    found = agreement(labels_of([0, 0, 1, 1]), known_of(["a", "a", "a", "b"]), 0)
    baseline = by_name(found.baseline)
    assert baseline["purity"] == 0.75
    assert baseline["ari"] == 0.0
    assert baseline["pair_recall"] == 1.0


def test_agreement_at_chance_is_reported_as_what_it_is(labels_of, known_of):
    rng = np.random.default_rng(0)
    labels = labels_of(np.sort(rng.integers(4, size=800)))
    known = known_of(rng.choice(["0", "1", "2", "3+"], size=800), name="kids_count")
    reading = agreement(labels, known, 0).reading
    assert reading.startswith("The segments do not follow kids_count: agreement is what chance")
    assert "ARI" in reading


def test_good_agreement_is_set_beside_naming_everyone_alike(labels_of, known_of):
    labels = labels_of([0] * 60 + [1] * 40)
    known = known_of(["a"] * 57 + ["b"] * 43)
    reading = agreement(labels, known, 0).reading
    assert "closely follow persona (ARI 0.88)" in reading
    assert "right for 97% of the users" in reading
    assert "commonest for 57%" in reading


def test_a_little_more_than_chance_is_not_called_agreement(labels_of, known_of):
    rng = np.random.default_rng(0)
    of = np.sort(rng.integers(2, size=4000))
    known = np.where(rng.random(4000) < 0.15, of, rng.integers(2, size=4000)).astype(str)
    reading = agreement(labels_of(of), known_of(known), 0).reading
    assert reading.startswith("The segments hardly follow persona: a little more than chance")


def test_labels_of_other_users_are_said_to_be_so(labels_of, known_of):
    found = agreement(labels_of([0, 0, 1]), known_of(["a", "b"], users=["U0000", "U0001"]), 0)
    assert (found.n_labelled, found.n_unmatched) == (0, 2)
    assert all(m.value is None for m in (*found.without_noise, *found.baseline))
    assert "check that their ids are written the same way" in found.reading
    assert found.coverage == 0.0


def test_a_label_with_one_value_and_a_single_segment_have_readings(labels_of, known_of):
    assert "nothing to agree with" in agreement(labels_of([0, 1]), known_of(["a", "a"]), 0).reading
    assert "There is one segment" in agreement(labels_of([0, 0]), known_of(["a", "b"]), 0).reading


def test_a_label_of_its_own_for_every_user_is_cut_in_the_table_only(labels_of, known_of):
    labels = labels_of(np.sort(np.arange(3000) % 3))
    found = agreement(labels, known_of([f"id{i:04d}" for i in range(3000)]), 0)
    assert len(found.confusion.labels) == MOST_LABELS_SHOWN
    assert found.confusion.labels[-1] == "(2,951 rarer labels)"
    assert np.array(found.confusion.counts).sum() == 3000
    assert by_name(found.without_noise)["ari"] == 0.0


def test_chance_level_holds_for_permuted_labels():
    rng = np.random.default_rng(0)
    labels, segments = rng.integers(3, size=200), rng.integers(4, size=200)
    table = contingency(labels, segments)
    level = chance_ari(table, 0)
    assert 0.005 < level < 0.05
    assert level == chance_ari(table, 0)
