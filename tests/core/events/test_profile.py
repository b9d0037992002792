import json
from pathlib import Path

import pytest

from core.events import profile as profiled
from core.events.profile import Profile, profile
from core.events.read import ReadOptions, read
from core.store import from_plain, to_plain


@pytest.fixture
def columns_of(tmp_path):
    """The profile of a log written as CSV text, by column."""

    def look(text: str) -> dict[str, profiled.ColumnProfile]:
        path = Path(tmp_path / "log.csv")
        path.write_text(text, encoding="utf-8")
        found = profile(read(path, tmp_path, ReadOptions(), name="log.csv"))
        return {column.name: column for column in found.columns}

    return look


def test_a_column_tells_how_full_and_how_various_it_is(columns_of):
    found = columns_of("who,what\na,1\nb,\na,\nc,2\n")
    assert (found["who"].filled, found["who"].distinct) == (4, 3)
    assert (found["what"].filled, found["what"].distinct) == (2, 2)
    assert found["who"].frequent == ("a", "b", "c")


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["2024-01-0" + str(n) for n in range(1, 9)], "dates"),
        ([f"17040672{n:02d}" for n in range(20)], "digits of times"),
        ([f"{n}.5" for n in range(20)], "numbers"),
        (["view", "cart"] * 10, "a few words"),
        ([f"SKU-{n}" for n in range(20)], "codes"),
        ([f"red dress {n}" for n in range(20)], "words"),
        ([""] * 20, "blank"),
    ],
)
def test_a_column_is_called_what_its_cells_look_like(columns_of, cells, kind):
    found = columns_of("u,x\n" + "".join(f"a,{cell}\n" for cell in cells))
    assert found["x"].kind == kind


def test_numbers_are_ordered_by_size_and_what_is_none_has_no_place(columns_of):
    cells = [str(n) for n in range(9, 60)] + ["n/a", "-3.50"]
    found = columns_of("u,x\n" + "".join(f"a,{cell}\n" for cell in cells))["x"]
    assert (found.kind, found.low, found.high) == ("numbers", "-3.50", "59")


def test_impossible_dates_and_dates_in_another_order_mislead_nobody(columns_of):
    cells = [f"2024-05-{n:02d}" for n in range(1, 30)] + ["2025-13-45"]
    found = columns_of("u,x\n" + "".join(f"a,{cell}\n" for cell in cells))["x"]
    assert (found.low, found.high) == ("2024-05-01", "2024-05-29")
    short = columns_of("u,x\n" + "".join(f"a,{n}/12/2024\n" for n in range(13, 30)))["x"]
    assert (short.kind, short.low, short.high) == ("dates", "", "")


def test_a_column_that_begins_blank_is_seen_all_the_same(columns_of, monkeypatch):
    monkeypatch.setattr(profiled, "SAMPLE", 50)
    rows = [""] * 500 + [f"item {n}" for n in range(500)]
    found = columns_of("u,x\n" + "".join(f"a,{cell}\n" for cell in rows))["x"]
    assert (found.kind, found.filled) == ("words", 500)


def test_names_and_values_are_text_and_never_sql(columns_of):
    found = columns_of('"a""; DROP","=1+1"\n"x\'); --","<b>"\n')
    assert found['a"; DROP'].frequent == ("x'); --",)
    assert found["=1+1"].frequent == ("<b>",)


def test_long_values_are_cut(columns_of):
    found = columns_of("u,x\na," + "y" * 500 + "\n")["x"]
    assert {len(value) for value in (*found.frequent, found.low, found.high)} == {60}


def test_past_a_size_different_values_are_estimated_and_that_is_said(tmp_path, monkeypatch):
    path = tmp_path / "log.csv"
    path.write_text("u,x\n" + "".join(f"a,{n}\n" for n in range(3000)), encoding="utf-8")
    raw = read(path, tmp_path, ReadOptions(), name="log.csv")
    assert profile(raw).exact
    monkeypatch.setattr(profiled, "EXACT_ROWS", 2999)
    found = profile(raw)
    assert not found.exact
    assert found.columns[1].distinct == pytest.approx(3000, rel=0.1)


def test_a_wide_log_is_profiled_in_its_first_columns(tmp_path):
    path = tmp_path / "wide.csv"
    names = [f"c{n}" for n in range(130)]
    path.write_text(f"{','.join(names)}\n{','.join(names)}\n", encoding="utf-8")
    found = profile(read(path, tmp_path, ReadOptions(), name="wide.csv"))
    assert (len(found.columns), found.n_columns) == (100, 130)
    assert from_plain(Profile, json.loads(json.dumps(to_plain(found)))) == found
