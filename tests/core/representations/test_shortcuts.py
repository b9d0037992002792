"""What would identify a user without telling how the user behaves does not reach the encoder."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal

from core.artifacts import FIT, VALIDATE
from core.representations._base import Work
from core.representations.batches import Stretches, plan_slices, slice_pairs
from core.representations.encoder_options import EncoderOptions
from core.representations.inputs import Scales, gather, turn_clock
from core.representations.learning import fit
from core.representations.training import TrainingData
from tests.worlds import bare_sequences, vocabulary_of

DAY = 86_400


def read(sequences, scales=None, **kwargs):
    scales = scales or Scales.of(sequences, time_of_day=True, **kwargs)
    stretches = Stretches(start=sequences.offsets[:-1], length=np.diff(sequences.offsets))
    return gather(sequences, scales, *stretches.padded())


def assert_alike(one, other):
    for name in one.__dataclass_fields__:
        assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


def test_the_date_does_not_enter_at_all(sequences_of):
    users = {"ann": [{}, {"gap": 90}, {"gap": 7000}], "bob": [{}, {"gap": 3 * DAY}]}
    sequences = sequences_of(users)
    later = replace(sequences, time=sequences.time + 400 * DAY, first_time=sequences.first_time + 1)
    assert_alike(read(sequences), read(later))


def test_the_minute_does_not_enter_only_the_part_of_the_day(sequences_of):
    sequences = sequences_of({"ann": [{}, {"gap": 90}, {"gap": 700}]})
    assert_alike(read(sequences), read(replace(sequences, time=sequences.time + 3000)))


def rare_words(n_users=100):
    """Action b of 4 users (fitted ones), c of 5, d of 9 but only watched ones; a of everyone."""
    action = np.ones((n_users, 3), np.int32)
    action[:4, 1], action[4:9, 1], action[90:99, 1] = 2, 3, 4
    sides = np.where(np.arange(n_users) < 90, FIT, VALIDATE)
    return bare_sequences(
        [f"{u:03d}" for u in range(n_users)],
        np.arange(n_users + 1) * 3,
        action=action.ravel(),
        category=action.ravel(),
        platform=action.ravel(),
        split=sides.astype(np.int8),
        vocabulary=vocabulary_of(
            actions=tuple("abcd"), categories=tuple("abcd"), platforms=tuple("abcd")
        ),
    )


def test_words_that_fewer_users_share_than_is_asked_are_read_as_unknown():
    batch = read(rare_words(), min_users=5)
    for name in ("action", "category", "platform"):
        told = getattr(batch, name)
        assert told[[0, 4, 95], 1].tolist() == [0, 3, 0]
        assert (told[:, 0] == 1).all()
    assert batch.classes[0, 1, :2].tolist() == [0, 0]  # nor are they guessed
    assert read(rare_words(), min_users=1).action[0, 1] == 2


def test_a_word_used_often_by_one_user_is_rare_all_the_same():
    sequences = rare_words()
    action = sequences.action.copy()
    action[:3] = 2  # the first user does nothing else
    assert (read(replace(sequences, action=action), min_users=5).action[0] == 0).all()


def test_users_of_words_are_counted_alike_for_few_and_for_many_words(monkeypatch):
    few = Scales.of(rare_words(), time_of_day=True, min_users=5)
    monkeypatch.setattr("core.representations.inputs._MOST_CELLS", 0)
    many = Scales.of(rare_words(), time_of_day=True, min_users=5)
    assert few.shared_action.tolist() == [True, True, False, True, False]
    assert many.shared_action.tolist() == few.shared_action.tolist()


def test_of_a_small_log_a_tenth_of_the_users_is_enough(of_actions):
    few = of_actions({f"{u:02d}": "a b" if u < 2 else "a a" for u in range(20)})
    assert read(few, min_users=5).action[0].tolist() == [1, 2]
    one = of_actions({f"{u:02d}": "a b" if u < 1 else "a a" for u in range(20)})
    assert read(one, min_users=5).action[0].tolist() == [1, 0]


def test_items_and_searches_of_hardly_anyone_are_not_looked_up():
    sequences = rare_words()
    table = np.ones((5, 2), np.float32)
    known = replace(
        sequences,
        item=sequences.action,
        query=sequences.action,
        item_vectors=table,
        query_vectors=table,
        vocabulary=replace(sequences.vocabulary, items=tuple("abcd")),
    )
    batch = read(known, min_users=5, max_items=4)
    for name in ("item", "query", "common_item"):
        assert getattr(batch, name)[[0, 4, 95], 1].tolist() == [0, 3, 0]
    assert batch.classes[4, 1, -1] == 3


def test_the_length_of_a_slice_says_nothing_of_the_length_of_the_user():
    lengths = np.array([12] * 40 + [400] * 40)
    sequences = bare_sequences([f"{u:02d}" for u in range(80)], np.cumsum([0, *lengths]))
    plan = plan_slices(sequences, np.arange(80), 6, 24)
    rng = np.random.default_rng(0)
    by_kind = {12: [], 400: []}
    for _ in range(300):
        first, second = slice_pairs(plan, 30, rng)
        assert len(np.unique(np.concatenate([first.length, second.length]))) == 1
        whose = np.searchsorted(sequences.offsets, first.start, side="right") - 1
        for kind in by_kind:
            if (lengths[whose] == kind).any():
                by_kind[kind].append(first.length[0])
    # short users cannot give long slices, but in every step all slices are as long
    assert set(by_kind[12]) <= set(by_kind[400])


@pytest.fixture
def clock(sequences_of):
    """Six users in two visits of three events, one in the morning and one at night."""
    visit = [{"gap": 9 * 3600}, {}, {}]
    events = [{}, {}, {}, *visit]
    return sequences_of({f"{u}": events for u in range(6)})


def test_a_turned_stretch_keeps_how_its_parts_of_the_day_follow_one_another(clock):
    batch = read(clock)
    turned = turn_clock(batch, np.array([True] * 5 + [False]), np.random.default_rng(0))
    assert_array_equal(turned.daypart[5], batch.daypart[5])
    steps = (turned.daypart[:, 3] - turned.daypart[:, 0]) % 6
    assert (steps == (batch.daypart[:, 3] - batch.daypart[:, 0]) % 6).all()
    assert len(np.unique(turned.daypart[:5, 0])) > 1
    assert ((turned.daypart >= 1) & (turned.daypart <= 6)).all()
    untold = replace(batch, daypart=np.zeros_like(batch.daypart))
    assert not turn_clock(untold, np.ones(6, bool), np.random.default_rng(0)).daypart.any()


def test_slices_of_one_visit_are_turned_and_those_of_two_are_not(clock):
    visits = replace(clock, session=np.tile(np.array([0, 0, 0, 1, 1, 1], np.int32), 6))
    data = TrainingData(
        sequences=visits,
        scales=Scales.of(visits, time_of_day=True),
        fit_users=np.arange(6),
        validation_users=np.arange(0),
        device="cpu",
    )
    start, one = visits.offsets[:-1], np.full(6, 1)
    first, other_visit = Stretches(start=start, length=one), Stretches(start=start + 4, length=one)
    sides = data.slice_tensors((first, other_visit), np.random.default_rng(0))
    assert [side["daypart"].unique().tolist() for side in sides] == [[1], [3]]
    same_visit = Stretches(start=start + 2, length=one)
    sides = data.slice_tensors((first, same_visit), np.random.default_rng(0))
    assert (sides[0]["daypart"] != sides[1]["daypart"]).any()
    assert not torch.equal(data.tensors(first)["daypart"], sides[0]["daypart"])


def test_nothing_done_before_a_slice_is_read_into_it():
    rng = np.random.default_rng(0)
    log = bare_sequences(
        [f"{u}" for u in range(8)],
        np.arange(9) * 10,
        action=rng.integers(1, 5, 80).astype(np.int32),
        vocabulary=vocabulary_of(actions=tuple("abcd")),
    )
    first = Stretches(start=log.offsets[:-1] + 1, length=np.full(8, 4))
    second = Stretches(start=first.start + 4, length=np.full(8, 4))  # right after the first
    data = TrainingData(
        sequences=log,
        scales=Scales.of(log, time_of_day=True, recent_actions=3),
        fit_users=np.arange(8),
        validation_users=np.arange(0),
        device="cpu",
    )
    place = np.arange(80) % 10
    others = np.where(place < 5, log.action % 4 + 1, log.action).astype(np.int32)
    elsewhere = replace(data, sequences=replace(log, action=others))
    sides, changed = (
        d.slice_tensors((first, second), np.random.default_rng(0)) for d in (data, elsewhere)
    )
    assert (sides[0]["recent"] != changed[0]["recent"]).all()
    assert all(torch.equal(sides[1][name], changed[1][name]) for name in sides[1])
    whole = data.tensors(second)  # where users are placed, what came before is read
    assert (whole["recent"][:, 2:] == sides[1]["recent"][:, 2:]).all()
    assert (whole["recent"][:, 0] != sides[1]["recent"][:, 0]).all()


@pytest.mark.parametrize("scale", ["log", "none"])
def test_numbers_that_are_no_numbers_or_absurd_do_not_poison_what_is_learned(sequences_of, scale):
    rng = np.random.default_rng(0)
    strange = [np.nan, np.inf, -np.inf, 3e38, 0.0, -5.0]
    users = {
        f"{u:02d}": [
            {"action": "ab"[i % 2], "price": strange[rng.integers(6)], "duration": 1e30}
            for i in range(12)
        ]
        for u in range(40)
    }
    sequences = sequences_of(users)
    gap = sequences.gap.copy()
    gap[rng.random(len(gap)) < 0.2] = np.nan
    sequences = replace(sequences, gap=gap, scaling=dict.fromkeys(sequences.scaling, scale))
    fitted = fit(sequences, EncoderOptions(hidden=8, epochs=3), Work())
    assert np.isfinite(fitted.values).all()
    assert all(np.isfinite(list(r.losses.values())).all() for r in fitted.history)
