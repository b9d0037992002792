import csv
import gzip
import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from core.errors import FileRefused
from core.events.gate import blocks, raw_files, sources, strict
from core.events.gate.encoding import guess_encoding
from core.events.mapping import guess, inspect_report
from core.events.read import ReadOptions, read

BAD = Path(__file__).parents[3].parent / "shared" / "badcsv"
NEEDS_BAD_FILES = pytest.mark.skipif(
    not BAD.is_dir(), reason="the bad-file suite is not beside the repository"
)
KEY = json.loads((BAD / "expected.json").read_text("utf-8")) if BAD.is_dir() else {}
FILES = [name for name, expected in KEY.items() if expected["class"] != "payload"]
ACCEPTED = {
    "08_latin1_one_byte.csv": {"encoding": "cp1252"},
    "09_shift_jis.csv": {"encoding": "shift_jis"},
    "11_latin1_bank.csv": {"encoding": "cp1252"},
    "23_semicolon_decimal_comma.csv": {"escape": "backslash"},
    "24_tab_no_header.csv": {"header_line": "none"},
    "38_backslash_escape.csv": {"escape": "backslash"},
    "41_space_before_quote.csv": {"quotes": "after_spaces", "escape": "backslash"},
    "48_short_rows.csv": {"ragged": "fill"},
    "59_preamble.csv": {"header_line": 3},
    "63_clickstream_big_ids.csv": {"header_line": 0},
}
"""Files refused as they are, and the setting, named in the refusal, that reads them right."""
_NAMES_A_FACT = r"line|column|empty|encoding|separator|file"
REFUSED_BY_MEANING = {"68_nan_inf_words.csv", "76_mixed_timestamps.csv", "85_typo_date.csv"}
"""Sound as text; what is wrong with them shows when a column is typed (see test_mapping)."""


def read_bytes(tmp_path, content, name="log.csv", **options):
    path = tmp_path / name
    path.write_bytes(content)
    return read(path, tmp_path, ReadOptions(**options), name=name)


def table(raw):
    return pq.read_table(raw.path).to_pydict()


def refusal(tmp_path, content, name="log.csv", **options):
    (tmp_path / "raw.parquet").unlink(missing_ok=True)
    with pytest.raises(FileRefused) as caught:
        read_bytes(tmp_path, content, name, **options)
    assert not (tmp_path / "raw.parquet").exists()
    return caught.value


@NEEDS_BAD_FILES
@pytest.mark.parametrize("name", FILES)
def test_a_bad_file_is_read_right_or_refused_and_never_silently_wrong(name, tmp_path):
    expected = KEY[name]
    try:
        raw = read(BAD / name, tmp_path, ReadOptions(), name=name)
    except FileRefused as refused:
        assert expected["class"] != "accept"
        assert expected.get("err", "") in str(refused)
        assert re.search(_NAMES_A_FACT, str(refused))
        assert all(problem.severity == "refused" for problem in refused.problems)
        return
    assert expected["class"] != "refuse" or name in REFUSED_BY_MEANING
    if expected["class"] == "warn":
        problems = inspect_report(raw, guess(raw))["problems"]
        assert any(problem["code"] != "no_action" for problem in problems)
        assert expected.get("err", "") in " ".join(problem["message"] for problem in problems)
    assert list(raw.columns) == (expected.get("header") or list(raw.columns))
    assert raw.n_rows == expected.get("nrows", raw.n_rows)
    cells = table(raw)
    for row, column, value, *_ in expected.get("checks", []):
        assert cells[raw.columns[column]][row] == value


@NEEDS_BAD_FILES
@pytest.mark.parametrize("name", ACCEPTED)
def test_a_refused_file_is_read_right_by_the_setting_that_its_refusal_names(name, tmp_path):
    with pytest.raises(FileRefused) as refused:
        read(BAD / name, tmp_path, ReadOptions(), name=name)
    setting = next(iter(ACCEPTED[name]))
    assert f"read.{setting}" in str(refused.value)
    raw = read(BAD / name, tmp_path, ReadOptions(**ACCEPTED[name]), name=name)
    expected, cells = KEY[name], table(raw)
    if setting != "encoding":
        assert raw.problems, "what was mended must be said"
    assert list(raw.columns) == (expected.get("header") or list(raw.columns))
    assert raw.n_rows in (expected["nrows"], raw.n_rows if expected["nrows"] is None else None)
    for row, column, value, *_ in expected["checks"]:
        assert cells[raw.columns[column]][row] == value


