"""Logs that are not plain text: compressed, in an archive, Parquet; and files that lie."""

import datetime as dt
import decimal
import gzip
import io
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.artifacts import Progress
from core.errors import FileRefused
from core.events.read import ReadOptions, read

CSV = b"user,n\n007,1\n7.0,NA\n"


def read_bytes(folder, content, name, **options):
    path = folder / "upload"
    path.write_bytes(content)
    return read(path, folder, ReadOptions(**options), name=name)


def refusal(folder, content, name, **options):
    with pytest.raises(FileRefused) as caught:
        read_bytes(folder, content, name, **options)
    assert sorted(path.name for path in folder.iterdir()) == ["upload"]
    return str(caught.value)


def table(raw):
    return pq.read_table(raw.path).to_pydict()


def zipped(*members, **files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (*members, *files.items()):
            archive.writestr(name, content)
    return out.getvalue()


def parquet(columns, **writing):
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, **writing)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (CSV, "log.csv"),
        (gzip.compress(CSV), "log.csv.gz"),
        (gzip.compress(CSV[:9]) + gzip.compress(CSV[9:]), "LOG.TSV.GZ"),
        (zipped(("log.csv", CSV)), "log.zip"),
        (zipped(("months/may.TXT", CSV), ("__MACOSX/._may.TXT", b"x")), "log.zip"),
    ],
)
def test_packed_files_are_read_as_plain_ones(content, name, tmp_path):
    raw = read_bytes(tmp_path, content, name)
    assert table(raw) == {"user": ["007", "7.0"], "n": ["1", "NA"], "__line__": [2, 3]}
    assert raw.name == name


@pytest.mark.parametrize("inside", ["../../x.csv", "/etc/x.csv", "..\\x.csv", "C:\\x.csv"])
def test_a_name_in_an_archive_leads_nowhere(inside, tmp_path):
    folder = tmp_path / "deep" / "er"
    folder.mkdir(parents=True)
    assert read_bytes(folder, zipped((inside, CSV)), "log.zip").n_rows == 2
    assert sorted(p.name for p in tmp_path.rglob("*.*")) == ["raw.parquet", "set_aside.parquet"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (zipped(("a.csv", CSV), ("b.csv", CSV)), "holds 2 files ('a.csv', 'b.csv')"),
        (zipped(("a.zip", zipped(("a.csv", CSV)))), "holds 'a.zip'. An archive must hold one file"),
        (zipped(("a.csv.gz", gzip.compress(CSV))), "holds 'a.csv.gz'"),
        (zipped(("[Content_Types].xml", b"x"), ("xl/a.xml", b"x")), "Excel workbook"),
        (zipped(), "holds 0 files (none)"),
        (zipped(("a.csv", CSV * 99))[:-30], "damaged or cut short"),
        (b"PK\x03\x04" + bytes(60), "damaged or cut short"),
        (CSV, "no ZIP archive, though it is named so"),
    ],
)
def test_other_archives_are_refused_by_what_they_hold(content, words, tmp_path):
    assert words in refusal(tmp_path, content, "log.zip")


def test_a_locked_archive_is_refused_by_name(tmp_path):
    content = bytearray(zipped(("a.csv", CSV)))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + offset] |= 1
    assert "locked with a password" in refusal(tmp_path, bytes(content), "log.zip")


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (parquet({"a": ["1"]}), "log.csv", "a Parquet file, which its name does not say"),
        (zipped(("a.csv", CSV)), "log.csv", "a ZIP archive or an Excel workbook"),
        (CSV, "log.parquet", "no Parquet file, though it is named so"),
        (b"\x28\xb5\x2f\xfd....", "log.csv", "compressed with Zstandard"),
        (CSV, "log.json", "of a kind that is not known. Allowed: .csv, .tsv"),
        (CSV, "../../x.csv\0", "of a kind that is not known"),
    ],
)
def test_a_name_that_lies_is_refused_with_what_the_file_is(content, name, words, tmp_path):
    assert words in refusal(tmp_path, content, name)


def test_a_name_is_only_a_name(tmp_path):
    assert read_bytes(tmp_path, CSV, "../../x.csv").name == "../../x.csv"
    assert not (tmp_path.parents[1] / "x.csv").exists()


def test_values_of_parquet_become_their_exact_text(tmp_path):
    berlin = dt.timezone(dt.timedelta(hours=2))
    columns = {
        "id": pa.array([2**53 + 1, None, -(2**63)], pa.int64()),
        "unsigned": pa.array([2**64 - 1, None, 0], pa.uint64()),
        "double": pa.array([2.0**53, 0.1, 1e300]),
        "float": pa.array([0.1, None, 3.0], pa.float32()),
        "seen": pa.array([True, False, None]),
        "at": pa.array([dt.datetime(2025, 7, 1, 12, 0, 0, 5), None, None], pa.timestamp("us")),
        "zoned": pa.array(
            [dt.datetime(2025, 7, 1, 12, tzinfo=berlin), None, None],
            pa.timestamp("s", "Europe/Berlin"),
        ),
        "day": pa.array([dt.date(2025, 7, 1), None, None]),
        "money": pa.array([decimal.Decimal("12.30"), None, None]),
        "kind": pa.array(["view", "NA", " "]).dictionary_encode(),
        "code": pa.array([7, 7, None]).dictionary_encode(),
        "nothing": pa.nulls(3),
        "text": ["007", "", "null"],
    }
    raw = read_bytes(tmp_path, parquet(columns), "log.parquet")
    assert table(raw) == {
        "id": ["9007199254740993", None, "-9223372036854775808"],
        "unsigned": ["18446744073709551615", None, "0"],
        "double": ["9007199254740992", "0.1", "1e+300"],
        "float": ["0.1", None, "3"],
        "seen": ["true", "false", None],
        "at": ["2025-07-01 12:00:00.000005", None, None],
        "zoned": ["2025-07-01 10:00:00.000Z", None, None],
        "day": ["2025-07-01", None, None],
        "money": ["12.30", None, None],
        "kind": ["view", "NA", None],
        "code": ["7", "7", None],
        "nothing": [None, None, None],
        "text": ["007", None, "null"],
        "__line__": [1, 2, 3],
    }
    assert pq.read_schema(raw.path).field("text").type == pa.string()
    assert (raw.n_rows, raw.dialect.encoding) == (3, "parquet")
    assert [(p.code, p.column, p.lines) for p in raw.problems] == [
        ("inexact_numbers", "double", (1, 3))
    ]


