from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from core.artifacts import CleanEvents, CleaningLimits, CleaningStep
from core.errors import OptionRefused
from core.events.clean import CleanOptions, clean

ALL = CleanOptions(min_events=1, price_outliers="off")


def column(cleaned: CleanEvents, name: str) -> list:
    return pq.read_table(cleaned.path)[name].to_pylist()


def step(cleaned: CleanEvents, rule: str) -> CleaningStep:
    (found,) = [step for step in cleaned.report.steps if step.rule == rule]
    return found


def told(cleaned: CleanEvents, rule: str) -> tuple:
    found = step(cleaned, rule)
    return found.effect, found.rows, found.users, found.reason


@pytest.fixture
def gaps(log_of):
    """Two users whose rows stand in the file out of their order in time; b knows nothing."""
    return log_of(
        {"time": 5, "category": "e", "price": 9.0},
        {"time": 1, "category": None, "price": None},
        {"time": 4, "category": None, "price": None},
        {"time": 2, "category": "b", "price": 1.0},
        {"time": 6, "category": None, "price": None},
        {"time": 3, "category": "c", "price": 2.0},
        {"user": "b", "time": 0, "category": None, "price": None},
    )


def test_blanks_are_filled_from_the_users_row_before_in_time(gaps, tmp_path):
    options = replace(ALL, missing_category="ffill", missing_price="ffill")
    cleaned = clean(gaps, options, tmp_path)
    assert column(cleaned, "category") == [None, "b", "c", "c", "e", "e", None]
    assert column(cleaned, "price") == [None, 1, 2, 2, 9, 9, None]
    filled = "no category; that of the user's row before was filled in"
    assert told(cleaned, "no_category") == ("changed", 2, 1, filled)
    unfilled = "no category, nor in any row of the user before"
    assert told(cleaned, "unfilled_category") == ("flagged", 2, 2, unfilled)
    assert step(cleaned, "unfilled_price").rows == 2


def test_blanks_are_filled_from_the_users_row_after_in_time(gaps, tmp_path):
    options = replace(ALL, missing_category="bfill", missing_price="bfill")
    cleaned = clean(gaps, options, tmp_path)
    assert column(cleaned, "category") == ["b", "b", "c", "e", "e", None, None]
    assert column(cleaned, "price") == [1, 1, 2, 9, 9, None, None]
    assert told(cleaned, "unfilled_price")[:3] == ("flagged", 2, 2)
    assert step(cleaned, "no_price").lines == (3, 4)
    assert step(cleaned, "unfilled_price").lines == (6, 8)


def test_what_a_dropped_row_says_is_never_carried_on(log_of, tmp_path):
    log = log_of(
        {"time": 1, "category": "a", "price": 1.0},
        {"time": 2, "category": "b", "price": -1.0},
        {"time": 3, "category": None, "price": 3.0},
    )
    options = replace(ALL, impossible="drop", missing_category="ffill")
    assert column(clean(log, options, tmp_path), "category") == ["a", "a"]


def test_a_value_is_carried_as_it_was_cleaned(log_of, tmp_path):
    log = log_of(*[{"time": n, "price": p} for n, p in enumerate([1.0, 2, 3, 4, 100, None])])
    options = CleanOptions(
        min_events=1, outlier_scale="plain", outlier_factor=1.5, missing_price="ffill"
    )
    assert column(clean(log, options, tmp_path), "price") == [1, 2, 3, 4, 7, 7]


def test_words_and_numbers_are_filled_with_a_constant(log_of, tmp_path):
    log = log_of(
        {"action": None, "item": None, "platform": None, "category": None},
        {"price": None, "duration": None, "time": 1},
    )
    methods = {
        f"missing_{column}": "constant"
        for column in ("action", "item", "platform", "category", "price", "duration")
    }
    options = replace(ALL, **methods, fill_text='it\'s $1 "?"', fill_number=2.5)
    cleaned = clean(log, options, tmp_path)
    for name in ("item", "platform", "category"):
        assert column(cleaned, name) == ['it\'s $1 "?"'] * 2
    assert column(cleaned, "action") == ['it\'s $1 "?"', "view"]
    assert column(cleaned, "price") == column(cleaned, "duration") == [2.5, 2.5]
    assert told(cleaned, "no_action") == (
        "changed",
        1,
        1,
        'no action; “it\'s $1 "?"” was filled in',
    )
    assert told(cleaned, "no_price") == ("changed", 2, 1, "no price; 2.5 was filled in")
    assert cleaned.limits.price_fill == 2.5