def test_cells_stay_the_text_they_are_and_blank_ones_are_null(tmp_path):
    raw = read_bytes(tmp_path, b"user,n,note\n007,1e400, x \n7.0,NA,\n, ,\xc3\xa9\n")
    assert table(raw) == {
        "user": ["007", "7.0", None],
        "n": ["1e400", "NA", None],
        "note": [" x ", None, "é"],
        "__line__": [2, 3, 4],
    }
    assert pq.read_schema(raw.path).field("__line__").type == "int64"


def test_rows_carry_the_physical_line_they_begin_on(tmp_path):
    raw = read_bytes(tmp_path, b'a,b\r\n1,"x\r\ny\r\nz"\r\n\r\n2,3\r\n,\r\n4,5')
    assert table(raw)["__line__"] == [2, 6, 8]
    assert table(raw)["b"][0] == "x\r\ny\r\nz"
    (blank,) = raw.problems
    assert (blank.code, blank.lines, blank.count) == ("blank_rows", (5, 7), 2)


def test_wrong_rows_are_all_named_in_one_refusal_however_far_apart(tmp_path):
    lines = ["a,b"] + ["1,2"] * 9000
    lines[3000], lines[8000], lines[8500] = "1,2,3", "1", '1,"2'
    lines[4] = '1,"two\nlines"'
    refused = refusal(tmp_path, "\n".join(lines).encode())
    assert [p.code for p in refused.problems] == ["long_rows", "short_rows", "quoting"]
    assert [p.lines for p in refused.problems] == [(3002,), (8002,), (8502,)]
    assert all(f"line {line}" in str(refused) for line in (3002, 8002, 8502))


def test_the_lines_named_are_few_but_all_are_counted(tmp_path):
    refused = refusal(tmp_path, b"a,b\n" + b"1,2,3\n" * 5000)
    (problem,) = refused.problems
    assert (problem.count, len(problem.lines)) == (5000, 20)
    assert "and 4,980 more" in str(refused)


def test_a_character_cut_between_two_pieces_is_read_and_counted_right(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "PIECE", 4)
    monkeypatch.setattr(blocks, "BLOCK", 3)
    raw = read_bytes(tmp_path, "a,b\r\n山田,🛒\r\n".encode())
    assert table(raw)["b"] == ["🛒"]
    wrong = "a,b\r\n山田,1\r\nx,".encode() + b"\xff"
    assert "line 3 holds the byte FF" in str(refusal(tmp_path, wrong))
    assert "stands on line 3" in str(refusal(tmp_path, "a,b\r\n山,1\r\nx,\0".encode()))


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("用户,时间\n张三,下单了商品\n", "gb18030"),
        ("名前,年齢\n山田さん,カートに追加\n", "shift_jis"),
        ("пользователь,время\nпокупка,корзина\n", "cp1251"),
        ("사용자,시간\n구매,장바구니\n", "euc_kr"),
        ("u1,カート\n", "shift_jis"),
        ("ユーザー,購入\n山田さん,カート\n", "euc_jp"),
        ("使用者,時間\n王小明,加入購物車\n", "big5"),
        ("類別,家電用品\n" * 20, "big5"),
        ("类别,手机数码\n家电,电视机\n", "gb18030"),
        ("类别,手机数码\n" * 20, "gb18030"),
        ("Категория,Одежда для женщин\n" * 20, "cp1251"),
        ("Категория,Одежда для женщин\n", "koi8_r"),
        ("χρήστης,καλάθι αγορών\n", "cp1253"),
        ("kullanıcı,alışveriş\n", "cp1254"),
        ("użytkownik,książka\n", "cp1250"),
        ("usuário,ação\nJosé,compra é paga\n", "cp1252"),
        ("Küche,Möbel\n" * 40, "cp1252"),
        ("a,©\n", "cp1252"),
        ("user,time\nanna,2024-01-01\n", "utf-16-le"),
    ],
)
def test_the_encoding_guessed_is_the_one_the_text_was_written_in(text, codec):
    assert guess_encoding(text.encode(codec)) == codec


