import pyarrow.parquet as pq
import pytest

from core.artifacts import ColumnMapping
from core.errors import MappingRefused
from core.events.columns.rules import parse_rules
from core.events.map_options import MapOptions
from core.events.mapping import map_events, suggest
from core.events.read import ReadOptions, read

COLUMNS = ("Quantity", "InvoiceNo", "Order Status", "Order", "note if any")
SALES = (
    "InvoiceNo,CustomerID,at,Quantity,Price\n"
    "10001,u1,2024-01-01,2,5\n10002,u2,2024-01-01,1,5\nC10003,u1,2024-01-02,-2,5\n"
    "10004,u3,2024-01-02,3,5\n10005,u3,2024-01-02,-1,5\n10006,u1,2024-01-02,1,5\n"
    "10007,u1,2024-01-02,1,5\n"
)
SALE_ROLES = {"user": "CustomerID", "time": "at", "quantity": "Quantity", "price": "Price"}


def log(tmp_path, text):
    path = tmp_path / "log.csv"
    path.write_text(text, "utf-8")
    return read(path, tmp_path, ReadOptions(), name="log.csv")


def mapped(tmp_path, text, roles, **options):
    events = map_events(
        log(tmp_path, text), ColumnMapping(**roles), tmp_path, MapOptions(**options)
    )
    return events, pq.read_table(events.path).to_pydict()


def said(events, code):
    return [problem.message for problem in events.problems if problem.code == code]


@pytest.mark.parametrize(
    ("text", "action", "column", "test", "value"),
    [
        ("return if Quantity < 0", "return", "Quantity", "<", "0"),
        ("return if Quantity<=-1.5", "return", "Quantity", "<=", "-1.5"),
        ("return if InvoiceNo starts C", "return", "InvoiceNo", "starts", "C"),
        ("  big  sale if Quantity >= 100 ", "big sale", "Quantity", ">=", "100"),
        ("paid if Order Status = paid in full", "paid", "Order Status", "=", "paid in full"),
        ("x if Order = paid", "x", "Order", "=", "paid"),
        ("x if Order != a=b", "x", "Order", "!=", "a=b"),
        ("x if Order contains if", "x", "Order", "contains", "if"),
        ('x if "note if any" is blank', "x", "note if any", "is blank", ""),
        ("x if note if any is  BLANK", "x", "note if any", "is blank", ""),
    ],
)
def test_a_rule_is_taken_apart(text, action, column, test, value):
    (rule,) = parse_rules([text], COLUMNS)
    assert (rule.action, rule.column, rule.test, rule.value) == (action, column, test, value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("return when Quantity < 0", "is no rule. Write ACTION if COLUMN"),
        ("if Quantity < 0", "is no rule"),
        ("return if quantty < 0", "the column 'quantty', which is not there. Did you mean 'Quant"),
        ("return if Quantity", "the column 'Quantity', which is not there|has no test"),
        ("return if Quantity < few", "compares with 'few', which is no number"),
        ("return if Quantity < nan", "compares with 'nan', which is no number"),
        ("return if Quantity < １２", "compares with '１２', which is no number"),
        ("return if Quantity < 1_2", "compares with '1_2', which is no number"),
        ("return if Quantity < 1e999", "compares with '1e999', which is no number"),
        ("return if InvoiceNo starts", "'starts' lacks the value"),
        ("return if InvoiceNo is blank 3", "'is blank' takes no value"),
        ("return if Quantity like 3", "which is not there"),
    ],
)
def test_a_rule_that_cannot_be_read_says_what_is_wrong(text, words):
    with pytest.raises(MappingRefused, match=words):
        parse_rules([text], COLUMNS)


def test_all_wrong_rules_are_told_at_once():
    with pytest.raises(MappingRefused) as caught:
        parse_rules(["x if a < 1", "y when b"], COLUMNS)
    assert "x if a < 1" in str(caught.value) and "y when b" in str(caught.value)


def test_returns_are_told_from_a_log_of_sales_and_counted(tmp_path):
    events, table = mapped(tmp_path, SALES, SALE_ROLES)
    sale, back = "purchase", "return"
    assert table["action"] == [sale, sale, back, sale, back, sale, sale]
    assert table["price"] == [10, 5, 10, 15, 5, 5, 5]
    assert table["quantity"] == [2, 1, -2, 3, -1, 1, 1]
    assert said(events, "rule") == [
        "1 row of 1 user is 'return' by the rule 'return if InvoiceNo starts C'.",
        "1 row of 1 user is 'return' by the rule 'return if Quantity < 0'.",
    ]
    assert said(events, "no_action") == [
        "There is no action column; every event has the action 'purchase' but for the rules."
    ]


