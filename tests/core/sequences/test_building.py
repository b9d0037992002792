import tempfile
from collections import Counter
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from core.artifacts import CleaningStep, Sequences, Vocabulary
from core.errors import OptionRefused
from core.events.clean import CleanOptions, clean
from core.sequences import SequenceOptions, build, take, truncation
from core.store import load, save
from tests.worlds import vocabulary_of

DAY = 86_400


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
        actions=("view", "buy"),
        categories=("shoes",),
        items=("i",),
        platforms=("web",),
        queries=(),
        session_gap=30.0,
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
        "query": np.int32,
        "session": np.int32,
        "time": np.int64,
        "gap": np.float32,
        "duration": np.float32,
        "price": np.float32,
        "length": np.int64,
        "in_window": np.int64,
        "first_time": np.int64,
        "split": np.int8,
        "item_vectors": np.float32,
        "query_vectors": np.float32,
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
    last_two, last_six = SequenceOptions(last_n=2), SequenceOptions(last_n=6)
    built = build(log, last_two)
    cut = CleaningStep(
        rule="cut",
        reason="only the last 2 events of each user are looked at",
        effect="flagged",
        rows=5,
        users=2,
    )
    assert truncation(built, last_two) == (cut,)
    assert truncation(take(built, np.array([2])), last_two) == ()
    assert truncation(build(log, last_six), last_six) == ()


def test_events_before_the_days_looked_at_are_left_out_and_told_apart_from_the_cut(cleaned):
    days = {"u": [0, 8, 9, 10], "v": [0, 8, 8.5], "w": [1, 2], "x": [10]}
    log = cleaned(
        *[{"user": user, "time": day * DAY} for user, found in days.items() for day in found]
    )
    options = SequenceOptions(window_days=2, last_n=1)
    built = build(log, options)
    assert built.user_ids.tolist() == ["u", "v", "x"]
    assert ((built.time - 1_767_225_600) / DAY).tolist() == [10, 8.5, 10]
    assert built.gap.tolist() == [DAY, DAY / 2, 0]
    assert built.length.tolist() == [4, 3, 1]
    assert built.in_window.tolist() == [2, 1, 1]  # day 8 is not less than two days before the end
    assert (built.users_outside, built.events_outside) == (1, 2)
    assert truncation(built, options) == (
        CleaningStep(
            rule="window",
            reason="only the last 2 days of the log are looked at; "
            "1 user has no event in that time and is left out",
            effect="flagged",
            rows=6,
            users=3,
        ),
        CleaningStep(
            rule="cut",
            reason="only the last event of each user is looked at",
            effect="flagged",
            rows=1,
            users=1,
        ),
    )


def test_a_window_as_long_as_the_log_changes_nothing(cleaned):
    log = cleaned({"time": 0}, {"time": 3 * DAY - 1})
    whole = build(log, SequenceOptions(window_days=3))
    assert (whole.in_window.tolist(), truncation(whole, SequenceOptions(window_days=3))) == (
        [2],
        (),
    )


@pytest.mark.parametrize("rows_at_once", [2, 1000])
def test_search_texts_are_told_apart_without_capitals_and_spare_spaces(
    cleaned, monkeypatch, rows_at_once
):
    monkeypatch.setattr("core.sequences.batches._ROWS", rows_at_once)
    texts = ["Red  Shoes", " red shoes ", "BAGS", "bags", "bags", "hats", "  ", None]
    log = cleaned(*[{"time": n, "query": text} for n, text in enumerate(texts)])
    built = build(log, SequenceOptions(max_queries=2))
    assert built.vocabulary.queries == ("bags", "red shoes")
    assert built.query.tolist() == [2, 2, 1, 1, 1, 0, 0, 0]


