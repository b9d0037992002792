import math
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from core.artifacts import CleanEvents, CleaningLimits, CleaningStep, ColumnMapping, Events
from core.errors import OptionRefused, TooLittleData
from core.events.clean import CleanOptions, clean
from core.events.mapping import map_events
from core.events.read import ReadOptions, read

ALL = CleanOptions(min_events=1)
PLAIN = CleanOptions(min_events=1, outlier_scale="plain")


def mapped(folder: Path, text: str, **roles: str) -> Events:
    """A log as the analyst brings it, with its columns user and time, and roles for others."""
    (folder / "log.csv").write_text(text, "utf-8")
    raw = read(folder / "log.csv", folder, ReadOptions(), name="log.csv")
    return map_events(raw, ColumnMapping(user="user", time="time", **roles), folder)


def rows(cleaned: CleanEvents) -> list[dict]:
    return pq.read_table(cleaned.path).to_pylist()


def column(cleaned: CleanEvents, name: str) -> list:
    return [row[name] for row in rows(cleaned)]


def step(cleaned: CleanEvents, rule: str) -> CleaningStep:
    (found,) = [step for step in cleaned.report.steps if step.rule == rule]
    return found


def counts(cleaned: CleanEvents, rule: str) -> tuple[str, int, int]:
    found = step(cleaned, rule)
    return found.effect, found.rows, found.users


def test_blank_and_unreadable_cells_are_counted_separately(log_of, tmp_path):
    log = log_of(
        {"user": "a"},
        {"user": None},
        {"user": None, "time": None},
        {"user": None, "unreadable": "user"},
        {"user": "a", "time": None},
        {"user": "a", "time": None, "unreadable": "price,time"},
        {"user": "b", "time": None, "unreadable": "time"},
        {"user": "c", "price": None, "unreadable": "price"},
        {"user": "c", "time": 1},
    )
    cleaned = clean(log, ALL, tmp_path)
    assert counts(cleaned, "no_user") == ("dropped", 2, 0)
    assert counts(cleaned, "unreadable_user") == ("dropped", 1, 0)
    assert counts(cleaned, "no_time") == ("dropped", 1, 1)
    assert counts(cleaned, "unreadable_time") == ("dropped", 2, 2)
    assert counts(cleaned, "no_price") == ("flagged", 2, 2)
    assert counts(cleaned, "unreadable_price") == ("flagged", 1, 1)
    assert step(cleaned, "unreadable_time").reason == "time could not be read"
    report = cleaned.report
    assert (report.events_before, report.events_after) == (9, 3)
    assert (report.users_before, report.users_after) == (3, 2)


def test_exact_duplicates_go_by_default_and_the_first_copy_stays(log_of, tmp_path):
    same = {"user": "a", "time": 5, "price": 2.0}
    log = log_of(
        same, {**same, "item": "x"}, same, same, {"user": "b"}, {"user": "b"}, {"user": None}
    )
    cleaned = clean(log, ALL, tmp_path)
    assert counts(cleaned, "duplicate") == ("dropped", 3, 2)
    assert column(cleaned, "line") == [2, 3, 6]
    assert cleaned.report.events_after == 3


def test_rows_that_differ_only_in_their_label_are_duplicates(log_of, tmp_path):
    same = {"user": "a", "time": 5}
    log = log_of({**same, "label": "gold"}, {**same, "label": None}, {**same, "label": "tin"})
    cleaned = clean(log, ALL, tmp_path)
    assert counts(cleaned, "duplicate") == ("dropped", 2, 1)
    assert column(cleaned, "line") == [2]


ORDERS = """order,user,time,tier,note
1,a,2026-01-01,gold,
2,a,2026-01-01,gold,
1,a,2026-01-01,tin,
,a,2026-01-01,gold,1
1,b,2026-01-01,gold,
"""


@pytest.mark.parametrize(
    ("roles", "lines"),
    [({"label": "tier"}, [2, 3, 5, 6]), ({}, [2, 3, 4, 5, 6])],
)
def test_rows_that_differ_in_a_column_without_a_role_are_no_duplicates(roles, lines, tmp_path):
    cleaned = clean(mapped(tmp_path, ORDERS, **roles), ALL, tmp_path)
    assert column(cleaned, "line") == lines


