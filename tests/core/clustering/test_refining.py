"""Segments of points, refined by what users did and kept only where that is seen."""

import numpy as np
import pytest

from core.artifacts import Embeddings
from core.clustering import Behaviour, assign, cluster, placed_by, refine
from core.clustering.kmeans import KMeansOptions
from core.clustering.markov_mixture import MarkovMixtureOptions
from core.evaluation.worlds import agreement, draw
from core.sequence_models.models import learn
from core.sequence_models.options import SequenceModelOptions
from tests.worlds import sequences_of


def points_of(sequences, values):
    return Embeddings(
        user_ids=sequences.user_ids,
        values=values.astype(np.float32),
        method="literal",
        learned=False,
        device="cpu",
        state={},
        history=(),
        fingerprint="e" * 64,
    )


@pytest.fixture(scope="module")
def ordered():
    """A world of order, and points that show its segments only roughly."""
    world = draw("first_order", 600, 0)
    sequences = sequences_of(world)
    rough = np.eye(4)[world.truth] + np.random.default_rng(0).normal(0, 0.45, (600, 4))
    models = learn(sequences, SequenceModelOptions(models_most=2), 0)
    return world, points_of(sequences, rough), Behaviour(sequences=sequences, models=models)


def kmeans(prepared, refined):
    _, points, behaviour = prepared
    made = cluster(points, "kmeans", KMeansOptions(), 4, 0)
    return refine(made, behaviour, 0) if refined else made


def test_segments_of_rough_points_come_nearer_to_the_truth_and_that_is_told(ordered):
    world = ordered[0]
    before, after = kmeans(ordered, False), kmeans(ordered, True)
    assert agreement(world, after.values) > 0.8 > agreement(world, before.values)
    assert "and kept" in after.note and "users changed segment" in after.note
    assert after.method == "kmeans" and after.loss_trace == before.loss_trace
    sizes = np.bincount(after.values)
    assert len(sizes) == after.n_clusters == 4 and (np.diff(sizes) <= 0).all()


def test_new_users_go_where_the_refined_segments_put_them(ordered):
    after, behaviour = kmeans(ordered, True), ordered[2]
    assert placed_by(after.method, after.state).reads == "behaviour"
    newcomers = Behaviour(sequences=behaviour.sequences.of_users(np.arange(50)))
    values, confidence = assign("kmeans", after.state, np.zeros((0, 0)), newcomers)
    np.testing.assert_array_equal(values, after.values[:50])
    np.testing.assert_allclose(confidence, after.confidence[:50], atol=1e-5)


def test_where_nothing_gains_the_segments_are_those_of_the_points():
    world = draw("iid", 400, 0)
    sequences = sequences_of(world)
    models = learn(sequences, SequenceModelOptions(models_most=2), 0)
    points = points_of(sequences, np.random.default_rng(0).normal(size=(400, 3)))
    prepared = (world, points, Behaviour(sequences=sequences, models=models))
    before, after = kmeans(prepared, False), kmeans(prepared, True)
    np.testing.assert_array_equal(after.values, before.values)
    assert placed_by(after.method, after.state).name == "kmeans"
    assert "was reverted" in after.note


def test_segments_that_are_models_already_are_left_as_they_are(ordered):
    _, points, behaviour = ordered
    made = cluster(points, "markov_mixture", MarkovMixtureOptions(), 2, 0, behaviour)
    assert "does not apply" in refine(made, behaviour, 0).note
