"""Every bad file of the suite through the command line: no crash, no silent wrong value."""

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from core.__main__ import main
from core.errors import FileRefused
from core.events.read import ReadOptions, read

BAD = Path(__file__).parents[2].parent / "shared" / "badcsv"
KEY = json.loads((BAD / "expected.json").read_text("utf-8")) if BAD.is_dir() else {}
FILES = {name: told for name, told in KEY.items() if told["class"] != "payload"}
LET_IN_WITH_A_WORD = {"68_nan_inf_words.csv", "72_decimal_mixed.csv", "76_mixed_timestamps.csv"} | {
    "85_typo_date.csv"
}
"""Sound as text: what is wrong with them must be named when their columns are looked at."""

_NAMED = (
    ("header_line", r"read\.header_line=(\w+)"),
    ("encoding", r"written in (\w+) \(a guess\).*read\.encoding"),
    ("escape", r"read\.escape=(\w+)"),
    ("quotes", r"read\.quotes=(\w+)"),
    ("ragged", r"read\.ragged=(\w+)"),
)
"""Settings as a refusal names them; of several the first is taken."""


@pytest.fixture
def told(capsys):
    def call(*arguments):
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert code in (0, 2) and "Traceback" not in err
        return code, out, err

    return call


@pytest.mark.parametrize("name", FILES)
def test_inspect_lets_in_what_is_sound_and_names_what_is_not(told, name):
    expected = FILES[name]
    code, out, err = told("inspect", BAD / name)
    if expected["class"] == "accept":
        assert code == 0
    if code == 2:
        assert expected["class"] in ("refuse", "warn") and expected["err"] in err.lower()
        return
    report = json.loads(out)
    assert expected["class"] != "refuse" or name in LET_IN_WITH_A_WORD
    if expected["class"] != "accept":
        assert report["problems"], "accepted without a word"
        assert expected["err"] in json.dumps(report["problems"]).lower()
    if expected.get("header"):
        assert report["columns"] == expected["header"]
    if expected.get("nrows") is not None:
        assert report["n_rows"] == expected["nrows"]


def named_settings(message):
    """The setting that a refusal names, as options."""
    for name, pattern in _NAMED:
        if found := re.search(pattern, message):
            return {name: int(found[1]) if found[1].isdigit() else found[1]}
    return {}


def read_as_told(name, folder):
    """Read a file, with the settings that its refusals name one after another."""
    settings = {}
    while True:
        try:
            return read(BAD / name, folder, ReadOptions(**settings), name=name), settings
        except FileRefused as refused:
            more = named_settings(str(refused))
            if not more or more.keys() & settings.keys():
                raise
            settings |= more


def assert_cells(raw, expected):
    """Every cell that the answer key knows holds one of the texts that it allows."""
    columns = pq.read_table(raw.path).to_pydict()
    for row, column, *allowed in expected["checks"]:
        assert columns[raw.columns[column]][row] in allowed, (row, column)
    if expected.get("header"):
        assert list(raw.columns) == expected["header"]
    if expected.get("nrows") is not None:
        assert raw.n_rows == expected["nrows"]


@pytest.mark.parametrize("name", [name for name in FILES if "checks" in FILES[name]])
def test_every_cell_holds_what_the_file_says_by_itself_or_as_its_refusal_tells_to_read_it(
    name, tmp_path
):
    raw, settings = read_as_told(name, tmp_path)
    assert not settings or FILES[name]["class"] == "warn"
    assert_cells(raw, FILES[name])


@pytest.mark.parametrize("name", FILES)
def test_run_ends_in_a_result_or_in_one_clear_refusal(told, tmp_path, name):
    """Whatever stands first is called the user and whatever stands last the time."""
    code, out, _ = told("inspect", BAD / name)
    columns = json.loads(out)["columns"] if code == 0 else []
    out_folder = tmp_path / "out"
    mapped = ["--map", f"user={columns[0]},time={columns[-1]}"] if len(columns) > 1 else []
    quickly = ["--set", "represent.method=bag", "--set", "project.method=pca"]
    code, _, err = told("run", BAD / name, "--out", out_folder, *mapped, *quickly)
    assert out_folder.exists() == (code == 0)
    if code == 2:
        assert sum(line.startswith("error: ") for line in err.splitlines()) == 1
