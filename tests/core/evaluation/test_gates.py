import numpy as np
import pytest

from core.evaluation.gates import activity_explained, gates, smallest_usable
from core.evaluation.options import EvaluateOptions


def named(embeddings, labels, length):
    return {g.name: g for g in gates(embeddings, labels, np.asarray(length), EvaluateOptions())}


def test_each_gate_fails_for_its_own_reason(labels_of, embeddings_of):
    values = np.repeat([0, 1, -1], [450, 10, 540])
    found = named(embeddings_of(np.zeros((1000, 2))), labels_of(values), np.ones(1000))
    assert (found["segment_size"].passed, found["segment_size"].value) == (False, 10.0)
    assert found["segment_size"].threshold == 50.0
    assert (found["noise_share"].passed, found["noise_share"].value) == (False, 0.54)
    assert found["largest_share"].passed
    values = np.repeat([0, 1], [900, 100])
    found = named(embeddings_of(np.zeros((1000, 2))), labels_of(values), np.ones(1000))
    assert (found["largest_share"].passed, found["largest_share"].value) == (False, 0.9)
    assert found["segment_size"].passed


@pytest.mark.parametrize(
    ("n_users", "needed"), [(100, 5), (500, 25), (1000, 50), (5000, 50), (20_000, 200), (3, 1)]
)
def test_the_smallest_usable_segment_follows_the_log(n_users, needed):
    assert smallest_usable(n_users, EvaluateOptions()) == needed


def test_a_small_log_says_that_less_is_asked_of_it(labels_of, embeddings_of):
    found = named(embeddings_of(np.zeros((100, 2))), labels_of(np.arange(100) % 3), np.ones(100))
    assert found["segment_size"].passed
    assert "fewer than usual, for a small log" in found["segment_size"].text


def test_only_a_learned_representation_can_have_collapsed(labels_of, embeddings_of):
    rng = np.random.default_rng(0)
    labels = labels_of(np.arange(300) % 2)
    flat = np.outer(rng.normal(size=300), np.ones(16))
    full = rng.normal(size=(300, 16))
    assert "effective_rank" not in named(embeddings_of(flat), labels, np.ones(300))
    collapsed = named(embeddings_of(flat, learned=True), labels, np.ones(300))["effective_rank"]
    assert not collapsed.passed
    assert collapsed.value == pytest.approx(1.0, abs=1e-3)
    healthy = named(embeddings_of(full, learned=True), labels, np.ones(300))["effective_rank"]
    assert healthy.passed
    assert 14 < healthy.value <= 16


def test_activity_explained_by_hand():
    # Logs 0, 1 | 2, 3: mean 1.5, total 5, between 2 * (1² + 1²) = 4.
    length = np.exp([0.0, 1.0, 2.0, 3.0])
    assert activity_explained(np.array([0, 0, 1, 1]), length) == pytest.approx(0.8)
    with_noise = np.array([0, 0, 1, 1, -1])
    assert activity_explained(with_noise, np.append(length, 9e9)) == pytest.approx(0.8)


def test_users_who_are_equally_active_leave_nothing_to_explain():
    assert activity_explained(np.array([0, 1, 1]), np.array([7, 7, 7])) == 0.0
    assert activity_explained(np.array([-1, -1]), np.array([1, 7])) == 0.0
    assert activity_explained(np.array([0, 0]), np.array([1, 7])) == 0.0
