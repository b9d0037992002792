from dataclasses import fields

import numpy as np
import pytest

from core.artifacts import CleanEvents, CleaningStep, Events, Sequences, Vocabulary
from core.errors import OptionRefused
from core.events.clean import CleanOptions, clean
from core.sequences import SequenceOptions, build, take, truncation
from core.store import load, save

KEEP_ALL = CleanOptions(min_events=1, duplicates="keep", price_outliers="off")


@pytest.fixture
def cleaned(log_of, tmp_path):
    def make(*rows: dict) -> CleanEvents:
        log: Events = log_of(*rows)
        return clean(log, KEEP_ALL, tmp_path)

    return make


def same(left: Sequences, right: Sequences) -> bool:
    return all(
        np.array_equal(
            getattr(left, f.name), getattr(right, f.name), equal_nan=f.type != "TextArray"
        )
        if isinstance(getattr(left, f.name), np.ndarray)
        else getattr(left, f.name) == getattr(right, f.name)
        for f in fields(Sequences)
    )


def test_events_stand_in_time_order_by_user_with_their_codes_gaps_and_numbers(cleaned):
    log = cleaned(
        {"user": "b", "time": 10.75, "action": "buy", "item": "i", "price": 5.0},
        {"user": "b", "time": 4.5, "action": "view", "category": "shoes", "duration": 2.5},
        {"user": "a", "time": 100, "action": "view", "platform": "web"},
    )
    built = build(log, SequenceOptions())
    assert built.user_ids.tolist() == ["a", "b"]
    assert built.offsets.tolist() == [0, 1, 3]
    assert built.vocabulary == Vocabulary(
        actions=("view", "buy"), categories=("shoes",), items=("i",), platforms=("web",), queries=()
    )
    assert built.action.tolist() == [1, 1, 2]
    assert built.category.tolist() == [0, 1, 0]
    assert built.item.tolist() == [0, 0, 1]
    assert built.platform.tolist() == [1, 0, 0]
    assert (built.time - 1_767_225_600).tolist() == [100, 4, 10]
    assert built.gap.tolist() == [0.0, 0.0, 6.25]
    np.testing.assert_array_equal(built.duration, [np.nan, 2.5, np.nan])
    np.testing.assert_array_equal(built.price, [np.nan, np.nan, 5.0])
    assert built.length.tolist() == [1, 2]
    assert built.present == log.present
    assert built.user_of_event().tolist() == [0, 1, 1]


def test_arrays_have_the_types_of_the_contract(cleaned):
    built = build(cleaned({"user": "a"}), SequenceOptions())
    kinds = {
        f.name: getattr(built, f.name).dtype
        for f in fields(Sequences)
        if f.name != "present"
        if isinstance(getattr(built, f.name), np.ndarray)
    }
    assert kinds == {
        "user_ids": object,
        "offsets": np.int64,
        "action": np.int32,
        "category": np.int32,
        "item": np.int32,
        "platform": np.int32,
        "time": np.int64,
        "gap": np.float32,
        "duration": np.float32,
        "price": np.float32,
        "length": np.int64,
        "first_time": np.int64,
    }


def test_events_of_the_same_second_keep_the_order_of_the_file(cleaned):
    log = cleaned(*[{"user": "u", "time": 7, "action": word} for word in "qebacdz"])
    built = build(log, SequenceOptions())
    words = [built.vocabulary.actions[code - 1] for code in built.action]
    assert words == list("qebacdz")
    assert built.gap.tolist() == [0.0] * 7


def test_only_the_last_events_stay_and_the_first_of_them_has_its_true_gap(cleaned):
    log = cleaned(
        *[{"user": "u", "time": n * n, "action": f"a{n}"} for n in range(6)],
        {"user": "v", "time": 3, "action": "a0"},
    )
    built = build(log, SequenceOptions(last_n=2))
    assert built.offsets.tolist() == [0, 2, 3]
    assert (built.time % 86400).tolist() == [16, 25, 3]
    assert built.gap.tolist() == [7.0, 9.0, 0.0]
    assert built.length.tolist() == [6, 1]
    assert (built.first_time % 86400).tolist() == [0, 3]


def test_the_events_that_the_cut_leaves_unseen_are_counted(cleaned):
    log = cleaned(
        *[
            {"user": user, "time": n}
            for user, size in {"u": 6, "v": 3, "w": 2}.items()
            for n in range(size)
        ]
    )
    built = build(log, SequenceOptions(last_n=2))
    assert truncation(built, 2) == CleaningStep(
        rule="cut",
        reason="only the last 2 events of each user are looked at",
        effect="flagged",
        rows=5,
        users=2,
    )
    assert truncation(take(built, np.array([2])), 2) is None
    assert truncation(build(log, SequenceOptions(last_n=6)), 6) is None


def test_times_before_1970_are_rounded_down_to_the_second(cleaned):
    built = build(cleaned({"time": -1_767_225_600 - 0.5}), SequenceOptions())
    assert built.time.tolist() == [-1]


def test_words_are_ordered_by_frequency_and_ties_by_the_word(cleaned):
    log = cleaned(*[{"time": n, "category": word} for n, word in enumerate("cbbaadd")])
    assert build(log, SequenceOptions()).vocabulary.categories == ("a", "b", "d", "c")