def test_cells_that_run_together_alike_are_no_duplicates(tmp_path):
    text = 'user,time,x,y\na,1,bc,\na,1,b,c\na,1,,bc\na,1,"b,c",\na,1,b,c\n'
    text = text.replace(",1,", ",2026-01-01,")
    cleaned = clean(mapped(tmp_path, text), ALL, tmp_path)
    assert column(cleaned, "line") == [2, 3, 4, 5]
    assert counts(cleaned, "duplicate") == ("dropped", 1, 1)


def test_a_copy_of_an_unusable_row_counts_as_unusable_not_as_duplicate(log_of, tmp_path):
    log = log_of({"user": None}, {"user": None}, {"user": "a"})
    cleaned = clean(log, ALL, tmp_path)
    assert counts(cleaned, "no_user") == ("dropped", 2, 0)
    assert counts(cleaned, "duplicate") == ("dropped", 0, 0)


def test_duplicates_stay_where_repeats_are_real(log_of, tmp_path):
    log = log_of(*[{"user": "a"}] * 3)
    cleaned = clean(log, replace(ALL, duplicates="keep"), tmp_path)
    assert column(cleaned, "line") == [2, 3, 4]
    assert "duplicate" not in [step.rule for step in cleaned.report.steps]


def test_rows_are_ordered_by_user_and_time_and_ties_keep_file_order(log_of, tmp_path):
    log = log_of(
        {"user": "b", "time": 9, "action": "z"},
        {"user": "a", "time": 7, "action": "z"},
        {"user": "a", "time": 7, "action": "a"},
        {"user": "a", "time": 7, "action": "m"},
        {"user": "a", "time": 3, "action": "q"},
        {"user": "B", "time": 1, "action": "k"},
    )
    cleaned = clean(log, ALL, tmp_path)
    assert column(cleaned, "user") == ["B", "a", "a", "a", "a", "b"]
    assert column(cleaned, "action") == ["k", "q", "z", "a", "m", "z"]


def test_numbers_below_zero_or_not_finite_are_emptied(log_of, tmp_path):
    log = log_of(
        {"time": 1, "price": -1.0, "duration": 3.0},
        {"time": 2, "price": math.inf, "duration": -0.5},
        {"time": 3, "price": math.nan},
        {"time": 4, "price": 0.0},
    )
    cleaned = clean(log, ALL, tmp_path)
    assert column(cleaned, "price") == [None, None, None, 0.0]
    assert column(cleaned, "duration") == [3.0, None, None, None]
    assert counts(cleaned, "impossible_price") == ("changed", 3, 1)
    assert counts(cleaned, "impossible_duration") == ("changed", 1, 1)


def test_rows_with_impossible_numbers_can_be_dropped_and_later_rules_do_not_see_them(
    log_of, tmp_path
):
    log = log_of({"time": 1, "price": -1.0, "duration": -1.0}, {"time": 2, "price": 1.0})
    cleaned = clean(log, replace(ALL, impossible="drop"), tmp_path)
    assert counts(cleaned, "impossible_price") == ("dropped", 1, 1)
    assert counts(cleaned, "impossible_duration") == ("dropped", 0, 0)
    assert counts(cleaned, "no_price") == ("flagged", 0, 0)
    assert column(cleaned, "line") == [3]


def prices(log_of, *values: float | None):
    return log_of(*[{"time": n, "price": value} for n, value in enumerate(values)])


def test_box_plot_clips_to_the_exact_bounds(log_of, tmp_path):
    # quartiles 2 and 4, so bounds 2 - 1.5 * 2 = -1 and 4 + 1.5 * 2 = 7
    log = prices(log_of, 1, 2, 3, 4, 100)
    options = replace(PLAIN, price_outliers="iqr", outlier_factor=1.5)
    cleaned = clean(log, options, tmp_path)
    assert column(cleaned, "price") == [1, 2, 3, 4, 7]
    assert counts(cleaned, "outlier_price") == ("changed", 1, 1)
    assert step(cleaned, "outlier_price").reason == "price outside -1 to 7"


