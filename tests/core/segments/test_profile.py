"""The whole description of small shops whose truth is plain to see."""

import numpy as np
import pytest

from core.artifacts import Segments
from core.segments import CAVEAT, SUMMARY, SegmentOptions, _base, profile
from core.store import load, save
from tests.worlds import tiny_labels, tiny_sequences

NOON = 12 * 3600
DAY = 86_400
OPTIONS = SegmentOptions()


def buyer(start):
    """Searches and buys shoes, quickly, at noon; twice."""
    return [
        ("search", "shoes", None, start + NOON, None),
        ("purchase", "shoes", "boot", start + NOON + 30, 80.0),
        ("search", "shoes", None, start + DAY + NOON, None),
        ("purchase", "shoes", "boot", start + DAY + NOON + 30, 40.0),
    ]


def browser(start):
    """Looks at books, slowly, at night."""
    night = start + 23 * 3600
    return [("view", "books", "novel", night + 600 * i, 10.0) for i in range(5)]


@pytest.fixture(scope="module")
def shop():
    users = {f"a{i}": buyer(i) for i in range(12)} | {f"b{i}": browser(i) for i in range(8)}
    return tiny_sequences(users)


@pytest.fixture(scope="module")
def labels(shop):
    return tiny_labels(shop, {user: int(user[0] == "b") for user in shop.user_ids})


@pytest.fixture(scope="module")
def described(shop, labels):
    return profile(shop, labels, OPTIONS, seed=0)


def test_segments_come_largest_first_with_their_shares(described):
    first, second = described.segments
    assert (first.id, first.size, first.share) == (0, 12, 0.6)
    assert (second.id, second.size, second.share) == (1, 8, 0.4)
    assert first.event_share == pytest.approx(48 / 88)


def test_value_is_what_was_bought_and_not_what_was_looked_at(described):
    assert [segment.value_share for segment in described.segments] == [1.0, 0.0]


def test_the_summary_gives_means_per_user_in_their_units(described):
    buyers, browsers = (segment.summary for segment in described.segments)
    assert list(buyers) == list(SUMMARY)
    assert buyers["events"] == pytest.approx(4)
    assert buyers["purchases"] == pytest.approx(2)
    assert buyers["spend"] == pytest.approx(120)
    assert buyers["active_days"] == pytest.approx(2)
    assert buyers["night"] == 0
    assert buyers["gap"] == pytest.approx(30, rel=1e-6)  # median of 30 s, a day, 30 s
    assert buyers["tenure"] == pytest.approx(1 + 30 / DAY)
    assert buyers["price"] == pytest.approx(np.sqrt(81 * 41) - 1)
    assert browsers["gap"] == pytest.approx(600, rel=1e-6)
    assert browsers["visit_events"] == pytest.approx(5)
    assert browsers["purchases"] == 0


def test_ratios_take_all_users_of_a_segment_together(described):
    buyers, browsers = (segment.summary for segment in described.segments)
    assert browsers["conversion"] == 0
    assert buyers["conversion"] is None  # nobody there viewed anything
    assert buyers["cart_completion"] is None  # the log has no carts


def test_names_tell_who_is_there(described):
    assert [segment.name for segment in described.segments] == [
        "Buyers of shoes",
        "Browsers of books",
    ]


def test_facts_say_in_plain_words_what_sets_a_segment_apart(shop, labels):
    options = SegmentOptions(max_facts=30)
    buyers, browsers = profile(shop, labels, options, seed=0).segments
    texts = [fact.text for fact in buyers.facts]
    whole = "of its events with a category"
    assert f"Turns to “shoes”, unlike others (100% against 0% {whole})" in texts
    assert "Never does “view”, unlike others (0% against 100% of its events)" in texts
    assert "Comes more after noon (12–18 h): 100% of its events, others 0%" in texts
    assert "Spends more: 120 per user, others 0" in texts
    gap = next(fact for fact in browsers.facts if fact.subject == "gap")
    assert gap.text == "Takes longer between events: typically 10 min, others 30 s"
    assert (gap.kind, gap.unit) == ("timing", "seconds")
    assert gap.inside == pytest.approx(600) and gap.effect > 0


