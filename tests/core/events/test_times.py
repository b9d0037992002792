from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.artifacts import FilePart
from core.events import engine
from core.events.columns.reading import Column
from core.events.columns.times import read_times
from core.events.map_options import MapOptions

NOW = datetime(2025, 1, 1)


def look(tmp_path, cells, parts=(), **options):
    """The reading of a column (lines from 2) and the values it gives."""
    path = tmp_path / "raw.parquet"
    lines = pa.array(range(2, len(cells) + 2), pa.int64())
    pq.write_table(pa.table({'a "t"': pa.array(cells, pa.string()), "__line__": lines}), path)
    with engine.connect() as db:
        column = Column(db, str(path), 'a "t"', parts)
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


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("01-Jan-2024", datetime(2024, 1, 1)),
        ("15 February 2024 10:30", datetime(2024, 2, 15, 10, 30)),
        ("Jan 5, 2024 10:00 PM", datetime(2024, 1, 5, 22)),
        ("Fri, 05 Jan 2024 10:00:00 +0100", datetime(2024, 1, 5, 9)),
        ("05/Jan/2024:10:00:00 +0200", datetime(2024, 1, 5, 8)),
        ("2024年1月31日 18:30", datetime(2024, 1, 31, 18, 30)),
        ("202401311830", datetime(2024, 1, 31, 18, 30)),
        ("2024-01-01T10:00:00 GMT+8", datetime(2024, 1, 1, 2)),
        ("2024-01-01 10:00 UTC-03:30", datetime(2024, 1, 1, 13, 30)),
        ("2024-01-01 24:00:00", datetime(2024, 1, 2)),
        ("\t2024-01-01\u00a0", datetime(2024, 1, 1)),
    ],
)
def test_months_by_name_and_other_writings_are_read(cell, value, tmp_path):
    assert look(tmp_path, [cell])[1] == [value]


@pytest.mark.parametrize(
    ("cells", "option", "answer", "values"),
    [
        (
            ["02/01/2014", "03/04/2014"],
            "date_order",
            "day_first",
            [datetime(2014, 1, 2), datetime(2014, 4, 3)],
        ),
        (
            ["02/01/2014", "03/04/2014"],
            "date_order",
            "month_first",
            [datetime(2014, 2, 1), datetime(2014, 3, 4)],
        ),
        (
            ["12/31/12", "1/2/13"],
            "short_years",
            "2000s",
            [datetime(2012, 12, 31), datetime(2013, 1, 2)],
        ),
        (
            ["12/31/98", "1/2/97"],
            "short_years",
            "1900s",
            [datetime(1998, 12, 31), datetime(1997, 1, 2)],
        ),
        (
            ["43831.5", "43832"],
            "excel_dates",
            "1900",
            [datetime(2020, 1, 1, 12), datetime(2020, 1, 2)],
        ),
        (["43831", "43832"], "excel_dates", "1904", [datetime(2024, 1, 2), datetime(2024, 1, 3)]),
        (["10-25", "11-11"], "year", 2014, [datetime(2014, 10, 25), datetime(2014, 11, 11)]),
        (["0829", "1111"], "year", 2014, [datetime(2014, 8, 29), datetime(2014, 11, 11)]),
        (["829", "1111"], "year", 2014, [datetime(2014, 8, 29), datetime(2014, 11, 11)]),
        (
            ["10月25日 8:30", "11月11日"],
            "year",
            2014,
            [datetime(2014, 10, 25, 8, 30), datetime(2014, 11, 11)],
        ),
    ],
)
def test_what_is_asked_is_answered_by_the_option_that_is_named(
    cells, option, answer, values, tmp_path
):
    assert f"map.{option}" in refusal(tmp_path, cells).message
    reading, found = look(tmp_path, cells, **{option: answer})
    assert not reading.refused and found == values


def test_years_first_of_two_digits_are_one_order_among_three(tmp_path):
    cells = ["24-01-11", "23-02-01"]
    problem = look(tmp_path, cells, short_years="2000s")[0].problems[0]
    assert (problem.severity, problem.code) == ("refused", "unclear_times")
    _, found = look(tmp_path, cells, short_years="2000s", date_order="year_first")
    assert found == [datetime(2024, 1, 11), datetime(2023, 2, 1)]
    _, found = look(tmp_path, ["24-01-11", "23-02-40"], short_years="2000s", date_order="day_first")
    assert found == [datetime(2011, 1, 24), None]  # 2040 is to come


