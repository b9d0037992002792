import numpy as np
import pytest
from numpy.testing import assert_allclose

from core.artifacts import TEST
from core.representations._base import Work
from core.representations.timing import DAY, Block, TimeOptions, _measured, fit, transform

HOUR_0, WEEKDAY_0 = 14, 20
NUMBERS = {"pause_log": 0, "within_log": 2, "recency": 13}
PLAIN = TimeOptions(lasting=False)


def block_of(sequences):
    rows = sequences.user_of_event()
    return Block.of(sequences, slice(0, sequences.n_events), rows, sequences.n_users)


def in_visits(with_arrays, sequences, *visits):
    return with_arrays(sequences, session=np.array(visits, np.int32))


@pytest.fixture
def two_visits(sequences_of, with_arrays):
    """Ann: 10:00, +1 min, +1 min, a day later, +0 s; bob comes once."""
    gaps = [0, 60, 60, DAY, 0]
    sequences = sequences_of({"ann": [{"gap": g} for g in gaps], "bob": [{}]})
    return in_visits(with_arrays, sequences, 0, 0, 0, 1, 1, 0)


def test_pauses_within_and_between_visits_are_told_apart(two_visits):
    found = block_of(two_visits).pauses()
    assert_allclose(found["within_log"], [np.log(61), np.nan])
    assert_allclose(found["within_spread"], [0, np.nan], atol=1e-12)
    assert_allclose(found["within_zero"], [1 / 3, np.nan])
    assert_allclose(found["between_log"], [np.log(DAY + 1), np.nan])
    assert_allclose(found["between_spread"], [np.nan, np.nan])  # one pause has no spread
    assert_allclose(found["pause_log"], [(2 * np.log(61) + np.log(DAY + 1)) / 3, np.nan])


def test_visits_are_counted_and_measured(two_visits):
    found = block_of(two_visits).visits()
    assert_allclose(found["visit_events"], [np.log(5 / 2), 0])
    assert_allclose(found["day_visits"], [0, 0])
    assert_allclose(found["visit_length"], [(np.log(121) + 0) / 2, 0])


def test_regular_visits_have_burstiness_minus_one_and_bursts_more(sequences_of, with_arrays):
    users = {
        "ann": [{"gap": DAY}] * 4,
        "bob": [{"gap": g} for g in (0, DAY, 3 * DAY, 2 * DAY)],
        "cid": [{"gap": DAY}] * 2,
    }
    sequences = in_visits(with_arrays, sequences_of(users), 0, 1, 2, 3, 0, 1, 2, 3, 0, 1)
    spread = np.std([1, 3, 2])
    expected = [-1, (spread - 2) / (spread + 2), np.nan]
    assert_allclose(block_of(sequences).pauses()["burstiness"], expected)


def test_durations_are_measured_where_they_are_known(sequences_of):
    known = [{"duration": 9.0}, {"duration": 99.0}, {"duration": -1.0}, {}]
    sequences = sequences_of({"ann": known, "bob": [{}]})
    found = block_of(sequences).durations(sequences.duration)
    assert_allclose(found["duration_log"], [(np.log(10) + np.log(100)) / 2, np.nan])
    assert_allclose(found["duration_spread"], [(np.log(100) - np.log(10)) / 2, np.nan])


def test_recency_is_days_to_the_end_of_the_fitted_log(sequences_of):
    sequences = sequences_of({"ann": [{}, {"gap": 3 * DAY}], "bob": [{}, {"gap": DAY}]})
    last = int(sequences.time.max())
    assert_allclose(block_of(sequences).recency(last), [0, np.log(3)])
    assert_allclose(block_of(sequences).recency(0), [0, 0])  # later than the log was: just now


