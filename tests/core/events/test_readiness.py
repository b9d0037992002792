"""What a log can carry, judged by counts alone: every bound from both of its sides."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from core.events.readiness import Measures, judge

FIRST = datetime(2026, 1, 1, 8)
GOOD = Measures(
    rows=30_000,
    usable=30_000,
    no_user=0,
    no_time=0,
    first=FIRST,
    last=FIRST + timedelta(days=60),
    users=1000,
    single=50,
    placed=900,
    median_events=20.0,
    heavy=0,
    heavy_rows=0,
    top_user="a",
    top_rows=90,
    actions=5,
    top_action="view",
    content=("item", "category"),
    midnight=0,
    same_time=0.01,
    hole=None,
)


def codes(**changes):
    found = judge(replace(GOOD, **changes))
    return found.level, [remark.code for remark in found.remarks]


def test_a_good_log_is_called_good_without_a_remark():
    assert codes() == ("good", [])


@pytest.mark.parametrize(
    ("changes", "level", "code"),
    [
        ({"users": 49, "placed": 49, "single": 0}, "cannot", "few_users"),
        ({"users": 120, "placed": 110, "single": 0}, "care", "some_users"),
        ({"single": 700, "placed": 250}, "cannot", "single_events"),
        ({"single": 690, "placed": 300}, "care", "single_events"),
        ({"single": 0, "placed": 199}, "cannot", "few_placed"),
        ({"users": 60, "single": 0, "placed": 49}, "cannot", "few_placed"),
        ({"single": 0, "placed": 599}, "care", "some_placed"),
        ({"median_events": 4.0}, "care", "few_events"),
        ({"last": FIRST}, "cannot", "one_time"),
        ({"last": FIRST + timedelta(minutes=17)}, "cannot", "short_span"),
        ({"last": FIRST + timedelta(hours=23)}, "cannot", "short_span"),
        ({"last": FIRST + timedelta(days=13)}, "care", "brief_span"),
        ({"top_rows": 27_000}, "cannot", "one_user"),
        ({"top_rows": 6000}, "care", "one_user"),
        ({"heavy": 2, "heavy_rows": 11_000}, "good", "heavy_users"),
        ({"actions": 1, "content": ()}, "cannot", "no_content"),
        ({"actions": 0, "content": (), "top_action": ""}, "cannot", "no_content"),
        ({"actions": 1}, "care", "one_action"),
        ({"no_user": 7}, "good", "no_user"),
        ({"no_user": 1500}, "care", "no_user"),
        ({"no_time": 27_000}, "cannot", "no_time"),
        ({"midnight": 30_000}, "care", "whole_days"),
        ({"same_time": 0.5}, "good", "same_time"),
        ({"hole": (FIRST, FIRST + timedelta(days=7))}, "care", "hole"),
        ({"usable": 0, "first": None, "last": None}, "cannot", "nothing_usable"),
    ],
)  # fmt: skip
def test_what_speaks_against_a_log_is_named(changes, level, code):
    found_level, found = codes(**changes)
    assert found_level == level
    assert code in found


@pytest.mark.parametrize(
    "changes",
    [
        {"single": 299, "placed": 700},
        {"placed": 600},
        {"last": FIRST + timedelta(days=14)},
        {"top_rows": 5999},
        {"midnight": 29_999},
        {"same_time": 0.49},
        {"hole": (FIRST, FIRST + timedelta(days=5))},
    ],
)
def test_just_within_a_bound_nothing_is_said(changes):
    assert codes(**changes) == ("good", [])


def test_what_weighs_most_stands_first_and_then_what_touches_most_rows():
    level, found = codes(
        last=FIRST + timedelta(minutes=17), no_user=40, no_time=900, heavy=1, heavy_rows=6000
    )
    assert level == "cannot"
    assert found == ["short_span", "heavy_users", "no_time", "no_user"]


def test_a_verdict_speaks_in_figures_and_says_what_to_do():
    found = judge(replace(GOOD, single=720, placed=250, last=FIRST + timedelta(minutes=17)))
    said = " ".join(remark.text for remark in found.remarks)
    assert found.text == "This log cannot carry segments."
    assert "72% of the users (720) have a single event" in said
    assert "The log covers 17 min" in said
    assert "Bring at least two weeks" in said


def test_a_verdict_claims_no_more_than_was_counted():
    assert judge(GOOD).text == "Nothing counted here speaks against segments."
    few = judge(replace(GOOD, users=120, placed=110, single=0))
    assert few.remarks[0].text == (
        "110 of 120 users can be placed: a segment of a tenth of them would have fewer than 20 "
        "people."
    )
    for changes in ({"single": 400, "placed": 600}, {"single": 0, "placed": 400}):
        texts = [remark.text for remark in judge(replace(GOOD, **changes)).remarks]
        assert any("unless you decide otherwise" in text for text in texts)
        assert not any("are left out" in text for text in texts)
