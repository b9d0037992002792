import json
from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from core.artifacts import ColumnMapping
from core.errors import MappingRefused
from core.events import engine
from core.events.columns.amounts import read_numbers
from core.events.columns.reading import Column
from core.events.columns.times import read_times
from core.events.map_options import MapOptions
from core.events.mapping import (
    complete,
    guess,
    guessed_mapping,
    inspect_report,
    map_events,
    parse_mapping,
)
from core.events.read import ReadOptions, read

SHARED = Path(__file__).parents[3].parent / "shared"
SHOP = "user_id,timestamp,action,item,category,duration,price,platform\n"


def log(tmp_path, text):
    path = tmp_path / "log.csv"
    path.write_text(text, "utf-8")
    return read(path, tmp_path, ReadOptions(), name="log.csv")


AS_IT_IS = MapOptions()


def mapped(tmp_path, text, options=AS_IT_IS, **columns):
    events = map_events(log(tmp_path, text), ColumnMapping(**columns), tmp_path, options)
    return events, pq.read_table(events.path).to_pydict()


def codes(events):
    return [problem.code for problem in events.problems]


def guesses(tmp_path, header, row):
    return guessed_mapping(log(tmp_path, f"{header}\n{row}\n")).columns()


def test_a_shop_log_is_guessed_from_its_names(tmp_path):
    raw = log(tmp_path, SHOP + "u1,2024-01-01 10:00:00,view,i1,shoes,3.5,9.99,web\n")
    found = guess(raw)
    assert {g.role: g.column for g in found} == {
        "user": "user_id",
        "time": "timestamp",
        "action": "action",
        "item": "item",
        "category": "category",
        "duration": "duration",
        "price": "price",
        "platform": "platform",
    }
    assert all(g.confidence >= 0.9 for g in found)
    assert "its name says who acted" in found[0].why


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        (
            "timestamp,visitorid,event,itemid,transactionid",
            "1433221332117,257597,view,355908,",
            {"user": "visitorid", "time": "timestamp", "action": "event", "item": "itemid"},
        ),
        (
            "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,"
            "user_session",
            "2019-10-01 00:00:00 UTC,view,44600062,2103807459595387724,shoes,shiseido,35.79,5,a-b",
            {
                "user": "user_id",
                "time": "event_time",
                "action": "event_type",
                "item": "product_id",
                "category": "category_code",
                "price": "price",
                "session": "user_session",
            },
        ),
        (
            "用户ID,商品ID,商品类目,行为类型,时间戳,金额",
            "1,2268318,2520377,pv,1511544070,3.5",
            {
                "user": "用户ID",
                "item": "商品ID",
                "category": "商品类目",
                "action": "行为类型",
                "time": "时间戳",
                "value": "金额",
            },
        ),
        (
            "age,customer_name,Wann,time_spent,persona",
            "31,ann,2024-01-31,12,bargain",
            {
                "user": "customer_name",
                "time": "Wann",
                "duration": "time_spent",
                "label": "persona",
            },
        ),
        ("a,b,c", "1,2,x", {}),
    ],
)
def test_other_common_logs_are_guessed(header, row, expected, tmp_path):
    assert guesses(tmp_path, header, row) == expected


def test_a_name_is_not_enough_where_the_cells_say_otherwise(tmp_path):
    rows = "".join(f"u{i % 3},2024-01-{i % 28 + 1:02},event-{i},cheap\n" for i in range(60))
    found = guessed_mapping(log(tmp_path, "user,time,event_id,price\n" + rows))
    assert found.columns() == {"user": "user", "time": "time"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "online_retail/onlineretail.csv",
            {
                "user": "CustomerID",
                "time": "InvoiceDate",
                "item": "StockCode",
                "price": "UnitPrice",
                "quantity": "Quantity",
            },
        ),
        (
            "complete_journey/events_labelled.csv",
            {
                "user": "household_id",
                "time": "transaction_timestamp",
                "action": "action",
                "item": "product_id",
                "category": "product_category",
                "quantity": "quantity",
                "value": "sales_value",
            },
        ),
    ],
)
def test_the_columns_of_real_logs_are_guessed(name, expected, tmp_path):
    path = SHARED / "data" / name
    if not path.is_file():
        pytest.skip("the real logs are not beside the repository")
    with path.open(encoding="utf-8") as stream:
        text = "".join(line for _, line in zip(range(2000), stream, strict=False))
    assert guessed_mapping(log(tmp_path, text)).columns() == expected


