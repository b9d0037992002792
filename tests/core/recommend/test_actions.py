import numpy as np
import pytest

from core.recommend import RecommendOptions, recommend
from core.segments import SegmentOptions, profile
from tests.worlds import tiny_labels, tiny_sequences

DAY = 86_400


def acted(users, segment_of, **before):
    """Actions by (segment, kind); ``before`` has what the users' histories were before a cut."""
    log = tiny_sequences(users, **before)
    labels = tiny_labels(log, segment_of)
    segments = profile(log, labels, SegmentOptions(), seed=0)
    found = recommend(log, labels, segments, RecommendOptions())
    assert len({(a.segment, a.kind) for a in found.actions}) == len(found.actions)
    return {(action.segment, action.kind): action for action in found.actions}


def by_letter(users, letters="ab"):
    return {user: letters.index(user[0]) for user in users}


def steady(price=10.0, days=(0, 10, 20, 30, 40)):
    """Looks and buys on each of the days."""
    return [
        (action, None, "sock", DAY * day + offset, price)
        for day in days
        for offset, action in ((0, "view"), (30, "purchase"))
    ]


def test_what_waits_in_the_cart_leads_to_a_reminder_with_its_numbers():
    users = {f"a{i:02d}": steady() for i in range(40)}
    users |= {
        f"b{i:02d}": [*steady(), ("cart", None, "boot", DAY * 40 + 90, None)] for i in range(20)
    }
    found = acted(users, by_letter(users))
    assert (0, "campaign") not in found
    reminder = found[1, "campaign"]
    assert reminder.title == "Remind of what waits in the cart"
    assert reminder.evidence == {
        "share that left an item in the cart": 1.0,
        "the same among everyone": pytest.approx(1 / 3),
        "users concerned": 20.0,
    }
    assert "100% of its users left an item in the cart (20 users), against 33%" in reminder.text


def test_every_action_is_a_hypothesis_with_a_trial_and_a_measure():
    users = {f"a{i:02d}": steady() for i in range(40)}
    users |= {f"b{i:02d}": steady(price=500.0, days=(0, 5)) for i in range(15)}
    found = acted(users, by_letter(users))
    assert found
    for action in found.values():
        assert "Hypothesis: " in action.text and "Test it on a random half" in action.text
        assert all(np.isfinite(value) for value in action.evidence.values())


def test_a_purchase_after_the_cart_is_no_abandoned_cart():
    done = [("cart", None, "boot", 0, None), ("purchase", None, "boot", 60, 9.0)]
    users = {f"a{i:02d}": done for i in range(20)} | {f"b{i:02d}": done[1:] for i in range(40)}
    assert not [key for key in acted(users, by_letter(users)) if key[1] == "campaign"]


def test_who_looks_and_never_buys_is_offered_a_first_purchase():
    users = {f"a{i:02d}": steady() for i in range(40)}
    users |= {f"b{i:02d}": [("view", None, "boot", DAY * 40, 5.0)] * 3 for i in range(20)}
    assert acted(users, by_letter(users))[1, "campaign"].title == "Offer for a first purchase"


def test_of_users_whose_past_was_cut_off_it_is_not_said_that_they_never_bought():
    users = {f"a{i:02d}": steady() for i in range(40)}
    users |= {f"b{i:02d}": [("view", None, "boot", DAY * 40, 5.0)] * 3 for i in range(20)}
    lookers = [user for user in users if user[0] == "b"]
    found = acted(users, by_letter(users), lengths=dict.fromkeys(lookers, 900))
    assert "Offer for a first purchase" not in {action.title for action in found.values()}
    found = acted(users, by_letter(users), lengths=dict.fromkeys(lookers[:5], 900))
    offer = found[1, "campaign"]
    assert offer.title == "Offer for a first purchase"
    assert "of its users whose whole history is known looked and never bought (15 users)" in (
        offer.text
    )
    assert offer.evidence["the same among everyone"] == pytest.approx(15 / 55)


def test_who_was_first_seen_lately_is_a_newcomer_even_where_events_were_cut_off():
    users = {f"a{i:02d}": steady() for i in range(40)}
    users |= {f"b{i:02d}": steady(days=(38, 40)) for i in range(20)}
    lately = [user for user in users if user[0] == "b"]
    assert (1, "newcomers") in acted(users, by_letter(users))
    cut = {"lengths": dict.fromkeys(lately, 900), "firsts": dict.fromkeys(lately, DAY * 37)}
    assert (1, "newcomers") in acted(users, by_letter(users), **cut)
    cut["firsts"] = dict.fromkeys(lately, DAY * 5)
    assert (1, "newcomers") not in acted(users, by_letter(users), **cut)


def test_valuable_users_that_drift_away_come_before_the_best_customers():
    users = {f"a{i:02d}": steady() for i in range(60)}
    users |= {f"b{i:02d}": steady(price=500.0, days=(0, 5)) for i in range(10)}
    found = acted(users, by_letter(users))
    assert found[1, "customer_care"].title == "Keep valuable customers that drift away"
    assert found[1, "campaign"].title == "Win back"
    users |= {f"b{i:02d}": steady(price=500.0) for i in range(10)}
    found = acted(users, by_letter(users))
    assert found[1, "customer_care"].title == "Care for the best customers"


def test_returns_are_a_risk():
    users = {f"a{i:02d}": steady() for i in range(40)}
    back = [("return", None, "sock", DAY * 41 + i, None) for i in range(4)]
    users |= {f"b{i:02d}": [*steady(), *back] for i in range(15)}
    found = acted(users, by_letter(users))
    assert found[1, "risk"].title == "Look into returns"
    assert (0, "risk") not in found


def test_a_segment_with_a_taste_gets_its_items_and_an_audience():
    users = {}
    for letter, kind in (("a", "shoes"), ("b", "books")):
        users |= {
            f"{letter}{i:02d}": [("view", kind, f"{kind} {j}", j, None) for j in range(4)] * 5
            for i in range(20)
        }
    found = acted(users, by_letter(users))
    assert "“shoes 0” (1.5 times the engagement)" in found[0, "product_recommendation"].text
    audience = found[1, "ad_audience"]
    assert audience.title == "Audience for “books”"
    assert audience.evidence["share of its users that met it"] == 1.0


def test_segments_that_are_alike_call_for_nothing():
    rng = np.random.default_rng(1)
    acts = np.array(["view", "cart", "purchase", "return"])
    users = {
        f"u{i:03d}": [
            (str(a), f"c{rng.integers(4)}", f"i{rng.integers(30)}", int(t), float(rng.lognormal()))
            for t, a in zip(
                np.sort(rng.integers(90 * DAY, size=12)), rng.choice(acts, 12), strict=True
            )
        ]
        for i in range(500)
    }
    assert acted(users, {user: int(rng.integers(4)) for user in users}) == {}


def test_everyone_in_one_segment_calls_for_nothing():
    users = {f"a{i:02d}": steady() for i in range(10)} | {"b": steady(price=900.0, days=(0, 1))}
    assert acted(users, dict.fromkeys(users, 0)) == {}


def test_users_in_no_segment_are_only_looked_at_for_risk():
    users = {f"a{i:02d}": steady() for i in range(40)}
    back = [("return", None, "sock", DAY + i, None) for i in range(4)]
    users |= {f"b{i:02d}": [*steady(price=900.0, days=(0, 1)), *back] for i in range(12)}
    found = acted(users, {user: 0 if user[0] == "a" else -1 for user in users})
    assert {kind for segment, kind in found if segment == -1} == {"risk"}