@pytest.mark.parametrize("rows_at_once", [2, 3, 1000])
def test_words_that_only_rows_left_out_hold_are_no_words_and_few_rows_at_a_time_change_nothing(
    log_of, tmp_path, monkeypatch, rows_at_once
):
    monkeypatch.setattr("core.events.cleaning.cleaning_sql.ROWS_OF_GROUP", 2)
    monkeypatch.setattr("core.sequences.batches._ROWS", rows_at_once)
    words = ["m", "d", "k", "d", "a", "m"]
    kept = [{"time": n, "item": word, "query": word} for n, word in enumerate(words)]
    lost = [{"time": None, "item": word, "query": word} for word in ("b", "l", "z")]
    log = clean(log_of(*kept, *lost), CleanOptions(min_events=1), tmp_path)
    built = build(log, SequenceOptions())
    assert built.vocabulary.items == built.vocabulary.queries == ("d", "m", "a", "k")
    assert built.item.tolist() == built.query.tolist() == [2, 1, 4, 1, 3, 2]


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
    known = vocabulary_of(
        actions=("buy", "view"), categories=("x", "(other)"), items=("i",), platforms=("app",)
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


def by_hand(rows, last_n):
    """Users by id with their events in order, as a slow and plain program would have them."""
    counts = {name: Counter(row[name] for row in rows if row[name]) for name in ("action", "item")}
    words = {name: sorted(c, key=lambda w: (-c[w], w)) for name, c in counts.items()}
    found = {}
    for user in sorted({row["user"] for row in rows}):
        own = sorted((r for r in rows if r["user"] == user), key=lambda r: (r["time"], r["line"]))
        events = []
        for before, row in zip([None, *own], own, strict=False):
            gap = row["time"] - before["time"] if before else 0
            named = before and before["session"] and row["session"]
            changes = before["session"] != row["session"] if named else gap > 600
            codes = [words[n].index(row[n]) + 1 if row[n] else 0 for n in ("action", "item")]
            events.append([*codes, gap, row["price"], bool(before and changes)])
        kept = events[-last_n:]
        visits = np.cumsum([0, *(event[-1] for event in kept[1:])]).tolist()
        found[user] = [(*event[:-1], visit) for event, visit in zip(kept, visits, strict=True)]
    return found


@pytest.mark.parametrize("rows_at_once", [1, 7, 1000])
@pytest.mark.parametrize("last_n", [1, 3, 2000])
def test_a_log_of_all_kinds_comes_out_as_a_plain_program_has_it(
    cleaned, monkeypatch, tmp_path, rows_at_once, last_n
):
    rng = np.random.default_rng(rows_at_once)
    rows = [
        {
            "user": "the busy one" if n % 3 == 0 else f"u{rng.integers(40)}",
            "time": int(rng.integers(0, 90)) ** 2,
            "action": rng.choice(["view", "buy", "cart", None]),
            "item": rng.choice(["i", "j", "k", None]),
            "session": rng.choice(["s1", "s2", None]),
            "price": float(n),
            "line": n,
        }
        for n in range(1, 301)
    ]
    monkeypatch.setattr("core.sequences.batches._ROWS", rows_at_once)
    monkeypatch.setattr("core.sequences.building._EVENTS_AT_ONCE", 10)
    options = SequenceOptions(last_n=last_n, session_gap=10)
    log = cleaned(*rows)
    built = build(log, options)
    columns = (built.action, built.item, built.gap, built.price, built.session)
    events = list(zip(*(column.tolist() for column in columns), strict=True))
    expected = by_hand(rows, last_n)
    assert built.user_ids.tolist() == list(expected)
    for user, start, end in zip(expected, built.offsets, built.offsets[1:], strict=False):
        assert events[start:end] == expected[user]
    assert built.length.sum() == 300
    in_files = build(log, options, folder=tmp_path)
    assert isinstance(in_files.session, np.memmap)
    assert same(in_files, built)


def test_arrays_that_were_made_in_the_folder_are_stored_as_they_are(cleaned, tmp_path):
    log = cleaned(*[{"user": "a", "time": n * n, "action": "xy"[n % 2]} for n in range(50)])
    folder = tmp_path / "stored"
    folder.mkdir()
    built = build(log, SequenceOptions(session_gap=0.5), folder=folder)
    written = (folder / "action.npy").stat().st_mtime_ns
    save(built, folder)
    assert (folder / "action.npy").stat().st_mtime_ns == written
    assert same(load(Sequences, folder), build(log, SequenceOptions(session_gap=0.5)))
    part = replace(built, action=built.action[:10])
    with tempfile.TemporaryDirectory() as elsewhere:
        save(part, Path(elsewhere))
        assert load(Sequences, Path(elsewhere)).action.tolist() == built.action[:10].tolist()


def test_an_option_out_of_range_is_refused():
    with pytest.raises(OptionRefused, match="last_n is 0"):
        SequenceOptions(last_n=0)
