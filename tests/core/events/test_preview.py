from dataclasses import replace

import pytest

from core.artifacts import CleaningLimits, Events
from core.events.clean import CleanOptions, clean
from core.events.preview import ChoiceEffect, effects, preview

ALL = CleanOptions(min_events=1)


@pytest.fixture
def messy(log_of):
    """240 rows of a dozen users and some strangers, 12 of them twice, with every kind of dirt."""
    rows = [
        {
            "user": None if n % 17 == 0 else f"rare{n}" if n % 19 == 0 else f"u{n * n % 23}",
            "time": None if n % 11 == 0 else 7001 * n,
            "category": None if n % 5 == 0 else f"c{n % 3}",
            "item": "POST" if n % 9 == 0 else None if n % 7 == 0 else f"i{n % 4}",
            "price": None
            if n % 4 == 0
            else -1.0
            if n % 31 == 0
            else 4e3
            if n % 41 == 0
            else 1.1 ** (n % 37),
            "duration": -1.0 if n % 13 == 0 else float(n % 5),
            "quantity": 500.0 if n * n % 23 == 1 else n % 5 + 1.0,
            "platform": None if n % 8 == 0 else "web",
            "unreadable": "time" if n % 22 == 0 else "drop:price" if n % 28 == 0 else None,
        }
        for n in range(240)
    ]
    return log_of(*rows, *rows[3:230:19])


SETTINGS = [
    {},
    {"duplicates": "keep", "non_goods": ("POST",)},
    {"duplicates": "drop", "missing_category": "ffill", "missing_price": "user_mean"},
    {"missing_platform": "bfill", "missing_category": "constant", "missing_duration": "ffill"},
    {"impossible": "drop", "missing_price": "drop", "missing_category": "drop"},
    {"outlier_effect": "drop", "outlier_scale": "plain", "outlier_factor": 0.5},
    {"quantity_outliers": "sigma", "outlier_factor": 1.0, "wholesalers": "drop"},
    {"min_events": 12, "max_events_per_day": 2, "missing_price": "median"},
]


@pytest.mark.parametrize("changes", SETTINGS)
def test_the_preview_is_the_report_of_the_cleaning_to_the_last_number(messy, tmp_path, changes):
    options = replace(ALL, **changes)
    cleaned = clean(messy, options, tmp_path)
    assert preview(messy, options) == cleaned.report
    limits = CleaningLimits(price_low=2.0, price_high=50.0, price_fill=3.0, duplicates="drop")
    again = clean(messy, options, tmp_path, limits)
    assert preview(messy, options, limits) == again.report


@pytest.mark.parametrize("changes", SETTINGS)
def test_dropped_rows_and_kept_rows_add_up(messy, changes):
    report = preview(messy, replace(ALL, **changes))
    dropped = sum(step.rows for step in report.steps if step.effect == "dropped")
    assert report.events_before == 252
    assert report.events_before - dropped == report.events_after


def test_a_preview_of_nothing_left_is_a_report_too(log_of):
    report = preview(log_of({"user": None}), ALL)
    assert (report.events_before, report.events_after, report.users_before) == (1, 0, 0)


def chosen(found: tuple[ChoiceEffect, ...], option: str, choice: str) -> ChoiceEffect:
    (one,) = [one for one in found if (one.option, one.choice) == (option, choice)]
    return one


CHOICES = [
    ("missing_category", "drop", "no_category"),
    ("missing_platform", "drop", "no_platform"),
    ("missing_price", "drop", "no_price"),
    ("missing_category", "constant", "no_category"),
    ("price_outliers", "sigma", "outlier_price"),
    ("price_outliers", "iqr", "outlier_price"),
    ("quantity_outliers", "sigma", "outlier_quantity"),
    ("min_events", 10, "few_events"),
    ("wholesalers", "drop", "wholesaler"),
    ("duplicates", "drop", "duplicate"),
]


@pytest.mark.parametrize(
    "given",
    [
        {"outlier_factor": 1.0},
        {"impossible": "drop", "non_goods": ("POST",), "outlier_factor": 1.0, "min_events": 5},
    ],
)
def test_the_effect_of_a_choice_is_what_the_report_says_once_it_is_chosen(messy: Events, given):
    options = replace(ALL, **given)
    found = effects(messy, options)
    for option, choice, rule in CHOICES:
        shown = chosen(found, option, "fill" if choice == "constant" else str(choice))
        report = preview(messy, replace(options, **{option: choice}))
        (step,) = [step for step in report.steps if step.rule == rule]
        assert (shown.rows, shown.users, shown.effect) == (step.rows, step.users, step.effect), rule
        assert shown.rows > 0, rule


def test_effects_are_told_in_words(log_of):
    log = log_of({"category": None, "item": "x", "price": -1.0}, {"time": 1, "category": "c"})
    found = effects(log, ALL)
    assert chosen(found, "missing_category", "drop") == ChoiceEffect(
        option="missing_category",
        choice="drop",
        text="drop rows without a category",
        effect="dropped",
        rows=1,
        users=1,
    )
    assert chosen(found, "missing_item", "drop").text == "drop rows without an item"
    assert chosen(found, "impossible", "drop").rows == 1
    assert chosen(found, "min_events", "3").text == "drop users with fewer than 3 events"
    assert not [one for one in found if one.option == "missing_platform"]


def test_copies_are_counted_even_where_they_are_kept(log_of):
    log = log_of({}, {}, {"time": 1})
    for duplicates in ("auto", "drop", "keep"):
        found = effects(log, replace(ALL, duplicates=duplicates))
        assert chosen(found, "duplicates", "drop").rows == 1


def test_rows_without_a_user_go_before_any_choice_can_meet_them(log_of):
    log = log_of({"user": None, "category": None}, {"category": None})
    found = chosen(effects(log, ALL), "missing_category", "drop")
    assert (found.rows, found.users) == (1, 1)


@pytest.mark.parametrize("n_users", [1, 7, 25, 60])
def test_the_first_lines_of_a_rule_are_the_first_twenty_it_met(log_of, n_users):
    log = log_of(
        *[
            {"user": f"u{n * 7 % n_users}", "time": n, "category": None if n % 3 else "c"}
            for n in range(90)
        ],
        {"user": "last", "category": "c", "price": -1.0},
    )
    steps = {step.rule: step for step in preview(log, ALL).steps}
    blank = [n + 2 for n in range(90) if n % 3]
    assert steps["no_category"].lines == tuple(blank[:20])
    assert steps["impossible_price"].lines == (92,)
