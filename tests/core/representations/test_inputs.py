import numpy as np
import pytest
from numpy.testing import assert_allclose

from core.artifacts import TEST, VALIDATE
from core.representations.ablation import shuffled
from core.representations.batches import Stretches
from core.representations.inputs import (
    NUMERIC_INPUTS,
    PREDICTED,
    Scales,
    _events_to_fit,
    gather,
    hide_words,
)

GAP, DURATION, PRICE, GAP_KNOWN, DURATION_KNOWN, PRICE_KNOWN, FIRST = range(NUMERIC_INPUTS)


def whole(sequences, **kwargs):
    scales = Scales.of(sequences, time_of_day=kwargs.pop("time_of_day", True))
    stretches = Stretches(start=sequences.offsets[:-1], length=np.diff(sequences.offsets))
    return gather(sequences, scales, *stretches.padded()), scales


def test_a_tie_a_first_event_and_a_pause_are_told_apart(sequences_of):
    batch, _ = whole(sequences_of({"ann": [{}, {"gap": 0}, {"gap": 60}, {"gap": 600}]}))
    assert batch.numeric[0, :, FIRST].tolist() == [1, 0, 0, 0]
    assert batch.numeric[0, :, GAP_KNOWN].tolist() == [0, 0, 1, 1]
    assert batch.numeric[0, 1, GAP] == 0  # neutral, and flagged
    assert batch.numeric[0, 2, GAP] < batch.numeric[0, 3, GAP]
    classes = batch.classes[0, :, PREDICTED.index("gap")]
    assert classes[1] == 0
    assert 0 < classes[2] < classes[3]


def test_a_first_event_in_the_middle_of_the_log_is_flagged_too(sequences_of):
    batch, _ = whole(sequences_of({"ann": [{}, {}], "bob": [{}, {}]}))
    assert batch.numeric[:, :, FIRST].tolist() == [[1, 0], [1, 0]]


def test_missing_numbers_are_neutral_and_flagged(sequences_of):
    events = [{"price": 1.0}, {"price": 10.0}, {"price": 100.0}, {}]
    batch, _ = whole(sequences_of({"ann": events}))
    assert batch.numeric[0, :, PRICE_KNOWN].tolist() == [1, 1, 1, 0]
    assert batch.numeric[0, 3, PRICE] == 0
    assert batch.classes[0, 3, PREDICTED.index("price")] == 0
    assert np.isfinite(batch.numeric).all()


def test_one_absurd_price_does_not_squeeze_the_others(sequences_of):
    prices = [10.0, 12.0, 14.0, 16.0, 18.0, 20.0, 1e12]
    batch, _ = whole(sequences_of({"ann": [{"price": p} for p in prices]}))
    scaled = batch.numeric[0, :, PRICE]
    assert scaled[5] - scaled[0] > 1
    assert scaled[6] == 4


def test_what_a_log_does_not_have_is_not_predicted(sequences_of):
    _, scales = whole(sequences_of({"ann": [{}, {}], "bob": [{}, {}]}))
    classes = scales.classes()
    assert (classes["category"], classes["duration"], classes["price"]) == (1, 1, 1)
    assert classes["gap"] > 1


@pytest.mark.parametrize(("time_of_day", "parts"), [(True, [1, 2, 6]), (False, [0, 0, 0])])
def test_the_time_of_day_is_coarse_and_can_be_left_out(sequences_of, time_of_day, parts):
    events = [{}, {"gap": 5 * 3600}, {"gap": 18 * 3600}]
    batch, _ = whole(sequences_of({"ann": events}), time_of_day=time_of_day)
    assert batch.daypart[0].tolist() == parts


def test_codes_that_were_not_fitted_are_unknown(sequences_of, with_arrays):
    sequences = sequences_of({"ann": [{"action": "a"}, {"action": "b"}]})
    scales = Scales.of(sequences, time_of_day=True)
    new = with_arrays(sequences, action=np.array([2, 77], np.int32))
    batch = gather(new, scales, np.array([[0, 1]]), np.ones((1, 2), bool))
    assert batch.action.tolist() == [[2, 0]]


def test_hidden_words_stay_to_be_predicted(of_actions):
    batch, scales = whole(of_actions({"ann": "a b c " * 50}))
    hidden = hide_words(batch, scales, 0.5, np.random.default_rng(0))
    assert 0.3 < (hidden.action == 0).mean() < 0.7
    assert (hidden.classes == batch.classes).all()
    assert (batch.action > 0).all()


def together(of_actions, users, n_actions=3):
    log = of_actions(users)
    scales = Scales.of(log, time_of_day=True, recent_actions=n_actions)
    stretches = Stretches(start=log.offsets[:-1], length=np.diff(log.offsets))
    return gather(log, scales, *stretches.padded()), scales


def test_the_last_actions_are_one_word_that_ends_with_its_user(of_actions):
    batch, scales = together(of_actions, {"ann": "a b c a b c", "bob": "a b c b c c"})
    ann, bob = batch.recent.tolist()
    assert ann[:3] == bob[:3]  # nothing of ann is read before bob's first
    assert ann[5] == ann[2] and ann[3] != ann[0]  # "abc" again; "bca" is not "a" at the beginning
    assert ann[4] != bob[4]  # "cab" and "cbc"
    assert len({*ann[:5], *bob[3:]}) == 8
    assert max(*ann, *bob) < scales.recent[1] == 4**3


