"""From sequences to models for every number of segments, and the number suggested."""

from dataclasses import replace

import numpy as np
import pytest

from core.artifacts import TEST, Progress
from core.errors import FileRefused
from core.evaluation import worlds
from core.sequence_models import models as sequence_models
from core.sequence_models.background import own_likelihoods
from core.sequence_models.counts import Memory, count
from core.sequence_models.mixture import everyone_of, fit, posteriors
from core.sequence_models.models import (
    count_distinct,
    counts_of,
    has_mixture,
    learn,
    members_of,
    memory_of,
    mixture_for,
    mixture_of,
    state_of_all,
    state_of_one,
)
from core.sequence_models.options import SequenceModelOptions
from core.sequence_models.outcomes import Coding, outcomes_of
from core.store import load, save
from tests.core.sequence_models.logs import acting, log
from tests.journeys import BUYING, LOOKING, RETURNING
from tests.worlds import sequences_of

FEW = SequenceModelOptions(models_most=6)
BRIEF = SequenceModelOptions(models_most=3, background="never")


@pytest.fixture(scope="module")
def planted():
    """400 users of four segments that differ in the order of what they do, and in nothing else."""
    world = worlds.draw("first_order", 400, 0)
    sequences = sequences_of(world)
    return world, sequences, learn(sequences, FEW, 0)


def groups(per_group=20):
    """Three groups told apart by what they do."""
    return acting(
        {
            f"{kind}{number:02d}": actions
            for kind, actions in (("l", LOOKING), ("b", BUYING), ("r", RETURNING))
            for number in range(per_group)
        }
    )


def test_planted_segments_are_counted_right_and_found(planted):
    world, sequences, found = planted
    assert found.suggested == 4 and found.ks == (1, 2, 3, 4, 5, 6)
    assert found.members.shape == (400, 4) and found.members.dtype == np.float32
    np.testing.assert_allclose(found.members.sum(axis=1), 1.0, atol=1e-5)
    assert worlds.agreement(world, found.members.argmax(axis=1)) > 0.8
    assert found.memory.startswith("1 action back") and found.n_fitted == 400
    assert found.user_ids.tolist() == sequences.user_ids.tolist()
    assert found.confidence >= 0.5 and not found.sets_aside


def test_the_bits_tell_why(planted):
    _, _, found = planted
    bits, errors = np.array(found.bits), np.array(found.errors)
    best = int(bits.argmax())
    assert errors[best] == 0 and bits[best] - bits[3] <= errors[3]
    assert (bits[best] - bits[:3] > errors[:3]).all() and bits[3] > bits[0] + 0.05


def test_models_come_largest_first(planted):
    _, _, found = planted
    for k in found.ks:
        shares = mixture_of(found.state, k).shares
        assert shares.tolist() == sorted(shares, reverse=True) and len(shares) == k


@pytest.mark.parametrize("name", worlds.WITHOUT)
def test_where_all_users_are_of_one_kind_one_segment_is_suggested(name):
    found = learn(sequences_of(worlds.draw(name, 300, 0)), FEW, 0)
    assert found.suggested == 1 and found.members.shape == (300, 1) and not found.sets_aside


def test_users_that_follow_nobody_are_set_aside_where_there_are_many_of_them():
    world = worlds.draw("noisy", 900, 0)
    found = learn(sequences_of(world), FEW, 0)
    assert found.sets_aside and found.share_aside == pytest.approx(0.3, abs=0.12)
    assert found.members.shape == (900, found.suggested + 1)
    aside, nobody = found.members[:, -1] > 0.5, world.truth == worlds.NOBODY
    assert aside[nobody].mean() > 0.6 > 0.15 > aside[~nobody].mean()
    never = replace(FEW, background="never")
    assert learn(sequences_of(world), never, 0).members.shape[1] <= FEW.models_most


def test_test_users_have_no_say_in_memory_and_number():
    sequences = groups()
    split = np.where(np.arange(60) % 6 == 0, TEST, 0).astype(np.int8)
    first = learn(replace(sequences, split=split), BRIEF, 0)
    action = sequences.action.copy()
    of_test = split[sequences.user_of_event()] == TEST
    action[of_test] = np.roll(action[of_test], 1)
    other = learn(replace(sequences, split=split, action=action), BRIEF, 0)
    assert (first.bits, first.memory) == (other.bits, other.memory)
    assert (
        first.members.tobytes() != other.members.tobytes()
    )  # but they are placed, by models of all


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_identity():
    first, again, other = (learn(groups(), BRIEF, seed) for seed in (0, 0, 1))
    assert first.members.tobytes() == again.members.tobytes()
    assert {n: a.tobytes() for n, a in first.state.items()} == {
        n: a.tobytes() for n, a in again.state.items()
    }
    assert first.fingerprint == again.fingerprint != other.fingerprint


