import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.artifacts import FilePart
from core.events import engine
from core.events.columns.amounts import read_numbers
from core.events.columns.reading import Column
from core.events.map_options import MapOptions


def look(tmp_path, cells, parts=(), **options):
    path = tmp_path / "raw.parquet"
    lines = pa.array(range(2, len(cells) + 2), pa.int64())
    pq.write_table(pa.table({"price": pa.array(cells, pa.string()), "__line__": lines}), path)
    with engine.connect() as db:
        column = Column(db, str(path), "price", parts)
        reading = read_numbers(column, MapOptions(**options))
        query = f"SELECT {reading.value(column.cell)} FROM read_parquet($path) ORDER BY __line__"
        values = [row[0] for row in db.execute(query, {"path": str(path)}).fetchall()]
    return reading, values


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1", "-2.50", "+.5", "3.", " 4 ", "4e4", "-2.00E-02"], [1, -2.5, 0.5, 3, 4, 4e4, -0.02]),
        (["3000,00", "7", "1.234,5", "1,250"], [3000, 7, 1234.5, 1.25]),
        (["100,000.00", "300,000,000.40", "50"], [1e5, 300_000_000.4, 50]),
        (["1,234", "12.50"], [1234, 12.5]),
        (["0,125", "7"], [0.125, 7]),
        (["1.234.567", "0,5"], [1234567, 0.5]),
    ],
)
def test_the_decimal_mark_is_settled_for_the_whole_column(cells, values, tmp_path):
    reading, found = look(tmp_path, cells)
    assert found == values
    commas = any("," in cell for cell in cells)
    assert [problem.code for problem in reading.problems] == ["comma_numbers"] * commas


@pytest.mark.parametrize("cells", [["12.500", "853", "-1.234"], ["12.500", None, "0"]])
def test_points_that_could_stand_between_thousands_are_decimal_marks_and_it_is_said(
    cells, tmp_path
):
    reading, found = look(tmp_path, cells)
    assert found == [None if cell is None else float(cell) for cell in cells]
    (problem,) = reading.problems
    assert (problem.severity, problem.code) == ("warning", "point_numbers")
    assert problem.lines == ((2, 4) if cells[2] == "-1.234" else (2,))
    assert "is 12.5, not 12500. If they stand between thousands" in problem.message


@pytest.mark.parametrize(
    "cells", [["0.125", "1.250"], ["12.500", "1500"], ["12.500", "3.5"], ["1.234", "12.5000"]]
)
def test_points_that_can_only_be_decimal_marks_need_no_warning(cells, tmp_path):
    reading, found = look(tmp_path, cells)
    assert found == [float(cell) for cell in cells] and not reading.problems


@pytest.mark.parametrize(
    "cell", ["NaN", "inf", "-INF", "1e400", "1_000", "0x10", "1 00", "--1", "$", "(1", "12 USD 3"]
)
def test_what_is_no_finite_number_gives_null(cell, tmp_path):
    reading, found = look(tmp_path, [cell, "1", "2", "3"])
    assert found == [None, 1, 2, 3]
    (problem,) = reading.problems
    assert (problem.code, problem.severity, problem.lines) == ("unreadable", "warning", (2,))


@pytest.mark.parametrize(
    ("cells", "code", "lines"),
    [
        (["12,5", "145,00", "5.25"], "mixed_decimals", (2, 3)),
        (["1,234.5", "0,99"], "mixed_decimals", (3,)),
        (["2,666", "853"], "unclear_numbers", (2,)),
        (["1.234", "1.234.567", "7"], "unclear_numbers", (3,)),
        (["1.234", "2,666"], "unclear_numbers", (3,)),
        (["1.234", "12,50"], "mixed_decimals", (3,)),
        (["free", "1", "gift"], "not_number", (2, 4)),
    ],
)
def test_what_no_cell_settles_is_refused_with_its_lines(cells, code, lines, tmp_path):
    reading, found = look(tmp_path, cells)
    (problem,) = reading.problems
    assert (problem.severity, problem.code, problem.lines) == ("refused", code, lines)
    assert found == [None] * len(cells)


