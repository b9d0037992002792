"""Events as classes: ties, first events, borders of visits, and all that a log may lack."""

from dataclasses import replace

import numpy as np
import pytest

from core.artifacts import FIT, TEST
from core.sequence_models.outcomes import MOST_ACTIONS, TIE, Coding, outcomes_of
from tests.core.sequence_models.logs import acting, log


def coded(sequences, **kwargs):
    return outcomes_of(sequences, Coding.of(sequences), **kwargs)


def test_a_pause_is_nothing_at_the_first_a_tie_at_zero_and_of_other_classes_between_visits():
    steps = [("look", None, t, None) for t in (0, 0, 10, 70, 100_000)]
    found = coded(log({"a": steps, "b": steps[:2]}, {"a": [0, 0, 0, 0, 1], "b": [0, 1]}))
    first, tie, short, longer, away = found.pause[:5]
    assert (first, tie) == (0, TIE)
    assert TIE < short < longer < found.first_away <= away < found.sizes["pause"]
    # A visit that begins in the same second is away all the same, for the shortest time there is.
    assert found.pause[5:].tolist() == [0, found.first_away]


def test_a_pause_that_is_not_known_counts_as_none_and_an_endless_one_as_the_longest():
    steps = [("look", None, t, None) for t in (0, 10, 70, 800, 801)]
    gap = np.array([0, np.nan, 60, 730, np.inf], dtype=np.float32)
    first, unknown, short, longer, endless = coded(log({"a": steps}, gap=gap)).pause
    assert (first, unknown) == (0, TIE) and TIE < short < longer <= endless


def test_the_first_event_of_a_user_begins_a_visit_whatever_the_number_of_the_visit():
    found = coded(
        log(
            {"a": [("x", None, 0, None)] * 3, "b": [("x", None, 9, None)] * 2},
            {"a": [3, 3, 4], "b": [4, 4]},
        )
    )
    assert found.first.tolist() == [True, False, False, True, False]
    assert found.breaks.tolist() == [True, False, True, True, False]


@pytest.mark.parametrize("missing", [None, float("nan"), float("inf")])
def test_a_number_that_is_missing_has_a_class_of_its_own(missing):
    prices = [missing, 1.0, 5.0, 5.0, 80.0]
    found = coded(log({"a": [("buy", None, t, p) for t, p in enumerate(prices)]}))
    assert found.price[0] == 0
    cheap, usual, same, dear = found.price[1:].tolist()
    assert 0 < cheap < usual == same < dear < found.sizes["price"]


def test_a_standard_price_is_one_class_however_often_it_is_met():
    prices = [9.99] * 95 + [20.0] * 5
    found = coded(log({"a": [("buy", None, t, p) for t, p in enumerate(prices)]}))
    assert len(set(found.price[:95].tolist())) == len(set(found.price[95:].tolist())) == 1
    assert found.price[0] < found.price[-1]


@pytest.mark.parametrize("how_many", [2, 5])
def test_standard_prices_stay_apart_and_pauses_too_whichever_they_are(how_many):
    rng = np.random.default_rng(0)
    for _ in range(20):
        standard = np.sort(rng.choice(np.arange(1, 1_000), how_many, replace=False))
        prices = np.repeat(standard, 60)
        times = np.concatenate([[0], np.cumsum(prices)])
        steps = [("buy", None, t, p) for t, p in zip(times, [*prices, None], strict=True)]
        found = coded(log({"a": steps}))
        assert len(set(found.price[:-1].tolist())) == how_many, standard
        assert len(set(found.pause[1:].tolist())) == how_many, standard


def test_numbers_fall_into_classes_of_about_equal_size():
    prices = np.random.default_rng(0).lognormal(3, 1, 1_200)
    found = coded(log({"a": [("buy", None, t, p) for t, p in enumerate(prices)]}))
    sizes = np.bincount(found.price)[1:]
    assert len(sizes) == 12 and sizes.min() > 80 and sizes.max() < 120


def test_the_commonest_words_are_told_apart_and_the_rest_taken_together():
    words = [f"w{i:02d}" for i in range(30) for _ in range(40 - i)]
    found = coded(log({"a": [(word, None, t, None) for t, word in enumerate(words)]}))
    assert found.sizes["action"] == MOST_ACTIONS + 2
    assert found.action[0] == 1 and found.action[-1] == MOST_ACTIONS + 1
    assert len(set(found.action.tolist())) == MOST_ACTIONS + 1


def test_words_that_were_not_seen_count_as_unknown():
    coding = Coding.of(acting({"a": "xxyx", "b": "xyxx"}))
    new = acting({"c": "xyz"})  # codes 1, 2, 3: the last is beyond those that were fitted
    assert outcomes_of(new, coding).action.tolist() == [1, 2, 0]