def test_an_order_that_is_told_sets_aside_what_does_not_fit_it(tmp_path):
    cells = ["13/01/2014", "14/01/2014", "01/15/2014"]
    assert refusal(tmp_path, cells).code == "unclear_times"
    reading, found = look(tmp_path, cells, date_order="day_first")
    assert found == [datetime(2014, 1, 13), datetime(2014, 1, 14), None]
    assert {p.code: p.lines for p in reading.problems}["unreadable"] == (4,)


def test_the_evidence_for_both_orders_is_weighed_and_not_the_cells_that_say_nothing(tmp_path):
    cells = ["01/02/2014"] * 500 + ["13/01/2014"] * 3 + ["01/13/2014"]
    assert "two orders" in refusal(tmp_path, cells).message


@pytest.mark.parametrize(
    ("cells", "years"),
    [
        (["11-20", "12-25", "01-03", "02-10"], [2014, 2014, 2015, 2015]),
        (["01-03", "02-10", "11-20", "12-25"], [2014, 2014, 2015, 2015][::-1]),
        (["06-01", "09-30", "12-25", "01-03", "03-31"], [2014, 2014, 2014, 2015, 2015]),
        (["12-25", "01-03", "06-01", "09-30"], [2014, 2015, 2015, 2015]),
        (["09-30", "01-03", "06-01", "12-25"], [2014] * 4),
        (["05-31", "11-12"], [2014, 2014]),
    ],
)
def test_dates_without_a_year_pass_a_new_year_where_the_file_or_a_long_gap_says_so(
    cells, years, tmp_path
):
    reading, found = look(tmp_path, cells, year=2014)
    assert [value.year for value in found] == years
    said = next(p for p in reading.problems if p.code == "no_year").message
    assert ("passes a new year" in said) == (len(set(years)) == 2)


def test_the_unit_of_an_epoch_is_told_by_size_or_by_the_option(tmp_path):
    assert look(tmp_path, ["999999999999"], epoch="milliseconds")[1] == [
        datetime(2001, 9, 9, 1, 46, 39, 999_000)
    ]
    reading, _ = look(tmp_path, ["1699999999", "1700000000"], epoch="milliseconds")
    assert reading.problems[-1].code == "early_times" and reading.refused
    assert "map.epoch" in reading.problems[-1].message


def test_hours_in_digits_are_not_seconds(tmp_path):
    reading, _ = look(tmp_path, ["2014010203", "2014010204"])
    assert (reading.problems[-1].severity, reading.problems[-1].code) == ("refused", "future_times")


@pytest.mark.parametrize(
    ("zone", "cell", "value"),
    [
        ("Europe/London", "2024-07-01 12:00:00", datetime(2024, 7, 1, 11)),
        ("Europe/London", "2024-01-01 12:00", datetime(2024, 1, 1, 12)),
        ("Asia/Shanghai", "01/31/2024", datetime(2024, 1, 30, 16)),
        ("America/New_York", "2024-03-10 12:00:00", datetime(2024, 3, 10, 16)),
        ("America/New_York", "2024-03-09 12:00:00", datetime(2024, 3, 9, 17)),
        ("Asia/Kolkata", "2024-03-09T12:00:00Z", datetime(2024, 3, 9, 12)),
        ("Asia/Kolkata", "1399999999", datetime(2014, 5, 13, 16, 53, 19)),
    ],
)
def test_times_without_a_zone_are_read_in_the_zone_that_is_told(zone, cell, value, tmp_path):
    assert look(tmp_path, [cell], time_zone=zone)[1] == [value]


def test_hours_that_never_were_or_came_twice_are_named(tmp_path):
    cells = ["2024-03-31 01:30:00", "2024-10-27 01:30", "2024-10-27 02:00", "2024-03-31 00:59:59"]
    reading, found = look(tmp_path, cells, time_zone="Europe/London")
    assert found == [
        datetime(2024, 3, 31, 1, 30),
        datetime(2024, 10, 27, 0, 30),
        datetime(2024, 10, 27, 2),
        datetime(2024, 3, 31, 0, 59, 59),
    ]
    named = {p.code: p.lines for p in reading.problems if p.code.startswith("hour")}
    assert named == {"hour_never": (2,), "hour_twice": (3,)}
    assert "taken as Europe/London" in reading.problems[0].message


