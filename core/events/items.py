"""The items table: what a shop sells, read through the same strict gate as a log."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb
import pyarrow as pa

from core.artifacts import Items, Problem, RawLog, fingerprint
from core.errors import FileRefused
from core.events import engine
from core.events.columns.reading import quoted
from core.events.columns.role_names import words_of
from core.events.problems import LINES_SHOWN, counted, plural, shown, spell_lines, warning
from core.events.read import ReadOptions, read

VERSION = 1
COLUMNS = ("item", "title", "category", "brand", "price")
"""What a column of an items table can be. Only the item id must be there."""

_NAMES = {
    "item": "itemid productid skuid sku stockcode articleid goodsid asin id item product article "
    "goods itemcode productcode itemno productno articleno code 商品id 商品编号 商品编码 商品 "
    "产品id 产品编号 产品 物品id 物品 货号 编号",
    "title": "title name producttitle itemtitle productname itemname articlename goodsname "
    "displayname description productdescription itemdescription 标题 商品标题 商品名称 商品名 "
    "产品名称 名称 品名 描述 商品描述",
    "category": "category productcategory itemcategory categoryname categorycode categoryid catid "
    "cat department subcategory producttype productgroup section 类目 商品类目 类目id 类别 品类 "
    "分类",
    "brand": "brand brandname manufacturer vendor 品牌 品牌名 厂商",
    "price": "price unitprice itemprice listprice saleprice retailprice 价格 单价 售价",
}
"""Names by role, likeliest first, without separators and in lower case."""

_ENDINGS = {
    "item": "id code no nr number sku 编号 编码",
    "title": "title name description 标题 名称 描述",
    "category": "category department 类目 类别 品类 分类",
    "brand": "brand 品牌",
    "price": "price 价格",
}
"""Last words by role: weaker evidence; for ids and titles the name must also speak of an item."""

_THINGS = ("item", "product", "article", "goods", "sku", "商品", "产品", "物品")

_WEAK = 1000
"""Rank of a name that is known by its last word only."""


def read_items(path: Path, folder: Path, options: ReadOptions, *, name: str) -> Items:
    """Read a table of items; which column is which is told from the names, in English or Chinese.

    ``folder`` gets ``items.parquet`` and what the gate writes; ``name`` is what the analyst calls
    the file. Ids stay text, exact to the last sign. Rows without an id are set aside, and of
    several rows of one item the first is kept; both are counted in the problems, with their
    lines. Raises FileRefused where the file cannot be read, no column holds item ids, or
    nothing stands beside them.
    """
    raw = read(path, folder, options, name=name)
    columns = item_columns(raw.columns)
    _check(raw, columns)
    out = folder / "items.parquet"
    with engine.connect(folder) as db:
        _open_rows(db, raw, columns)
        db.execute(
            f"COPY (SELECT {', '.join(COLUMNS)} FROM items WHERE copy = 1 ORDER BY item) "
            "TO $out (FORMAT parquet)",
            {"out": str(out)},
        )
        n_items = _one(db, "SELECT count(*) FROM items WHERE copy = 1")
        problems = (*raw.problems, *_problems(db, columns))
    if not n_items:
        raise FileRefused(
            f"'{name}' holds no item: column '{columns['item']}' (item id) is blank in every row."
        )
    return Items(
        path=out,
        name=name,
        columns=columns,
        n_items=n_items,
        problems=problems,
        fingerprint=fingerprint(raw.fingerprint, "items", VERSION, columns),
    )


def item_columns(names: Iterable[str]) -> dict[str, str]:
    """Column by what it seems to be; every column is one thing at most, the likeliest name wins."""
    ranked = [
        (rank, column, name)
        for name in names
        for column in COLUMNS
        if (rank := _rank(column, name)) is not None
    ]
    found: dict[str, str] = {}
    for _, column, name in sorted(ranked, key=lambda offer: offer[0]):  # stable
        if column not in found and name not in found.values():
            found[column] = name
    return {column: found[column] for column in COLUMNS if column in found}


def titles(items: Items, of: Iterable[str]) -> dict[str, str]:
    """Titles of some items, to be shown beside their ids; those that have none are left out.

    Only the items asked for are kept in memory. Titles are data: never trusted as markup.
    """
    wanted = pa.table({"item": pa.array(sorted(set(of)), pa.string())})
    with engine.connect() as db:
        db.register("wanted", wanted)
        found = db.execute(
            "SELECT item, title FROM read_parquet($path) SEMI JOIN wanted USING (item) "
            "WHERE title IS NOT NULL ORDER BY item",
            {"path": str(items.path)},
        ).fetchall()
    return dict(found)


def _rank(column: str, name: str) -> int | None:
    """Place of a name among those of a column, lower is likelier; None where it is no such name."""
    words, names = words_of(name), _NAMES[column].split()
    whole = "".join(words)
    if whole in names:
        return names.index(whole)
    speaks_of_items = column not in ("item", "title") or any(
        thing in words or (not thing.isascii() and thing in whole) for thing in _THINGS
    )
    ends = any(
        words[-1:] == [end] or (not end.isascii() and whole.endswith(end))
        for end in _ENDINGS[column].split()
    )
    return _WEAK if ends and speaks_of_items else None


def _check(raw: RawLog, columns: dict[str, str]) -> None:
    has = f"It has: {', '.join(raw.columns)}."
    if "item" not in columns:
        raise FileRefused(
            f"'{raw.name}' names no column of item ids. {has} Name the column item_id (or "
            "product_id, sku, 商品id), with ids written as in the log."
        )
    if len(columns) == 1:
        raise FileRefused(
            f"'{raw.name}' tells nothing of its items: beside the ids ('{columns['item']}') no "
            f"column is named title, category, brand or price. {has}"
        )


def _open_rows(db: duckdb.DuckDBPyConnection, raw: RawLog, columns: dict[str, str]) -> None:
    """Make the table ``items`` of all rows with an id: ``copy`` counts those of one item."""
    cells = ", ".join(
        f"{quoted(columns[c])} AS {c}" if c in columns else f"CAST(NULL AS VARCHAR) AS {c}"
        for c in COLUMNS
    )
    db.execute(
        f"CREATE TEMP TABLE cells AS SELECT {cells}, __line__ AS line FROM read_parquet($path)",
        {"path": str(raw.path)},
    )
    told = ", ".join(COLUMNS[1:])
    db.execute(
        f"CREATE TEMP TABLE items AS SELECT *, row_number() OVER same AS copy, "
        f"row({told}) IS DISTINCT FROM first_value(row({told})) OVER same AS differs "
        "FROM cells WHERE item IS NOT NULL WINDOW same AS (PARTITION BY item ORDER BY line)"
    )


def _problems(db: duckdb.DuckDBPyConnection, columns: dict[str, str]) -> tuple[Problem, ...]:
    column = columns["item"]
    wanted = (
        ("no_item_id", "cells WHERE item IS NULL", "no id in it and {} set aside"),
        (
            "repeated_items",
            "items WHERE copy > 1 AND NOT differs",
            "the id and cells of a row that came before and {} passed over",
        ),
        (
            "differing_items",
            "items WHERE copy > 1 AND differs",
            "the id of a row that came before with other cells (such as item '{}'); the first row "
            "of an item is kept, the others are passed over",
        ),
    )
    found = []
    for code, rows, text in wanted:
        count, lines, example = db.execute(
            f"SELECT count(*), min(line, {LINES_SHOWN}), arg_min(item, line) FROM {rows}"
        ).fetchall()[0]
        if count:
            were, have = ("was", "has") if count == 1 else ("were", "have")
            said = text.format(shown(example) if code == "differing_items" else were)
            message = f"Column '{column}' holds the item ids. {plural(count, 'row')} {have} {said}"
            message += f": {spell_lines(lines, count)}."
            found.append(warning(code, message, counted(lines, count), column))
    return tuple(found)


def _one(db: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(db.execute(query).fetchall()[0][0])