def test_classes_come_from_the_users_to_fit_alone():
    steps = {
        "a": [("look", None, t, 1.0 + t % 3) for t in range(9)],
        "b": [("sing", None, t, 1e6) for t in range(9)],
    }
    mixed = log(steps, split=np.array([FIT, TEST], dtype=np.int8))
    alone = log({"a": steps["a"]})
    of_mixed, of_alone = Coding.of(mixed), Coding.of(alone)
    np.testing.assert_array_equal(of_mixed.price_edges, of_alone.price_edges)
    found = outcomes_of(mixed, of_mixed)
    assert found.action[0] == 1 and found.action[9] == 0


def test_what_is_the_same_for_all_is_not_foretold():
    one_action = coded(acting({"a": "xxxx", "b": "xx"}))
    assert one_action.told == {"daypart"} - {"daypart"} or one_action.told == set()
    full = coded(log({"a": [("x", "c", 0, 1.0), ("y", "d", 20_000, 3.0), ("x", "c", 20_050, 2.0)]}))
    assert full.told == {"action", "category", "pause", "price", "daypart"}


def test_users_of_one_event_have_no_pauses_to_foretell():
    found = coded(acting({"a": "x", "b": "y", "c": "x"}))
    assert found.told == {"action"} and found.pause.tolist() == [0, 0, 0]


def test_the_part_of_the_day_is_of_four_hours_in_utc():
    hours = [0, 3.9, 4, 12, 23.9]
    found = coded(log({"a": [("x", None, 86_400 * 9 + 3600 * h, None) for h in hours]}))
    assert found.daypart.tolist() == [0, 0, 1, 3, 5]


def test_some_users_in_any_order_are_as_among_all_even_those_without_events():
    whole = log(
        {
            "a": [("x", "c", 0, 1.0), ("y", "d", 9, 2.0)],
            "b": [],
            "c": [("y", "c", 5, None), ("x", "c", 5, 4.0), ("x", "d", 99, 1.0)],
        }
    )
    coding = Coding.of(whole)
    every, some = outcomes_of(whole, coding), outcomes_of(whole, coding, np.array([2, 1, 0]))
    events = [2, 3, 4, 0, 1]
    assert some.offsets.tolist() == [0, 3, 3, 5] and some.user.tolist() == [0, 0, 0, 2, 2]
    for name in ("first", "breaks", "action", "category", "pause", "price", "daypart"):
        assert getattr(some, name).tolist() == getattr(every, name)[events].tolist(), name


def test_a_coding_comes_back_from_its_arrays():
    sequences = log({"a": [("x", "c", 0, 1.0), ("y", "d", 9, 2.0), ("x", "c", 7_777, 5.0)]})
    coding = Coding.of(sequences)
    back = Coding.from_state(coding.to_state())
    assert back.sizes() == coding.sizes()
    again, first = outcomes_of(sequences, back), outcomes_of(sequences, coding)
    assert again.told == first.told and again.pause.tolist() == first.pause.tolist()


def test_a_log_without_any_event_has_nothing_to_foretell():
    empty = log({"a": [], "b": []})
    found = coded(empty)
    assert found.n_users == 2 and found.told == set() and found.lengths().tolist() == [0, 0]


def items(codes, vectors):
    """One user who met these items, by code."""
    made = acting({"a": "x" * len(codes)})
    return replace(
        made,
        item=np.array(codes, dtype=np.int32),
        item_vectors=np.array(vectors, dtype=np.float32),
    )


def test_items_are_of_kinds_by_what_is_known_of_them_and_of_none_where_nothing_is():
    sequences = items([1, 2, 3, 0, 4, 1], [[0, 0], [1, 5], [1, 5], [7, 0], [0, 0]])
    found = coded(sequences)
    warm, cold = found.item[0], found.item[2]
    assert found.item.tolist() == [warm, warm, cold, 0, 0, warm] and {warm, cold} == {1, 2}
    assert found.told == {"item"} and found.sizes["item"] == 3


def test_items_that_only_a_new_log_holds_are_of_the_nearest_kind():
    fitted = items([1, 2, 1, 2], [[0, 0], [1, 5], [7, 0]])
    new = items([3, 4, 9, 1], [[0, 0], [1, 5], [7, 0], [6, 1], [0, 4]])
    found = outcomes_of(new, Coding.of(fitted)).item.tolist()
    near = coded(fitted).item.tolist()
    assert found == [near[1], near[0], 0, near[0]]  # code 9 is of nothing that is known


def test_of_many_items_no_more_kinds_are_told_apart_than_can_be_learned():
    vectors = np.random.default_rng(0).normal(size=(301, 3))
    vectors[0] = 0
    found = coded(items(np.arange(301), vectors))
    assert found.item[0] == 0 and set(found.item[1:].tolist()) == set(range(1, 13))


def test_the_same_item_once_more_is_marked_but_not_over_the_border_of_users():
    sequences = acting({"a": "xxx", "b": "xx"})
    found = coded(replace(sequences, item=np.array([5, 5, 6, 6, 6], dtype=np.int32)))
    assert found.again.tolist() == [False, True, False, False, True]
