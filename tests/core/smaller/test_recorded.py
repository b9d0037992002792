"""Smaller copies of recorded runs, and exports, through the command line."""

import csv
import json
import shutil

import numpy as np
import pytest

from core import runs
from core.__main__ import main
from tests.journeys import QUICKLY, TINY, three_groups, write_log

pytestmark = pytest.mark.usefixtures("brief_lessons")


def segments_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return {row["user_id"]: row["segment"] for row in csv.DictReader(file)}


def assigned(run, out):
    assert main(["assign", str(TINY), "--run", str(run.folder), "--out", str(out)]) == 0
    return segments_of(out)


def smaller(run, out, *more):
    return main(["smaller", str(run.folder), "--events", str(TINY), "--out", str(out), *more])


def refused(capsys, *arguments):
    capsys.readouterr()
    assert main([str(argument) for argument in arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


@pytest.fixture(scope="module")
def counted_run(tmp_path_factory):
    """A run without an encoder."""
    out = tmp_path_factory.mktemp("counted") / "run"
    kmeans = ("--set", "cluster.method=kmeans", "--set", "cluster.n_clusters=2")
    assert main(["run", str(TINY), "--out", str(out), *QUICKLY, *kmeans]) == 0
    return runs.load_run(out)


def test_a_smaller_run_puts_users_into_the_segments_of_the_original(encoder_run, tmp_path, capsys):
    assert smaller(encoder_run, tmp_path / "int8", "--way", "int8") == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[2].startswith("8-bit numbers")
    made = runs.load_run(tmp_path / "int8")
    again = assigned(made, tmp_path / "again.csv")
    first = assigned(encoder_run, tmp_path / "first.csv")
    assert again.keys() == first.keys()
    assert np.mean([again[user] == first[user] for user in first]) > 0.97
    how = made.manifest.made_smaller
    assert (how.of, how.way, how.seed) == (encoder_run.manifest.id, "int8", 0)
    assert made.manifest.id != encoder_run.manifest.id
    assert how.model_bytes * 2.5 < how.original_bytes
    file = tmp_path / "int8" / "artifacts" / "embeddings" / "state.safetensors"
    assert file.stat().st_size == how.model_bytes
    told = json.loads((tmp_path / "int8" / "smaller.json").read_text("utf-8"))
    assert [model["way"] for model in told["models"]] == ["original", "int8"]
    assert runs.holds_only_a_run(tmp_path / "int8")
    assert encoder_run.manifest.made_smaller is None


def test_all_ways_are_compared_and_nothing_else_is_written(encoder_run, tmp_path, capsys):
    assert smaller(encoder_run, tmp_path / "out", "--seed", "3") == 0
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 7
    assert "on 42 users that taught no smaller model" in said.err.replace("\n", " ")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["smaller.json"]
    told = json.loads((tmp_path / "out" / "smaller.json").read_text("utf-8"))
    assert told["seed"] == 3 and len(told["models"]) == 6
    assert smaller(encoder_run, tmp_path / "out", "--way", "bare") == 0  # in its place


def test_a_changed_byte_of_a_smaller_model_is_found(encoder_run, tmp_path, capsys):
    assert smaller(encoder_run, tmp_path / "run", "--way", "int8") == 0
    file = tmp_path / "run" / "artifacts" / "embeddings" / "state.safetensors"
    payload = bytearray(file.read_bytes())
    payload[-40] ^= 1
    file.write_bytes(payload)
    said = refused(capsys, "assign", TINY, "--run", tmp_path / "run", "--out", tmp_path / "out.csv")
    assert "is damaged" in said and not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("command", ["smaller", "export"])
def test_a_run_without_an_encoder_is_refused_with_what_to_do(
    command, counted_run, tmp_path, capsys
):
    out = tmp_path / ("out.onnx" if command == "export" else "out")
    said = refused(capsys, command, counted_run.folder, "--events", TINY, "--out", out)
    assert "'bag'" in said and "--set represent.method=lstm" in said
    assert not out.exists()


@pytest.mark.parametrize("command", ["smaller", "export"])
def test_another_log_is_refused(command, encoder_run, tmp_path, capsys):
    log = write_log(tmp_path / "other.csv", three_groups())
    out = tmp_path / "out.onnx"
    said = refused(capsys, command, encoder_run.folder, "--events", log, "--out", out)
    assert "Give the log that the run was made from" in said or "Column" in said
    assert not out.exists()


def test_part_of_the_log_is_refused_and_says_how_many_are_there(encoder_run, tmp_path, capsys):
    lines = TINY.read_text("utf-8").splitlines(keepends=True)
    user = lines[1].split(",")[0]
    log = tmp_path / "part.csv"
    kept = [line for line in lines if line.split(",")[0] != user]
    log.write_text("".join(kept), encoding="utf-8")
    out = tmp_path / "out"
    said = refused(capsys, "smaller", encoder_run.folder, "--events", log, "--out", out)
    assert "99 users after the run's cleaning, of whom 99 are among the 100" in said


def test_only_a_folder_of_its_own_is_written(encoder_run, tmp_path, capsys):
    before = sorted(path.name for path in encoder_run.folder.iterdir())
    call = ("smaller", encoder_run.folder, "--events", TINY, "--out")
    assert "the run itself" in refused(capsys, *call, encoder_run.folder)
    assert sorted(path.name for path in encoder_run.folder.iterdir()) == before
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").touch()
    assert "holds other files" in refused(capsys, *call, tmp_path / "full")
    assert "is a file" in refused(capsys, *call, tmp_path / "full" / "mine.txt")
    assert "no way 'int9'" in refused(capsys, *call, tmp_path / "new", "--way", "int9")
    assert "seed is -1" in refused(capsys, *call, tmp_path / "new", "--seed", "-1")
    assert not (tmp_path / "new").exists()


def test_the_encoder_is_exported_with_what_is_told_beside_it(encoder_run, tmp_path, capsys):
    out = tmp_path / "new" / "model.onnx"
    call = ["export", str(encoder_run.folder), "--events", str(TINY), "--out", str(out)]
    assert main(call) == 0
    assert "Checked on 100 users" in capsys.readouterr().out
    told = json.loads((tmp_path / "new" / "model.json").read_text("utf-8"))
    assert (told["model"], told["run"]) == ("model.onnx", encoder_run.manifest.id)
    assert told["checked"]["min_cosine"] > 0.9999
    assert sorted(path.name for path in out.parent.iterdir()) == ["model.json", "model.onnx"]
    assert "ends in .onnx" in refused(capsys, *call[:-1], tmp_path / "model.pt")


def test_a_smaller_run_can_be_exported(encoder_run, tmp_path):
    assert smaller(encoder_run, tmp_path / "narrow", "--way", "narrower") == 0
    sizes = []
    for folder in (encoder_run.folder, tmp_path / "narrow"):
        out = tmp_path / f"{len(sizes)}.onnx"
        assert main(["export", str(folder), "--events", str(TINY), "--out", str(out)]) == 0
        sizes.append(out.stat().st_size)
    assert sizes[1] < 0.8 * sizes[0]


def test_a_run_that_was_moved_is_still_a_run(encoder_run, tmp_path):
    shutil.copytree(encoder_run.folder, tmp_path / "moved")
    assert smaller(runs.load_run(tmp_path / "moved"), tmp_path / "out", "--way", "bare") == 0