def test_a_mapping_is_read_from_text_and_bad_ones_are_refused():
    assert parse_mapping("user=a,time=at (a, b)") == {"user": "a", "time": "at (a, b)"}
    assert parse_mapping("user=a,category=") == {"user": "a", "category": ""}
    assert parse_mapping("") == {}
    with pytest.raises(MappingRefused, match="Did you mean 'user'"):
        parse_mapping("usr=a")
    with pytest.raises(MappingRefused, match="given twice"):
        parse_mapping("user=a,user=b")


def test_what_is_given_wins_over_what_is_guessed(tmp_path):
    raw = log(tmp_path, "user,time,category,price\na,2024-01-01,x,1\n")
    mapping = complete(raw, {"user": "category", "price": ""})
    assert mapping.columns() == {"user": "category", "time": "time"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"user": "usr"}, "Column 'usr' (for user) is not there.*Did you mean 'user'"),
        ({"user": "time", "time": "time"}, "chosen for user and for time"),
        ({"user": ""}, "No column is chosen for user.*user, time, price"),
    ],
)
def test_a_mapping_that_does_not_fit_the_file_is_refused(given, words, tmp_path):
    raw = log(tmp_path, "user,time,price\na,2024-01-01,1\n")
    with pytest.raises(MappingRefused, match=words.replace("(", r"\(").replace(")", r"\)")):
        complete(raw, given)
    with pytest.raises(MappingRefused):
        map_events(raw, ColumnMapping(**{"user": None, "time": "time", **given}), tmp_path)


def test_events_are_typed_in_the_order_of_the_file(tmp_path):
    events, table = mapped(
        tmp_path,
        SHOP + '007,2024-01-01T10:00:00Z,view,17850.0,"a\nb",3.5,,web\n'
        ",2024-01-01T09:00:00+01:00,,i2,,x,1e400,\n7,bad,buy,i1,c,2,5,app\n7,,buy,i1,c,2,5,app\n",
        user="user_id",
        time="timestamp",
        action="action",
        item="item",
        category="category",
        duration="duration",
        price="price",
        platform="platform",
    )
    assert len(set(table.pop("row_hash"))) == 4
    assert list(table.items()) == [
        ("user", ["007", None, "7", "7"]),
        ("time", [datetime(2024, 1, 1, 10), datetime(2024, 1, 1, 8), None, None]),
        ("action", ["view", None, "buy", "buy"]),
        ("item", ["17850.0", "i2", "i1", "i1"]),
        ("category", ["a\nb", None, "c", "c"]),
        ("duration", [3.5, None, 2, 2]),
        ("price", [None, None, 5, 5]),
        ("quantity", [None] * 4),
        ("session", [None] * 4),
        ("platform", ["web", None, "app", "app"]),
        ("query", [None] * 4),
        ("label", [None] * 4),
        ("line", [2, 4, 5, 6]),
        ("unreadable", ["", "duration,price", "time", ""]),
    ]
    assert (events.n_events, events.n_users) == (4, 2)
    assert events.present == (
        *("user", "time", "action", "item", "category", "duration", "price", "platform"),
    )
    assert {p.column: p.lines for p in events.problems if p.code == "unreadable"} == {
        "timestamp": (5,),
        "duration": (4,),
        "price": (4,),
    }
    schema = pq.read_schema(events.path)
    kinds = [str(schema.field(name).type) for name in ("user", "time", "price", "line")]
    assert kinds == ["string", "timestamp[us]", "double", "int64"]


def test_a_log_without_actions_gets_a_constant_one_and_says_so(tmp_path):
    events, table = mapped(tmp_path, "u,t\na,2024-01-01T00:00:00Z\n", user="u", time="t")
    assert table["action"] == ["event"]
    assert table["price"] == [None]
    assert codes(events) == ["no_action"]


def test_column_names_are_never_taken_for_sql(tmp_path):
    name = "x\" FROM read_parquet('no'); DROP TABLE \"a$path"
    header = '"' + name.replace('"', '""') + '",time,user,line,cell\n'
    events, table = mapped(
        tmp_path, header + "a,2024-01-01,wrong,9,8\n", user=name, time="time", item="line"
    )
    assert table["user"] == ["a"] and table["item"] == ["9"] and table["line"] == [2]
    assert events.n_users == 1