def test_hours_and_weekdays_are_roots_of_shares_drawn_toward_everyones(sequences_of):
    morning, evening = [{}, {}, {}], [{}, {"gap": 20 * 3600}, {"gap": 60}]
    sequences = sequences_of({"ann": morning, "bob": evening})  # from Monday, midnight
    state = fit(sequences, PLAIN, Work()).state
    assert_allclose(state["hour_shares"], np.array([25, 1, 1, 1, 1, 13]) / 42)
    assert_allclose(state["weekday_shares"], np.array([6, 0, 0, 0, 0, 0, 0]) / 7 + 1 / 49)
    state = fit(sequences, TimeOptions(lasting=False, prior=1.0), Work()).state
    roots = _measured(state, sequences)[:, HOUR_0:WEEKDAY_0]
    everyone = np.array([25, 1, 1, 1, 1, 13]) / 42
    assert_allclose(roots[0] ** 2, (np.array([3, 0, 0, 0, 0, 0]) + everyone) / 4, atol=1e-6)
    assert_allclose(roots[1] ** 2, (np.array([1, 0, 0, 0, 0, 2]) + everyone) / 4, atol=1e-6)


def test_users_who_come_at_other_hours_stand_apart(sequences_of):
    users = {f"m{i}": [{"gap": 60}] * 8 for i in range(40)}
    users |= {f"n{i}": [{}, {"gap": 12 * 3600}] + [{"gap": 60}] * 40 for i in range(40)}
    values = fit(sequences_of(users), TimeOptions(recency=False), Work()).values
    hours = values[:, HOUR_0 - 1 : WEEKDAY_0 - 1]
    assert np.linalg.norm(hours[0] - hours[-1]) > 10 * np.linalg.norm(hours[0] - hours[1])


@pytest.mark.parametrize(
    ("options", "width"),
    [
        (TimeOptions(), 27),
        (TimeOptions(recency=False), 26),
        (TimeOptions(clock=False), 14),
        (TimeOptions(clock=False, recency=False), 13),
    ],
)
def test_what_is_not_wanted_has_no_columns(two_visits, options, width):
    fitted = fit(two_visits, options, Work())
    assert fitted.values.shape == (2, width)
    assert_allclose(transform(fitted.state, two_visits), fitted.values)


def test_what_a_user_does_not_have_counts_as_the_middle(sequences_of):
    users = {f"u{i}": [{}, {"gap": 10.0 + i}] for i in range(9)} | {"z": [{}]}
    values = fit(sequences_of(users), PLAIN, Work()).values
    assert values[9, NUMBERS["pause_log"]] == 0
    assert_allclose(values[4, NUMBERS["pause_log"]], 0, atol=1e-6)
    assert values[0, NUMBERS["pause_log"]] < 0 < values[8, NUMBERS["pause_log"]]


def test_only_the_users_to_fit_say_what_is_usual(sequences_of):
    users = {f"u{i}": [{}, {"gap": 10.0 + i}] for i in range(5)}
    alone = fit(sequences_of(users), PLAIN, Work())
    slow = {f"v{i}": [{}, {"gap": 9e4}] for i in range(20)}
    both = fit(sequences_of(users | slow, dict.fromkeys(slow, TEST)), PLAIN, Work())
    assert_allclose(both.state["centre"][:13], alone.state["centre"][:13])
    assert_allclose(both.state["spread"][:13], alone.state["spread"][:13])


@pytest.mark.filterwarnings("error")
def test_whole_days_break_nothing(sequences_of, with_arrays):
    users = {f"u{i}": [{"gap": 0.0}] * 3 + [{"gap": float(DAY)}] * (i % 3) for i in range(9)}
    sequences = sequences_of(users)
    visits = np.concatenate([[0, 0, 0, *range(1, 1 + i % 3)] for i in range(9)])
    values = fit(in_visits(with_arrays, sequences, *visits), TimeOptions(), Work()).values
    assert np.isfinite(values).all()
    assert_allclose(values[:, NUMBERS["within_log"]], 0)


def test_chance_counts_little_and_what_lasts_counts(sequences_of):
    rng = np.random.default_rng(0)
    users = {
        f"u{i:03d}": [{"gap": g} for g in np.exp(rng.normal(2 + 3 * (i % 2), 0.5, 12))]
        for i in range(200)
    }
    weight = fit(sequences_of(users), TimeOptions(), Work()).state["weight"]
    assert weight[NUMBERS["pause_log"]] > 0.9
    assert weight[1] < 0.2  # the spread is chance
    assert weight[NUMBERS["recency"]] == np.float32(0.3)
