"""Every algorithm of the catalogue keeps the same promises."""

from dataclasses import dataclass, fields
from functools import cache

import numpy as np
import pytest

from core.artifacts import FIT, VALIDATE, Embeddings, Sequences
from core.clustering import CLUSTERERS, Behaviour, assign, cluster
from core.errors import OptionRefused, TooLittleData
from core.options import option_info, option_types
from core.sequence_models.models import learn
from core.sequence_models.options import SequenceModelOptions
from core.store import load, save
from tests.worlds import bare_sequences, vocabulary_of

EVERY = pytest.mark.parametrize("method", CLUSTERERS)
N_USERS, STRAYS = 240, 10
GROUP = np.repeat([0, 1, 2, -1], [120, 70, 40, STRAYS])
HABITS = {0: "look look search", 1: "look cart buy", 2: "buy return search"}
WORDS = ("look", "search", "cart", "buy", "return")


@dataclass(frozen=True)
class Users:
    """The same users as points and as what they did: whichever an algorithm reads."""

    points: Embeddings
    behaviour: Behaviour

    def assigned(self, method, state, rows=None):
        """Segment and confidence of some users (all where None) as new ones."""
        rows = np.arange(N_USERS) if rows is None else rows
        new = Behaviour(sequences=self.behaviour.sequences.of_users(rows))
        return assign(method, state, self.points.values[rows], new)


def users(order=None):
    """230 users in groups of 120, 70 and 40 and ten strays, in a known shuffled order."""
    rows = np.random.default_rng(7).permutation(N_USERS) if order is None else order
    return _users(tuple(rows.tolist()))


@cache
def _users(order):
    rng = np.random.default_rng(0)
    rows = np.array(order)
    places = np.array([[0, 0, 0], [12, 0, 0], [0, 12, 5], [0, 0, 0]])
    spread = np.where(GROUP < 0, 25.0, 1.0)[:, None]
    values = (places[GROUP] + spread * rng.normal(size=(N_USERS, 3))).astype(np.float32)[rows]
    sequences = behaviours().of_users(rows)
    return Users(
        points=Embeddings(
            user_ids=sequences.user_ids,
            values=values,
            method="bag",
            learned=False,
            device="cpu",
            state={},
            history=(),
            fingerprint="f" * 64,
        ),
        behaviour=Behaviour(
            sequences=sequences, models=learn(sequences, SequenceModelOptions(models_most=4), 0)
        ),
    )


def behaviours():
    """Each user goes round its group's habit, with an event in five at random; strays only so."""
    rng = np.random.default_rng(1)
    rounds = {group: [WORDS.index(word) + 1 for word in of.split()] for group, of in HABITS.items()}
    lengths = rng.integers(15, 30, N_USERS)
    action = np.concatenate(
        [
            np.where(
                rng.random(length) < (0.2 if group >= 0 else 1.0),
                rng.integers(1, len(WORDS) + 1, length),
                np.resize(rounds.get(int(group), [1]), length),
            )
            for group, length in zip(GROUP, lengths, strict=True)
        ]
    )
    return bare_sequences(
        [f"u{i:03d}" for i in range(N_USERS)],
        np.concatenate([[0], np.cumsum(lengths)]),
        action=action.astype(np.int32),
        split=np.where(np.arange(N_USERS) % 5 == 0, VALIDATE, FIT).astype(np.int8),
        vocabulary=vocabulary_of(actions=WORDS),
        present=("user", "time", "action"),
    )


def formed(method, read, seed=0, n_clusters=3):
    options = CLUSTERERS[method].Options()
    return cluster(read.points, method, options, n_clusters, seed, read.behaviour)


@EVERY
def test_the_same_seed_gives_the_same_labels(method):
    first, second = formed(method, users(), 5), formed(method, users(), 5)
    np.testing.assert_array_equal(first.values, second.values)
    np.testing.assert_array_equal(first.confidence, second.confidence)
    assert first.fingerprint == second.fingerprint


@EVERY
def test_the_planted_groups_are_found(method):
    read = users()
    of = dict(zip(behaviours().user_ids, GROUP, strict=True))
    planted = np.array([of[user] for user in read.points.user_ids])
    strays_too = method == "gaussian_mixture"  # a cloud of their own, which is wide
    found = formed(method, read, n_clusters=4 if strays_too else 3).values
    assert (found[planted >= 0] == planted[planted >= 0]).mean() > 0.95


@EVERY
def test_labels_run_from_zero_largest_first_and_noise_is_minus_one(method):
    labels = formed(method, users())
    found = np.unique(labels.values)
    assert found[found >= 0].tolist() == list(range(labels.n_clusters))
    assert set(found.tolist()) <= {-1, *range(labels.n_clusters)}
    sizes = np.bincount(labels.values[labels.values >= 0])
    assert sizes.tolist() == sorted(sizes, reverse=True)
    assert labels.n_clusters == 3


@EVERY
def test_confidence_is_within_zero_and_one_and_zero_for_noise(method):
    labels = formed(method, users())
    assert labels.confidence.dtype == np.float32
    assert labels.confidence.min() >= 0.0
    assert labels.confidence.max() <= 1.0
    assert (labels.confidence[labels.values == -1] == 0.0).all()


@EVERY
def test_the_input_is_unchanged(method):
    read = users()
    before, events = read.points.values.copy(), behaviours().of_users(order_of(read))
    read.points.values.setflags(write=False)
    read.behaviour.sequences.action.setflags(write=False)
    formed(method, read)
    np.testing.assert_array_equal(read.points.values, before)
    for field in fields(Sequences):
        name = field.name
        np.testing.assert_array_equal(
            getattr(read.behaviour.sequences, name), getattr(events, name)
        )


