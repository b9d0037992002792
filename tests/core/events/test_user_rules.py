from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from core.artifacts import CleanEvents, CleaningLimits, CleaningStep, UserRows
from core.events.clean import CleanOptions, clean
from core.events.preview import preview

ALL = CleanOptions(min_events=1, price_outliers="off")
DAY = 86_400


def step(cleaned: CleanEvents, rule: str) -> CleaningStep:
    (found,) = [step for step in cleaned.report.steps if step.rule == rule]
    return found


def users(cleaned: CleanEvents) -> set[str]:
    return set(pq.read_table(cleaned.path)["user"].to_pylist())


def test_users_that_a_rule_drops_are_named_most_events_first(log_of, tmp_path):
    sizes = {"d": 1, "c": 2, "b": 2, "a": 1, "many": 6, "fine": 3}
    log = log_of(*[{"user": u, "time": n} for u, size in sizes.items() for n in range(size)])
    cleaned = clean(log, CleanOptions(min_events=3, max_events=5), tmp_path)
    few = step(cleaned, "few_events")
    assert few.examples == tuple(
        UserRows(user=u, rows=n) for u, n in (("b", 2), ("c", 2), ("a", 1), ("d", 1))
    )
    assert few.lines == (2, 3, 5, 7)
    many = step(cleaned, "many_events")
    assert many.examples == (UserRows(user="many", rows=6),)
    assert many.lines == (8,)


def test_no_more_than_twenty_users_and_lines_are_named(log_of):
    log = log_of(*[{"user": f"u{n:02}", "time": n} for n in range(30)], *[{"user": "x"}] * 3)
    (few,) = [s for s in preview(log, CleanOptions(min_events=2)).steps if s.rule == "few_events"]
    assert few.users == 31
    assert [one.user for one in few.examples] == [f"u{n:02}" for n in range(20)]
    assert few.lines == tuple(range(2, 22))


