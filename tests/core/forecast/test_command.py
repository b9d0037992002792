"""``python -m core forecast``: what is printed, and what is refused."""

import json

import pytest

from core.__main__ import main
from tests.journeys import QUICKLY, TINY


def test_every_heavy_step_of_a_run_is_told_as_json(capsys):
    hdbscan = ("--set", "cluster.method=hdbscan")
    assert main(["forecast", str(TINY), *QUICKLY, *hdbscan]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["step"] for one in told["steps"]] == ["embeddings", "labels", "projection"]
    for one in told["steps"]:
        assert 0 < one["low_seconds"] < one["high_seconds"] < 60
        assert one["fits"] and one["cheaper"] is None
    assert told["limit_seconds"] == 600


def test_what_takes_longer_than_wanted_comes_with_settings_that_a_run_takes(capsys, tmp_path):
    encoder = ("--set", "represent.method=lstm", "--set", "represent.epochs=300")
    call = ["forecast", str(TINY), *QUICKLY, *encoder, "--set", "represent.patience=0"]
    assert main([*call, "--minutes", "0.001"]) == 0
    told = json.loads(capsys.readouterr().out)
    step = next(one for one in told["steps"] if one["step"] == "embeddings")
    assert not step["fits"]
    cheaper = step["cheaper"]
    assert cheaper["high_seconds"] < step["high_seconds"]
    options = tmp_path / "options.json"
    options.write_text(json.dumps(cheaper["options"]))
    assert main(["forecast", str(TINY), "--options", str(options)]) == 0


@pytest.mark.parametrize("minutes", ["0", "-1", "soon", "nan", "inf"])
def test_a_limit_that_is_no_time_is_refused(minutes, capsys):
    assert main(["forecast", str(TINY), f"--minutes={minutes}"]) == 2
    assert "--minutes" in capsys.readouterr().err
