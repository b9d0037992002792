from dataclasses import replace

import pytest

from core.artifacts import FilePart
from core.events.guess import guess
from core.events.mapping import guessed_mapping
from core.events.read import ReadOptions, read


def log(tmp_path, header, rows):
    path = tmp_path / "log.csv"
    path.write_text(f"{header}\n" + "".join(f"{row}\n" for row in rows), "utf-8")
    return read(path, tmp_path, ReadOptions(), name="log.csv")


def roles(raw):
    return {g.role: g.column for g in guess(raw)}


def test_the_new_roles_are_known_by_their_names_in_both_languages(tmp_path):
    raw = log(tmp_path, "uid,ts,qty,amount,session_id,search_term", ["a,2024-01-01,1,9.5,s1,shoes"])
    assert roles(raw) == {
        "user": "uid",
        "time": "ts",
        "quantity": "qty",
        "value": "amount",
        "session": "session_id",
        "query": "search_term",
    }
    raw = log(
        tmp_path,
        "会员编号,支付时间,购买数量,实付金额,会话ID,搜索词,商品名称,商品价格,渠道",
        ["a,2024-01-01,1,9.5,s1,鞋,red shoe,9,web"],
    )
    assert roles(raw) == {
        "user": "会员编号",
        "time": "支付时间",
        "item": "商品名称",
        "price": "商品价格",
        "quantity": "购买数量",
        "value": "实付金额",
        "session": "会话ID",
        "platform": "渠道",
        "query": "搜索词",
    }


@pytest.mark.parametrize(
    ("name", "cells", "role"),
    [
        ("value", ["cheap", "dear"] * 60, "value"),
        ("value", ["01", "002", "00003"] * 40, "value"),
        ("session", ["s1"] * 120, "session"),
        ("search_query", [str(i) for i in range(120)], "query"),
        ("event", [f"e{i}" for i in range(120)], "action"),
        ("quantity", ["many", "few"] * 60, "quantity"),
        ("discount_amount", ["1.5"] * 120, "value"),
    ],
)
def test_contents_can_say_no_to_a_name(name, cells, role, tmp_path):
    raw = log(tmp_path, f"{name},other", [f"{cell},x{i}" for i, cell in enumerate(cells)])
    assert role not in roles(raw)


@pytest.mark.parametrize("cells", [["one"] * 120, [f"u{i}" for i in range(120)]])
def test_a_user_column_without_users_to_tell_apart_is_doubted(cells, tmp_path):
    raw = log(tmp_path, "customer,other", [f"{cell},x" for cell in cells])
    assert {g.role: g.confidence for g in guess(raw)}["user"] < 0.5


def test_what_was_done_is_known_from_the_cells_alone(tmp_path):
    raw = log(tmp_path, "who,x,kind", [f"a,1,{w}" for w in ("view", "add_to_cart", "buy", "zz")])
    found = {g.role: g for g in guess(raw)}["action"]
    assert (found.column, found.confidence) == ("kind", 0.45)
    assert "75% of its different values say what was done" in found.why


def test_the_price_of_a_product_is_a_price(tmp_path):
    raw = log(tmp_path, "user,time,product_price", ["a,2024-01-01,12"])
    assert guessed_mapping(raw).columns() == {
        "user": "user",
        "time": "time",
        "price": "product_price",
    }


@pytest.mark.parametrize(
    ("names", "sure"), [(("web.csv", "app.csv"), True), (("2024-05.csv", "2024-06.csv"), False)]
)
def test_file_names_are_offered_as_platforms_unless_they_look_like_pieces(names, sure, tmp_path):
    raw = log(tmp_path, "user,time,source", ["a,2024-01-01,web", "a,2024-01-01,app"])
    parts = tuple(FilePart(name=name, lines_before=at) for at, name in enumerate(names))
    raw = replace(raw, parts=parts)
    found = {g.role: g for g in guess(raw)}["platform"]
    assert "which file a row came from" in found.why
    assert (guessed_mapping(raw).platform == "source") == sure
