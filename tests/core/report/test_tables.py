import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.artifacts import NOISE
from core.report import tables
from core.report.tables import formula_safe
from tests.core import artifacts_by_hand as made

BAD = Path(__file__).parents[3].parent / "shared" / "badcsv"
needs_bad_files = pytest.mark.skipif(
    not BAD.is_dir(), reason="the bad-file suite is not beside the repository"
)
SIGNS = "=+-@＝＋－＠\t\r\n"


def people(text: str) -> list[list[str]]:
    """The cells as a spreadsheet reads them."""
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def programs(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def labels(*ids: str, values=None):
    n = len(ids)
    return replace(
        made.labels(),
        user_ids=np.array(ids, dtype=object),
        values=np.asarray(values or [0] * n, dtype=np.int32),
        confidence=np.linspace(1, 0.123456, n, dtype=np.float32),
    )


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1+1",
        "-1+1",
        "@SUM(A1)",
        "\t=1",
        "\rx",
        "\nx",
        "＝1",
        "＋1",
        "－1",
        "＠x",
        "  =1",
        "\u00a0=1",
        "\ufeff=1",
        "\u200b@x",
        " \t-x",
        "\x00=1",
        "-",
        "+15551234",
        "﹦1",
    ],
)
def test_what_a_spreadsheet_could_take_for_a_formula_gets_an_apostrophe(text):
    assert formula_safe(text) == "'" + text.replace("\x00", "")


@pytest.mark.parametrize(
    "text", ["", "shoes", "a=b", "12", "-12", "-0.5", "'=1", "1-2", "007", "é"]
)
def test_other_texts_and_plain_numbers_stay_as_they_are(text):
    assert formula_safe(text) == text


def test_control_characters_and_half_characters_are_removed_and_line_breaks_within_kept():
    assert formula_safe("a\x00\x1b\x7f\x85b\nc\td") == "ab\nc\td"
    formula_safe("x\ud800y").encode()


@needs_bad_files
def test_no_naughty_string_becomes_a_formula_or_breaks_the_table():
    naughty = json.loads((BAD / "88_blns.json").read_text(encoding="utf-8"))
    lines = (BAD / "89_csv_injection_payloads.txt").read_text(encoding="utf-8").splitlines()
    texts = [*naughty, *lines, *(sign + "x" for sign in SIGNS)]
    rows = people(tables.frame_csv(pd.DataFrame({"name": texts, "n": range(len(texts))})))[1:]
    assert [int(n) for _, n in rows] == list(range(len(texts)))
    for name, _ in rows:
        start = name.lstrip()[:1]
        assert start not in SIGNS or not start or name.lstrip("-").replace(".", "").isdigit(), name


@needs_bad_files
def test_naughty_user_ids_reach_programs_exactly_as_they_came(tmp_path):
    naughty = json.loads((BAD / "88_blns.json").read_text(encoding="utf-8"))
    found = labels(*naughty, "a,b", 'say "hi"', "two\r\nlines", "=1+1")
    tables.write_assignments(tmp_path / "out.csv", found)
    text = (tmp_path / "out.csv").read_bytes().decode("utf-8")
    assert [row[0] for row in programs(text)[1:]] == found.user_ids.tolist()


def test_assignments_have_the_columns_and_digits_of_the_contract(tmp_path):
    found = labels("u1", "=1+1", 'c"d', values=[1, NOISE, 0])
    tables.write_assignments(tmp_path / "out.csv", found)
    assert (tmp_path / "out.csv").read_bytes().decode("utf-8") == (
        'user_id,segment,confidence\nu1,1,1.0000\n=1+1,-1,0.5617\n"c""d",0,0.1235\n'
    )


def test_assignments_are_written_past_one_chunk(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "_ROWS_PER_CHUNK", 2)
    tables.write_assignments(tmp_path / "out.csv", labels(*"abcde"))
    rows = programs((tmp_path / "out.csv").read_text(encoding="utf-8"))
    assert [row[0] for row in rows] == ["user_id", *"abcde"]