def test_with_two_actions_together_the_third_does_not_count(of_actions):
    batch, _ = together(of_actions, {"ann": "a b c", "bob": "b b c"}, n_actions=2)
    assert batch.recent[0, 2] == batch.recent[1, 2]
    assert batch.recent[0, 1] != batch.recent[1, 1]


def test_of_many_actions_some_share_a_code(of_actions):
    names = [f"a{n}" for n in range(60)]
    rng = np.random.default_rng(0)
    drawn = {f"u{user}": " ".join(rng.choice(names, 50)) for user in range(40)}
    batch, scales = together(of_actions, drawn)
    assert scales.recent.tolist() == [3, 4096]
    assert batch.recent.min() >= 0 and batch.recent.max() < 4096
    assert len(np.unique(batch.recent)) > 1_000  # of 2,000: spread over all codes


def test_of_shuffled_events_the_actions_that_are_shown_are_read_together(of_actions):
    rng = np.random.default_rng(0)
    lines = {f"u{user}": " ".join(rng.choice(list("abcde"), 9 + user % 4)) for user in range(20)}
    log = of_actions(lines)
    scales = Scales.of(log, time_of_day=True, recent_actions=3)
    stretches = Stretches(start=log.offsets[:-1], length=np.diff(log.offsets))
    index, real = stretches.padded()
    mixed = shuffled(index, real, rng)
    order = np.arange(log.n_events)
    order[index[real]] = mixed[real]
    in_that_order = log.regrouped(np.arange(log.n_users), order, log.offsets)
    shown = gather(log, scales, mixed, real)
    truly = gather(in_that_order, scales, index, real)
    assert (shown.recent[real] == truly.recent[real]).all()
    assert (shown.recent[real] != gather(log, scales, index, real).recent[real]).mean() > 0.5


def test_what_an_action_was_is_hidden_from_the_next_ones_too(of_actions):
    batch, scales = together(of_actions, {"ann": "a b c " * 50})
    hidden = hide_words(batch, scales, 0.1, np.random.default_rng(0))
    (places,) = np.nonzero(hidden.action[0] == 0)
    assert 0 < len(places) < 40
    blind = {place + later for place in places for later in range(3)} & set(range(150))
    assert set(np.flatnonzero(hidden.recent[0] == 0)) == blind


def test_only_the_users_to_fit_say_how_large_a_number_is(sequences_of):
    few, many = [{"price": p} for p in (1.0, 2.0, 4.0)], [{"price": p} for p in (900.0, 990.0)]
    users = {"ann": few, "bob": many, "cid": few, "dan": many}
    alone = Scales.of(sequences_of({"ann": few, "cid": few}), time_of_day=True)
    sides = {"bob": VALIDATE, "dan": TEST}
    for name, array in alone.to_state().items():
        found = Scales.of(sequences_of(users, sides), time_of_day=True).to_state()[name]
        np.testing.assert_array_equal(found, array)
    everyone = Scales.of(sequences_of(users), time_of_day=True)
    assert everyone.centre[2] > alone.centre[2]


def test_where_nobody_is_to_be_fitted_everyone_says_it(sequences_of):
    users = {"ann": [{"price": 5.0}] * 3, "bob": [{"price": 9.0}] * 3, "cid": []}
    nobody = Scales.of(sequences_of(users, {"ann": TEST, "bob": VALIDATE}), time_of_day=True)
    everyone = Scales.of(sequences_of(users), time_of_day=True)
    np.testing.assert_array_equal(nobody.centre, everyone.centre)


def test_of_a_long_log_some_events_of_the_users_to_fit_are_enough(sequences_of, monkeypatch):
    monkeypatch.setattr("core.representations.inputs._SAMPLE", 100)
    users = {f"{n:03d}": [{"price": 100.0 if n % 2 else 1.0 + n % 5}] * 10 for n in range(200)}
    sides = {user: VALIDATE for n, user in enumerate(users) if n % 2}
    events = _events_to_fit(sequences_of(users, sides))
    assert 90 <= len(events) <= 110
    assert (events // 10 % 2 == 0).all()


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("min_max", [0, 1 / 3, 1]),
        ("none", [10, 20, 40]),
        ("standard", [-1.0690, -0.2673, 1.3363]),
    ],
)
def test_numbers_are_scaled_as_the_sequences_say_and_classes_stay(
    sequences_of, with_arrays, method, expected
):
    plain = sequences_of({"ann": [{"price": 10.0}, {"price": 20.0}, {"price": 40.0}, {}]})
    batch, scales = whole(with_arrays(plain, scaling=dict(plain.scaling) | {"price": method}))
    assert_allclose(batch.numeric[0, :3, PRICE], expected, atol=1e-4)
    assert batch.numeric[0, 3, [PRICE, PRICE_KNOWN]].tolist() == [0, 0]
    by_log, _ = whole(plain)
    np.testing.assert_array_equal(batch.classes, by_log.classes)
    np.testing.assert_array_equal(batch.numeric[..., GAP], by_log.numeric[..., GAP])
    again = Scales.from_state(scales.to_state())
    assert [again.scaling_of(i) for i in range(3)] == [scales.scaling_of(i) for i in range(3)]


def test_scales_survive_being_stored(sequences_of):
    _, scales = whole(sequences_of({"ann": [{"price": 3.0}, {"price": 5.0, "gap": 7}]}))
    again = Scales.from_state(scales.to_state())
    for name, array in scales.to_state().items():
        assert_allclose(again.to_state()[name], array)
