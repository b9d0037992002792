import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.events import engine
from core.events.amounts import read_numbers
from core.events.map_options import MapOptions
from core.events.reading import Column


def look(tmp_path, cells, **options):
    path = tmp_path / "raw.parquet"
    lines = pa.array(range(2, len(cells) + 2), pa.int64())
    pq.write_table(pa.table({"price": pa.array(cells, pa.string()), "__line__": lines}), path)
    with engine.connect() as db:
        column = Column(db, str(path), "price")
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
