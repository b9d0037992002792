import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from core.events import quality as measured
from core.events.quality import FunnelStage, Quality, quality
from core.store import from_plain, to_plain
from tests.journeys import SAMPLES, events_of

HOUR, DAY = 3600, 86_400
RETAIL = Path(__file__).parents[3].parent / "shared" / "data" / "online_retail" / "onlineretail.csv"


def habits(n_users=60, events=4, step=DAY):
    """Users who view, cart and buy day after day, each an hour after the one before."""
    actions = ("view", "cart", "purchase", "view")
    return [
        {
            "user": f"u{user:03d}",
            "time": user * HOUR + event * step,
            "action": actions[event % 4],
            "item": f"i{(user + event) % 7}",
        }
        for user in range(n_users)
        for event in range(events)
    ]


def kinds(found):
    return {pause.name: pause.events for pause in found.pauses if pause.events}


def test_users_rows_span_and_actions_are_counted_over_what_is_usable(log_of):
    found = quality(log_of(*habits(), {"user": None, "time": -DAY}, {"user": "u000", "time": None}))
    assert (found.n_rows, found.n_usable, found.n_users) == (242, 240, 60)
    assert (found.first, found.last) == (datetime(2026, 1, 1), datetime(2026, 1, 6, 11))
    assert (found.actions, found.n_actions) == (("view", "cart", "purchase"), 3)
    assert [(r.code, r.rows) for r in found.remarks if r.code.startswith("no_")] == [
        ("no_user", 1),
        ("no_time", 1),
    ]


def test_one_event_a_user_within_seventeen_minutes_cannot_carry_segments(log_of):
    rows = [{"user": f"u{n}", "time": 10 * n, "item": f"i{n % 3}"} for n in range(100)]
    rows.append({"user": "u0", "time": 17 * 60})
    found = quality(log_of(*rows))
    assert found.level == "cannot"
    assert found.verdict == "This log cannot carry segments."
    assert {r.code for r in found.remarks if r.weight == "cannot"} == {
        "single_events",
        "few_placed",
        "short_span",
    }


def test_nearly_all_events_of_one_user_are_told_with_the_user_named(log_of):
    rows = habits(n_users=50, events=1) + [
        {"user": "=till", "time": n * HOUR, "action": "purchase"} for n in range(500)
    ]
    found = quality(log_of(*rows))
    (remark,) = [r for r in found.remarks if r.code == "one_user"]
    assert (remark.weight, remark.rows) == ("cannot", 500)
    assert "“=till” has 91% of all events" in remark.text


def test_events_that_say_nothing_but_who_and_when_cannot_carry_segments(log_of):
    rows = [{"user": f"u{n % 60}", "time": n * HOUR} for n in range(600)]
    assert [r.code for r in quality(log_of(*rows)).remarks if r.weight == "cannot"] == [
        "no_content"
    ]
    same = [row | {"item": "i1", "price": 5.0} for row in rows]
    assert "no_content" in {r.code for r in quality(log_of(*same)).remarks}
    priced = [row | {"price": float(n % 3)} for n, row in enumerate(rows)]
    assert "one_action" in {r.code for r in quality(log_of(*priced)).remarks}


def test_an_empty_log_is_judged_and_not_a_crash(log_of):
    found = quality(log_of())
    assert (found.level, found.n_users, found.first, found.funnel) == ("cannot", 0, None, ())
    assert [r.code for r in found.remarks] == ["nothing_usable"]


def test_pauses_are_those_between_events_of_one_user_whatever_the_order_of_rows(log_of):
    found = quality(
        log_of(
            {"user": "a", "time": 2 * HOUR},
            {"user": "b", "time": 5},
            {"user": "a", "time": 0},
            {"user": "a", "time": 0},
            {"user": "a", "time": 40 * DAY},
            {"user": None, "time": 7},
        )
    )
    assert kinds(found) == {"same time": 1, "1-3 h": 1, "1-3 months": 1}
    assert found.pauses_of == 2


def test_pauses_of_many_events_are_those_of_whole_users_picked_by_hash(log_of, monkeypatch):
    log = log_of(*habits(n_users=200))
    whole = quality(log)
    monkeypatch.setattr(measured, "SAMPLED_EVENTS", 200)
    some = quality(log)
    assert 0 < some.pauses_of < 200
    assert kinds(some) == {"1-3 days": 3 * some.pauses_of}
    assert kinds(whole) == {"1-3 days": 600}
    assert some == quality(log)


def test_the_funnel_counts_users_by_what_the_actions_mean(log_of):
    found = quality(
        log_of(
            {"user": "a", "action": "view"},
            {"user": "a", "action": "add_to_cart"},
            {"user": "a", "action": "purchase"},
            {"user": "b", "action": "page_view"},
            {"user": "b", "action": "purchase"},
            {"user": "c", "action": "add_to_cart"},
            {"user": "c", "action": "frobnicate"},
        )
    )
    looked, cart, bought = found.funnel
    assert (looked.users, looked.also, set(looked.actions)) == (2, 2, {"view", "page_view"})
    assert cart == FunnelStage(name="put into the cart", actions=("add_to_cart",), users=2, also=1)
    assert (bought.name, bought.users, bought.also) == ("bought", 2, 1)


def test_actions_whose_words_mean_nothing_known_make_no_funnel(log_of):
    assert quality(log_of({"action": "0"}, {"action": "1"})).funnel == ()


def test_a_week_without_events_in_the_middle_is_a_hole(log_of):
    rows = habits(step=HOUR) + [row | {"time": row["time"] + 14 * DAY} for row in habits(step=HOUR)]
    (hole,) = [r for r in quality(log_of(*rows)).remarks if r.code == "hole"]
    assert "from 2026-01-04 00:00 to 2026-01-15 00:00" in hole.text


def test_a_quality_comes_back_from_the_store_as_it_was(log_of):
    found = quality(log_of(*habits()))
    assert from_plain(Quality, json.loads(json.dumps(to_plain(found)))) == found


def test_the_sample_shop_is_good_and_the_worked_example_usable(tmp_path):
    shop = quality(events_of(SAMPLES / "shop_events.csv", tmp_path / "shop"))
    assert (shop.level, shop.n_users, shop.n_rows - shop.n_usable) == ("good", 2000, 9)
    tiny = quality(events_of(SAMPLES / "tiny_100_users.csv", tmp_path / "tiny"))
    assert (tiny.level, [r.code for r in tiny.remarks]) == ("care", ["some_users"])


def test_a_real_shop_is_usable_and_its_rows_without_a_customer_are_counted(tmp_path):
    if not RETAIL.exists():
        pytest.skip(f"{RETAIL} is not on this machine")
    found = quality(events_of(RETAIL, tmp_path))
    assert (found.level, found.n_users, found.n_usable) == ("care", 4372, 406_829)
    by_code = {remark.code: remark for remark in found.remarks}
    assert by_code["no_user"].rows == 135_080
    assert by_code["heavy_users"].weight == "note"


def test_the_summary_goes_by_the_log_and_nothing_else(log_of):
    log = log_of(*habits(n_users=3))
    assert quality(log).fingerprint == measured.measured_as(log)
    other = replace(log, fingerprint="0" * 64)
    assert measured.measured_as(other) != measured.measured_as(log)