def test_what_is_suggested_comes_with_its_reasons(tmp_path):
    offer = suggest(log(tmp_path, SALES), ColumnMapping(**SALE_ROLES))
    assert offer.rules == ("return if InvoiceNo starts C", "return if Quantity < 0")
    assert offer.default_action == "purchase"
    assert offer.why == (
        "Column 'Quantity' speaks of sales, so events are called 'purchase'.",
        "1 number in 'InvoiceNo' begins with C while the others are digits, as cancelled invoices "
        "are marked.",
        "2 cells in 'Quantity' are below zero, as returned goods are.",
    )


def test_many_negative_quantities_are_a_way_of_writing_and_no_returns(tmp_path):
    text = "u,at,Quantity\n" + "".join(f"u,2024-01-0{i},{-i}\n" for i in (1, 2, 3)) + "u,,1\n"
    events, table = mapped(tmp_path, text, {"user": "u", "time": "at", "quantity": "Quantity"})
    assert set(table["action"]) == {"purchase"} and not said(events, "rule")


def test_a_log_with_several_actions_gets_no_rules_unless_they_are_given(tmp_path):
    text = "u,at,do,Quantity\na,2024-01-01,sale,1\na,2024-01-01,view,1\nb,2024-01-02,sale,-1\n"
    roles = {"user": "u", "time": "at", "action": "do", "quantity": "Quantity"}
    assert mapped(tmp_path, text, roles)[1]["action"] == ["sale", "view", "sale"]
    _, table = mapped(tmp_path, text, roles, rules=("return if Quantity < 0",))
    assert table["action"] == ["sale", "view", "return"]
    assert mapped(tmp_path, text, roles, rules=())[1]["action"] == ["sale", "view", "sale"]


def test_the_first_rule_that_fits_names_the_action_and_blanks_fit_no_other(tmp_path):
    text = "u,at,n,kind\na,2024-01-01,5,x y\na,2024-01-01,1,x\na,2024-01-02,,\na,2024-01-02,,7.0\n"
    rules = ("big if n > 4", "xs if kind contains x", "none if kind is blank", "seven if kind = 7")
    _, table = mapped(tmp_path, text, {"user": "u", "time": "at"}, rules=rules)
    assert table["action"] == ["big", "xs", "none", "seven"]
    _, table = mapped(tmp_path, text, {"user": "u", "time": "at"}, rules=("no if kind != x",))
    assert table["action"] == ["no", "event", "event", "no"]


def test_a_rule_that_no_row_fits_is_told(tmp_path):
    events, _ = mapped(
        tmp_path, "u,at,n\na,2024-01-01,5\n", {"user": "u", "time": "at"}, rules=("x if n > 9",)
    )
    assert "0 rows of 0 users are 'x'" in said(events, "rule")[0]
    assert "No row fits it" in said(events, "rule")[0]


def test_a_size_is_compared_as_the_column_writes_numbers_or_refused(tmp_path):
    text = "u;at;n\na;2024-01-01;1.250,50\nb;2024-01-01;9,5\n"
    _, table = mapped(tmp_path, text, {"user": "u", "time": "at"}, rules=("x if n > 1000",))
    assert table["action"] == ["x", "event"]
    with pytest.raises(MappingRefused, match="'n' does not hold numbers"):
        mapped(
            tmp_path, "u,at,n\na,2024-01-01,x\n", {"user": "u", "time": "at"}, rules=("x if n > 1",)
        )


def test_rules_and_names_are_never_taken_for_sql(tmp_path):
    text = 'u,at,"n"" OR 1=1 --"\na,2024-01-01,it\'s\nb,2024-01-01,y\n'
    rules = ("x'); DROP TABLE t; -- if n\" OR 1=1 -- = it's",)
    _, table = mapped(tmp_path, text, {"user": "u", "time": "at"}, rules=rules)
    assert table["action"] == ["x'); DROP TABLE t; --", "event"]


def test_a_negative_value_of_a_return_counts_by_its_size_and_it_is_said(tmp_path):
    text = "u,at,do,amount\na,2024-01-01,buy,5\na,2024-01-01,refund,-5\na,2024-01-01,buy,-2\n"
    roles = {"user": "u", "time": "at", "action": "do", "value": "amount"}
    events, table = mapped(tmp_path, text, roles)
    assert table["price"] == [5, 5, -2]
    assert "1 return with an amount below zero" in said(events, "negative_returns")[0]