@pytest.mark.parametrize(
    "sample",
    [
        b"valid,invalid_\xff\xff_part,valid\n",
        "caffè €5, ça va à Gießen ".encode() + b"\xe9\n",
        b"\x93\x00\x01\x02\x8f,1\n",
        b"",
    ],
)
def test_nothing_is_guessed_where_text_is_damaged_rather_than_in_another_encoding(sample):
    assert guess_encoding(sample) is None


def test_a_byte_order_mark_settles_the_encoding_whatever_was_asked(tmp_path):
    raw = read_bytes(tmp_path, "a,b\né,2\n".encode("utf-16"), encoding="cp1252")
    assert (raw.dialect.encoding, table(raw)["a"]) == ("utf-16", ["é"])
    raw = read_bytes(tmp_path, gzip.compress("\ufeffa,b\né,2\n".encode()), name="log.csv.gz")
    assert (raw.dialect.encoding, raw.columns) == ("utf-8-sig", ("a", "b"))


def test_text_damaged_before_it_came_is_read_with_a_warning(tmp_path):
    raw = read_bytes(tmp_path, "a,b\nx,1\nJos\ufffd,2\n".encode())
    assert [(p.code, p.lines) for p in raw.problems] == [("replaced_characters", (3,))]


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_separator_is_found_even_where_cells_hold_the_others(sign, tmp_path):
    others = "".join({",", ";", "\t", "|"} - {sign})
    row = f'x{sign}"{others}{sign}"{sign}12\n'
    content = f"a{sign}b{sign}c\n" + row * 3
    raw = read_bytes(tmp_path, content.encode())
    assert (raw.dialect.delimiter, raw.columns) == (sign, ("a", "b", "c"))
    assert table(raw)["b"] == [others + sign] * 3


def test_two_separators_that_fit_as_well_are_refused_until_one_is_named(tmp_path):
    content = b"a;b,c\n1;2,3\n4;5,6\n"
    assert "read.delimiter" in str(refusal(tmp_path, content))
    assert read_bytes(tmp_path, content, delimiter="semicolon").columns == ("a", "b,c")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"id,ID\n1,2\n", "'id' stands 2 times in the header: columns 1 and 2"),
        (b"a,__LINE__\n1,2\n", "may not be called '__line__'"),
        (b"a,,\n1,2,3\n", "columns that have no name in the header on line 1: line 2"),
        (b"u1,2024-01-01,view\nu2,2024-01-02,view\n", "no header"),
        (b"a,b\n1,2,\n3,4,5\n", "values in columns that have no name"),
        (b"a,b\n1,2\n3,4,\n", "more cells than the header on line 1 has names"),
        (b'a,b\n1, "x, y"\n', "with more cells"),
        (b'a,b\n1, "x"\n', "A space stands before an opening quote on line 2"),
    ],
)
def test_what_cannot_be_read_without_guessing_is_refused_by_name(content, words, tmp_path):
    assert words in str(refusal(tmp_path, content))


def test_a_space_and_a_quote_inside_a_value_are_no_fault(tmp_path):
    raw = read_bytes(tmp_path, b'a,b\n"say ""hi"", ""you""","x, ""y"""\n3.5" disk,2\n')
    assert table(raw)["a"] == ['say "hi", "you"', '3.5" disk']
    assert table(raw)["b"] == ['x, "y"', "2"]