def order_of(read):
    return np.array([int(user[1:]) for user in read.points.user_ids])


@EVERY
def test_every_user_keeps_its_segment_when_users_come_in_another_order(method):
    plain, shuffled = formed(method, users(np.arange(N_USERS))), formed(method, users())
    by_id = dict(zip(plain.user_ids, plain.values, strict=True))
    expected = [by_id[user] for user in shuffled.user_ids]
    assert (np.array(expected) == shuffled.values).mean() > 0.99


@EVERY
def test_assigning_the_fitted_users_gives_their_labels_again(method):
    read = users()
    labels = formed(method, read)
    values, confidence = read.assigned(method, labels.state)
    assert (values.dtype, confidence.dtype) == (np.int32, np.float32)
    assert (values == labels.values).mean() >= (0.95 if method == "hdbscan" else 1.0)
    np.testing.assert_allclose(confidence, labels.confidence, atol=1e-6)


@EVERY
def test_a_single_new_user_is_assigned_as_in_a_crowd(method):
    read = users()
    labels = formed(method, read)
    together, _ = read.assigned(method, labels.state)
    alone = [int(read.assigned(method, labels.state, np.array([i]))[0][0]) for i in range(N_USERS)]
    assert alone == together.tolist()


@EVERY
def test_labels_survive_the_disk_and_assign_from_there(method, tmp_path):
    read = users()
    labels = formed(method, read)
    save(labels, tmp_path)
    loaded = load(type(labels), tmp_path)
    values, _ = read.assigned(method, loaded.state)
    assert values.tolist() == read.assigned(method, labels.state)[0].tolist()
    assert loaded.loss_trace == labels.loss_trace


@EVERY
def test_no_user_at_all_can_be_assigned(method):
    read = users()
    labels = formed(method, read)
    nobody = np.zeros(0, dtype=np.int64)
    values, confidence = read.assigned(method, labels.state, nobody)
    assert (len(values), len(confidence)) == (0, 0)


@pytest.mark.parametrize("n_users", [1, 2, 40])
@pytest.mark.parametrize("method", [n for n, c in CLUSTERERS.items() if c.reads == "points"])
def test_users_that_are_all_alike_are_one_segment(method, n_users):
    read = users()
    alike = Embeddings(
        **{
            **vars(read.points),
            "user_ids": read.points.user_ids[:n_users],
            "values": np.full((n_users, 3), 7.0, dtype=np.float32),
        }
    )
    labels = cluster(alike, method, CLUSTERERS[method].Options(), 1, 0)
    assert labels.values.tolist() == [0] * n_users and labels.n_clusters == 1
    values, confidence = assign(method, labels.state, alike.values)
    assert values.tolist() == [0] * n_users
    np.testing.assert_allclose(confidence, 1.0)


@pytest.mark.parametrize("method", [n for n, c in CLUSTERERS.items() if c.reads == "points"])
def test_two_groups_of_duplicates_are_two_segments(method):
    read = users()
    values = np.repeat(np.array([[0, 0, 1], [5, 5, 1]], dtype=np.float32), [30, 20], axis=0)
    two = Embeddings(
        **{**vars(read.points), "user_ids": read.points.user_ids[:50], "values": values}
    )
    labels = cluster(two, method, CLUSTERERS[method].Options(), 2, 0)
    assert labels.values.tolist() == [0] * 30 + [1] * 20


@pytest.mark.parametrize("method", [n for n, c in CLUSTERERS.items() if c.needs_n_clusters])
def test_more_segments_than_users_that_differ_are_refused(method):
    read = users()
    alike = np.zeros(N_USERS, dtype=np.int64)
    alike[:2] = 1
    sequences = read.behaviour.sequences.of_users(alike)
    two = Users(
        points=Embeddings(**{**vars(read.points), "values": read.points.values[alike]}),
        behaviour=Behaviour(sequences=sequences, models=read.behaviour.models),
    )
    with pytest.raises(TooLittleData, match=r"3 segments .* 240 users, of whom only 2 differ"):
        formed(method, two)


@EVERY
def test_an_unknown_option_is_refused_with_what_is_allowed(method):
    options = CLUSTERERS[method].Options
    name = next(iter(option_types(options)), "k")
    with pytest.raises(OptionRefused) as refused:
        options.from_dict({name + "x": 1}, where="cluster")
    assert f"Unknown option 'cluster.{name}x'" in str(refused.value)
    known = bool(option_types(options))
    assert (f"Did you mean '{name}'?" if known else "Allowed: none.") in str(refused.value)


@EVERY
def test_every_number_out_of_its_range_is_refused_with_the_range(method):
    options = CLUSTERERS[method].Options
    bounded = [n for n in option_types(options) if option_info(options, n).low is not None]
    assert bounded or not option_types(options)
    for name in bounded:
        low = option_info(options, name).low
        with pytest.raises(OptionRefused, match=f"cluster.{name} is .* from {low:g}"):
            options.from_dict({name: type(low)(low - 1)}, where="cluster")


@EVERY
def test_everything_the_analyst_reads_is_there(method):
    entry = CLUSTERERS[method]
    assert entry.name == method
    for text in (entry.label, entry.summary, entry.strengths, entry.weaknesses, entry.cost):
        assert text
    assert entry.summary.endswith(".") and entry.cost.endswith(".")


def test_an_unknown_algorithm_is_refused_with_what_is_allowed():
    with pytest.raises(OptionRefused, match="Did you mean 'kmeans'") as refused:
        cluster(users().points, "kmean", CLUSTERERS["kmeans"].Options(), 3, 0)
    assert f"Allowed: {', '.join(CLUSTERERS)}." in str(refused.value)
