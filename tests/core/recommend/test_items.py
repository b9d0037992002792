"""What is offered to whom, on a checkerboard: two segments, two categories, nothing in common."""

import numpy as np
import pytest

from core.artifacts import Recommendations
from core.recommend import RecommendOptions, _base, recommend
from core.segments import SegmentOptions, profile
from core.store import load, save
from tests.worlds import tiny_labels, tiny_sequences

DAY = 86_400


def recommended(users, segment_of, **options):
    log = tiny_sequences(users)
    labels = tiny_labels(log, segment_of)
    segments = profile(log, labels, SegmentOptions(), seed=0)
    return recommend(log, labels, segments, RecommendOptions(**options))


def by_segment(found):
    items = {}
    for offer in found.items:
        items.setdefault(offer.segment, []).append(offer.item)
    return items


def views(*items, category=None):
    return [("view", category, item, t, None) for t, item in enumerate(items)]


def checkerboard():
    """Even users look at shoes, odd ones at books; item i is met by more users than item i + 1."""
    users, segment_of = {}, {}
    for i in range(40):
        kind = ("shoes", "books")[i % 2]
        met = [f"{kind} {item}" for item in range(5) if i // 2 >= 3 * item]
        users[f"u{i:02d}"] = views(*met, category=kind)
        segment_of[f"u{i:02d}"] = i % 2
    return users, segment_of


def test_on_a_checkerboard_each_segment_is_offered_its_own_items_best_first():
    found = recommended(*checkerboard())
    assert by_segment(found) == {
        0: [f"shoes {i}" for i in range(5)],
        1: [f"books {i}" for i in range(5)],
    }
    assert [offer.rank for offer in found.items] == [1, 2, 3, 4, 5] * 2
    assert {offer.category for offer in found.items[:5]} == {"shoes"}


def test_the_score_is_shrunk_popularity_times_a_power_of_the_lift():
    found = recommended(*checkerboard(), lift_weight=0.5, prior_users=20.0)
    second = found.items[1]  # shoes 1: met by 17 of the segment's 20 users, by 17 of all 40
    everyone = 17 / 40
    local = (17 + 20 * everyone) / (20 + 20)
    assert second.item == "shoes 1"
    assert second.segment_users == 17
    assert second.lift == pytest.approx(local / everyone)
    assert second.score == pytest.approx(local * (local / everyone) ** 0.5)
    assert (
        second.reason == "17 of 20 users here met it (85%), 1.5 times the engagement of everyone."
    )


def test_the_furthest_step_of_a_user_with_an_item_counts_once():
    steps = {"view": 1, "favourite": 2, "cart": 3, "purchase": 5}
    users = {
        f"{step}{i}": [("view", None, step, 0, None), (step, None, step, 1, None)] * 2
        for step in steps
        for i in range(3)
    }
    found = recommended(
        users, dict.fromkeys(users, 0), owned="keep", prior_users=0.0, lift_weight=0.0
    )
    assert [offer.item for offer in found.items] == ["purchase", "cart", "favourite", "view"]
    scores = [offer.score for offer in found.items]
    assert scores == pytest.approx([5 * 3 / 12, 3 * 3 / 12, 2 * 3 / 12, 1 * 3 / 12])


def test_weights_are_the_analysts():
    users = {f"a{i}": [("cart", None, "x", 0, None)] for i in range(3)}
    users |= {f"b{i}": [("view", None, "y", 0, None)] for i in range(4)}
    segment_of = dict.fromkeys(users, 0)
    assert by_segment(recommended(users, segment_of)) == {0: ["x", "y"]}
    assert by_segment(recommended(users, segment_of, cart_weight=1.0)) == {0: ["y", "x"]}


def test_what_was_returned_does_not_count_for_an_item():
    back = [("purchase", None, "boot", 0, 9.0), ("return", None, "boot", DAY, None)]
    users = {f"a{i}": back for i in range(9)} | {f"b{i}": views("novel") for i in range(3)}
    found = recommended(users, dict.fromkeys(users, 0))
    assert by_segment(found) == {0: ["novel"]}


def owners():
    """Six of eight own the boot, all eight saw the sock."""
    buys = [("purchase", "shoes", "boot", 0, 9.0), ("view", "shoes", "sock", 1, 1.0)]
    users = {f"a{i}": buys for i in range(6)} | {f"b{i}": views("sock") for i in range(2)}
    return users, dict.fromkeys(users, 0)


def test_owned_items_are_lowered_left_out_or_kept_as_asked():
    plain = {"prior_users": 0.0, "lift_weight": 0.0}
    kept = recommended(*owners(), owned="keep", **plain)
    assert [(o.item, o.score) for o in kept.items] == [("boot", 3.75), ("sock", 1.0)]
    lowered = recommended(*owners(), owned="discount", **plain)
    assert [(o.item, o.score) for o in lowered.items] == [("sock", 1.0), ("boot", 3.75 * 0.25)]
    assert lowered.items[1].owned_share == 0.75
    assert "75% already bought it, which lowers its rank" in lowered.items[1].reason
    assert by_segment(recommended(*owners(), owned="exclude", owned_limit=0.5)) == {0: ["sock"]}


def test_what_is_bought_again_and_again_is_offered_to_its_owners():
    milk = [("purchase", "food", "milk", DAY * day, 1.0) for day in range(3)]
    users = {f"a{i:02d}": milk for i in range(20)} | {f"b{i}": views("sock") for i in range(3)}
    found = recommended(users, dict.fromkeys(users, 0))
    assert found.items[0].item == "milk"
    assert "100% of buys in “food” are repeated" in found.items[0].reason


def test_two_rows_of_one_day_are_one_purchase_not_a_habit():
    twice = [("purchase", "shoes", "boot", t, 9.0) for t in (0, 60)]
    users = {f"a{i:02d}": twice for i in range(20)} | {f"b{i}": views("sock") for i in range(3)}
    found = recommended(users, dict.fromkeys(users, 0))
    assert "already bought it" in next(o.reason for o in found.items if o.item == "boot")


def test_users_without_a_segment_are_offered_what_is_popular_and_told_so():
    users, segment_of = checkerboard()
    users |= {f"x{i}": views("shoes 4") for i in range(3)}
    found = recommended(users, segment_of | dict.fromkeys(("x0", "x1", "x2"), -1), top_n=3)
    lost = [offer for offer in found.items if offer.segment == -1]
    assert [offer.item for offer in lost] == ["books 0", "shoes 0", "books 1"]
    assert all(offer.reason.startswith("Popular with everyone, not this") for offer in lost)


def test_a_segment_too_small_for_a_taste_is_offered_what_is_popular():
    users, segment_of = checkerboard()
    users["z"] = views("rare")
    found = recommended(users, segment_of | {"z": 2}, top_n=2)
    assert by_segment(found)[2] == ["books 0", "shoes 0"]
    assert found.items[-1].reason.startswith("Popular with everyone")


def test_the_category_of_an_item_is_its_commonest():
    users = {f"u{i}": [("view", "shoes" if i else "sale", "boot", 0, None)] for i in range(4)}
    assert recommended(users, dict.fromkeys(users, 0)).items[0].category == "shoes"


def test_a_log_without_items_gets_a_plain_note_and_no_list():
    users = {f"u{i}": [("view", "shoes", None, i, None)] for i in range(8)}
    found = recommended(users, {user: int(user > "u3") for user in users})
    assert found.items == ()
    assert found.note.startswith("The log has no items")


def test_a_log_without_purchases_says_that_ownership_is_not_known():
    assert "No action of the log is known as a purchase" in recommended(*checkerboard()).note


def test_a_log_of_users_times_and_items_alone_is_served():
    users = {f"u{i}": [(None, None, "boot", i, None)] for i in range(5)}
    (offer,) = recommended(users, dict.fromkeys(users, 0)).items
    assert (offer.item, offer.category, offer.owned_share) == ("boot", "", 0.0)


def test_names_out_of_the_data_stay_as_they_came():
    hostile = '=cmd|"/c calc"!A1<img src=x onerror=alert(1)>{0}'
    users = {f"u{i}": views(hostile, category=hostile) for i in range(5)}
    (offer,) = recommended(users, dict.fromkeys(users, 0)).items
    assert (offer.item, offer.category) == (hostile, hostile)


def test_the_blocks_in_which_users_are_read_change_nothing(monkeypatch):
    whole = recommended(*checkerboard())
    monkeypatch.setattr(_base, "_USERS_PER_BLOCK", 7)
    assert recommended(*checkerboard()) == whole


def test_recommendations_are_kept_and_read_back(tmp_path):
    found = recommended(*checkerboard())
    save(found, tmp_path)
    assert load(Recommendations, tmp_path) == found


def test_labels_of_other_users_are_a_bug_and_seen_as_one():
    log, other = tiny_sequences({"a": views("x")}), tiny_sequences({"b": views("x")})
    labels = tiny_labels(other, {"b": 0})
    segments = profile(other, labels, SegmentOptions(), seed=0)
    with pytest.raises(ValueError, match="different users"):
        recommend(log, labels, segments, RecommendOptions())


def test_shuffled_tastes_give_lifts_near_one():
    rng = np.random.default_rng(0)
    users = {f"u{i:03d}": views(*(f"i{j}" for j in rng.integers(20, size=15))) for i in range(600)}
    found = recommended(users, {user: int(rng.integers(3)) for user in users})
    assert max(abs(offer.lift - 1) for offer in found.items) < 0.2
    assert not [a for a in found.actions if a.kind == "product_recommendation"]