def test_rare_categories_count_as_other_and_missing_ones_do_not(cleaned):
    words = ["a", "a", "a", "b", "b", "c", "d", None]
    log = cleaned(*[{"time": n, "category": word} for n, word in enumerate(words)])
    built = build(log, SequenceOptions(max_categories=2))
    assert built.vocabulary.categories == ("a", "b", "(other)")
    assert built.category.tolist() == [1, 1, 1, 2, 2, 3, 3, 0]
    whole = build(log, SequenceOptions(max_categories=4))
    assert whole.vocabulary.categories == ("a", "b", "c", "d")


def test_a_category_that_is_called_other_never_stands_twice(cleaned):
    words = ["(other)", "(other)", "a", "b"]
    log = cleaned(*[{"time": n, "category": word} for n, word in enumerate(words)])
    built = build(log, SequenceOptions(max_categories=2))
    assert built.vocabulary.categories == ("a", "(other)")
    assert built.category.tolist() == [2, 2, 1, 2]


def test_rare_items_are_unknown_for_nobody_can_be_offered_other(cleaned):
    log = cleaned(*[{"time": n, "item": word} for n, word in enumerate("aab")])
    built = build(log, SequenceOptions(max_items=1))
    assert built.vocabulary.items == ("a",)
    assert built.item.tolist() == [1, 1, 0]


def test_new_users_are_coded_by_the_vocabulary_they_meet(cleaned):
    known = Vocabulary(
        actions=("buy", "view"),
        categories=("x", "(other)"),
        items=("i",),
        platforms=("app",),
        queries=(),
    )
    log = cleaned(
        {"time": 1, "action": "view", "category": "x", "item": "i", "platform": "web"},
        {"time": 2, "action": "wink", "category": "new", "item": "j", "platform": "app"},
        {"time": 3, "action": "buy", "category": None},
    )
    built = build(log, SequenceOptions(), known)
    assert built.vocabulary == known
    assert built.action.tolist() == [2, 0, 1]
    assert built.category.tolist() == [1, 2, 0]
    assert built.item.tolist() == [1, 0, 0]
    assert built.platform.tolist() == [0, 1, 0]


def test_the_log_a_vocabulary_was_made_of_is_coded_as_it_was_then(cleaned):
    log = cleaned(*[{"time": n, "category": word, "item": word} for n, word in enumerate("aabbcd")])
    options = SequenceOptions(max_categories=2, max_items=2)
    built = build(log, options)
    again = build(log, options, built.vocabulary)
    assert again.category.tolist() == built.category.tolist() == [1, 1, 2, 2, 3, 3]
    assert again.item.tolist() == built.item.tolist() == [1, 1, 2, 2, 0, 0]
    assert again.fingerprint != built.fingerprint


STRANGE = ["ünï", "quo'te\"d", "line\nbreak", "<b>", "日本", "=1+1", "a,b", "😀", "-", " lead"]


def test_sequences_come_back_from_disk_as_they_were(cleaned, tmp_path):
    log = cleaned(
        *[
            {"user": user, "time": n, "category": user, "price": None if n % 2 else 0.1 * n}
            for user in STRANGE
            for n in range(3)
        ]
    )
    built = build(log, SequenceOptions(last_n=2))
    assert built.user_ids.tolist() == sorted(STRANGE)
    folder = tmp_path / "stored"
    folder.mkdir()
    save(built, folder)
    loaded = load(Sequences, folder)
    assert isinstance(loaded.action, np.memmap)
    assert same(built, loaded)
    assert same(take(built, np.array([3, 1])), take(loaded, np.array([3, 1])))


def test_taking_users_takes_their_events_and_nothing_else(cleaned):
    sizes = {"a": 2, "b": 1, "c": 3}
    log = cleaned(
        *[{"user": u, "time": n * 10, "action": u} for u, k in sizes.items() for n in range(k)]
    )
    built = build(log, SequenceOptions(last_n=2))
    taken = take(built, np.array([2, 0, 2]))
    assert taken.user_ids.tolist() == ["c", "a", "c"]
    assert taken.offsets.tolist() == [0, 2, 4, 6]
    assert (taken.time % 86400).tolist() == [10, 20, 0, 10, 10, 20]
    assert taken.length.tolist() == [3, 2, 3]
    assert taken.vocabulary == built.vocabulary
    assert taken.fingerprint != built.fingerprint
    none = take(built, np.array([], dtype=np.int64))
    assert (none.n_users, none.n_events, none.offsets.tolist()) == (0, 0, [0])


def test_building_twice_gives_the_same_with_many_users_and_batches(cleaned, monkeypatch):
    rng = np.random.default_rng(0)
    users, times = rng.integers(0, 300, 6000), rng.integers(0, 400, 6000)
    log = cleaned(
        *[
            {"user": f"u{user}", "time": int(time), "action": f"a{n % 5}", "price": float(n)}
            for n, (user, time) in enumerate(zip(users, times, strict=True))
        ]
    )
    monkeypatch.setattr("core.sequences._BATCH", 1000)
    first, again = build(log, SequenceOptions(last_n=10)), build(log, SequenceOptions(last_n=10))
    assert same(first, again)
    order = sorted(range(6000), key=lambda n: (f"u{users[n]}", times[n], n))
    by_user = {user: [n for n in order if users[n] == user][-10:] for user in set(users)}
    expected = [n for user in sorted(by_user, key=lambda u: f"u{u}") for n in by_user[user]]
    assert first.price.tolist() == expected


def test_an_option_out_of_range_is_refused():
    with pytest.raises(OptionRefused, match="last_n is 0"):
        SequenceOptions(last_n=0)