@pytest.mark.parametrize(
    ("header", "row", "action"),
    [
        ("u,at,page", "a,2024-01-01,x", "event"),
        ("u,at,Order_ID", "a,2024-01-01,17", "purchase"),
        ("u,at,Order_ID", "a,2024-01-01,", "event"),
        ("u,at,订单编号", "a,2024-01-01,17", "purchase"),
    ],
)
def test_the_default_action_is_a_purchase_where_rows_are_sales(header, row, action, tmp_path):
    roles = {"user": "u", "time": "at"}
    assert mapped(tmp_path, f"{header}\n{row}\n", roles)[1]["action"] == [action]
    _, table = mapped(tmp_path, f"{header}\n{row}\n", roles, default_action="visit")
    assert table["action"] == ["visit"]


def test_coded_actions_are_renamed_and_what_has_no_name_is_told(tmp_path):
    text = (
        "u,at,do\n" + "".join(f"a,2024-01-0{i + 1},{i}\n" for i in range(4)) + "a,2024-01-05,1.0\n"
    )
    roles = {"user": "u", "time": "at", "action": "do"}
    events, table = mapped(tmp_path, text, roles)
    assert table["action"] == ["0", "1", "2", "3", "1.0"]
    assert "are codes (0, 1, 2, 3)" in said(events, "coded_actions")[0]
    offer = suggest(log(tmp_path, text), ColumnMapping(**roles))
    assert offer.action_codes == ("0", "1", "2", "3")
    events, table = mapped(tmp_path, text, roles, action_names=("0=view", "1=add to cart", "9=x"))
    assert table["action"] == ["view", "add to cart", "2", "3", "add to cart"]
    assert "No name is given for '2', '3'" in said(events, "unnamed_codes")[0]
    assert "Names are given for '9'" in said(events, "idle_names")[0]


@pytest.mark.parametrize(
    ("cells", "names", "actions"),
    [
        (("0.0", "1.0"), ("0.0=view", "1.0=buy"), ["view", "buy"]),
        (("0", "1.0"), ("0.0=view", "1=buy"), ["view", "buy"]),
        (("a=b", "c"), ("a=b=view",), ["view", "c"]),
        ((" view", "VIEW"), ("view=view", "VIEW=view"), ["view", "view"]),
    ],
)
def test_any_writing_of_a_code_can_be_named(cells, names, actions, tmp_path):
    text = "u,at,do\n" + "".join(f"a,2024-01-01,{cell}\n" for cell in cells)
    roles = {"user": "u", "time": "at", "action": "do"}
    events, table = mapped(tmp_path, text, roles, action_names=names)
    assert table["action"] == actions
    assert not said(events, "idle_names") and not said(events, "alike_actions")


def test_actions_that_differ_by_spaces_or_capitals_are_named(tmp_path):
    cells = (" view", "view ", "View", "view", "buy", "see  all", "see all")
    text = "u,at,do\n" + "".join(f"a,2024-01-01,{cell}\n" for cell in cells)
    roles = {"user": "u", "time": "at", "action": "do"}
    events, table = mapped(tmp_path, text, roles)
    assert table["action"] == list(cells)
    (message,) = said(events, "alike_actions")
    assert "' view' and 'View' and 'view' and 'view '; 'see all' and 'see all'" in message.replace(
        "see  all", "see all"
    )
    assert message.endswith("such as map.action_names=view=view,View=view.")
    calm = "u,at,do\na,2024-01-01,view\na,2024-01-01,buy\n"
    assert not said(mapped(tmp_path, calm, roles)[0], "alike_actions")


@pytest.mark.parametrize(
    ("names", "roles", "words"),
    [
        (("0=view", "0.0=cart"), {"action": "do"}, "two names, 'view' and 'cart'"),
        (("0=view", "0=cart"), {"action": "do"}, "two names, 'view' and 'cart'"),
        (("view",), {"action": "do"}, "'view' names no action. Write code=name"),
        (("0=view",), {}, "no column is chosen for action"),
    ],
)
def test_names_of_codes_that_do_not_fit_are_refused(names, roles, words, tmp_path):
    with pytest.raises(MappingRefused, match=words):
        mapped(
            tmp_path,
            "u,at,do\na,2024-01-01,0\n",
            {"user": "u", "time": "at", **roles},
            action_names=names,
        )
