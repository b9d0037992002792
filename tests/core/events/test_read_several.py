"""Several files as one log."""

import gzip

import pyarrow.parquet as pq
import pytest

from core.errors import FileRefused, NotFound
from core.events.problems import spell_lines
from core.events.read import ReadOptions, read, read_all, read_with_sources


@pytest.fixture
def read_files(tmp_path):
    """Read files given by name and content."""

    def read_named(files, **options):
        paths = []
        for number, content in enumerate(files.values()):
            paths.append(tmp_path / f"upload-{number}")
            paths[-1].write_bytes(content if isinstance(content, bytes) else content.encode())
        out = tmp_path / "out"
        out.mkdir(exist_ok=True)
        return read_all(paths, out, ReadOptions(**options), names=list(files))

    return read_named


def table(raw):
    return pq.read_table(raw.path).to_pydict()


MAY, JUNE = "user,time\na,1\nb,2\n", "time;user\n3;c\n\n4;d"


def test_files_of_the_same_columns_in_any_order_become_one_log(read_files):
    raw = read_files({"logs/may.csv": MAY, "june.csv.gz": gzip.compress(JUNE.encode())})
    assert table(raw) == {
        "user": ["a", "b", "c", "d"],
        "time": ["1", "2", "3", "4"],
        "source": ["may", "may", "june", "june"],
        "__line__": [2, 3, 5, 7],
    }
    assert raw.columns == ("user", "time", "source")
    assert [(part.name, part.lines_before) for part in raw.parts] == [
        ("logs/may.csv", 0),
        ("june.csv.gz", 3),
    ]
    assert (raw.n_rows, raw.name) == (4, "logs/may.csv and 1 more")
    assert raw.dialect.delimiter == ", ;"


def test_problems_name_their_file_and_count_lines_on(read_files):
    raw = read_files({"may.csv": MAY, "june.csv": JUNE})
    (blank,) = raw.problems
    assert blank.message == "june.csv: 1 blank row left out: line 3."
    assert spell_lines(blank.lines, blank.count, raw.parts) == "line 3 of june.csv"


def test_one_file_is_read_as_it_is_alone(read_files, tmp_path):
    raw = read_files({"may.csv": MAY})
    alone = read(tmp_path / "upload-0", tmp_path, ReadOptions(), name="may.csv")
    assert raw.columns == ("user", "time") and raw.fingerprint == alone.fingerprint


def test_columns_that_differ_are_refused_with_near_misses(read_files, tmp_path):
    files = {"may.csv": "user,price\na,1\n", "june.csv": "User,prise,x\nb,2,3\n", "july.csv": MAY}
    with pytest.raises(FileRefused) as refused:
        read_files(files)
    assert str(refused.value).splitlines()[1:] == [
        "- june.csv has not the columns of may.csv: 'user' is missing (it has 'User'); 'price' is "
        "missing (it has 'prise'); 'User' is extra; 'prise' is extra; 'x' is extra. Give all files "
        "the same columns.",
        "- july.csv has not the columns of may.csv: 'price' is missing; 'time' is extra. Give all "
        "files the same columns.",
    ]
    assert not list((tmp_path / "out").iterdir())


def test_the_problems_of_all_files_are_listed_together(read_files):
    with pytest.raises(FileRefused) as refused:
        read_files({"a.csv": "u,t\n1\n", "b.csv": MAY, "c.csv": "", "d.json": MAY})
    message = str(refused.value)
    assert message.startswith("These 4 files cannot be read as one log.")
    for words in ("a.csv: 1 row with fewer", "c.csv: The file is empty", "d.json: The file is of"):
        assert words in message


def test_two_files_of_the_same_bytes_are_told(read_files):
    raw = read_files({"may.csv": MAY, "copy of may.csv": MAY})
    (same,) = raw.problems
    assert "may.csv and copy of may.csv hold the same bytes" in same.message
    assert raw.n_rows == 4


def test_a_column_called_source_keeps_its_name(read_files):
    raw = read_files({"x/may.csv": "Source,b\ns,1\n", "y/may.csv": "Source,b\nt,2\n"})
    assert raw.columns == ("Source", "b", "source 2")
    assert table(raw)["source 2"] == ["may", "may 2"]


def test_every_file_has_a_source_of_its_own_whatever_the_names(read_files):
    names = ["a 3.csv", "a.csv", "b/a.csv", "c/a.csv", "A.csv"]
    raw = read_files({name: f"x,y\n{n},1\n" for n, name in enumerate(names)})
    assert table(raw)["source"] == ["a 3", "a", "a 2", "a 4", "A 5"]


def test_rows_set_aside_carry_the_lines_of_the_log(read_files):
    raw = read_files({"may.csv": MAY, "june.csv": "user,time\nx\ny,5\n"}, ragged="set_aside")
    assert pq.read_table(raw.set_aside).to_pydict() == {
        "__line__": [5],
        "reason": ["1 cell instead of 2 cells"],
        "text": ["x"],
    }
    assert spell_lines([5], 1, raw.parts) == "line 2 of june.csv"


def test_the_fingerprint_follows_order_bytes_and_options(read_files):
    one = read_files({"may.csv": MAY, "june.csv": JUNE}).fingerprint
    assert one == read_files({"may.csv": MAY, "june.csv": JUNE}).fingerprint
    assert one != read_files({"june.csv": JUNE, "may.csv": MAY}).fingerprint
    assert one != read_files({"may.csv": MAY, "june.csv": JUNE}, ragged="fill").fingerprint


def test_no_file_at_all_is_refused(read_files):
    with pytest.raises(NotFound, match="No file was given"):
        read_files({})


def test_one_file_can_have_a_column_that_says_where_its_rows_are_from(tmp_path):
    log = tmp_path / "web_feb.csv"
    log.write_text(MAY, "utf-8")
    plain = read_all([log], tmp_path, ReadOptions(), names=["web_feb.csv"])
    assert plain.columns == ("user", "time")
    raw = read_with_sources([log], tmp_path, ReadOptions(), names=["web_feb.csv"], sources=["web"])
    assert (raw.columns, raw.name) == (("user", "time", "source"), "web_feb.csv")
    assert table(raw) == {
        "user": ["a", "b"],
        "time": ["1", "2"],
        "source": ["web", "web"],
        "__line__": [2, 3],
    }
    assert raw.fingerprint != plain.fingerprint


def test_several_files_can_be_of_one_source(tmp_path):
    logs = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for log in logs:
        log.write_text(MAY, "utf-8")
    names = [log.name for log in logs]
    raw = read_with_sources(logs, tmp_path, ReadOptions(), names=names, sources=["web", "web"])
    assert table(raw)["source"] == ["web"] * 4
    assert raw.fingerprint != read_all(logs, tmp_path, ReadOptions(), names=names).fingerprint