def test_users_placed_in_blocks_are_placed_as_at_once(planted, monkeypatch):
    _, sequences, found = planted
    monkeypatch.setattr(sequence_models, "USERS_AT_ONCE", 7)
    np.testing.assert_array_equal(members_of(found.state, sequences, 4), found.members)


def test_blocks_hold_neither_too_many_users_nor_too_many_events(monkeypatch):
    sequences = acting(
        {"a": "xy", "b": "xyx", "c": "", "d": "x" * 40, "e": "y", "f": "x", "g": "y"}
    )
    monkeypatch.setattr(sequence_models, "EVENTS_AT_ONCE", 5)
    monkeypatch.setattr(sequence_models, "USERS_AT_ONCE", 3)
    found = [users.tolist() for users in sequence_models.blocks_of_users(sequences)]
    assert found == [[0, 1, 2], [3], [4, 5, 6]]
    monkeypatch.setattr(sequence_models, "USERS_AT_ONCE", 2)
    found = [users.tolist() for users in sequence_models.blocks_of_users(sequences)]
    assert found == [[0, 1], [2], [3], [4, 5], [6]]


def test_a_user_alone_is_placed_as_in_the_crowd(planted):
    _, sequences, found = planted
    for user in (0, 123, 399):
        alone = members_of(found.state, sequences.of_users(np.array([user])), 4)
        np.testing.assert_allclose(alone[0], found.members[user], atol=1e-6)


@pytest.fixture(scope="module", params=[1, 2])
def strays(request):
    """Users of whom some follow nobody, and models that look one or two actions back."""
    world = worlds.draw("noisy", 300, 0)
    sequences = sequences_of(world)
    memory = Memory(actions=request.param, visits=False, category="stay")
    coding = Coding.of(sequences)
    counts = count(outcomes_of(sequences, coding), memory)
    start = np.eye(world.k + 1)[world.truth]  # nobody's is the last column
    own = own_likelihoods(counts, everyone_of(counts))
    mixture = fit(counts, start, own, hot=1.0)
    state = state_of_all(coding, memory, {world.k: mixture})
    members = members_of(state, sequences, world.k)
    assert 0.1 < (members.argmax(axis=1) == world.k).mean() < 0.5
    return sequences, state, world.k, members


def test_a_user_alone_is_as_much_nobodys_as_in_the_crowd(strays):
    sequences, state, k, members = strays
    for user in range(0, 300, 6):
        alone = members_of(state, sequences.of_users(np.array([user])), k)
        np.testing.assert_allclose(alone[0], members[user], atol=1e-6)


def test_a_background_places_users_in_blocks_as_at_once(strays, monkeypatch):
    sequences, state, k, members = strays
    monkeypatch.setattr(sequence_models, "USERS_AT_ONCE", 7)
    np.testing.assert_array_equal(members_of(state, sequences, k), members)


def test_models_of_another_version_are_refused_with_what_to_do(planted):
    _, sequences, found = planted
    older = {name: found.state[name] for name in found.state if name != "models_version"}
    newer = {**found.state, "models_version": np.array([99])}
    for state in (older, newer):
        with pytest.raises(FileRefused, match="Form the segments again"):
            members_of(state, sequences, 4)


def test_nobody_at_all_can_be_placed(planted):
    _, sequences, found = planted
    nobody = sequences.of_users(np.zeros(0, dtype=np.int64))
    assert members_of(found.state, nobody, 4).shape == (0, 4)


def test_words_of_a_new_log_count_as_unknown(planted):
    _, sequences, found = planted
    action = sequences.action.copy()
    action[:50] = 99
    new, unknown = (
        replace(sequences, action=action),
        replace(sequences, action=np.where(action == 99, 0, action)),
    )
    np.testing.assert_array_equal(
        members_of(found.state, new, 4), members_of(found.state, unknown, 4)
    )


def test_users_whose_events_are_counted_alike_count_once(planted):
    _, sequences, found = planted
    thrice = sequences.of_users(np.array([5, 6, 5, 7, 5, 6]))
    assert count_distinct(found.state, thrice, 10) == 3
    assert count_distinct(found.state, sequences, 10) >= 10