def test_sigma_clips_to_the_exact_bounds(log_of, tmp_path):
    # mean 5, sample standard deviation sqrt((9 + 1 + 1 + 9) / 3), one of them to either side
    log = prices(log_of, 2, 4, 6, 8)
    options = replace(PLAIN, price_outliers="sigma", outlier_factor=1.0)
    cleaned = clean(log, options, tmp_path)
    sigma = math.sqrt(20 / 3)
    assert column(cleaned, "price") == pytest.approx([5 - sigma, 4, 6, 5 + sigma], rel=1e-11)
    assert counts(cleaned, "outlier_price") == ("changed", 2, 1)


def test_on_the_log_scale_bounds_are_ratios_and_zeros_are_left_alone(log_of, tmp_path):
    # quartiles 10 and 40: a ratio of 4, so bounds 10 / 4 and 40 * 4; zeros take no part
    log = prices(log_of, 0, 0, 1, 10, 20, 40, 1000)
    options = CleanOptions(min_events=1, outlier_factor=1.0)
    cleaned = clean(log, options, tmp_path)
    assert column(cleaned, "price") == pytest.approx([0, 0, 2.5, 10, 20, 40, 160], rel=1e-11)


def test_outliers_can_be_dropped_or_only_counted(log_of, tmp_path):
    log = prices(log_of, 1, 2, 3, 4, 100, None)
    options = replace(PLAIN, outlier_factor=1.5, outlier_effect="drop")
    dropped = clean(log, options, tmp_path)
    assert column(dropped, "price") == [1, 2, 3, 4, None]
    assert counts(dropped, "outlier_price") == ("dropped", 1, 1)
    flagged = clean(log, replace(options, outlier_effect="flag"), tmp_path)
    assert column(flagged, "price") == [1, 2, 3, 4, 100, None]
    assert counts(flagged, "outlier_price") == ("flagged", 1, 1)


def test_outliers_are_not_sought_where_most_values_are_the_same(log_of, tmp_path):
    log = prices(log_of, 5, 5, 5, 5, 5, 6)
    cleaned = clean(log, ALL, tmp_path)
    assert column(cleaned, "price") == [5, 5, 5, 5, 5, 6]
    assert "do not spread" in step(cleaned, "outlier_price").reason


def test_bounds_are_drawn_without_duplicates_and_without_unusable_rows(log_of, tmp_path):
    rows_of = [{"time": n, "price": value} for n, value in enumerate([1, 2, 3, 4, 100])]
    log = log_of(*rows_of, *[rows_of[0]] * 5, {"user": None, "price": 900.0})
    cleaned = clean(log, replace(PLAIN, outlier_factor=1.5), tmp_path)
    assert step(cleaned, "outlier_price").reason == "price outside -1 to 7"


def test_the_limits_of_an_earlier_log_hold_for_a_later_one(log_of, tmp_path):
    # 100 becomes 7, and 3.4 is the mean of what is left (see the tests around)
    options = replace(PLAIN, outlier_factor=1.5, missing_price="mean")
    limits = clean(prices(log_of, 1, 2, 3, 4, 100, None), options, tmp_path).limits
    assert limits == CleaningLimits(price_low=-1, price_high=7, price_fill=3.4, duplicates="drop")
    later = clean(prices(log_of, 999_999, 5, None), options, tmp_path, limits)
    assert column(later, "price") == [7, 5, 3.4]
    assert later.limits == limits
    assert step(later, "outlier_price").reason == "price outside -1 to 7"
    alone = clean(prices(log_of, 999_999, 5, None), options, tmp_path)
    assert alone.limits != limits and alone.fingerprint != later.fingerprint


def test_limits_of_a_column_that_the_log_lacks_change_nothing(log_of, tmp_path):
    options = replace(ALL, missing_price="mean")
    limits = CleaningLimits(price_low=1, price_high=7, price_fill=3.4)
    cleaned = clean(log_of({"time": 1}), options, tmp_path, limits)
    assert column(cleaned, "price") == [None]
    assert cleaned.limits == CleaningLimits(duplicates="drop")


