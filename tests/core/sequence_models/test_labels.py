"""Any segmentation judged by how well its segments foretell users left out."""

from dataclasses import replace

import numpy as np
import pytest

from core.artifacts import FIT, NOISE, TEST, VALIDATE
from core.evaluation import worlds
from core.sequence_models.labels import bits_of_labels, mixture_of_labels
from core.sequence_models.models import counts_of, learn
from core.sequence_models.options import SequenceModelOptions
from tests.worlds import sequences_of

BRIEF = SequenceModelOptions(models_most=2, background="never")


@pytest.fixture(scope="module", params=["first_order", "timing"])
def planted(request):
    world = worlds.draw(request.param, 500, 0)
    sequences = sequences_of(world)
    return world, sequences, learn(sequences, BRIEF, 0)


def test_true_labels_are_worth_more_than_none_and_random_ones_less(planted):
    world, sequences, models = planted
    random = np.random.default_rng(0).permutation(world.truth)
    found = bits_of_labels(models, sequences, [world.truth, np.zeros_like(random), random], 0)
    assert found.bits.shape == ((sequences.split == VALIDATE).sum(), 3)
    truth, none, shuffled = found.per_event()
    assert truth > none + 0.05 and shuffled < none + 0.001
    behind, error = found.behind(0)
    assert behind[1] > 3 * error[1] and found.simplest_of_the_best() == 0


def test_the_labels_of_the_users_that_are_foretold_are_not_looked_at(planted):
    world, sequences, models = planted
    other = np.where(sequences.split == FIT, world.truth, 3 - world.truth)
    first, second = (bits_of_labels(models, sequences, [of], 0).bits for of in (world.truth, other))
    np.testing.assert_array_equal(first, second)


def test_names_of_segments_do_not_matter(planted):
    world, sequences, models = planted
    renamed = np.array([30, 10, 40, 20])[world.truth]
    found = bits_of_labels(models, sequences, [world.truth, renamed], 0).bits
    np.testing.assert_allclose(found[:, 0], found[:, 1], rtol=1e-6)


def test_test_users_are_neither_fitted_nor_foretold(planted):
    world, sequences, models = planted
    other = np.where(sequences.split == TEST, 0, world.truth)
    found = bits_of_labels(models, sequences, [world.truth, other], 0).bits
    np.testing.assert_array_equal(found[:, 0], found[:, 1])


def test_a_log_of_which_nobody_is_watched_is_judged_all_the_same(planted):
    world, sequences, models = planted
    all_fit = replace(sequences, split=np.zeros(500, dtype=np.int8))
    found = bits_of_labels(models, all_fit, [world.truth, np.zeros(500, dtype=np.int64)], 0)
    assert len(found.n_events) == 125 and found.simplest_of_the_best() == 0


def test_strays_set_aside_are_worth_more_than_strays_taken_for_a_segment():
    world = worlds.draw("noisy", 900, 0)
    sequences = sequences_of(world)
    models = learn(sequences, BRIEF, 0)
    assert (world.truth == NOISE).any()
    as_segment = np.where(world.truth == NOISE, 6, world.truth)
    found = bits_of_labels(models, sequences, [world.truth, as_segment], 0)
    behind, error = found.behind(0)
    assert behind[1] > 2 * error[1]


def test_noise_alone_is_one_segment_and_noise_beside_segments_a_background(planted):
    world, sequences, models = planted
    counts = counts_of(models.state, sequences, np.arange(500))
    alone = mixture_of_labels(counts, np.full(500, NOISE))
    assert alone.k == 1 and not alone.has_background
    some = mixture_of_labels(counts, np.where(world.truth == 0, NOISE, world.truth))
    assert some.k == 3 and some.has_background
    expected = ((world.truth == 0).sum() + 1) / (500 + 4)
    assert some.shares[-1] == pytest.approx(expected)
