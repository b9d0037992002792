import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.artifacts import Events, FilePart, RawLog
from core.events.clean import CleanOptions, clean
from core.events.mapping import complete, map_events
from core.events.preview import preview
from core.events.read import SET_ASIDE, ReadOptions, read
from core.events.set_aside import set_aside_batches, write_set_aside
from core.report.set_aside_table import write_safe_set_aside

SHOP = Path(__file__).parents[3] / "sample_data" / "shop_events.csv"
LOG = """user,time,item,line,note
a,2026-01-01 00:00:01,x,1," =1+1, ""so"" "
a,2026-01-01 00:00:01,x,1," =1+1, ""so"" "
,2026-01-01 00:00:02,x,1,"two
lines"
a,yesterday,x,1,
b,2026-01-01 00:00:03,POST,007,NULL
c,2026-01-01 00:00:04,x,1,"é\t"
a,2026-01-01 00:00:05,x,1,
a,2026-01-01 00:00:06,y,1,
b,2026-01-01 00:00:07,y,1,
b,2026-01-01 00:00:08,y,1,
"""
OPTIONS = CleanOptions(min_events=2, non_goods=("POST",))


def opened(folder: Path, text: str = LOG) -> tuple[RawLog, Events]:
    (folder / "log.csv").write_text(text, "utf-8", newline="")
    raw = read(folder / "log.csv", folder, ReadOptions(), name="log.csv")
    return raw, map_events(raw, complete(raw, {}), folder)


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, strict=True))


def test_every_row_that_went_stands_there_once_with_its_reason_and_cells_as_they_were(tmp_path):
    raw, events = opened(tmp_path)
    cleaned = clean(events, OPTIONS, tmp_path)
    n = write_set_aside(raw, events, OPTIONS, cleaned.limits, tmp_path / "aside.csv")
    header, *found = rows(tmp_path / "aside.csv")
    assert header == ["file", "line_", "reason", "user", "time", "item", "line", "note", "text"]
    at, copy = "2026-01-01 00:00:0", "exact duplicate of another row"
    assert found == [
        ["log.csv", "3", copy, "a", f"{at}1", "x", "1", ' =1+1, "so" ', ""],
        ["log.csv", "4", "no user id", "", f"{at}2", "x", "1", "two\nlines", ""],
        ["log.csv", "6", "time could not be read", "a", "yesterday", "x", "1", "", ""],
        ["log.csv", "7", "item that is no goods", "b", f"{at}3", "POST", "007", "NULL", ""],
        ["log.csv", "8", "user with fewer than 2 events", "c", f"{at}4", "x", "1", "é\t", ""],
    ]
    assert n == 5 == cleaned.report.events_before - cleaned.report.events_after


def test_rows_that_the_gate_set_aside_stand_among_the_others_by_line(tmp_path):
    raw, events = opened(tmp_path)
    gate = {"__line__": [5, 20], "reason": ["too few cells", "too many"], "text": ["a;b", "=x"]}
    pq.write_table(pa.table(gate, schema=SET_ASIDE), raw.set_aside)
    n = write_set_aside(raw, events, OPTIONS, None, tmp_path / "aside.csv")
    _, *found = rows(tmp_path / "aside.csv")
    assert [row[1] for row in found] == ["3", "4", "5", "6", "7", "8", "20"]
    assert found[2] == ["log.csv", "5", "too few cells", "", "", "", "", "", "a;b"]
    assert found[-1][-1] == "=x"
    report = preview(events, OPTIONS)
    assert n == 2 + report.events_before - report.events_after == len(found)


def test_lines_are_those_of_the_file_that_a_row_came_from(tmp_path):
    raw, events = opened(tmp_path)
    parts = (FilePart(name="jan.csv", lines_before=0), FilePart(name="feb.csv", lines_before=5))
    write_set_aside(replace(raw, parts=parts), events, OPTIONS, None, tmp_path / "aside.csv")
    _, *found = rows(tmp_path / "aside.csv")
    assert [row[:2] for row in found] == [
        ["jan.csv", "3"],
        ["jan.csv", "4"],
        ["feb.csv", "1"],
        ["feb.csv", "2"],
        ["feb.csv", "3"],
    ]


def test_copies_that_are_kept_are_not_set_aside(tmp_path):
    raw, events = opened(tmp_path)
    options = replace(OPTIONS, duplicates="keep")
    write_set_aside(raw, events, options, None, tmp_path / "aside.csv")
    assert "3" not in [row[1] for row in rows(tmp_path / "aside.csv")]


def test_where_nothing_went_only_the_header_is_written(tmp_path):
    raw, events = opened(tmp_path, "user,time\na,2026-01-01\na,2026-01-02\n")
    assert write_set_aside(raw, events, CleanOptions(min_events=1), None, tmp_path / "a.csv") == 0
    assert rows(tmp_path / "a.csv") == [["file", "line", "reason", "user", "time", "text"]]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"missing_category": "drop", "outlier_effect": "drop", "max_events": 60},
        {"duplicates": "keep", "max_events_per_day": 40, "missing_price": "ffill"},
    ],
)
def test_on_the_sample_shop_rows_and_reasons_agree_with_the_report(tmp_path, changes):
    raw = read(SHOP, tmp_path, ReadOptions(), name="shop.csv")
    events = map_events(raw, complete(raw, {}), tmp_path)
    options = replace(CleanOptions(), **changes)
    report = preview(events, options)
    n = write_set_aside(raw, events, options, None, tmp_path / "aside.csv")
    _, *found = rows(tmp_path / "aside.csv")
    assert n == len(found) == report.events_before - report.events_after
    dropped = {s.reason: s.rows for s in report.steps if s.effect == "dropped" and s.rows}
    assert Counter(row[2] for row in found) == dropped
    lines = [int(row[1]) for row in found]
    assert lines == sorted(set(lines))
    source = rows(SHOP)
    assert [row[3:-1] for row in found] == [source[line - 1] for line in lines]


def test_for_people_the_same_rows_are_made_safe(tmp_path):
    raw, events = opened(tmp_path, LOG.replace("note", "=note"))
    with set_aside_batches(raw, events, OPTIONS, None) as batches:
        n = write_safe_set_aside(batches, tmp_path / "safe.csv")
    text = (tmp_path / "safe.csv").read_text("utf-8")
    assert text.startswith('\ufeff"file","line_","reason","user","time","item","line","\'=note",')
    _, *found = rows(tmp_path / "safe.csv")
    assert n == len(found) == 5
    assert found[0][-2] == '\' =1+1, "so" '
    assert found[3][-3:] == ["007", "NULL", ""]
    assert text.count('"007"') == 1 and ",3," in text


def test_for_people_too_the_header_stands_where_nothing_went(tmp_path):
    raw, events = opened(tmp_path, "user,time\na,2026-01-01\na,2026-01-02\n")
    with set_aside_batches(raw, events, CleanOptions(min_events=1), None) as batches:
        assert write_safe_set_aside(batches, tmp_path / "safe.csv") == 0
    header = '"file","line","reason","user","time","text"\n'
    assert (tmp_path / "safe.csv").read_text("utf-8-sig") == header
