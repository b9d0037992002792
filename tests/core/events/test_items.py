import pyarrow.parquet as pq
import pytest

from core.artifacts import Items
from core.errors import FileRefused
from core.events.items import item_columns, read_items, titles
from core.events.read import ReadOptions


def table(tmp_path, text) -> Items:
    path = tmp_path / "items.csv"
    path.write_text(text, "utf-8")
    return read_items(path, tmp_path, ReadOptions(), name="items.csv")


def rows(items):
    return pq.read_table(items.path).to_pylist()


def lines_by_code(items):
    return {problem.code: problem.lines for problem in items.problems}


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (
            "item,title,category,price,brand",
            {c: c for c in ("item", "title", "category", "brand", "price")},
        ),
        (
            "ProductID,Product Name,Department,Unit_Price,Manufacturer",
            {
                "item": "ProductID",
                "title": "Product Name",
                "category": "Department",
                "brand": "Manufacturer",
                "price": "Unit_Price",
            },
        ),
        (
            "商品编号,商品名称,类目,品牌,售价",
            {
                "item": "商品编号",
                "title": "商品名称",
                "category": "类目",
                "brand": "品牌",
                "price": "售价",
            },
        ),
        # of two names that could be the id the likelier one is taken; a weight is no id
        (
            "id,sku,product_weight,description,name",
            {"item": "sku", "title": "name"},
        ),
        ("shop_item_id,category_id,brand_name", {
            "item": "shop_item_id",
            "category": "category_id",
            "brand": "brand_name",
        }),
    ],
)  # fmt: skip
def test_columns_are_known_by_their_names_in_english_and_chinese(names, found):
    assert item_columns(names.split(",")) == found


def test_every_cell_stays_the_text_it_was_and_items_are_sorted(tmp_path):
    items = table(
        tmp_path,
        'sku;name;category;price\n7;"Lamp; ""tall""";Light;9,90\n007;红色连衣裙;Dresses;\n',
    )
    assert rows(items) == [
        {
            "item": "007",
            "title": "红色连衣裙",
            "category": "Dresses",
            "brand": None,
            "price": None,
        },
        {
            "item": "7",
            "title": 'Lamp; "tall"',
            "category": "Light",
            "brand": None,
            "price": "9,90",
        },
    ]
    assert (items.n_items, items.present, items.problems) == (
        2,
        ("item", "title", "category", "price"),
        (),
    )


def test_of_rows_of_one_item_the_first_is_kept_and_the_others_are_named(tmp_path):
    items = table(
        tmp_path,
        "item,title,category\na,red,x\nb,blue,x\na,red,x\na,pink,x\n,lost,x\nb,blue,\n,lost,y\n",
    )
    assert [(row["item"], row["title"]) for row in rows(items)] == [("a", "red"), ("b", "blue")]
    assert rows(items)[1]["category"] == "x"
    assert items.n_items == 2
    assert lines_by_code(items) == {
        "no_item_id": (6, 8),
        "repeated_items": (4,),
        "differing_items": (5, 7),
    }
    told = {problem.code: problem.message for problem in items.problems}
    assert "2 rows have no id in it and were set aside: lines 6 and 8." in told["no_item_id"]
    assert "such as item 'a'" in told["differing_items"]


def test_names_with_braces_and_quotes_can_be_told_of(tmp_path):
    items = table(tmp_path, 'sku,"na""me {0}",title\n{x},1,\n{x},2,red\n')
    assert "item '{x}'" in items.problems[0].message


def test_a_table_without_ids_or_with_nothing_but_ids_is_refused(tmp_path):
    with pytest.raises(FileRefused, match=r"no column of item ids. It has: colour, size"):
        table(tmp_path, "colour,size\nred,1\n")
    with pytest.raises(FileRefused, match="tells nothing of its items"):
        table(tmp_path, "item_id,colour\na,red\n")
    with pytest.raises(FileRefused, match="holds no item: column 'item_id'"):
        table(tmp_path, "item_id,title\n,red\n")
    with pytest.raises(FileRefused, match="line 3"):
        table(tmp_path, "item_id,title\na,red\nb,blue,green\n")


def test_another_file_has_another_identity(tmp_path):
    one = table(tmp_path, "item,title\na,red\n")
    assert one.fingerprint == table(tmp_path, "item,title\na,red\n").fingerprint
    assert one.fingerprint != table(tmp_path, "item,title\na,blue\n").fingerprint


def test_titles_are_looked_up_for_the_items_asked_for_only(tmp_path):
    items = table(tmp_path, "item,title\na,<b>red</b>\nb,\nc,blue\n")
    assert titles(items, ["a", "b", "z", "a"]) == {"a": "<b>red</b>"}
    assert titles(items, []) == {}