@pytest.mark.parametrize(
    ("cells", "values", "codes"),
    [
        (["$4.00", "$1,250.50"], [4, 1250.5], ["comma_numbers", "currency"]),
        (["4.000,50 €", "5,00 €"], [4000.5, 5], ["comma_numbers", "currency"]),
        (["2.50 USD", "US$3", "usd 4"], [2.5, 3, 4], ["currency"]),
        (["R$ 1.234,56", "-R$ 5,00"], [1234.56, -5], ["comma_numbers", "currency"]),
        (["￥12", "¥ 3.5"], [12, 3.5], ["currency"]),
        (["12元", "5.5 元"], [12, 5.5], ["currency"]),
        (["95%", "5.5 %"], [0.95, 0.055], ["percent_numbers"]),
        (["(1,234.50)", "5.00"], [-1234.5, 5], ["comma_numbers", "bracketed_numbers"]),
        (["12.50-", "−3", "- 4", "+5"], [-12.5, -3, -4, 5], ["trailed_numbers"]),
        (["1 234,50", "12 000", "3"], [1234.5, 12000, 3], ["comma_numbers", "grouped_numbers"]),
        (["1'234.50", "12’000", "3"], [1234.5, 12000, 3], ["grouped_numbers"]),
        (
            ["1\u202f234,5", "7\u00a0000,25"],
            [1234.5, 7000.25],
            ["comma_numbers", "grouped_numbers"],
        ),
        (["1,00,000.00", "5"], [100_000, 5], ["comma_numbers"]),
        (["9999999999.20", "100,000.00"], [9999999999.2, 100_000], ["comma_numbers"]),
    ],
)
def test_signs_around_a_number_are_read_and_named(cells, values, codes, tmp_path):
    reading, found = look(tmp_path, cells)
    assert found == values
    assert [problem.code for problem in reading.problems] == codes


def test_the_currency_is_named_and_cells_without_one_are_told(tmp_path):
    reading, _ = look(tmp_path, ["£4.00", "5", "6.5"])
    assert "in GBP. 2 cells without a currency, taken as the same" in reading.problems[0].message
    assert reading.problems[0].lines == (3, 4)


@pytest.mark.parametrize(
    ("cells", "code", "lines", "words"),
    [
        (["$4.00", "5€", "$6"], "mixed_currencies", (3,), "$ on lines 2 and 4; EUR on line 3"),
        (["95%", "5", "6", "7"], "mixed_percent", (2,), "'95%' (line 2) and '5' (lines 3, 4"),
        (["95%", "0.5", "7%"], "mixed_percent", (3,), "'0.5' (line 3)"),
    ],
)
def test_two_different_things_in_one_column_are_refused(cells, code, lines, words, tmp_path):
    reading, _ = look(tmp_path, cells)
    (problem,) = reading.problems
    assert (problem.severity, problem.code, problem.lines) == ("refused", code, lines)
    assert words in problem.message


@pytest.mark.parametrize(
    ("cells", "decimal", "values", "unreadable"),
    [
        (["2,666", "853"], "point", [2666, 853], ()),
        (["2,666", "853"], "comma", [2.666, 853], ()),
        (["12,5", "145,00", "5.25"], "comma", [12.5, 145, None], (4,)),
        (["12.5", "145.00", "5,25"], "point", [12.5, 145, None], (4,)),
        (["1.234", "1.234.567", "7"], "comma", [1234, 1234567, 7], ()),
        (["1.234", "12,50"], "comma", [1234, 12.5], ()),
    ],
)
def test_the_decimal_mark_can_be_told(cells, decimal, values, unreadable, tmp_path):
    reading, found = look(tmp_path, cells, decimal=decimal)
    assert found == values
    lines = [problem.lines for problem in reading.problems if problem.code == "unreadable"]
    assert lines == ([unreadable] if unreadable else [])