def test_users_are_listed_segment_by_segment_with_noise_last_and_names_safe():
    named = replace(
        made.segments(),
        segments=(made.segment(0, name="=A"), made.segment(1), made.segment(NOISE)),
    )
    rows = people(
        tables.users_per_segment_csv(labels("u3", "@u2", "-7", values=[NOISE, 1, 0]), named)
    )
    assert rows == [
        ["user_id", "segment", "segment_name", "confidence"],
        ["-7", "0", "'=A", "0.1235"],
        ["'@u2", "1", "Quick errand runners", "0.5617"],
        ["u3", "-1", "No segment", "1.0"],
    ]


def test_the_segment_table_tells_of_a_small_segment_only_that_it_is_small():
    small = replace(made.segments(), segments=(made.segment(0, size=621), made.segment(1, size=4)))
    header, large, hidden = people(tables.segment_table_csv(small, 5))
    assert header[:6] == [
        "segment", "name", "users", "share_of_users", "share_of_events", "share_of_value"
    ]  # fmt: skip
    assert large[:8] == ["0", "Evening comparers", "620", "0.99", "0.4", "0.25", "51.2", "12.0"]
    assert hidden == ["1", "Quick errand runners", "<5"] + [""] * (len(header) - 3)
    assert large[-1].startswith(f"{made.HOSTILE} (3.1 ×); =HYPERLINK(1) (1.7 ×)")


def test_recommendations_for_programs_are_exact_and_those_for_people_safe():
    exact = programs(tables.recommendations_csv(made.recommendations(), made.segments()))
    safe = people(tables.recommendations_table_csv(made.recommendations(), made.segments(), 5))
    assert exact[0] == safe[0]
    assert exact[2][3] == "@SUM(1+9)*cmd|' /C calc'!A0"
    assert exact[2][6:] == ["3", "2.4", "0.04", "3 of them met it."]
    assert safe[2][3] == "'@SUM(1+9)*cmd|' /C calc'!A0"
    assert safe[2][6:] == ["<5", "2.4", "", ""]  # three people
    assert safe[1][5:] == ["1.0", "230", "2.4", "0.04", "230 of them met it."]


def test_any_table_goes_out_safe_with_blanks_for_what_is_missing():
    frame = pd.DataFrame({"=a": ["+1+1", None], "n": [-1.5, np.nan]})
    assert tables.frame_csv(frame) == '\ufeff"\'=a","n"\r\n"\'+1+1",-1.5\r\n"",""\r\n'


def test_a_share_that_stands_for_few_buyers_is_not_told_to_people():
    item = replace(made.recommendations().items[0], owned_share=3 / 620)
    found = replace(made.recommendations(), items=(item,))
    safe = people(tables.recommendations_table_csv(found, made.segments(), 5))
    assert safe[1][6:] == ["230", "2.4", "", ""]
    assert programs(tables.recommendations_csv(found, made.segments()))[1][8] == "0.00483871"


@pytest.mark.parametrize(("limit", "size", "met"), [(2, "150", "3"), (151, "<151", "<151")])
def test_the_smallest_count_is_the_one_that_was_set(limit, size, met):
    one = replace(made.segments(), segments=(made.segment(2), made.segment(0)))
    assert people(tables.segment_table_csv(one, limit))[1][2] == size
    offered = people(tables.recommendations_table_csv(made.recommendations(), one, limit))
    assert offered[2][6] == met


def test_reasons_that_quote_the_size_are_not_told_where_sizes_are_rounded():
    small = replace(made.segments(), segments=(made.segment(0), made.segment(1, size=3)))
    safe = people(tables.recommendations_table_csv(made.recommendations(), small, 5))
    assert safe[1][6:] == ["230", "2.4", "0.04", ""]
