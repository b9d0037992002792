"""Labels from anywhere, made better where users left out say so, and else left alone."""

from dataclasses import replace

import numpy as np
import pytest

from core.artifacts import NOISE, TEST
from core.errors import TooLittleData
from core.evaluation.worlds import NOBODY, agreement, draw
from core.sequence_models.models import learn
from core.sequence_models.neural import Plan
from core.sequence_models.options import SequenceModelOptions
from core.sequence_models.relabelling import UNLABELLED, HowToRefine, hard, relabel
from tests.worlds import sequences_of

QUICK = HowToRefine(
    plan=Plan(hidden=8, window=2, epochs=2, patience=1, learning_rate=4e-3),
    most_users=1_000,
    device="cpu",
    threads=1,
)


def prepared(name, n_users=600):
    """A world, its sequences, and how its events are read."""
    world = draw(name, n_users, 0)
    sequences = sequences_of(world)
    return world, sequences, learn(sequences, SequenceModelOptions(models_most=2), 0)


@pytest.fixture(scope="module")
def ordered():
    return prepared("first_order")


def partly_shuffled(truth, share=0.3):
    rng = np.random.default_rng(1)
    who = rng.random(len(truth)) < share
    values = truth.copy()
    values[who] = rng.permutation(values[who])
    return values


def labels_of(found, values):
    """The labels that stand in the end."""
    best = hard(found.members, len(found.codes))
    return np.where(best == NOISE, NOISE, found.codes[best]) if found.kept else values


def test_labels_of_which_thirty_percent_are_shuffled_come_nearer_to_the_truth(ordered):
    world, sequences, models = ordered
    values = partly_shuffled(world.truth)
    found = relabel(models, sequences, values, QUICK, 0)
    assert found.kept and found.gain > 2 * found.error > 0
    assert found.after > found.before
    assert agreement(world, labels_of(found, values)) > 0.8 > 0.6 > agreement(world, values)
    # Labels keep their meaning: most users of every label had it before.
    assert found.n_moved < 0.4 * len(values)


def test_labels_that_are_right_are_not_spoiled(ordered):
    world, sequences, models = ordered
    found = relabel(models, sequences, world.truth, QUICK, 0)
    assert agreement(world, labels_of(found, world.truth)) > 0.9


def test_random_labels_are_left_alone_where_there_are_no_segments():
    _, sequences, models = prepared("iid", 400)
    values = np.random.default_rng(0).integers(0, 3, 400)
    found = relabel(models, sequences, values, QUICK, 0)
    assert not found.kept and found.gain < 2 * found.error
    assert "reverted" in found.told()


def test_the_labels_of_test_users_have_no_say(ordered):
    world, sequences, models = ordered
    values = partly_shuffled(world.truth)
    others = np.where(sequences.split == TEST, (values + 1) % 4, values)
    one, two = (relabel(models, sequences, v, QUICK, 0) for v in (values, others))
    assert (one.before, one.after, one.error) == (two.before, two.after, two.error)
    assert all(one.state[name].tobytes() == two.state[name].tobytes() for name in one.state)


def test_users_without_a_label_get_one_and_small_labels_are_counted(ordered):
    world, sequences, models = ordered
    values = partly_shuffled(world.truth, 0.5)
    bare = np.arange(len(values)) % 6 == 0
    values[bare] = UNLABELLED
    values[1], values[2], values[3] = 7, 7, 9
    found = relabel(models, sequences, values, QUICK, 0)
    assert found.kept
    assert found.codes.tolist() == [0, 1, 2, 3]
    assert (found.n_small, found.n_users_small) == (2, 3)
    assert found.n_labelled == (~bare).sum()
    after = labels_of(found, values)
    # Users of labels that are gone moved, too.
    assert found.n_moved == (after != values)[~bare].sum() and {7, 9}.isdisjoint(after)
    assert "all of these users went elsewhere" in found.told()
    assert "would go elsewhere" in replace(found, kept=False).told()
    assert replace(found, room="Halved.").told().endswith("elsewhere. Halved.")
    assert set(after[bare]) <= {0, 1, 2, 3}
    assert np.mean(after[bare] == world.truth[bare]) > 0.8


def test_noise_is_nobodys_before_and_after():
    world, sequences, models = prepared("noisy", 900)
    values = np.where(world.truth == NOBODY, NOISE, partly_shuffled(world.truth, 0.3))
    found = relabel(models, sequences, values, QUICK, 0)
    assert found.members.shape == (900, 7)
    after = labels_of(found, values)
    aside = after == NOISE
    assert np.mean(world.truth[aside] == NOBODY) > 0.5


def test_without_noise_everybody_stays_in_a_segment(ordered):
    world, sequences, models = ordered
    found = relabel(models, sequences, world.truth, QUICK, 0)
    assert found.members.shape == (600, 4)


def test_the_same_seed_gives_the_same_bytes(ordered):
    world, sequences, models = ordered
    one, two = (relabel(models, sequences, world.truth % 2, QUICK, 3) for _ in range(2))
    assert one.members.tobytes() == two.members.tobytes()


def test_one_label_is_nothing_to_refine(ordered):
    _, sequences, models = ordered
    values = np.zeros(600, dtype=np.int64)
    values[:9] = 1
    with pytest.raises(TooLittleData, match="1 label has at least 10 users"):
        relabel(models, sequences, values, QUICK, 0)