def test_missing_numbers_are_filled_with_the_mean_or_median_of_what_the_rules_leave(
    log_of, tmp_path
):
    # 100 becomes 7 before the mean is taken: (1 + 2 + 3 + 4 + 7) / 5 = 3.4
    log = prices(log_of, 1, 2, 3, 4, 100, None)
    options = replace(PLAIN, outlier_factor=1.5, missing_price="mean")
    assert column(clean(log, options, tmp_path), "price")[-1] == 3.4
    median = clean(log, replace(options, missing_price="median"), tmp_path)
    assert column(median, "price")[-1] == 3
    assert counts(median, "no_price") == ("changed", 1, 1)
    assert step(median, "no_price").reason == "no price; 3 was filled in"


def test_nothing_is_filled_in_where_nothing_is_known(log_of, tmp_path):
    cleaned = clean(prices(log_of, None, None), replace(ALL, missing_price="mean"), tmp_path)
    assert column(cleaned, "price") == [None, None]
    assert counts(cleaned, "no_price") == ("flagged", 2, 1)


def test_rows_without_a_word_can_be_dropped_but_a_column_that_is_not_there_misses_nothing(
    log_of, tmp_path
):
    log = log_of(
        {"time": 1, "category": "shoes"}, {"time": 2}, {"time": 3, "action": None, "category": "s"}
    )
    options = replace(ALL, missing_category="drop", missing_item="drop")
    cleaned = clean(log, options, tmp_path)
    assert counts(cleaned, "no_category") == ("dropped", 1, 1)
    assert counts(cleaned, "no_action") == ("flagged", 1, 1)
    assert "no_item" not in [step.rule for step in cleaned.report.steps]
    assert column(cleaned, "line") == [2, 4]


def test_users_with_too_few_or_too_many_events_are_left_out_and_reported(log_of, tmp_path):
    sizes = {"one": 1, "two": 2, "four": 4, "five": 5}
    log = log_of(*[{"user": user, "time": n} for user, size in sizes.items() for n in range(size)])
    cleaned = clean(log, CleanOptions(min_events=2, max_events=4), tmp_path)
    assert counts(cleaned, "few_events") == ("dropped", 1, 1)
    assert counts(cleaned, "many_events") == ("dropped", 5, 1)
    assert set(column(cleaned, "user")) == {"two", "four"}
    assert (cleaned.report.users_before, cleaned.report.users_after) == (4, 2)


def test_the_limit_counts_only_the_rows_that_other_rules_left(log_of, tmp_path):
    log = log_of(*[{"user": "a", "time": 1}] * 5, {"user": "b"}, {"user": "b", "time": 2})
    cleaned = clean(log, CleanOptions(min_events=2), tmp_path)
    assert counts(cleaned, "duplicate") == ("dropped", 4, 1)
    assert counts(cleaned, "few_events") == ("dropped", 1, 1)
    assert set(column(cleaned, "user")) == {"b"}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"duplicates": "keep"},
        {"impossible": "drop", "missing_price": "drop", "missing_category": "drop"},
        {"outlier_effect": "drop", "outlier_scale": "plain", "outlier_factor": 0.5},
        {"min_events": 20, "missing_duration": "drop"},
        {"max_events": 20, "missing_duration": "drop"},
    ],
)
def test_dropped_rows_and_kept_rows_add_up_on_a_messy_log(log_of, tmp_path, changes):
    messy = [
        {
            "user": [None, "ann", "bob", "cy", "di", "ed'; DROP"][n * n % 6],
            "time": None if n % 11 == 0 else n % 7,
            "category": None if n % 5 == 0 else f"c{n % 3}",
            "price": None if n % 4 == 0 else float(n % 9 - 1) * 10 ** (n % 3),
            "duration": -1.0 if n % 13 == 0 else float(n % 5),
            "unreadable": "time" if n % 22 == 0 else None,
        }
        for n in range(120)
    ]
    log = log_of(*messy)
    cleaned = clean(log, CleanOptions(**({"min_events": 1} | changes)), tmp_path)
    dropped = sum(step.rows for step in cleaned.report.steps if step.effect == "dropped")
    report = cleaned.report
    assert report.events_before == 120
    assert report.events_before - dropped == report.events_after == len(rows(cleaned))
    assert report.users_after == len(set(column(cleaned, "user")))


