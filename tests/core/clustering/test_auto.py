"""The algorithm taken where the choice is left to the tool."""

from dataclasses import replace

import numpy as np
import pytest

from core.artifacts import Embeddings
from core.clustering import CLUSTERERS, Behaviour, assign, cluster
from core.clustering.auto import AutoOptions
from core.errors import OptionRefused, TooLittleData
from core.evaluation import worlds
from core.sequence_models.models import learn
from core.sequence_models.options import SequenceModelOptions
from tests.core.clustering.conftest import embedded
from tests.core.sequence_models.logs import acting
from tests.worlds import sequences_of

BRIEF = SequenceModelOptions(models_most=5, background="never")
CHAINS_OR_POINTS = AutoOptions(candidates=("markov_mixture", "kmeans"))
POINTS_OR_CHAINS = AutoOptions(candidates=("kmeans", "markov_mixture"))


@pytest.fixture(scope="module")
def order():
    """A world whose segments differ in the order of actions alone."""
    world = worlds.draw("first_order", 400, 0)
    sequences = sequences_of(world)
    return world, Behaviour(sequences=sequences, models=learn(sequences, BRIEF, 0))


def points(world, values) -> Embeddings:
    return replace(embedded(values), user_ids=world.user_ids())


def noise():
    return np.random.default_rng(0).normal(size=(400, 3))


def test_points_that_tell_nothing_lose_to_models_of_behaviour(order):
    world, behaviour = order
    labels = cluster(points(world, noise()), "auto", POINTS_OR_CHAINS, 4, 0, behaviour)
    assert labels.method == "markov_mixture" and labels.n_clusters == 4
    assert worlds.agreement(world, labels.values) > 0.8
    assert (
        labels.note.startswith("The choice is Chains of behaviour:") and "K-means -" in labels.note
    )


def test_points_that_tell_all_win_over_models_of_behaviour(order):
    world, behaviour = order
    some = replace(behaviour.models, members=behaviour.models.members)
    truth = points(world, np.eye(4)[world.truth] * 10 + noise()[:, :1])
    labels = cluster(truth, "auto", POINTS_OR_CHAINS, 4, 0, replace(behaviour, models=some))
    assert labels.method == "kmeans" and worlds.agreement(world, labels.values) == 1.0
    # Chains are within a standard error of the truth here, and are taken where they come first.
    first = cluster(truth, "auto", CHAINS_OR_POINTS, 4, 0, behaviour)
    assert first.method == "markov_mixture"


def test_what_auto_makes_is_what_the_algorithm_it_took_makes_and_places_new_users_alike(order):
    world, behaviour = order
    auto = cluster(points(world, noise()), "auto", CHAINS_OR_POINTS, 4, 0, behaviour)
    its_own = CLUSTERERS[auto.method].Options()
    named = cluster(points(world, noise()), auto.method, its_own, 4, 0, behaviour)
    np.testing.assert_array_equal(auto.values, named.values)
    new = Behaviour(sequences=behaviour.sequences)
    values, confidence = assign(auto.method, auto.state, noise(), new)
    np.testing.assert_array_equal(values, auto.values)
    np.testing.assert_array_equal(confidence, auto.confidence)


def test_one_segment_needs_no_choice(order):
    world, behaviour = order
    labels = cluster(points(world, noise()), "auto", POINTS_OR_CHAINS, 1, 0, behaviour)
    assert labels.n_clusters == 1 and set(labels.values.tolist()) == {0}
    assert "The choice is" not in labels.note


def test_an_algorithm_that_cannot_form_so_many_segments_is_left_out(order):
    world, behaviour = order
    alike = points(world, np.ones((400, 2)))
    labels = cluster(alike, "auto", POINTS_OR_CHAINS, 4, 0, behaviour)
    assert labels.method == "markov_mixture" and labels.n_clusters == 4
    with pytest.raises(TooLittleData, match="4 segments cannot be formed of 400 users who all"):
        cluster(alike, "auto", AutoOptions(candidates=("kmeans",)), 4, 0, behaviour)


def test_segments_asked_for_are_formed_by_what_can_though_nobody_falls_into_some_chain():
    """Users who do the same but for how often: chains see one kind, points two."""
    rng = np.random.default_rng(0)
    sequences = acting({f"u{i:02d}": "".join(rng.choice(list("xy"), 12)) for i in range(60)})
    behaviour = Behaviour(sequences=sequences, models=learn(sequences, BRIEF, 0))
    two = replace(
        embedded(np.repeat([[0.0], [9.0]], 30, axis=0) + rng.normal(size=(60, 1))),
        user_ids=sequences.user_ids,
    )
    chains = cluster(two, "markov_mixture", CLUSTERERS["markov_mixture"].Options(), 5, 0, behaviour)
    labels = cluster(two, "auto", CHAINS_OR_POINTS, 5, 0, behaviour)
    assert labels.n_clusters == 5
    if chains.n_clusters < 5:
        assert labels.method == "kmeans" and "Nobody falls into more than" in chains.note


def test_models_of_behaviour_form_no_more_segments_than_users_differ():
    sequences = acting({f"u{i:02d}": ("xyxy", "yyxx")[i % 2] for i in range(40)})
    behaviour = Behaviour(sequences=sequences, models=learn(sequences, BRIEF, 0))
    nowhere = replace(embedded(np.zeros((40, 1))), user_ids=sequences.user_ids)
    with pytest.raises(TooLittleData, match=r"3 segments .* 40 users, of whom only 2 differ"):
        cluster(nowhere, "auto", AutoOptions(), 3, 0, behaviour)


@pytest.mark.parametrize(
    ("candidates", "told"),
    [
        (("kmeans", "hdbscn"), r"cluster\.candidates names 'hdbscn'.*Did you mean 'hdbscan'\?"),
        ((), r"cluster\.candidates is empty\. Name one or more of "),
    ],
)
def test_unknown_candidates_are_refused(order, candidates, told):
    world, behaviour = order
    with pytest.raises(OptionRefused, match=told):
        cluster(points(world, noise()), "auto", AutoOptions(candidates=candidates), 4, 0, behaviour)
