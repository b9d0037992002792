"""Every bad file of the suite through the command line: no crash, no silent wrong value."""

import json
from pathlib import Path

import pytest

from core.__main__ import main

BAD = Path(__file__).parents[2].parent / "shared" / "badcsv"
KEY = json.loads((BAD / "expected.json").read_text("utf-8")) if BAD.is_dir() else {}
FILES = {name: told for name, told in KEY.items() if told["class"] != "payload"}
LET_IN_WITH_A_WORD = {"68_nan_inf_words.csv", "72_decimal_mixed.csv", "76_mixed_timestamps.csv"} | {
    "85_typo_date.csv"
}
"""Sound as text: what is wrong with them must be named when their columns are looked at."""


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