def test_numbers_of_segments_beyond_those_kept_are_fitted_when_asked_for(planted):
    _, sequences, found = planted
    assert not has_mixture(found.state, 7) and has_mixture(found.state, 6)
    seven = mixture_for(found, sequences, 7, 0)
    assert seven.k == 7 and seven.shares.tolist() == sorted(seven.shares, reverse=True)
    kept = mixture_for(found, sequences, 4, 0)
    np.testing.assert_array_equal(kept.logs, mixture_of(found.state, 4).logs)


def test_the_state_of_one_mixture_places_users_as_all_of_it_did(planted):
    _, sequences, found = planted
    one = state_of_one(found.state, mixture_of(found.state, 4))
    assert not has_mixture(one, 3)
    np.testing.assert_array_equal(members_of(one, sequences, 4), found.members)


def test_models_survive_the_disk(planted, tmp_path):
    _, sequences, found = planted
    save(found, tmp_path)
    back = load(type(found), tmp_path)
    assert (back.suggested, back.bits, back.memory) == (found.suggested, found.bits, found.memory)
    np.testing.assert_array_equal(members_of(back.state, sequences, 4), found.members)


def test_of_many_users_a_sample_is_modelled_and_everyone_is_placed():
    found = learn(groups(50), replace(BRIEF, models_users=100), 0)
    assert found.n_fitted == 100 and found.members.shape[0] == 150
    by_group = {
        kind: found.members[i * 50 : i * 50 + 50].argmax(axis=1) for i, kind in enumerate("blr")
    }
    assert found.suggested == 3 and [len(set(of.tolist())) for of in by_group.values()] == [1, 1, 1]


def test_the_memory_is_kept_with_the_models(planted):
    _, _, found = planted
    assert memory_of(found.state) == Memory(actions=1, visits=False, category="stay")


def test_what_takes_long_is_told_in_order():
    heard: list[Progress] = []
    learn(groups(), BRIEF, 0, heard.append)
    shares = [progress.done for progress in heard]
    assert shares == sorted(shares) and shares[0] == 0.0 and {p.stage for p in heard} == {"models"}


ODD = {
    "one user": {"a": "xyxy"},
    "five users": {f"u{i}": "xyxxy"[i:] for i in range(5)},
    "users of one event": {f"u{i:02d}": "xy"[i % 2] for i in range(40)},
    "some users without events": {f"u{i:02d}": "xyxy" * (i % 3) for i in range(40)},
    "no events at all": {"a": "", "b": ""},
    "all users alike": {f"u{i:02d}": "xxyxy" for i in range(40)},
    "one action only": {f"u{i:02d}": "x" * (1 + i % 4) for i in range(40)},
}


@pytest.mark.parametrize("of", ODD)
def test_where_nothing_tells_users_apart_there_is_one_segment(of):
    sequences = acting(ODD[of])
    found = learn(sequences, SequenceModelOptions(), 0)
    assert found.suggested == 1 and not found.sets_aside
    np.testing.assert_allclose(found.members, np.ones((sequences.n_users, 1)))
    assert np.isfinite(found.bits).all() and 0.0 <= found.confidence <= 1.0


def test_one_user_of_a_hundred_thousand_events_does_not_become_a_segment():
    rng = np.random.default_rng(0)
    chains = np.array([[0.9, 0.1], [0.1, 0.9]]), np.array([[0.1, 0.9], [0.9, 0.1]])

    def walk(chain, length):
        now, word = 0, []
        for draw in rng.random(length):
            now = int(draw > chain[now][0])
            word.append("xy"[now])
        return "".join(word)

    users = {f"u{i:03d}": walk(chains[i % 2], 30) for i in range(120)}
    users["giant"] = walk(chains[0], 100_000)
    found = learn(acting(users), FEW, 0)
    names = sorted(users)
    best = dict(zip(names, found.members.argmax(axis=1).tolist(), strict=True))
    assert found.suggested == 2
    assert best["giant"] == best["u000"] != best["u001"]


def test_a_block_is_only_counted_where_it_tells_something():
    steps = {
        f"u{i:02d}": [("x", "c", 0.0, 1.0), ("y", "c", 9.0, 1.0), ("x", "c", 20.0, 1.0)]
        for i in range(20)
    }
    sequences = log(steps)
    found = learn(sequences, BRIEF, 0)
    counts = counts_of(found.state, sequences, np.arange(20))
    assert {block.name for block in counts.blocks} == {"action", "pause"}
    members, _ = posteriors(mixture_of(found.state, 1), counts)
    np.testing.assert_array_equal(members, np.ones((20, 1)))
