from datetime import datetime

import pytest

from core.events.clean import CleanOptions, clean
from core.events.overview import (
    Bin,
    Count,
    Series,
    action_counts,
    category_counts,
    events_over_time,
    events_per_user,
    overview,
)

HOUR, DAY = 3600, 86400


def test_events_are_counted_per_day_and_days_without_events_are_zeros(log_of):
    log = log_of(
        {"time": 0},
        {"time": DAY - 1, "action": "buy"},
        {"time": 5 * DAY + 1},
        {"time": 5 * DAY + 2},
        {"time": None},
    )
    timeline = events_over_time(log)
    assert timeline.unit == "day"
    assert timeline.starts == tuple(datetime(2026, 1, day) for day in range(1, 7))
    assert timeline.series == (
        Series(action="view", counts=(1, 0, 0, 0, 0, 2)),
        Series(action="buy", counts=(1, 0, 0, 0, 0, 0)),
    )


def test_a_timeline_is_split_by_action(log_of):
    log = log_of(
        {"time": 0, "action": "buy"}, {"time": 60}, {"time": 61}, {"time": 61, "action": None}
    )
    timeline = events_over_time(log)
    assert timeline.unit == "minute"
    assert timeline.series == (
        Series(action="view", counts=(0, 2)),
        Series(action="(none)", counts=(0, 1)),
        Series(action="buy", counts=(1, 0)),
    )


@pytest.mark.parametrize(
    ("span", "unit"),
    [
        (0, "minute"),
        (2 * HOUR, "hour"),
        (4 * DAY, "hour"),
        (90 * DAY, "day"),
        (400 * DAY, "week"),
        (6 * 365 * DAY, "month"),
        (15 * 365 * DAY, "quarter"),
        (100 * 365 * DAY, "year"),
        (900 * 365 * DAY, "decade"),
        (7000 * 365 * DAY, "century"),
    ],
)
def test_the_unit_follows_the_span_and_there_are_at_most_120_bins(log_of, span, unit):
    timeline = events_over_time(log_of({"time": 0}, {"time": span, "user": "b"}))
    assert timeline.unit == unit
    assert len(timeline.starts) <= 120
    assert sum(sum(series.counts) for series in timeline.series) == 2


def test_rare_actions_are_counted_together_and_no_event_is_lost(log_of):
    rows = [{"time": n, "action": f"a{k:02}"} for k in range(12) for n in range(20 - k)]
    timeline = events_over_time(log_of(*rows))
    assert [series.action for series in timeline.series] == [
        *(f"a{k:02}" for k in range(9)),
        "(other)",
    ]
    assert sum(timeline.series[-1].counts) == 11 + 10 + 9
    assert sum(sum(series.counts) for series in timeline.series) == len(rows)


def test_users_are_counted_in_bins_that_double(log_of):
    sizes = {"a": 1, "b": 1, "c": 3, "d": 16, "e": 15}
    log = log_of(*[{"user": u, "time": n} for u, size in sizes.items() for n in range(size)])
    assert events_per_user(log) == (
        Bin(low=1, high=1, users=2),
        Bin(low=2, high=3, users=1),
        Bin(low=4, high=7, users=0),
        Bin(low=8, high=15, users=1),
        Bin(low=16, high=31, users=1),
    )


def test_words_are_counted_by_events_and_users_most_frequent_first(log_of):
    log = log_of(
        {"user": "a", "action": "view", "category": "<b>"},
        {"user": "a", "action": "view", "category": None},
        {"user": "b", "action": "buy", "category": "<b>"},
        {"user": "b", "action": "add", "category": "=1+1"},
    )
    assert action_counts(log, limit=2) == (
        Count(name="view", events=2, users=1),
        Count(name="add", events=1, users=1),
    )
    assert category_counts(log) == (
        Count(name="<b>", events=2, users=2),
        Count(name="(none)", events=1, users=1),
        Count(name="=1+1", events=1, users=1),
    )
    assert category_counts(log_of({"user": "a"})) == ()


def test_the_overview_of_a_log_before_and_after_cleaning(log_of, tmp_path):
    log = log_of({"time": 1}, {"time": 1}, {"user": None, "time": 9}, {"user": "b", "time": 5})
    before = overview(log)
    after = overview(clean(log, CleanOptions(min_events=1), tmp_path))
    assert (before.n_events, before.n_users) == (4, 2)
    assert (after.n_events, after.n_users) == (2, 2)
    assert after.first == datetime(2026, 1, 1, 0, 0, 1)
    assert after.last == datetime(2026, 1, 1, 0, 0, 5)
    assert after.actions == (Count(name="view", events=2, users=2),)


def test_the_overview_of_an_empty_log_is_empty(log_of):
    seen = overview(log_of())
    assert (seen.n_events, seen.n_users, seen.first, seen.last) == (0, 0, None, None)
    assert (seen.timeline.starts, seen.events_per_user, seen.actions) == ((), (), ())