def test_all_columns_of_the_log_but_the_label_are_carried_through(log_of, tmp_path):
    row = {
        "user": "=1+1",
        "time": 1.5,
        "action": "<b>",
        "item": "i\n2",
        "category": "c'\"",
        "duration": 2.0,
        "price": 3.0,
        "platform": "web",
        "label": "gold",
    }
    log = log_of(row, {**row, "time": 2, "label": None})
    cleaned = clean(log, ALL, tmp_path)
    assert cleaned.present == log.present
    before, after = pq.read_schema(log.path), pq.read_schema(cleaned.path)
    assert after.names == [name for name in before.names if name != "label"]
    assert after.types == [before.field(name).type for name in after.names]
    first, _ = rows(cleaned)
    told = set(row) - {"time", "label"}
    assert {k: first[k] for k in told} == {k: row[k] for k in told}
    assert first["time"].microsecond == 500_000


def test_nothing_left_says_what_took_the_rows(log_of, tmp_path):
    log = log_of({"user": None}, {"user": "a"}, {"user": "b"}, {"user": "b", "time": 2})
    with pytest.raises(TooLittleData) as refused:
        clean(log, CleanOptions(), tmp_path)
    assert "4 events" in str(refused.value)
    assert "no user id (1); user with fewer than 3 events (3)" in str(refused.value)


def test_an_empty_log_is_refused_as_such(log_of, tmp_path):
    with pytest.raises(TooLittleData, match="The log has no events"):
        clean(log_of(), CleanOptions(), tmp_path)


def test_limits_that_no_user_can_meet_are_refused():
    with pytest.raises(OptionRefused, match="min_events is 9, above max_events, which is 8"):
        CleanOptions(min_events=9, max_events=8)


@pytest.mark.parametrize("few", [-1, 0, 2, 50_000])
def test_text_is_the_same_whether_it_was_sorted_as_codes_or_as_itself(
    log_of, tmp_path, monkeypatch, few
):
    monkeypatch.setattr("core.events.clean.FEW_WORDS", few)
    monkeypatch.setattr("core.events.cleaning.cleaning_sql.ROWS_OF_GROUP", 2)
    log = log_of(
        {"user": "b", "item": "it's \u00e9", "query": "red", "category": None},
        {"user": "a", "time": 9, "item": "", "session": "s1", "category": "shoes"},
        {"user": "a", "time": 3, "item": "x", "session": "s2", "unreadable": "price"},
        {"user": "a", "time": 6, "item": None, "session": "s1", "category": "Shoes"},
        {"user": "b", "time": 5, "item": "x", "query": "Red ", "category": "shoes"},
    )
    cleaned = clean(log, replace(ALL, missing_category="constant", fill_text="none"), tmp_path)
    assert column(cleaned, "user") == ["a", "a", "a", "b", "b"]
    assert column(cleaned, "item") == ["x", None, "", "it's \u00e9", "x"]
    assert column(cleaned, "category") == ["none", "Shoes", "shoes", "none", "shoes"]
    assert column(cleaned, "session") == ["s2", "s1", "s1", None, None]
    assert column(cleaned, "query") == [None, None, None, "red", "Red "]
    assert column(cleaned, "unreadable") == ["price", None, None, None, None]
    assert column(cleaned, "platform") == [None] * 5
    schema = pq.read_schema(cleaned.path)
    assert {str(schema.field(name).type) for name in ("item", "session", "query")} == {"string"}


def test_only_the_cleaned_log_is_left_in_the_folder_and_the_log_is_unchanged(log_of, tmp_path):
    log = log_of({"user": "a"})
    before = log.path.read_bytes()
    folder = tmp_path / "it's [a] *folder*"
    folder.mkdir()
    cleaned = clean(log, ALL, folder)
    assert [path.name for path in folder.iterdir()] == [Path(cleaned.path).name]
    assert log.path.read_bytes() == before


def test_the_fingerprint_changes_with_the_options_and_only_with_them(log_of, tmp_path):
    log = log_of({"user": "a"})
    first, again = clean(log, ALL, tmp_path), clean(log, ALL, tmp_path)
    other = clean(log, replace(ALL, duplicates="keep"), tmp_path)
    assert first.fingerprint == again.fingerprint != other.fingerprint
