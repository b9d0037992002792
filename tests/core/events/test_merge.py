import pyarrow.parquet as parquet
import pytest

from core.artifacts import ColumnMapping
from core.errors import MappingRefused
from core.events.clean import CleanOptions, clean
from core.events.mapping import map_events
from core.events.merge import merge
from core.events.read import ReadOptions, read


def log(tmp_path, name, text, **roles):
    folder = tmp_path / name
    folder.mkdir()
    (folder / "log.csv").write_text(text, encoding="utf-8")
    raw = read(folder / "log.csv", folder, ReadOptions(), name=f"{name}.csv")
    return map_events(raw, ColumnMapping(user="user", time="time", **roles), folder)


def test_two_months_are_one_log_whose_lines_go_on_counting(tmp_path):
    may = log(tmp_path, "may", "user,time\na,2026-05-01\nb,2026-05-02\n")
    june = log(tmp_path, "june", "user,time\nb,2026-06-01\nc,2026-06-02\n")
    merged = merge([may, june], ["may.csv", "june.csv"], tmp_path)
    rows = parquet.read_table(merged.path).sort_by("line").to_pydict()
    assert rows["user"] == ["a", "b", "b", "c"] and rows["line"] == [2, 3, 5, 6]
    assert (merged.n_events, merged.n_users) == (4, 3)
    assert merged.fingerprint not in (may.fingerprint, june.fingerprint)


def test_a_row_that_two_files_share_is_a_duplicate_though_their_columns_stand_otherwise(tmp_path):
    may = log(tmp_path, "may", "user,time,note,page\na,2026-05-01,x,y\nb,2026-05-02,x,y\n")
    june = log(tmp_path, "june", "page,note,time,user\ny,x,2026-05-02,b\nx,y,2026-05-01,a\n")
    merged = merge([may, june], ["may.csv", "june.csv"], tmp_path)
    cleaned = clean(merged, CleanOptions(min_events=1), tmp_path)
    rows = parquet.read_table(cleaned.path).to_pydict()
    assert rows["user"] == ["a", "a", "b"] and rows["line"] == [2, 6, 3]


def test_one_log_stays_as_it_is(tmp_path):
    may = log(tmp_path, "may", "user,time\na,2026-05-01\n")
    assert merge([may], ["may.csv"], tmp_path) is may


def test_files_with_other_columns_are_refused_by_name(tmp_path):
    may = log(tmp_path, "may", "user,time,price\na,2026-05-01,3\n", price="price")
    june = log(tmp_path, "june", "user,time\nb,2026-06-01\n")
    with pytest.raises(
        MappingRefused, match=r"'june.csv' and 'may.csv'.*only one of them has price"
    ):
        merge([may, june], ["may.csv", "june.csv"], tmp_path)
