"""`python -m core refine`: labels of another tool, made better or told why not."""

import csv

import numpy as np
import pytest

from core.__main__ import main
from core.evaluation.worlds import agreement, draw, write

FAST = ("--set", "cluster.method=latent_class", "--set", "cluster.net_epochs=2")
FEW = ("--set", "represent.models_most=2")


def written(folder, world, labels, name="labels.csv"):
    """A labels file of (user, label) rows."""
    path = folder / name
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("who", "group"), *labels])
    return path


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("worlds")
    worlds = {"first_order": draw("first_order", 500, 0), "iid": draw("iid", 200, 0)}
    for name, world in worlds.items():
        write(world, folder / f"{name}.csv")
    return folder, worlds


def refined(folder, name, labels, out):
    call = [str(folder / f"{name}.csv"), "--labels", str(labels), "--out", str(out), *FAST, *FEW]
    return main(["refine", *call])


def test_labels_of_another_tool_come_nearer_to_the_truth_under_their_own_names(
    logs, tmp_path, capsys
):
    folder, worlds = logs
    world = worlds["first_order"]
    rng = np.random.default_rng(1)
    values = world.truth.copy()
    who = rng.random(500) < 0.3
    values[who] = rng.permutation(values[who])
    names = np.array(["north", "=south", "east", "west"])
    rows = list(zip(world.user_ids(), names[values], strict=True))
    labels = written(tmp_path, world, [*rows[:480], ("stranger", "east")])
    out = tmp_path / "refined.csv"
    assert refined(folder, "first_order", labels, out) == 0
    said = capsys.readouterr().err
    assert "20 users have no label in the cleaned log; they are placed" in said
    assert "1 user with a label is not in the cleaned log" in said
    assert "and kept" in said
    with out.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    assert [row["user_id"] for row in found] == world.user_ids().tolist()
    assert [row["label_before"] for row in found[:480]] == [name for _, name in rows[:480]]
    assert {row["segment"] for row in found} == set(names)
    after = np.array([names.tolist().index(row["segment"]) for row in found])
    assert agreement(world, after) > 0.75 > 0.6 > agreement(world, values)
    assert np.mean(after == world.truth) > 0.85  # each name still means what it meant


def test_labels_that_cannot_be_made_better_come_out_as_they_were(logs, tmp_path, capsys):
    folder, worlds = logs
    world = worlds["iid"]
    drawn = np.random.default_rng(0).choice(["a", "b", "-1"], 190)
    rows = list(zip(world.user_ids(), drawn, strict=False))
    out = tmp_path / "refined.csv"
    assert refined(folder, "iid", written(tmp_path, world, rows), out) == 0
    said = capsys.readouterr().err
    assert "was reverted" in said and "10 users have no label in the cleaned log; they stay" in said
    with out.open(encoding="utf-8", newline="") as file:
        found = [tuple(row.values()) for row in csv.DictReader(file)]
    assert found == [(user, label, "", label) for user, label in rows]


def test_labels_of_other_users_are_refused_in_plain_words(logs, tmp_path, capsys):
    folder, worlds = logs
    labels = written(tmp_path, worlds["iid"], [("someone", "a"), ("else", "b")])
    out = tmp_path / "refined.csv"
    assert refined(folder, "iid", labels, out) == 2
    said = capsys.readouterr().err
    assert "None of the 2 users with a label is in the cleaned log" in said
    assert not out.exists()


def test_the_labels_are_not_written_over(logs, tmp_path, capsys):
    folder, worlds = logs
    labels = written(tmp_path, worlds["iid"], [("u000001", "a")])
    before = labels.read_bytes()
    assert refined(folder, "iid", labels, labels) == 2
    assert "is read, or lies in what is read, by --labels" in capsys.readouterr().err
    assert labels.read_bytes() == before