@pytest.mark.parametrize("name", ["$path", "$return_0", "$code_0", "$name_0", "$rule_value_1"])
@pytest.mark.parametrize("role", ["category", None])
def test_a_column_called_as_a_value_of_our_own_is_but_a_column(name, role, tmp_path):
    text = f"user,time,action,{name},price\nu1,2024-01-01,return,shoes,-5\n"
    raw = log(tmp_path, text + "u1,2024-01-02,view,hats,0\n")
    columns = {"category": name} if role else {}
    mapping = ColumnMapping(user="user", time="time", action="action", price="price", **columns)
    options = MapOptions(rules=(f"seen if {name} = hats",), action_names=("view=look",))
    table = pq.read_table(map_events(raw, mapping, tmp_path, options).path).to_pydict()
    assert table["action"] == ["return", "seen"] and table["price"] == [5, 0]
    told = inspect_report(raw, guess(raw), options)
    assert told["examples"]["action"]["value"] == "return"


def test_ids_that_may_be_no_ids_are_kept_with_a_warning(tmp_path):
    text = "u,t,a\nNA,2024-01-01,x\n b,2024-01-02,x\nb,2024-01-02,x\n"
    events, table = mapped(tmp_path, text, user="u", time="t", action="a")
    assert table["user"] == ["NA", " b", "b"]
    found = {p.code: p.lines for p in events.problems}
    assert found["missing_words"] == (2,) and found["spaces_around"] == (3,)


@pytest.mark.parametrize("user", ["1.23457E+15", "1,23457e+15", "9E+15", "1.2e15"])
def test_ids_that_a_spreadsheet_rounded_are_told_of(user, tmp_path):
    text = f'user,time\n"{user}",2024-01-01\n"{user}",2024-01-02\nu2,2024-01-02\n'
    events, table = mapped(tmp_path, text, user="user", time="time")
    (said,) = [problem for problem in events.problems if problem.code == "rounded_ids"]
    assert said.count == 2 and said.lines == (2, 3)
    assert f"'{user}' (lines 2 and 3). Different ids may have become the same" in said.message
    assert table["user"][0] == user


@pytest.mark.parametrize("user", ["1e5", "5e10", "1.5", "e+15", "1.2.3e+4", "12E+3"])
def test_ids_that_only_hold_an_e_are_no_rounded_numbers(user, tmp_path):
    events, _ = mapped(tmp_path, f"user,time\n{user},2024-01-01\n", user="user", time="time")
    assert "rounded_ids" not in codes(events)


@pytest.mark.parametrize("sign", ["\ufeff", "\u200b", "\u2060", "\u00ad", "\u200e"])
def test_signs_that_cannot_be_seen_in_an_id_are_told_of(sign, tmp_path):
    text = f"user,time\nu1,2024-01-01\nu1{sign},2024-01-02\nzoë,2024-01-02\n"
    events, table = mapped(tmp_path, text, user="user", time="time")
    (said,) = [problem for problem in events.problems if problem.code == "unseen_signs"]
    assert said.count == 1 and "'u1?' (line 3)" in said.message
    assert table["user"] == ["u1", f"u1{sign}", "zoë"]


def problems_of(raw, code):
    found = inspect_report(raw, guess(raw))["problems"]
    return [problem["message"] for problem in found if problem["code"] == code]


def test_times_of_day_apart_from_the_dates_are_named(tmp_path):
    raw = log(tmp_path, "user,date,time\nu1,2024-01-31,18:30\nu2,2024-01-31,6:05:01 PM\n")
    (message,) = problems_of(raw, "clock_apart")
    assert message.startswith("Column 'time' holds times of day apart from the dates in 'date'.")
    mapping = ColumnMapping(user="user", time="date")
    assert "clock_apart" in codes(map_events(raw, mapping, tmp_path))
    whole = log(tmp_path, "user,date,seen\nu1,2024-01-31 10:00,18:30\n")
    assert not problems_of(whole, "clock_apart")


def test_times_of_day_are_no_actions(tmp_path):
    raw = log(tmp_path, "user,date,event_time\nu1,2024-01-31,18:30\nu2,2024-01-31,18:40\n")
    assert guessed_mapping(raw).columns() == {"user": "user", "time": "date"}