def test_users_with_too_many_events_on_one_day_are_left_out(log_of, tmp_path):
    log = log_of(
        *[{"user": "bot", "time": n} for n in range(5)],
        *[{"user": "busy", "time": DAY // 2 * n} for n in range(9)],
        *[{"user": "midnight", "time": DAY - 3 + n} for n in range(6)],
    )
    cleaned = clean(log, replace(ALL, max_events_per_day=4), tmp_path)
    assert users(cleaned) == {"busy", "midnight"}
    found = step(cleaned, "busy_day")
    assert (found.effect, found.rows, found.users) == ("dropped", 5, 1)
    assert found.reason == "user with more than 4 events on one day, likely a program"
    off = clean(log, ALL, tmp_path)
    assert "busy_day" not in [s.rule for s in off.report.steps]


def test_a_user_goes_by_the_first_rule_that_meets_it(log_of):
    log = log_of(*[{"user": "bot", "time": n} for n in range(9)], {"user": "ann"})
    steps = {
        s.rule: s for s in preview(log, replace(ALL, max_events=8, max_events_per_day=5)).steps
    }
    assert (steps["many_events"].users, steps["busy_day"].users) == (1, 0)


@pytest.fixture
def trade(log_of):
    """Eight users who buy 1 to 4 pieces at a time, one who buys 50, one whose pieces cost 900."""
    usual = [(f"u{n}", 1 + n % 4, 10.0 * (1 + n % 4)) for n in range(8)]
    others = [("bulk", 50, 20.0), ("dear", 2, 900.0)]
    return log_of(
        *[
            {"user": user, "time": n, "quantity": float(pieces), "price": money}
            for user, pieces, money in [*usual, *others]
            for n in range(3)
        ]
    )


def test_wholesalers_are_named_by_default_and_stay(trade, tmp_path):
    cleaned = clean(trade, ALL, tmp_path)
    found = step(cleaned, "wholesaler")
    assert (found.effect, found.rows, found.users) == ("flagged", 6, 2)
    assert [one.user for one in found.examples] == ["bulk", "dear"]
    assert users(cleaned) >= {"bulk", "dear"}
    # of 1 1 2 2 2 3 3 4 4 50 the quartiles on the log scale are 2 and 3 * (4 / 3) ** 0.75 = 3.722;
    # two box heights above lies 3.722 * (3.722 / 2) ** 2 = 12.89
    assert found.reason == (
        "user with a median quantity above 12.89 or a median of money per event above 128.9, "
        "likely a wholesaler"
    )


def test_wholesalers_can_be_left_out_by_the_limits_of_an_earlier_log(trade, tmp_path):
    options = replace(ALL, wholesalers="drop")
    cleaned = clean(trade, options, tmp_path)
    assert users(cleaned) == {f"u{n}" for n in range(8)}
    assert step(cleaned, "wholesaler").effect == "dropped"
    assert cleaned.report.events_after == 24
    later = clean(trade, options, tmp_path, CleaningLimits(wholesaler_quantity=3.0))
    assert users(later) == {"u0", "u1", "u2", "u4", "u5", "u6", "dear"}
    assert later.limits.wholesaler_quantity == 3.0


def test_twice_as_much_makes_no_wholesaler_where_users_hardly_differ(log_of):
    pieces = [1.0, 1.01, 1.02, 1.03, 1.04, 4.9]
    log = log_of(*[{"user": f"u{n}", "quantity": q, "price": q} for n, q in enumerate(pieces)])
    (found,) = [s for s in preview(log, ALL).steps if s.rule == "wholesaler"]
    assert found.users == 0
    alike = log_of(*[{"user": f"u{n}", "quantity": 1.0, "price": 5.0} for n in range(5)])
    (found,) = [s for s in preview(alike, ALL).steps if s.rule == "wholesaler"]
    assert found.reason == "wholesalers could not be told, since users do not differ"


def test_wholesalers_are_not_sought_without_quantities_or_when_turned_off(trade, log_of):
    rules = [s.rule for s in preview(trade, replace(ALL, wholesalers="off")).steps]
    assert "wholesaler" not in rules
    rules = [s.rule for s in preview(log_of({"price": 1.0}), ALL).steps]
    assert "wholesaler" not in rules


def test_quantities_are_judged_by_their_size_and_keep_their_sign(log_of, tmp_path):
    # quartiles of the sizes 2 and 8 on the log scale (a ratio of 4), so bounds 2 / 4 and 8 * 4
    pieces = [1, 2, 2, 4, 8, 8, -1000, 0]
    log = log_of(*[{"time": n, "quantity": float(q)} for n, q in enumerate(pieces)])
    options = replace(ALL, quantity_outliers="iqr", outlier_factor=1.0)
    cleaned = clean(log, options, tmp_path)
    values = pq.read_table(cleaned.path)["quantity"].to_pylist()
    assert values == pytest.approx([1, 2, 2, 4, 8, 8, -32, 0])
    found = step(cleaned, "outlier_quantity")
    assert (found.effect, found.rows) == ("changed", 1)
    assert found.reason == "size of the quantity outside 0.5 to 32"
    assert cleaned.limits.quantity_high == pytest.approx(32)
    dropped = clean(log, replace(options, outlier_effect="drop"), tmp_path)
    assert dropped.report.events_after == 7


def test_on_the_plain_scale_a_large_return_is_judged_by_its_value(log_of, tmp_path):
    # quartiles 2 and 4, so bounds 2 - 1.5 * 2 = -1 and 7
    log = log_of(*[{"time": n, "quantity": q} for n, q in enumerate([-100.0, 2, 3, 4, 5])])
    options = replace(ALL, quantity_outliers="iqr", outlier_factor=1.5, outlier_scale="plain")
    cleaned = clean(log, options, tmp_path)
    assert pq.read_table(cleaned.path)["quantity"].to_pylist() == [-1, 2, 3, 4, 5]


def test_quantities_are_left_alone_by_default(log_of, tmp_path):
    log = log_of(*[{"time": n, "quantity": q} for n, q in enumerate([1.0, 2, 3, 1e9])])
    cleaned = clean(log, ALL, tmp_path)
    assert pq.read_table(cleaned.path)["quantity"].to_pylist() == [1, 2, 3, 1e9]
    assert "outlier_quantity" not in [s.rule for s in cleaned.report.steps]