def test_the_index_column_that_pandas_leaves_is_named_with_a_warning(tmp_path):
    raw = read_bytes(tmp_path, b",user,time\n0,a,2024\n1,b,2024\n")
    assert raw.columns == ("column 1", "user", "time")
    assert [(p.code, p.column) for p in raw.problems] == [("unnamed_column", "column 1")]


def test_a_file_is_told_by_its_bytes_and_its_name(tmp_path):
    assert "Excel workbook" in str(refusal(tmp_path, b"PK\x03\x04....", "log.csv"))
    assert "Allowed: .csv" in str(refusal(tmp_path, b"a,b\n1,2\n", "log.json"))
    with pytest.raises(FileRefused, match="no file"):
        read(tmp_path / "gone.csv", tmp_path, ReadOptions(), name="gone.csv")


def test_a_small_archive_cannot_unpack_past_the_limits(tmp_path):
    many_lines = gzip.compress(b"a,b\n" + b"1,2\n" * 600_000)
    refused = refusal(tmp_path, many_lines, "log.csv.gz", max_megabytes=1)
    assert "larger than 1 MB" in str(refused)
    one_line = gzip.compress(b"a,b\n1," + b"x" * 3_000_000)
    assert "Line 2 is longer" in str(refusal(tmp_path, one_line, "log.csv.gz"))
    whole = gzip.compress(b"a,b\n1,2\n" * 100)
    assert "damaged" in str(refusal(tmp_path, whole[:-12], "log.csv.gz"))


def test_a_line_over_a_lower_limit_is_named(tmp_path):
    content = b"a,b\n1,2\n3," + b"x" * 1500 + b"\n4,5\n"
    assert "Line 3 is longer" in str(refusal(tmp_path, content, max_line_length=1000))


def test_a_quote_never_closed_stops_at_the_cell_limit_and_names_its_line(tmp_path, monkeypatch):
    content = b'a,b\n1,2\n3,"open\n' + b"4,5\n" * 60
    assert "begins on line 3 is never closed" in str(refusal(tmp_path, content))
    monkeypatch.setattr(blocks, "BLOCK", 1 << 16)
    monkeypatch.setattr(sources, "PIECE", 1 << 15)
    message = str(refusal(tmp_path, content + b"4,5\n" * 500_000))
    assert "begins on line 3 is longer than 131,072 characters" in message
    assert "never closed?" in message


def test_too_many_columns_are_refused(tmp_path):
    wide = ",".join(f"c{i}" for i in range(12)).encode()
    assert "12 columns; the limit is 10" in str(refusal(tmp_path, wide + b"\n", max_columns=10))


def test_the_fingerprint_follows_the_bytes_and_the_options(tmp_path):
    one = read_bytes(tmp_path, b"a,b\n1,2\n")
    assert one.fingerprint == read_bytes(tmp_path, b"a,b\n1,2\n", name="copy.csv").fingerprint
    assert one.fingerprint != read_bytes(tmp_path, b"a,b\n1,3\n").fingerprint
    assert one.fingerprint != read_bytes(tmp_path, b"a,b\n1,2\n", delimiter="comma").fingerprint


def test_rows_in_several_groups_keep_their_order(tmp_path, monkeypatch):
    monkeypatch.setattr(strict, "ROWS", 7)
    monkeypatch.setattr(raw_files, "ROW_GROUP", 20)
    raw = read_bytes(tmp_path, b"a,b\n" + b"".join(b"%d,x\n" % i for i in range(100)))
    assert table(raw)["a"] == [str(i) for i in range(100)]
    assert table(raw)["__line__"] == list(range(2, 102))
    assert pq.ParquetFile(raw.path).num_row_groups == 5


@NEEDS_BAD_FILES
def test_every_naughty_string_comes_through_to_the_letter(tmp_path):
    strings = json.loads((BAD / "88_blns.json").read_text("utf-8"))
    wanted = [text for text in strings if text.strip() and "\0" not in text]
    path = tmp_path / "naughty.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
        writer.writerows([("user", "event"), *((text, "view") for text in wanted)])
    raw = read(path, tmp_path, ReadOptions(), name="naughty.csv")
    assert table(raw)["user"] == wanted
