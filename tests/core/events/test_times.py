from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.events import engine
from core.events.map_options import MapOptions
from core.events.reading import Column
from core.events.times import read_times

NOW = datetime(2025, 1, 1)


def look(tmp_path, cells, **options):
    """The reading of a column (lines from 2) and the values it gives."""
    path = tmp_path / "raw.parquet"
    lines = pa.array(range(2, len(cells) + 2), pa.int64())
    pq.write_table(pa.table({'a "t"': pa.array(cells, pa.string()), "__line__": lines}), path)
    with engine.connect() as db:
        column = Column(db, str(path), 'a "t"')
        reading = read_times(column, MapOptions(**options), NOW)
        query = f"SELECT {reading.value(column.cell)} FROM read_parquet($path) ORDER BY __line__"
        values = [row[0] for row in db.execute(query, {"path": str(path)}).fetchall()]
    return reading, values


def codes(reading):
    return [problem.code for problem in reading.problems]


def refusal(tmp_path, cells):
    reading, _ = look(tmp_path, cells)
    (problem,) = reading.problems
    assert problem.severity == "refused"
    return problem


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("2024-03-09 01:05:58", datetime(2024, 3, 9, 1, 5, 58)),
        ("2024-03-09T01:05:58.25", datetime(2024, 3, 9, 1, 5, 58, 250_000)),
        ("2024-03-09T01:05:58,123456789", datetime(2024, 3, 9, 1, 5, 58, 123_456)),
        ("2024/3/9 1:05", datetime(2024, 3, 9, 1, 5)),
        ("2024.03.09", datetime(2024, 3, 9)),
        ("2024-03-09 01:05:58 UTC", datetime(2024, 3, 9, 1, 5, 58)),
        ("2024-03-09T01:05:58Z", datetime(2024, 3, 9, 1, 5, 58)),
        ("2024-03-09T01:05:58-0330", datetime(2024, 3, 9, 4, 35, 58)),
        ("2020-01-01T00:00:00+13:45", datetime(2019, 12, 31, 10, 15)),
        ("2020-01-01T00:00:00-08", datetime(2020, 1, 1, 8)),
        ("2022/01/27 11:04:57 PM", datetime(2022, 1, 27, 23, 4, 57)),
        ("2022/01/27 12:04 am", datetime(2022, 1, 27, 0, 4)),
        ("2022/01/27 12:04 p.m.", datetime(2022, 1, 27, 12, 4)),
        ("20140102", datetime(2014, 1, 2)),
        ("20140102T030405Z", datetime(2014, 1, 2, 3, 4, 5)),
        ("20140102030405", datetime(2014, 1, 2, 3, 4, 5)),
        ("31/12/2012 23:59", datetime(2012, 12, 31, 23, 59)),
        ("12-31-2012", datetime(2012, 12, 31)),
        ("1399999999", datetime(2014, 5, 13, 16, 53, 19)),
        ("1399999999.5", datetime(2014, 5, 13, 16, 53, 19, 500_000)),
        ("1399999999123", datetime(2014, 5, 13, 16, 53, 19, 123_000)),
        ("1399999999123456", datetime(2014, 5, 13, 16, 53, 19, 123_456)),
        ("  2024-03-09 ", datetime(2024, 3, 9)),
    ],
)
def test_a_time_is_read_as_utc(cell, value, tmp_path):
    assert look(tmp_path, [cell, None])[1] == [value, None]


@pytest.mark.parametrize(
    "cell",
    [
        "2023-02-29",
        "2024-13-01 00:00",
        "2024-01-01 25:00:00",
        "2024-01-01 10:61",
        "2024-01-01T00:00:00+15:00",
        "0001-01-01",
        "9999-12-31",
        "2024-01-01 10",
        "1e9",
        "NaT",
    ],
)
def test_a_cell_that_is_no_time_gives_null_and_leaves_the_others(cell, tmp_path):
    _, values = look(tmp_path, [cell, *["2024-01-02 10:00:00"] * 3])
    assert values == [None, *[datetime(2024, 1, 2, 10)] * 3]


def test_13_on_a_12_hour_clock_is_no_time(tmp_path):
    bad, good = ["2024-01-01 13:00 PM", "2024-01-01 0:30 AM"], ["2024-01-01 1:00 PM"] * 3
    _, values = look(tmp_path, bad + good)
    assert values == [None, None, *[datetime(2024, 1, 1, 13)] * 3]


def test_one_settled_date_orders_the_whole_column(tmp_path):
    reading, values = look(tmp_path, ["02/01/2014", "31/12/2012"])
    assert values == [datetime(2014, 1, 2), datetime(2012, 12, 31)]
    assert codes(reading) == ["date_order", "no_zone", "dates_only"]
    assert "day first, as '31/12/2012' on line 3" in reading.problems[0].message
    reading, values = look(tmp_path, ["02/01/2014", "12/31/2012"])
    assert values == [datetime(2014, 2, 1), datetime(2012, 12, 31)]
    assert "month first" in reading.problems[0].message


@pytest.mark.parametrize(
    ("cells", "code", "lines"),
    [
        (["02/01/2014", "03/04/2014"], "unclear_times", (2, 3)),
        (["13/01/2014", "01/13/2014"], "unclear_times", (2, 3)),
        (["2024-03-08 01:25:58", "2024-03-09", "03/10/2024"], "mixed_times", (4,)),
        (["2024-03-08", "1399999999"], "mixed_times", (3,)),
        (["1399999999", "1399999999000", "1399999999"], "mixed_times", (3,)),
        (["2022/01/27 11:04 PM", "2022/01/27 13:04"], "mixed_times", (3,)),
        (["12/31/12", "1/2/13"], "unclear_times", (2, 3)),
        (["43831.5", "43832"], "unclear_times", (2, 3)),
        (["02/01/2019", "08//01/2019"], "not_time", (3,)),
        (["yesterday", "view"], "not_time", (2, 3)),
        (["20140102", "0"], "not_time", (3,)),
    ],
)
def test_what_no_cell_settles_is_refused_with_its_lines(cells, code, lines, tmp_path):
    problem = refusal(tmp_path, cells)
    assert (problem.code, problem.lines, problem.column) == (code, lines, 'a "t"')
    assert "ISO 8601" in problem.message


def test_one_odd_cell_in_a_hundred_is_set_aside_and_two_are_a_mixed_column(tmp_path):
    reading, values = look(tmp_path, ["2024-01-02"] * 99 + ["31/12/2012"])
    assert not reading.refused and values[-2:] == [datetime(2024, 1, 2), None]
    assert refusal(tmp_path, ["2024-01-02"] * 98 + ["31/12/2012"] * 2).lines == (100, 101)


def test_what_is_taken_for_granted_is_said(tmp_path):
    mixed = ["2020-01-01T00:00:00", "2020-01-01T00:00:00-08", "2020-01-01"]
    reading, _ = look(tmp_path, mixed)
    assert [(p.code, p.lines) for p in reading.problems] == [
        ("some_no_zone", (2, 4)),
        ("some_dates_only", (4,)),
    ]
    assert codes(look(tmp_path, ["2020-01-01T00:00:00Z"])[0]) == []
    assert codes(look(tmp_path, ["20200101T000000Z"])[0]) == ["solid_dates"]
    epoch, _ = look(tmp_path, ["1399999999", "1400086399"])
    assert codes(epoch) == ["epoch"]
    assert "seconds since 1970 in UTC" in epoch.problems[0].message
    assert "2014-05-13 to 2014-05-14" in epoch.problems[0].message
