import csv

import pyarrow.parquet as pq
import pytest

from core.errors import OptionRefused
from core.sequences.forms import FormOptions, bag_of_words, time_series, write_form
from tests.worlds import bare_sequences, tiny_sequences

DAY = 86_400
MONDAY = 1_767_571_200
LOG = {
    "ann": [
        ("view", "shoes", "s1", MONDAY - 1, None),
        ("view", "shoes", "s2", MONDAY + 5, None),
        ("buy", "shoes", "s2", MONDAY + 3600, 10.0),
        ("buy", None, None, MONDAY + 3601, 2.5),
    ],
    "bob": [
        ("view", "bags", "b1", MONDAY + 2 * DAY, None),
        (None, "bags", None, MONDAY + 7 * DAY, 1),
    ],
}


@pytest.fixture
def sequences():
    return tiny_sequences(LOG)


@pytest.mark.parametrize(
    ("words", "names", "counts"),
    [
        ("action", ("", "view", "buy"), [[0, 2, 2], [1, 1, 0]]),
        ("category", ("", "shoes", "bags"), [[1, 3, 0], [0, 0, 2]]),
        ("item", ("", "s2", "b1", "s1"), [[1, 2, 0, 1], [1, 0, 1, 0]]),
        (
            "action_category",
            (
                *("", "shoes", "bags"),
                *("view", "view · shoes", "view · bags"),
                *("buy", "buy · shoes", "buy · bags"),
            ),
            [[0, 0, 0, 0, 2, 0, 1, 1, 0], [0, 0, 1, 0, 0, 1, 0, 0, 0]],
        ),
    ],
)
def test_a_bag_counts_words_per_user_and_keeps_a_place_for_none(sequences, words, names, counts):
    bag = bag_of_words(sequences, words)
    assert bag.user_ids.tolist() == ["ann", "bob"]
    assert bag.words == names
    assert bag.counts.toarray().tolist() == counts
    assert bag.counts.format == "csr"


def cells(series):
    return [
        (series.user_ids[u], int(series.starts[t]), series.actions[a], n, money)
        for u, t, a, n, money in zip(
            *(part.tolist() for part in (series.user, series.step, series.action)),
            series.events.tolist(),
            series.money.tolist(),
            strict=True,
        )
    ]


def test_a_series_has_events_and_money_per_step_and_action(sequences):
    series = time_series(sequences, "day")
    assert series.starts.tolist() == [MONDAY + n * DAY for n in range(-1, 8)]
    assert cells(series) == [
        ("ann", MONDAY - DAY, "view", 1, 0.0),
        ("ann", MONDAY, "view", 1, 0.0),
        ("ann", MONDAY, "buy", 2, 12.5),
        ("bob", MONDAY + 2 * DAY, "view", 1, 0.0),
        ("bob", MONDAY + 7 * DAY, "", 1, 1.0),
    ]


@pytest.mark.parametrize(
    ("unit", "first", "n_steps", "n_cells"),
    [("hour", MONDAY - 3600, 7 * 24 + 2, 5), ("week", MONDAY - 7 * DAY, 3, 5)],
)
def test_steps_are_even_and_weeks_begin_on_monday(sequences, unit, first, n_steps, n_cells):
    series = time_series(sequences, unit)
    assert (series.starts[0], len(series.starts), len(series.user)) == (first, n_steps, n_cells)


def test_a_log_without_events_has_an_empty_series():
    series = time_series(bare_sequences([], [0]), "day")
    assert (len(series.starts), len(series.user)) == (0, 0)


@pytest.mark.parametrize("form", ["bag", "series", "events"])
def test_a_file_is_the_same_in_whatever_blocks_it_is_written(
    sequences, tmp_path, monkeypatch, form
):
    options = FormOptions(form=form)
    write_form(sequences, options, tmp_path / "whole.parquet")
    monkeypatch.setattr("core.sequences.building._EVENTS_AT_ONCE", 1)
    write_form(sequences, options, tmp_path / "parts.parquet")
    whole, parts = (pq.read_table(tmp_path / f"{name}.parquet") for name in ("whole", "parts"))
    assert whole.equals(parts)
    assert whole["user_id"][0].as_py() == "ann"


def test_every_event_is_written_with_its_words(tmp_path):
    naughty = '=1+1,"x"\n<b>'
    log = tiny_sequences({naughty: [("view", None, "007", MONDAY, 2.5)]})
    write_form(log, FormOptions(form="events"), tmp_path / "events.csv")
    with (tmp_path / "events.csv").open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert row == {
        "user_id": naughty,
        "visit": "0",
        "time": "2026-01-05 00:00:00",
        "action": "view",
        "category": "",
        "item": "007",
        "platform": "",
        "query": "",
        "gap": "0",
        "duration": "",
        "price": "2.5",
    }


def test_a_bag_file_has_a_row_per_user_and_word(sequences, tmp_path):
    write_form(sequences, FormOptions(words="category"), tmp_path / "bag.csv")
    assert (tmp_path / "bag.csv").read_text().splitlines() == [
        '"user_id","word","count"',
        '"ann",,1',
        '"ann","shoes",3',
        '"bob","bags",2',
    ]


@pytest.mark.parametrize("form", ["bag", "series", "events"])
def test_nobody_makes_a_file_with_columns_and_no_rows(tmp_path, form):
    write_form(bare_sequences([], [0]), FormOptions(form=form), tmp_path / "none.parquet")
    table = pq.read_table(tmp_path / "none.parquet")
    assert (table.num_rows, table.column_names[0]) == (0, "user_id")


def test_another_kind_of_file_is_refused_and_leaves_nothing_behind(sequences, tmp_path):
    with pytest.raises(OptionRefused, match=r"ends in \.parquet or \.csv, not in '\.xlsx'"):
        write_form(sequences, FormOptions(), tmp_path / "bag.xlsx")
    assert list(tmp_path.iterdir()) == []