@pytest.mark.parametrize(
    ("name", "cells", "words"),
    [
        ("duration", ("00:01:30", "00:00:10"), "like a duration, but 0% of its cells are numbers"),
        ("price", ("NaN", "3", "inf"), "like a price, but 33% of its cells are numbers"),
    ],
)
def test_a_column_named_like_a_role_that_is_left_out_is_told(name, cells, words, tmp_path):
    text = f"user,time,{name}\n" + "".join(f"u1,2024-01-31 10:00,{cell}\n" for cell in cells)
    (message,) = problems_of(log(tmp_path, text), "named_like_role")
    assert words in message and f"({name}={name})" in message


def test_a_column_in_its_role_or_in_none_is_not_said_to_be_left_out(tmp_path):
    text = "user,time,duration,remark,price\nu1,2024-01-31 10:00,5,x,\n"
    assert not problems_of(log(tmp_path, text), "named_like_role")


def test_a_duration_in_another_unit_is_converted_with_a_warning(tmp_path):
    text = "u,t,dwell_ms\na,2024-01-01,1500\n"
    events, table = mapped(tmp_path, text, user="u", time="t", duration="dwell_ms")
    assert table["duration"] == [1.5]
    assert "duration_unit" in codes(events)


def test_a_blank_column_is_refused_for_users_and_named_for_the_rest(tmp_path):
    raw = log(tmp_path, "u,t,p,w\n,2024-01-01,,w\n")
    with pytest.raises(MappingRefused, match=r"'u' \(user\) is blank"):
        map_events(raw, ColumnMapping(user="u", time="t"), tmp_path)
    events = map_events(raw, ColumnMapping(user="w", time="t", price="p"), tmp_path)
    assert [p.column for p in events.problems if p.code == "blank_column"] == ["p"]


def test_columns_that_cannot_be_read_without_guessing_stop_the_mapping_all_at_once(tmp_path):
    raw = log(tmp_path, "u;t;p\na;01/02/2024;1,5\nb;02/03/2024;2.5\n")
    with pytest.raises(MappingRefused) as caught:
        map_events(raw, ColumnMapping(user="u", time="t", price="p"), tmp_path)
    assert "whether the day or the month comes first" in str(caught.value)
    assert "two decimal marks: '1,5' (line 2) and '2.5' (line 3)" in str(caught.value)


def test_the_fingerprint_follows_the_mapping(tmp_path):
    raw = log(tmp_path, "u,v,t\na,b,2024-01-01\n")
    one = map_events(raw, ColumnMapping(user="u", time="t"), tmp_path)
    two = map_events(raw, ColumnMapping(user="v", time="t"), tmp_path)
    assert one.fingerprint != two.fingerprint


def test_the_problems_of_the_file_travel_with_the_events(tmp_path):
    events, _ = mapped(tmp_path, "u,t\na,2024-01-01\n,\n", user="u", time="t")
    assert codes(events) == ["blank_rows", "no_zone", "dates_only", "no_action"]


def test_a_file_is_described_before_anything_is_done_with_it(tmp_path):
    raw = log(tmp_path, "user;time;price\na;2024-01-01;3,50\nb;soon;2,00\nc;2024-01-01;x\n")
    report = inspect_report(raw, guess(raw))
    assert json.loads(json.dumps(report)) == report
    assert report["dialect"] == {"encoding": "utf-8", "delimiter": ";"}
    assert (report["n_rows"], report["columns"]) == (3, ["user", "time", "price"])
    assert report["mapping"] == {"user": "user", "time": "time", "price": "price"}
    assert {g["role"] for g in report["guesses"]} == {"user", "time", "price"}
    lines = {(p["code"], p["column"]): p["lines"] for p in report["problems"]}
    assert lines[("unreadable", "time")] == [3] and lines[("unreadable", "price")] == [4]
    assert lines[("comma_numbers", "price")] == [2, 3]


def test_money_is_the_value_else_the_price_of_all_pieces(tmp_path):
    text = "u,t,p,q,v\na,2024-01-01,2,3,\na,2024-01-01,2,-3,7\na,2024-01-01,2,,\n"
    columns = {"user": "u", "time": "t", "price": "p", "quantity": "q"}
    options = MapOptions(rules=())
    events, table = mapped(tmp_path, text, options, **columns)
    assert table["price"] == [6, 6, None] and table["quantity"] == [3, -3, None]
    assert events.present == ("user", "time", "price", "quantity")
    events, table = mapped(
        tmp_path, text + "c,2024-01-01,2,1,8\nb,2024-01-01,2,1,x\n", options, **columns, value="v"
    )
    assert table["price"] == [6, 7, None, 8, None]
    assert table["unreadable"] == ["", "", "", "", "price"]
    assert events.present == ("user", "time", "price", "quantity")