def test_no_more_than_two_facts_of_a_kind_are_told(described):
    for segment in described.segments:
        kinds = [fact.kind for fact in segment.facts]
        assert max(kinds.count(kind) for kind in kinds) == 2


def test_activity_is_told_last_however_large():
    users = {f"u{i}": buyer(i) for i in range(12)} | {f"v{i}": browser(0) for i in range(30)}
    log = tiny_sequences(users, {f"v{i}": 100_000 for i in range(30)})
    labels = tiny_labels(log, {user: int(user[0] == "v") for user in users})
    told = profile(log, labels, SegmentOptions(max_facts=30), seed=0).segments[0].facts
    kinds = [fact.kind for fact in told]
    assert max(told, key=lambda fact: abs(fact.effect)).subject == "events"
    assert kinds == sorted(kinds, key="activity".__eq__)


def test_what_was_cut_off_counts_as_activity(shop):
    log = tiny_sequences({"a": buyer(0), "b": buyer(0)}, {"b": 36})
    segments = profile(log, tiny_labels(log, {"a": 0, "b": 1}), OPTIONS, seed=0).segments
    assert [segment.event_share for segment in segments] == [0.1, 0.9]
    assert segments[1].summary["events"] == pytest.approx(36)


def test_the_time_span_begins_with_the_first_event_even_where_it_was_cut_off():
    log = tiny_sequences({"a": buyer(0), "b": buyer(0)}, {"b": 36}, {"b": -9 * DAY})
    segments = profile(log, tiny_labels(log, {"a": 0, "b": 1}), OPTIONS, seed=0).segments
    seen, before = (segment.summary["tenure"] for segment in segments)
    assert before == pytest.approx(seen + 9 + log.time[0] / DAY)


def test_a_lone_segment_is_everyone_and_nothing_sets_it_apart(shop):
    everyone = tiny_labels(shop, dict.fromkeys(shop.user_ids, 0))
    (segment,) = profile(shop, everyone, OPTIONS, seed=0).segments
    assert (segment.name, segment.facts, segment.share) == ("Everyone", (), 1.0)
    assert {lift.lift for lift in segment.categories} == {1.0}


def test_users_without_a_segment_come_last_even_where_they_are_most(shop):
    labels = tiny_labels(shop, {u: -1 if u[0] == "a" else 0 for u in shop.user_ids})
    segments = profile(shop, labels, OPTIONS, seed=0).segments
    assert [(s.id, s.name, s.size) for s in segments] == [
        (0, "Browsers of books", 8),
        (-1, "No segment", 12),
    ]


def test_users_alike_in_all_segments_get_no_facts_and_honest_names():
    log = tiny_sequences({f"u{i}": buyer(0) for i in range(20)})
    labels = tiny_labels(log, {f"u{i}": i % 3 for i in range(20)})
    segments = profile(log, labels, OPTIONS, seed=0).segments
    assert [segment.facts for segment in segments] == [(), (), ()]
    assert [segment.name for segment in segments] == [
        "Average shoppers",
        "Average shoppers (2)",
        "Average shoppers (3)",
    ]


def test_chance_differences_are_not_told():
    rng = np.random.default_rng(0)
    words = np.array(["view", "search", "cart", "purchase"])
    users = {
        f"u{i:03d}": [
            (str(word), f"c{rng.integers(5)}", None, int(t), float(rng.lognormal()))
            for t, word in enumerate(rng.choice(words, 30))
        ]
        for i in range(400)
    }
    log = tiny_sequences(users)
    labels = tiny_labels(log, {user: int(rng.integers(8)) for user in users})
    segments = profile(log, labels, OPTIONS, seed=0).segments
    assert sum(len(segment.facts) for segment in segments) == 0


