import pytest

from core.segments import SegmentOptions
from core.segments._base import groups_of
from core.segments.lifts import lifts
from tests.worlds import tiny_labels, tiny_sequences


def visits(*categories):
    return [("view", category, None, t, None) for t, category in enumerate(categories)]


LOG = tiny_sequences(
    {
        "a": visits("shoes", "shoes", "bags", None),
        "b": visits("shoes"),
        "c": visits("bags", "bags", "bags", "shoes", "books", "books"),
    }
)
GROUPS = groups_of(tiny_labels(LOG, {"a": 0, "b": 0, "c": 1}))


def test_a_lift_is_smoothed_toward_one_by_expected_events():
    first, second = lifts(LOG, GROUPS, "category", SegmentOptions(lift_prior=10.0))
    # Ten events have a category, four of them in segment 0, four are shoes.
    # Bags are met less often than by everyone: not listed.
    assert [(lift.name, lift.users) for lift in first] == [("shoes", 2)]
    assert first[0].share == pytest.approx(3 / 4)
    assert first[0].lift == pytest.approx((3 + 10) / (4 * 0.4 + 10))
    assert second[0].name == "books"
    assert second[0].lift == pytest.approx((2 + 10) / (6 * 0.2 + 10))


def test_without_the_prior_a_lift_is_the_plain_ratio_of_shares():
    first, _ = lifts(LOG, GROUPS, "category", SegmentOptions(lift_prior=0.0))
    assert first[0].lift == pytest.approx((3 / 4) / (4 / 10))


def test_a_name_met_once_does_not_come_before_a_true_preference():
    often = visits(*["shoes"] * 40, *["bags"] * 20)
    users = {"a": [*often, ("view", "hats", None, 99, None)], "b": visits(*["bags"] * 60)}
    log = tiny_sequences(users)
    groups = groups_of(tiny_labels(log, {"a": 0, "b": 1}))
    cautious, _ = lifts(log, groups, "category", SegmentOptions())
    assert [lift.name for lift in cautious] == ["shoes", "hats"]


def test_only_as_many_as_asked_for_are_listed():
    first, second = lifts(LOG, GROUPS, "category", SegmentOptions(top_n=1))
    assert len(first) == len(second) == 1


def test_categories_that_hardly_anyone_met_and_the_rest_of_the_words_are_not_listed():
    users = {f"u{i}": visits("shoes", "(other)") for i in range(30)}
    users["u0"] = visits(*["rare"] * 50)
    log = tiny_sequences(users)
    (everyone,) = lifts(
        log, groups_of(tiny_labels(log, dict.fromkeys(users, 0))), "category", SegmentOptions()
    )
    assert [lift.name for lift in everyone] == ["shoes"]


def test_items_are_counted_like_categories():
    log = tiny_sequences(
        {"a": [("view", None, "boot", 0, None)] * 2, "b": [("view", None, "novel", 0, None)]}
    )
    first, _ = lifts(
        log, groups_of(tiny_labels(log, {"a": 0, "b": 1})), "item", SegmentOptions(lift_prior=0.0)
    )
    assert [(lift.name, lift.users, lift.share, lift.lift) for lift in first] == [
        ("boot", 1, 1.0, 1.5)
    ]