def test_a_mark_that_makes_most_cells_unreadable_is_refused(tmp_path):
    reading, _ = look(tmp_path, ["12,5", "145,00", "5.25"], decimal="point")
    problem = reading.problems[-1]
    assert (problem.severity, problem.code, problem.lines) == ("refused", "not_number", (2, 3))
    assert "Check map.decimal" in problem.message


def test_what_is_refused_for_one_reason_still_lists_the_cells_that_are_no_numbers(tmp_path):
    reading, _ = look(tmp_path, ["NaN", "INF", "1", "2", "95%", "x"])
    assert {p.code: (p.severity, p.lines) for p in reading.problems} == {
        "mixed_percent": ("refused", (6,)),
        "unreadable": ("warning", (2, 3, 7)),
    }


@pytest.mark.parametrize(
    ("policy", "severity", "words"),
    [
        ("missing", "warning", "count as missing, as 'x': line 3"),
        ("drop", "warning", "their rows will be set aside, as 'x': line 3"),
        ("refuse", "refused", "'x': line 3. Correct them"),
    ],
)
def test_what_becomes_of_unreadable_numbers_is_the_analysts_choice(
    policy, severity, words, tmp_path
):
    reading, _ = look(tmp_path, ["1", "x", "3"], unreadable_numbers=policy)
    (problem,) = reading.problems
    assert (problem.severity, problem.code) == (severity, "unreadable")
    assert words in problem.message


def test_words_for_missing_do_not_make_a_column_of_numbers_something_else(tmp_path):
    reading, found = look(tmp_path, ["NaN", "NULL", "n/a", "3"])
    assert not reading.refused and found == [None, None, None, 3]
    assert look(tmp_path, ["NaN", "NULL"])[0].problems[0].code == "not_number"


def test_many_different_cells_are_read_as_few_are(tmp_path):
    cells = [f"{i}.5" for i in range(150_000)]
    cells[3], cells[120_000], cells[120_001] = "1e400", "gift", "1,250.5"
    reading, found = look(tmp_path, cells)
    assert {p.code: p.lines for p in reading.problems}["unreadable"] == (5, 120_002)
    expected = [i + 0.5 for i in range(150_000)]
    expected[3], expected[120_000], expected[120_001] = None, None, 1250.5
    assert found == expected


TWO_FILES = (FilePart(name="x.csv", lines_before=0), FilePart(name="y.csv", lines_before=3))


@pytest.mark.parametrize("first", [["0,5", "1,25"], ["0.5", "1.25"], ["1,234.50", "2"]])
def test_what_one_file_settles_is_not_taken_for_another(first, tmp_path):
    cells = [*first, "1,234", "2,500"]
    reading, _ = look(tmp_path, cells, TWO_FILES)
    (problem,) = [problem for problem in reading.problems if problem.severity == "refused"]
    assert problem.code in ("unclear_numbers", "mixed_decimals")
    assert "lines 1 and 2 of y.csv" in problem.message and "map.decimal" in problem.message
    assert not look(tmp_path, cells, TWO_FILES, decimal="point")[0].refused


def test_files_that_each_settle_their_mark_need_no_answer(tmp_path):
    reading, found = look(tmp_path, ["0,5", "1,250", "2,5", "1,234"], TWO_FILES)
    assert not reading.refused and found == [0.5, 1.25, 2.5, 1.234]
    assert not look(tmp_path, ["0,5", "1,25", "7", "8"], TWO_FILES)[0].refused


def test_points_that_only_another_file_shows_to_be_decimal_marks_are_said(tmp_path):
    reading, found = look(tmp_path, ["0.5", "1.25", "1.234", "2.500"], TWO_FILES)
    assert found == [0.5, 1.25, 1.234, 2.5]
    (problem,) = reading.problems
    assert problem.code == "point_numbers" and "lines 1 and 2 of y.csv" in problem.message