def test_ids_that_floating_numbers_cannot_hold_are_told_by_column_and_row(tmp_path):
    columns = {
        "user": [2.0**53 + 2, 7.0, None, 1e16, 2.0**53 - 1],
        "small": pa.array([2.0**24, 2.0**24 - 1, -(2.0**25), 0.5, None], pa.float32()),
        "price": [0.5, 1e9, -3.25, float("inf"), float("nan")],
        "half": pa.array([2048.0, 2047.0, None, 1.0, 2.0], pa.float16()),
    }
    raw = read_bytes(tmp_path, parquet(columns), "log.parquet")
    assert [(p.column, p.lines, p.severity) for p in raw.problems] == [
        ("user", (1, 4), "warning"),
        ("small", (1, 3), "warning"),
        ("half", (1,), "warning"),
    ]
    assert "'user' holds 2 whole numbers kept as floating numbers" in raw.problems[0].message
    assert table(raw)["user"][:2] == ["9.007199254740994e+15", "7"]


def test_a_column_that_fits_no_cell_is_left_out_with_a_word(tmp_path):
    columns = {
        "a": pa.array([{"b": 1}, {"b": 2}]),
        "user": ["u1", "u2"],
        "tags": [["x"], None],
        "a.b": pa.array(["text", "more"]),
        "raw": [b"x", b"y"],
        "n": [1, 2],
    }
    raw = read_bytes(tmp_path, parquet(columns), "log.parquet")
    assert raw.columns == ("user", "a.b", "n")
    assert table(raw) == {
        "user": ["u1", "u2"],
        "a.b": ["text", "more"],
        "n": ["1", "2"],
        "__line__": [1, 2],
    }
    assert [(p.code, p.column) for p in raw.problems] == [
        ("column_type", "a"),
        ("column_type", "tags"),
        ("column_type", "raw"),
    ]


def test_blank_rows_of_parquet_are_left_out_and_their_numbers_told(tmp_path):
    raw = read_bytes(tmp_path, parquet({"a": ["x", None, "y"], "b": [1, None, 2]}), "l.parquet")
    assert table(raw)["__line__"] == [1, 3]
    assert [(p.code, p.lines) for p in raw.problems] == [("blank_rows", (2,))]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"a": [[1]], "b": [b"x"]}, ("No column can be read. Allowed: text, numbers",)),
        ({"id": ["1"], "ID": ["2"]}, ("'id' stands 2 times",)),
        ({"__line__": ["1"]}, ("may not be called '__line__'",)),
        ({"": ["1"], " ": ["2"]}, ("columns 1 and 2 have no name",)),
        ({"a": ["x", "y\0z"]}, ("NUL character stands in the text of line 2",)),
        ({"a": pa.array([], pa.string())}, ("0 data rows",)),
        ({"a": pa.array([b"\xff"]).view(pa.string())}, ("damaged",)),
    ],
)
def test_parquet_that_is_no_sound_table_is_refused_by_column_and_row(columns, words, tmp_path):
    message = refusal(tmp_path, parquet(columns), "log.parquet")
    assert all(word in message for word in words)


def test_damaged_parquet_is_refused(tmp_path):
    whole = parquet({"a": ["x"] * 1000})
    assert "damaged" in refusal(tmp_path, whole[:-20], "log.parquet")
    assert "damaged" in refusal(tmp_path, b"PAR1" + bytes(30) + b"PAR1", "log.parquet")


def test_a_long_text_repeated_a_million_times_does_not_fill_the_memory(tmp_path):
    column = pa.DictionaryArray.from_arrays(pa.nulls(10**6, pa.int32()).fill_null(0), ["x" * 10**5])
    content = parquet({"a": column})
    assert len(content) < 300_000
    message = refusal(tmp_path, content, "log.parquet", max_ratio=100)
    assert "unpacks to more than 100 times its size" in message


def test_nor_does_one_beside_a_column_of_parts(tmp_path):
    column = pa.DictionaryArray.from_arrays(pa.nulls(10**6, pa.int32()).fill_null(0), ["x" * 10**5])
    parts = pa.array([[1]] * 10**6)
    message = refusal(tmp_path, parquet({"a": column, "b": parts}), "log.parquet", max_ratio=100)
    assert "unpacks to more than 100 times its size" in message


def test_a_listener_hears_how_much_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("core.events.gate.sources._TOLD_EVERY", 0.0)
    heard: list[Progress] = []
    path = tmp_path / "log.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 700_000)
    read(path, tmp_path, ReadOptions(), name="log.csv", listen=heard.append)
    shares = [progress.done for progress in heard]
    assert shares == sorted(shares) and len(shares) >= 3 and shares[-1] == 1.0
    assert 0 < shares[0] < 0.5 and heard[0].stage == "read" and "log.csv" in heard[0].text