def test_a_log_of_users_and_times_alone_is_described():
    users = {
        f"u{i}": [(None, None, None, NOON + 2000 * t * (1 + i % 2), None) for t in range(6)]
        for i in range(20)
    }
    log = tiny_sequences(users)
    labels = tiny_labels(log, {f"u{i}": i % 2 for i in range(20)})
    described = profile(log, labels, OPTIONS, seed=0)
    assert described.actions == ()
    first = described.segments[0]
    assert (first.categories, first.items, first.transitions, first.value_share) == (
        (),
        (),
        (),
        None,
    )
    assert [first.summary[name] for name in ("purchases", "spend", "conversion")] == [None] * 3
    assert first.summary["gap"] == pytest.approx(2000)
    assert [segment.name for segment in described.segments] == [
        "Quick shoppers",
        "Unhurried shoppers",
    ]
    assert first.stories[0].steps == ("event", *["(33 min later) event"] * 5)


def test_a_log_of_dates_alone_says_nothing_of_hours():
    users = {f"u{i}": [("view", None, None, DAY * t, None) for t in range(3)] for i in range(4)}
    log = tiny_sequences(users)
    labels = tiny_labels(log, {f"u{i}": i % 2 for i in range(4)})
    summary = profile(log, labels, OPTIONS, seed=0).segments[0].summary
    assert summary["night"] is None
    assert summary["gap"] == pytest.approx(DAY)


def test_names_out_of_the_data_stay_as_they_came():
    hostile = '=HYPERLINK("x")<script>alert(1)</script>{0}%s'
    users = {f"a{i}": [(hostile, hostile, hostile, t, 1.0) for t in range(4)] for i in range(9)}
    users |= {f"b{i}": [("view", "books", "novel", t, 1.0) for t in range(4)] for i in range(9)}
    log = tiny_sequences(users)
    labels = tiny_labels(log, {user: int(user[0] == "b") for user in users})
    first = profile(log, labels, OPTIONS, seed=0).segments[0]
    assert first.categories[0].name == hostile and first.items[0].name == hostile
    assert any(hostile in fact.text for fact in first.facts)
    assert first.stories[0].steps == (f"{hostile} · {hostile} × 4",)
    assert len(first.name) <= 80


def test_the_blocks_in_which_users_are_measured_change_nothing(
    shop, labels, described, monkeypatch
):
    monkeypatch.setattr(_base, "USERS_PER_BLOCK", 3)
    again = profile(shop, labels, OPTIONS, seed=0)
    for left, right in zip(described.segments, again.segments, strict=True):
        assert right.summary == pytest.approx(left.summary)
        assert [f.text for f in right.facts] == [f.text for f in left.facts]
        assert (right.name, right.categories, right.items) == (
            left.name,
            left.categories,
            left.items,
        )
        assert (right.transitions, right.stories) == (left.transitions, left.stories)


def test_nothing_is_changed_and_the_same_input_gives_the_same(shop, labels, described):
    before = [shop.action.copy(), labels.values.copy()]
    assert profile(shop, labels, OPTIONS, seed=0) == described
    assert np.array_equal(before[0], shop.action) and np.array_equal(before[1], labels.values)


def test_labels_of_other_users_are_a_bug_and_seen_as_one(shop):
    strangers = tiny_sequences({"x": buyer(0)})
    with pytest.raises(ValueError, match="different users"):
        profile(shop, tiny_labels(strangers, {"x": 0}), OPTIONS, seed=0)


def test_a_description_is_kept_and_read_back(described, tmp_path):
    save(described, tmp_path)
    assert load(Segments, tmp_path) == described


def test_the_caveat_says_that_facts_are_no_test():
    assert "same users" in CAVEAT and "not as a test" in CAVEAT
