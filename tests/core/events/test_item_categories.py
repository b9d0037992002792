import pyarrow.parquet as pq
import pytest

from core.artifacts import ColumnMapping, Events
from core.events.item_categories import with_items
from core.events.items import read_items
from core.events.mapping import map_events
from core.events.read import ReadOptions, read

ROLES = ("user", "time", "item", "category")


@pytest.fixture
def filled(tmp_path):
    """Fill the categories of a log by a table: (events before, events after)."""

    def fill(log: str, table: str, roles=ROLES) -> tuple[Events, Events]:
        for name, text in (("log", log), ("items", table)):
            (tmp_path / name).mkdir()
            (tmp_path / f"{name}.csv").write_text(text, "utf-8")
        raw = read(tmp_path / "log.csv", tmp_path / "log", ReadOptions(), name="log.csv")
        mapping = ColumnMapping(**{role: role for role in roles})
        events = map_events(raw, mapping, tmp_path / "log")
        items = read_items(
            tmp_path / "items.csv", tmp_path / "items", ReadOptions(), name="items.csv"
        )
        return events, with_items(events, items, tmp_path)

    return fill


LOG = """user,time,item,category
u2,2024-01-02,a,
u1,2024-01-01,a,shoes
u1,2024-01-03,b,bags
u3,2024-01-03,b,
u3,2024-01-04,c,
u3,2024-01-05,,
"""
TABLE = "item,category\na,shoes\nb,hats\nd,\n"


def told(events):
    return {problem.code: problem for problem in events.problems if "items_" in problem.code}


def test_only_missing_categories_are_filled_and_all_else_stays_in_its_place(filled):
    before, after = filled(LOG, TABLE)
    old, new = pq.read_table(before.path), pq.read_table(after.path)
    assert new["category"].to_pylist() == ["shoes", "shoes", "bags", "hats", None, None]
    assert new.column_names == old.column_names
    for name in set(old.column_names) - {"category"}:
        assert new[name].equals(old[name]), name
    assert (after.n_events, after.n_users, after.present) == (6, 3, before.present)
    assert after.fingerprint != before.fingerprint


def test_what_was_filled_what_is_unknown_and_what_disagrees_is_counted(filled):
    _, after = filled(LOG, TABLE)
    assert {code: (p.count, p.message) for code, p in told(after).items()} == {
        "items_filled": (
            2,
            "The category of 2 events without one comes from 'items.csv' (2 items, such as 'a', "
            "'b').",
        ),
        "items_unknown": (
            1,
            "'items.csv' does not list the item of 1 event (1 item, such as 'c').",
        ),
        "items_differing": (
            1,
            "'items.csv' gives the item of 1 event another category than the log does (1 item, "
            "such as 'b'); the log's stays.",
        ),
    }


def test_a_log_without_a_category_column_gets_one(filled):
    before, after = filled(
        "user,time,item\nu1,2024-01-01,a\n", TABLE, roles=("user", "time", "item")
    )
    assert "category" not in before.present
    assert after.present == ("user", "time", "item", "category")


def test_a_table_of_other_ids_says_that_it_is_of_no_use(filled):
    _, after = filled(LOG, "item,category\nSKU-{1},shoes\n")
    assert list(told(after)) == ["items_unknown"]
    message = told(after)["items_unknown"].message
    assert "lists none of the items of the log" in message
    assert "The log has 'a', 'b', 'c', the table 'SKU-{1}'" in message


def test_a_table_that_knows_everything_and_fills_nothing_adds_no_problem(filled):
    before, after = filled(
        "user,time,item,category\nu,2024-01-01,a,shoes\n", "item,category\na,shoes\n"
    )
    assert after.problems == before.problems