def test_dates_that_cannot_be_are_listed_and_left_out_or_stop_the_reading(tmp_path):
    good = ["2024-01-02"] * 4
    cells = ["2024-04-31", "2024-01-01 25:61", "2025-01-03", "1970-01-01", "NULL", *good]
    reading, found = look(tmp_path, cells)
    assert found == [None] * 5 + [datetime(2024, 1, 2)] * 4
    lines = {p.code: p.lines for p in reading.problems}
    assert lines["unreadable"] == (2, 3, 6)
    assert (lines["future_times"], lines["early_times"]) == ((4,), (5,))
    unreadable = next(p for p in reading.problems if p.code == "unreadable")
    assert "do not exist, as '2024-04-31': lines 2 and 3" in unreadable.message
    reading, _ = look(tmp_path, cells, unreadable_times="refuse")
    assert [p.code for p in reading.problems if p.severity == "refused"] == [
        "unreadable",
        "early_times",
        "future_times",
    ]


def test_a_day_after_now_is_believed_as_zones_and_clocks_differ(tmp_path):
    assert look(tmp_path, ["2025-01-01 23:00:00", "2025-01-02 01:00:00", "2024-01-01"])[1] == [
        datetime(2025, 1, 1, 23),
        None,
        datetime(2024, 1, 1),
    ]


def test_words_for_missing_do_not_make_a_column_of_times_something_else(tmp_path):
    reading, found = look(tmp_path, ["NULL", "NaN", "NULL", "2024-01-02"])
    assert not reading.refused and found == [None, None, None, datetime(2024, 1, 2)]


def test_many_different_cells_are_read_as_few_are(tmp_path):
    start = datetime(2023, 1, 1)
    times = [start + timedelta(seconds=37 * i) for i in range(150_000)]
    cells = [f"{time:%Y-%m-%d %H:%M:%S}" for time in times]
    cells[7], cells[140_000] = "2023-02-30 00:00:00", "soon"
    reading, found = look(tmp_path, cells)
    assert {p.code: p.lines for p in reading.problems}["unreadable"] == (9, 140_002)
    times[7] = times[140_000] = None
    assert found == times


def test_the_lines_of_a_cell_that_stands_in_many_rows_are_the_first(tmp_path):
    cells = ["a", "2024-01-02"] * 15 + ["b"] * 3 + ["2024-01-02"] * 200
    reading, _ = look(tmp_path, cells)
    problem = next(p for p in reading.problems if p.code == "unreadable")
    assert (problem.count, problem.lines) == (18, (*range(2, 32, 2), 32, 33, 34))


def test_lines_of_several_files_are_named_by_file(tmp_path):
    parts = (
        FilePart(name="may.csv", lines_before=0),
        FilePart(name="june.csv", lines_before=3),
    )
    reading, _ = look(tmp_path, ["02/01/2014", "03/01/2014", "04/01/2014"], parts=parts)
    assert "line 2 of may.csv" in reading.problems[0].message.replace("lines 2 and 3", "line 2")
    assert "june.csv" in reading.problems[0].message


TWO_FILES = (FilePart(name="x.csv", lines_before=0), FilePart(name="y.csv", lines_before=3))


def test_the_order_of_dates_in_one_file_is_not_taken_for_another(tmp_path):
    cells = ["13/02/2024", "01/02/2024", "02/03/2024", "02/05/2024"]
    reading, _ = look(tmp_path, cells, TWO_FILES)
    (problem,) = reading.problems
    assert (problem.severity, problem.code, problem.lines) == ("refused", "unclear_times", (4, 5))
    assert "no cell of y.csv settles" in problem.message
    assert "Set map.date_order to day_first or month_first" in problem.message
    _, found = look(tmp_path, cells, TWO_FILES, date_order="day_first")
    assert found[2] == datetime(2024, 3, 2)


@pytest.mark.parametrize("second", [["14/02/2024", "02/03/2024"], ["05/05/2024", "06/06/2024"]])
def test_files_that_settle_their_order_or_do_not_need_one_are_read(second, tmp_path):
    reading, found = look(tmp_path, ["13/02/2024", "01/02/2024", *second], TWO_FILES)
    assert not reading.refused and None not in found


@pytest.mark.parametrize(
    ("zones", "told"),
    [
        (("+02:00", "-05:00"), "(+02:00, -05:00)"),
        (("Z", "+0530"), "(+00:00, +05:30)"),
        (("UTC+2", "+3"), "(+02:00, +03:00)"),
        (("Z", "+00:00", "UTC", "-0000"), None),
        (("+02:00", "+0200", "+2"), None),
    ],
)
def test_times_of_different_offsets_are_said_to_be_in_utc(zones, told, tmp_path):
    reading, found = look(tmp_path, [f"2024-01-01T12:00:00{zone}" for zone in zones])
    assert None not in found
    said = [p.message for p in reading.problems if p.code == "mixed_offsets"]
    assert bool(said) == (told is not None)
    assert not said or (told in said[0] and "All were brought to UTC" in said[0])
