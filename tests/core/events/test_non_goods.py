from pathlib import Path

import pytest

from core.events.clean import CleanOptions, clean
from core.events.cleaning.non_goods import OddItem, suggest_non_goods
from core.events.mapping import complete, map_events
from core.events.read import ReadOptions, read

DATA = Path(__file__).parents[4] / "shared" / "data"


def test_codes_without_a_digit_among_codes_with_one_are_offered_most_frequent_first(log_of):
    goods = [{"item": f"SKU-{n}"} for n in range(100)]
    odd = [{"item": "POST"}, {"item": "POST", "user": "b"}, {"item": "M"}, {"item": None}]
    assert suggest_non_goods(log_of(*goods, *odd)) == (
        OddItem(item="POST", rows=2, users=2),
        OddItem(item="M", rows=1, users=1),
    )


def test_where_items_are_names_nothing_is_offered(log_of):
    names = [{"item": name} for name in ("milk", "tea", "7up", "bread")]
    assert suggest_non_goods(log_of(*names * 5)) == ()
    assert suggest_non_goods(log_of({"time": 1})) == ()


def test_rows_with_an_item_on_the_list_are_dropped_and_take_no_part_in_bounds(log_of, tmp_path):
    rows = [{"time": n, "item": f"i{n}", "price": p} for n, p in enumerate([1.0, 2, 3, 4, 100])]
    log = log_of(*rows, {"item": "post's", "price": 5000.0}, {"item": "Post's"}, {"item": None})
    options = CleanOptions(
        min_events=1, outlier_scale="plain", outlier_factor=1.5, non_goods=("post's", "M")
    )
    report = clean(log, options, tmp_path).report
    (step,) = [step for step in report.steps if step.rule == "non_goods"]
    assert (step.effect, step.rows, step.lines) == ("dropped", 1, (7,))
    assert step.reason == "item that is no goods"
    assert report.events_after == 7
    (bounds,) = [step for step in report.steps if step.rule == "outlier_price"]
    assert bounds.reason == "price outside -1 to 7"


def test_a_list_for_a_log_without_items_is_no_rule(log_of, tmp_path):
    report = clean(
        log_of({"time": 1}), CleanOptions(min_events=1, non_goods=("M",)), tmp_path
    ).report
    assert "non_goods" not in [step.rule for step in report.steps]


def test_in_a_real_shop_postage_and_fees_are_offered(tmp_path):
    path = DATA / "online_retail" / "onlineretail.csv"
    if not path.exists():
        pytest.skip("the real data set is not at hand")
    raw = read(path, tmp_path, ReadOptions(), name=path.name)
    found = suggest_non_goods(map_events(raw, complete(raw, {}), tmp_path))
    assert found[0] == OddItem(item="POST", rows=1256, users=379)
    assert {"DOT", "M", "BANK CHARGES", "AMAZONFEE"} <= {one.item for one in found}
