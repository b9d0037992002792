"""Byte order marks inside a file: what joining exports leaves, and what cannot be seen."""

import pyarrow.parquet as pq
import pytest

from core.events.read import ReadOptions, read

MARK = "\ufeff"


def read_text(folder, text, codec="utf-8", **options):
    path = folder / "upload"
    path.write_bytes(text.encode(codec))
    raw = read(path, folder, ReadOptions(**options), name="log.csv")
    return pq.read_table(raw.path).to_pydict(), {p.code: p for p in raw.problems}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
def test_the_mark_of_a_second_file_is_taken_out_and_its_line_is_told(end, codec, tmp_path):
    lines = ["user,n", "u1,1", f"{MARK}u1,2", "u2,3", f"{MARK}{MARK}u1,4"]
    first = MARK if codec == "utf-8" else ""
    table, problems = read_text(tmp_path, first + end.join(lines), codec)
    assert table["user"] == ["u1", "u1", "u2", "u1"]
    assert list(problems) == ["joined_files"]
    assert problems["joined_files"].lines == (3, 5)
    assert "at the beginning of lines 3 and 5 and was taken out" in problems["joined_files"].message


def test_a_quote_behind_the_mark_of_a_second_file_opens_a_cell(tmp_path):
    table, problems = read_text(tmp_path, f'{MARK}"a","b"\n"1","2"\n{MARK}"a","b"\n"3,5","4"\n')
    assert table["a"] == ["1", "a", "3,5"]
    assert problems["joined_files"].lines == (3,)


def test_a_mark_within_a_line_is_kept_and_its_lines_are_told(tmp_path):
    table, problems = read_text(tmp_path, f"n,user\n1,{MARK}u1\n2,u1\n3,u{MARK}{MARK}1\n")
    assert table["user"] == [f"{MARK}u1", "u1", f"u{MARK}{MARK}1"]
    assert list(problems) == ["hidden_marks"]
    assert (problems["hidden_marks"].lines, problems["hidden_marks"].count) == ((2, 4), 2)


def test_a_cell_that_is_nothing_but_a_mark_is_a_value(tmp_path):
    table, problems = read_text(tmp_path, f"user,n\nu1,1\n{MARK},2\n{MARK}{MARK},3\n{MARK}u2,4\n")
    assert table["user"] == ["u1", MARK, MARK * 2, "u2"]
    assert problems["joined_files"].lines == (5,) and problems["hidden_marks"].lines[0] == 3


def test_a_second_mark_before_the_header_is_no_part_of_a_name(tmp_path):
    table, problems = read_text(tmp_path, f"{MARK}{MARK}a;b\n1,5;2\n")
    assert list(table) == ["a", "b", "__line__"]
    assert problems["joined_files"].lines == (1,)


def test_marks_far_into_a_file_are_told_by_their_physical_lines(tmp_path):
    rows = [f"u{n},{n}" for n in range(400_000)]
    rows[300_000] = MARK + rows[300_000]
    table, problems = read_text(tmp_path, "user,n\n" + "\n".join(rows) + "\n")
    assert table["user"][300_000] == "u300000"
    assert problems["joined_files"].lines == (300_002,)