@pytest.mark.parametrize(
    ("options", "unreadable"),
    [
        ({}, ["time", "price,quantity"]),
        ({"unreadable_numbers": "drop"}, ["time", "drop:price,drop:quantity"]),
    ],
)
def test_what_could_not_be_read_is_marked_with_what_follows(options, unreadable, tmp_path):
    text = "u,t,p,q\na,soon,2,3\na,2024-01-01,x,y\na,2024-01-01,2,3\nb,2024-01-01,1,1\n"
    columns = {"user": "u", "time": "t", "price": "p", "quantity": "q"}
    _, table = mapped(tmp_path, text, MapOptions(**options), **columns)
    assert table["unreadable"] == [*unreadable, "", ""]


def test_refused_cells_of_all_columns_are_told_at_once_with_their_lines(tmp_path):
    raw = log(tmp_path, "u,t,p,q\na,soon,2,3\na,2024-01-01,x,y\n" + "b,2024-01-01,1,1\n" * 3)
    options = MapOptions(unreadable_times="refuse", unreadable_numbers="refuse")
    mapping = ColumnMapping(user="u", time="t", price="p", quantity="q")
    with pytest.raises(MappingRefused) as caught:
        map_events(raw, mapping, tmp_path, options)
    assert "as 'soon': line 2" in str(caught.value)
    assert "as 'x': line 3" in str(caught.value) and "as 'y': line 3" in str(caught.value)


def test_ids_that_went_through_decimals_are_kept_and_noted(tmp_path):
    text = "u,t\n17850.0,2024-01-01\n17851.0,2024-01-01\n"
    events, table = mapped(tmp_path, text, user="u", time="t")
    assert table["user"] == ["17850.0", "17851.0"]
    (said,) = [p.message for p in events.problems if p.code == "float_ids"]
    assert "as '17850.0'; kept as they are" in said
    events, _ = mapped(tmp_path, text + "17850,2024-01-01\n", user="u", time="t")
    (said,) = [p.message for p in events.problems if p.code == "float_ids"]
    assert "as '17850' and as '17850.0' (lines 2 and 3)" in said and "counts as two" in said


@pytest.mark.parametrize(
    ("column", "option", "seconds", "warned"),
    [
        ("dwell", "auto", 2.0, False),
        ("dwell_ms", "auto", 0.002, True),
        ("dwell_ms", "seconds", 2.0, False),
        ("dwell", "minutes", 120.0, True),
        ("停留时长_分钟", "auto", 120.0, True),
    ],
)
def test_the_unit_of_durations_is_told_or_stated_by_the_name(
    column, option, seconds, warned, tmp_path
):
    events, table = mapped(
        tmp_path,
        f"u,t,{column}\na,2024-01-01,2\n",
        MapOptions(duration_unit=option),
        user="u",
        time="t",
        duration=column,
    )
    assert table["duration"] == [seconds] and ("duration_unit" in codes(events)) == warned


def test_an_inspection_shows_how_a_cell_is_read_and_what_is_suggested(tmp_path):
    raw = log(
        tmp_path,
        'user,time,quantity,price\na,2022/01/27 11:04:57 PM,1,"1,250.00"\n'
        "a,2022/01/28 11:04:57 AM,-1,5.00\nb,2022/01/28 11:04:57 AM,1,5.00\n"
        "b,2022/01/28 11:04:57 AM,1,5.00\n",
    )
    report = inspect_report(raw, guess(raw))
    assert json.loads(json.dumps(report)) == report
    assert report["examples"]["time"] == {
        "column": "time",
        "cell": "2022/01/27 11:04:57 PM",
        "value": "2022-01-27 23:04:57",
    }
    assert report["examples"]["price"]["value"] == "1250.0"
    assert report["suggested"] == {
        "rules": ["return if quantity < 0"],
        "default_action": "purchase",
    }
    assert len(report["why"]) == 2 and report["action_codes"] == []


def test_the_future_is_told_by_the_moment_that_is_given(tmp_path):
    raw = log(tmp_path, "u,t\na,2024-01-01\na,2024-06-01\na,2024-01-02\n")
    mapping, now = ColumnMapping(user="u", time="t"), datetime(2024, 3, 1)
    events = map_events(raw, mapping, tmp_path, MapOptions(), now)
    assert [p.lines for p in events.problems if p.code == "future_times"] == [(3,)]
    assert pq.read_table(events.path)["unreadable"].to_pylist() == ["", "time", ""]
    assert "future_times" not in codes(map_events(raw, mapping, tmp_path))


