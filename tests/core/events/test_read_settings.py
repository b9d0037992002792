"""What the analyst can say of a file: header line, ragged rows, escapes; and all faults at once."""

import pyarrow.parquet as pq
import pytest

from core.errors import FileRefused, OptionRefused
from core.events.read import ReadOptions, read
from core.options import parse_text


def read_text(folder, text, **options):
    path = folder / "log.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(path, folder, ReadOptions(**options), name="log.csv")


def refusal(folder, text, **options):
    with pytest.raises(FileRefused) as caught:
        read_text(folder, text, **options)
    assert sorted(path.name for path in folder.iterdir()) == ["log.csv"]
    return caught.value


def table(raw):
    return pq.read_table(raw.path).to_pydict()


def told(raw):
    return {problem.code: problem.lines for problem in raw.problems}


PREAMBLE = "Sales report\nmade in May,by hand\n\nuser,time,price\na,2024,1\nb,2025,2\n"


def test_a_line_above_the_header_is_refused_with_the_line_that_looks_like_it(tmp_path):
    message = str(refusal(tmp_path, PREAMBLE))
    assert "header is on line 4 (a guess), set read.header_line=4" in message


def test_lines_above_the_header_are_skipped_when_told_and_counted(tmp_path):
    raw = read_text(tmp_path, PREAMBLE, header_line=4)
    assert raw.columns == ("user", "time", "price")
    assert table(raw)["__line__"] == [5, 6]
    assert "3 lines above the header on line 4 were skipped" in raw.problems[0].message


def test_a_header_that_was_named_may_hold_numbers(tmp_path):
    text = "Emissions,,\nYear,2000,2001\nTimber,2,3\n"
    assert "no name" in str(refusal(tmp_path, text))
    assert read_text(tmp_path, text, header_line=2).columns == ("Year", "2000", "2001")


@pytest.mark.parametrize("setting", ["none", 0])
def test_columns_without_header_are_numbered_and_the_first_row_is_kept(tmp_path, setting):
    raw = read_text(tmp_path, "u1,2024-01-01,5\nu2,2024-01-02,\n", header_line=setting)
    assert table(raw) == {
        "column 1": ["u1", "u2"],
        "column 2": ["2024-01-01", "2024-01-02"],
        "column 3": ["5", None],
        "__line__": [1, 2],
    }
    assert [problem.code for problem in raw.problems] == ["numbered_columns"]
    assert (
        raw.fingerprint
        == read_text(tmp_path, "u1,2024-01-01,5\nu2,2024-01-02,\n", header_line="none").fingerprint
    )


def test_a_header_line_beyond_the_end_is_refused(tmp_path):
    assert "ends above line 7" in str(refusal(tmp_path, "a,b\n1,2\n", header_line=7))
    with pytest.raises(OptionRefused, match="header_line is -1"):
        ReadOptions(header_line=-1)
    assert parse_text(ReadOptions, "header_line", "none", where="read") == "none"


RAGGED = 'a,b,c\n1,2,3\n4,5\n6,7,8,\n"9,\n9",10,11,12,13\n14\n15,16,17\n'


def test_rows_of_another_width_are_set_aside_as_they_stood(tmp_path):
    raw = read_text(tmp_path, RAGGED, ragged="set_aside")
    assert table(raw)["a"] == ["1", "15"] and raw.n_rows == 2
    assert pq.read_table(raw.set_aside).to_pydict() == {
        "__line__": [3, 4, 5, 7],
        "reason": [f"{n} instead of 3 cells" for n in ("2 cells", "4 cells", "5 cells", "1 cell")],
        "text": ["4,5", "6,7,8,", '"9,\n9",10,11,12,13', "14"],
    }
    assert told(raw) == {"rows_set_aside": (3, 4, 5, 7)}


def test_short_rows_are_filled_and_blank_cells_too_many_cut_but_values_never_lost(tmp_path):
    message = str(refusal(tmp_path, RAGGED, ragged="fill"))
    assert "1 row with more cells" in message and "line 5" in message
    raw = read_text(tmp_path, "a,b,c\n1,2\n6,7,8, \n9\n", ragged="fill")
    assert table(raw) == {
        "a": ["1", "6", "9"],
        "b": ["2", "7", None],
        "c": [None, "8", None],
        "__line__": [2, 3, 4],
    }
    assert told(raw) == {"filled_rows": (2, 4), "cut_rows": (3,)}


def test_a_file_of_which_every_row_is_set_aside_is_refused(tmp_path):
    message = str(refusal(tmp_path, "a,b\n1,2,3\n4,5,6\n", ragged="set_aside"))
    assert "0 data rows. 2 rows of another width set aside" in message


def test_backslashes_are_kept_with_a_warning_or_escape_when_told(tmp_path):
    text = 'a,b\n"x\\, y",2\n"C:\\dir",3\n'
    raw = read_text(tmp_path, text)
    assert table(raw)["a"] == ["x\\, y", "C:\\dir"]
    assert told(raw) == {"backslashes": (2,)} and "read.escape=backslash" in raw.problems[0].message
    raw = read_text(tmp_path, 'a,b\nx\\, y,2\n"say \\"hi\\"",3\n', escape="backslash")
    assert table(raw)["a"] == ["x, y", 'say "hi"']
    assert told(raw) == {"backslashes": (2, 3)}


def test_spaces_before_quotes_are_dropped_when_told(tmp_path):
    text = 'a, b\n1, "x, y"\n2, z\n'
    assert "read.quotes=after_spaces" in str(refusal(tmp_path, 'a,b\n1, "x"\n'))
    assert table(read_text(tmp_path, text, quotes="after_spaces"))["b"] == ["x, y", "z"]


def test_everything_wrong_with_a_file_is_listed_at_once(tmp_path):
    text = (
        b"user,id,id\n"
        b"1,2\n"  # 2: short
        b"1,2,3,4\n"  # 3: long
        b"1,\xff,3\n"  # 4: no text
        b"1,\x00,3\n"  # 5: NUL
        b'"1"x,2,3\n'  # 6: quoting
        b'1,2, "3"\n'  # 7: a space before the quote
        b'"1"x,2,3\n'  # 8
        b'1,2,"3\n'  # 9: never closed
    )
    found = {(p.code, p.lines) for p in refusal(tmp_path, text).problems}
    assert found == {
        ("doubled_name", (1,)),
        ("encoding", (4,)),
        ("nul", (5,)),
        ("short_rows", (2,)),
        ("long_rows", (3,)),
        ("quoting", (6, 8)),
        ("quoting", (9,)),
        ("space_before_quote", (7,)),
    }


def test_more_kinds_of_problems_than_are_shown_are_counted(tmp_path):
    header = ",".join(f"c{i},C{i}" for i in range(14))
    message = str(refusal(tmp_path, f"{header}\n" + "1," * 27 + "1\n"))
    assert message.count("\n- ") == 11 and "and 4 more problems" in message


def test_after_a_fault_that_spans_lines_nothing_more_is_said(tmp_path):
    refused = refusal(tmp_path, 'a,b\n1,"x\ny" z\n1,2,3\n')
    assert [(p.code, p.lines) for p in refused.problems] == [("quoting", (2,))]
    assert "not looked at" in str(refused)


def test_a_cell_over_the_limit_is_refused_by_its_line(tmp_path):
    text = f"a,b\n1,2\n3,{'x' * 150}\n"
    message = str(refusal(tmp_path, text, max_cell_length=149))
    assert "row that begins on line 3 is longer than 149 characters" in message
    assert read_text(tmp_path, text, max_cell_length=150).n_rows == 2