def test_a_user_without_any_value_gets_that_of_the_log(log_of, tmp_path):
    values = {"a": [1.0, 3.0, 8.0, None], "b": [10.0, None], "c": [None]}
    log = log_of(
        *[
            {"user": user, "time": n, "price": price, "duration": price}
            for user, prices in values.items()
            for n, price in enumerate(prices)
        ]
    )
    options = replace(
        ALL, missing_price="user_mean", missing_duration="user_median", duration_outliers="off"
    )
    cleaned = clean(log, options, tmp_path)
    # the means are 4, 10 and 22 / 4 = 5.5; the medians 3, 10 and (3 + 8) / 2 = 5.5
    assert column(cleaned, "price") == [1, 3, 8, 4, 10, 10, 5.5]
    assert column(cleaned, "duration") == [1, 3, 8, 3, 10, 10, 5.5]
    assert (cleaned.limits.price_fill, cleaned.limits.duration_fill) == (5.5, 5.5)
    reason = "no price; the user's own mean was filled in, or 5.5 where there is none"
    assert told(cleaned, "no_price") == ("changed", 3, 3, reason)
    later = clean(log, options, tmp_path, CleaningLimits(price_fill=7.0))
    assert column(later, "price") == [1, 3, 8, 4, 10, 10, 7]


def test_nothing_is_filled_by_users_where_nothing_is_known(log_of, tmp_path):
    log = log_of({"price": None}, {"price": None, "time": 1})
    cleaned = clean(log, replace(ALL, missing_price="user_mean"), tmp_path)
    assert column(cleaned, "price") == [None, None]
    assert told(cleaned, "no_price") == ("flagged", 2, 1, "no price")


def test_unreadable_numbers_are_filled_too_and_counted_apart(log_of, tmp_path):
    log = log_of(
        {"price": 4.0, "time": 1}, {"price": None, "unreadable": "price", "time": 2}, {"time": 3}
    )
    cleaned = clean(log, replace(ALL, missing_price="ffill"), tmp_path)
    assert column(cleaned, "price") == [4, 4, 4]
    assert told(cleaned, "unreadable_price")[:3] == ("changed", 1, 1)
    assert told(cleaned, "no_price")[:3] == ("changed", 1, 1)


def test_rows_that_the_mapping_wants_dropped_go_under_their_own_reason(log_of, tmp_path):
    log = log_of(
        {"time": 1, "price": None, "unreadable": "drop:price"},
        {"time": 2, "price": None, "unreadable": "price,drop:quantity"},
        {"time": 3, "price": None, "unreadable": "drop:value"},
        {"time": 4, "price": 1.0},
    )
    cleaned = clean(log, replace(ALL, missing_price="mean"), tmp_path)
    assert told(cleaned, "illegible_price") == ("dropped", 1, 1, "price could not be read")
    assert told(cleaned, "illegible_quantity") == ("dropped", 1, 1, "quantity could not be read")
    assert told(cleaned, "illegible_value") == ("dropped", 1, 1, "value could not be read")
    assert column(cleaned, "line") == [5]
    assert step(cleaned, "no_price").rows == step(cleaned, "unreadable_price").rows == 0
    plain = clean(log_of({"price": 1.0}), ALL, tmp_path)
    assert not [s.rule for s in plain.report.steps if s.rule.startswith("illegible")]


def test_quantity_and_search_text_are_carried_and_never_filled(log_of, tmp_path):
    log = log_of({"quantity": 2.0, "query": "a"}, {"quantity": None, "query": None, "time": 1})
    cleaned = clean(log, replace(ALL, missing_item="constant"), tmp_path)
    assert column(cleaned, "quantity") == [2, None]
    assert column(cleaned, "query") == ["a", None]


def test_a_blank_cannot_be_filled_with_a_blank():
    with pytest.raises(OptionRefused, match="fill_text is blank"):
        CleanOptions(fill_text=" ")