def test_the_real_sales_log_is_read_as_an_analyst_would(tmp_path):
    path = SHARED / "data/online_retail/onlineretail.csv"
    if not path.is_file():
        pytest.skip("the real logs are not beside the repository")
    with path.open(encoding="utf-8") as stream:
        text = "".join(line for _, line in zip(range(20_000), stream, strict=False))
    raw = log(tmp_path, text)
    events = map_events(raw, complete(raw, {}), tmp_path)
    table = pq.read_table(events.path).to_pandas()
    cancelled = sum(line.startswith("C") for line in text.splitlines()[1:])
    by_number, by_quantity = [p.message for p in events.problems if p.code == "rule"]
    assert by_number.startswith(f"{cancelled} rows of ")
    assert "the rule 'return if InvoiceNo starts C'" in by_number
    assert "the rule 'return if Quantity < 0'" in by_quantity
    back = table[table.action == "return"]
    assert (back.quantity < 0).all() and (back.price >= 0).all() and len(back) > cancelled
    assert set(table.action) == {"purchase", "return"}


def values_of(name, column, reader, tmp_path):
    raw = read(SHARED / "badcsv" / name, tmp_path, ReadOptions(), name=name)
    with engine.connect() as db:
        cells = Column(db, str(raw.path), column)
        reading = reader(cells, MapOptions())
        query = f"SELECT {reading.value(cells.cell)} FROM read_parquet($path) ORDER BY __line__"
        found = db.execute(query, {"path": str(raw.path)}).fetchall()
    return [value for (value,) in found], [problem.code for problem in reading.problems]


badcsv = pytest.mark.skipif(
    not (SHARED / "badcsv").is_dir(), reason="the bad-file suite is not beside the repository"
)


@badcsv
@pytest.mark.parametrize(
    ("name", "column", "values"),
    [
        (
            "70_thousands_quoted.csv",
            "money",
            [100_000.0, 300_000.2, 300_000_000.4, 50.0, 9_999_999_999.2],
        ),
        ("83_german_mixed.csv", "Wasserstand", [146.0, 145.0, 145.0, 144.0, 143.0, 143.0, 142.0]),
    ],
)
def test_the_numbers_of_a_bad_file_are_right(name, column, values, tmp_path):
    assert values_of(name, column, read_numbers, tmp_path)[0] == values


@badcsv
@pytest.mark.parametrize(
    ("name", "column", "first", "warned"),
    [
        (
            "61_leading_zero_codes.csv",
            "data_entrata_in_carica",
            "2021-10-13 00:00:00",
            "date_order",
        ),
        ("77_mixed_offsets.csv", "time", "2020-01-01 00:00:00", "some_no_zone"),
        ("79_ampm.csv", "flight_date_time", "2022-01-27 23:04:57", "no_zone"),
        ("81_ambiguous_dates.csv", "a", "2014-01-02 00:00:00", "date_order"),
        ("83_german_mixed.csv", "Zeit [MEZ]", "2013-07-09 12:00:00", "some_dates_only"),
    ],
)
def test_the_times_of_a_bad_file_are_right(name, column, first, warned, tmp_path):
    found, codes = values_of(name, column, read_times, tmp_path)
    assert str(found[0]) == first and None not in found and warned in codes


@badcsv
@pytest.mark.parametrize(
    ("name", "severity", "lines"),
    [
        ("68_nan_inf_words.csv", "warning", [2, 3, 4]),
        ("68_nan_inf_words.csv", "warning", [10]),
        ("70_thousands_quoted.csv", "warning", [2, 3, 4]),
        ("74_late_wrong_type.csv", "warning", [8, 14, 19]),
        ("76_mixed_timestamps.csv", "refused", [4]),
        ("77_mixed_offsets.csv", "warning", [2]),
        ("85_typo_date.csv", "refused", [3]),
    ],
)
def test_what_a_bad_file_means_is_never_guessed(name, severity, lines, tmp_path):
    raw = read(SHARED / "badcsv" / name, tmp_path, ReadOptions(), name=name)
    problems = inspect_report(raw, guess(raw))["problems"]
    assert lines in [p["lines"] for p in problems if p["severity"] == severity]
