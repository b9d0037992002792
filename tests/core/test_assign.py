"""New users into the segments of a recorded run, through the command line."""

import csv

import numpy as np
import pyarrow.parquet as parquet
import pytest

from core import representations, runs
from core.__main__ import main
from core.artifacts import NOISE
from core.assign import as_in_run, assign
from core.evaluation.worlds import agreement, draw, write
from tests.journeys import (
    BUYING,
    LOOKING,
    QUICKLY,
    RETURNING,
    SAMPLES,
    TINY,
    events_of,
    three_groups,
    write_log,
)

KMEANS = ("--set", "cluster.method=kmeans")
ENCODER = ("--set", "represent.method=lstm", "--set", "represent.epochs=8")
METHODS = {
    "auto on counts": QUICKLY,
    "chains of behaviour": (*QUICKLY, "--set", "cluster.method=markov_mixture"),
    "kmeans on counts": (*QUICKLY, *KMEANS),
    "kmeans on the encoder": (*ENCODER, *KMEANS, "--set", "project.method=pca"),
    "hdbscan on counts": (*QUICKLY, "--set", "cluster.method=hdbscan"),
    "kmeans on pairs": (*QUICKLY, *KMEANS, "--set", "represent.method=bigram"),
    "kmeans on chains": (*QUICKLY, *KMEANS, "--set", "represent.method=markov_mixture"),
}

ODD_IDS = ("007", "7", "1e5", '=1+1,"x"', "ünï", " x ", "x", "None", "nan", "NULL", "-")


@pytest.fixture(scope="module", params=list(METHODS))
def tiny_run(request, tmp_path_factory):
    """A run on the worked example, by each method."""
    out = tmp_path_factory.mktemp("run") / "out"
    assert main(["run", str(TINY), "--out", str(out), *METHODS[request.param]]) == 0
    return runs.load_run(out)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A run on three plain groups with ids that look like numbers, formulas and nothing at all."""
    folder = tmp_path_factory.mktemp("shop")
    users = three_groups() | dict.fromkeys(ODD_IDS, LOOKING)
    log = write_log(folder / "log.csv", users)
    assert main(["run", str(log), "--out", str(folder / "out"), *QUICKLY]) == 0
    return runs.load_run(folder / "out")


def table(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def segments_of(path):
    return {row["user_id"]: int(row["segment"]) for row in table(path)}


def assigned(run, log, out):
    assert main(["assign", str(log), "--run", str(run.folder), "--out", str(out)]) == 0
    return segments_of(out)


def test_the_training_log_gets_the_same_segments_again(tiny_run, tmp_path):
    again = assigned(tiny_run, TINY, tmp_path / "again.csv")
    first = segments_of(tiny_run.folder / "assignments.csv")
    assert list(again) == list(first) and len(again) == 100
    same = np.mean([again[user] == first[user] for user in first])
    assert same >= (0.95 if tiny_run.labels().method == "hdbscan" else 0.99)
    assert len(set(first.values()) - {NOISE}) >= 3


def test_the_training_log_gets_the_same_confidence_again(shop, tmp_path):
    assigned(shop, shop.folder.parent / "log.csv", tmp_path / "again.csv")
    again = (tmp_path / "again.csv").read_bytes()
    assert again == (shop.folder / "assignments.csv").read_bytes()


def test_a_dirty_log_is_cleaned_as_the_runs_own_was(tmp_path):
    """The first 300 users of the sample shop, which has duplicates, blanks and absurd prices."""
    lines = (SAMPLES / "shop_events.csv").read_text("utf-8").splitlines(keepends=True)
    users = sorted({line.split(",")[0] for line in lines[1:]})[:300]
    log = tmp_path / "part.csv"
    kept = [line for line in lines[1:] if line.split(",")[0] in users]
    log.write_text("".join([lines[0], *kept]), encoding="utf-8")
    assert main(["run", str(log), "--out", str(tmp_path / "out"), *QUICKLY]) == 0
    first = segments_of(tmp_path / "out" / "assignments.csv")
    assert assigned(runs.load_run(tmp_path / "out"), log, tmp_path / "again.csv") == first


def priced_log(path, users, prices):
    rows = [
        f"{user},2026-01-0{day},{action},{price}\n"
        for user, actions in users.items()
        for day, (action, price) in enumerate(zip(actions.split(), prices, strict=True), start=1)
    ]
    path.write_text("".join(["user,time,action,price\n", *rows]), encoding="utf-8")
    return path


def test_an_absurd_price_is_moved_to_the_bound_of_the_run_not_to_that_of_the_new_log(tmp_path):
    log = priced_log(tmp_path / "log.csv", three_groups(), (2, 3, 4, 5, 6, 7))
    assert main(["run", str(log), "--out", str(tmp_path / "out"), *QUICKLY]) == 0
    run = runs.load_run(tmp_path / "out")
    bound = run.limits().price_high
    assert 7 < bound < 1000
    new = priced_log(tmp_path / "new.csv", {"solo": LOOKING}, (3, 999999, 999999, 999999, 5, 6))
    (tmp_path / "cleaned").mkdir()
    labels, report = assign(run, events_of(new, tmp_path / "mapped"), tmp_path / "cleaned")
    prices = parquet.read_table(tmp_path / "cleaned" / "clean.parquet")["price"].to_pylist()
    assert prices == [3, bound, bound, bound, 5, 6] and labels.user_ids.tolist() == ["solo"]
    (outliers,) = [step for step in report.steps if step.rule == "outlier_price"]
    assert (outliers.effect, outliers.rows) == ("changed", 3)


def test_ids_come_out_exactly_as_they_came_in(shop):
    ids = set(segments_of(shop.folder / "assignments.csv"))
    assert ids - set(three_groups()) == set(ODD_IDS)


def test_new_users_join_those_who_behave_like_them(shop, tmp_path):
    new = {
        "new looker": LOOKING,
        "new buyer": BUYING,
        "new returner": RETURNING,
    }
    found = assigned(shop, write_log(tmp_path / "new.csv", new), tmp_path / "new-out.csv")
    first = segments_of(shop.folder / "assignments.csv")
    assert found == {
        "new looker": first["l01"],
        "new buyer": first["b01"],
        "new returner": first["r01"],
    }


def test_a_single_new_user_is_enough(shop, tmp_path):
    found = assigned(shop, write_log(tmp_path / "one.csv", {"solo": LOOKING}), tmp_path / "o.csv")
    assert found == {"solo": segments_of(shop.folder / "assignments.csv")["l01"]}


def test_words_the_run_has_never_seen_count_as_unknown(shop, tmp_path):
    log = write_log(tmp_path / "new.csv", {"odd": "sing dance sing", "l": f"{LOOKING} sing"})
    found = assigned(shop, log, tmp_path / "out.csv")
    assert found["l"] == segments_of(shop.folder / "assignments.csv")["l01"]
    assert found["odd"] in (0, 1, 2)


def test_users_whom_the_runs_rules_drop_get_no_segment_and_are_counted(shop, tmp_path, capsys):
    log = write_log(tmp_path / "new.csv", {"short": "view view", "long": LOOKING})
    assert set(assigned(shop, log, tmp_path / "out.csv")) == {"long"}
    assert "user with fewer than 3 events" in capsys.readouterr().err


def test_users_far_from_every_dense_group_are_noise(tmp_path):
    log = write_log(tmp_path / "log.csv", three_groups())
    out = tmp_path / "out"
    options = (*QUICKLY, "--set", "cluster.method=hdbscan")
    assert main(["run", str(log), "--out", str(out), *options]) == 0
    new = write_log(tmp_path / "new.csv", {"odd": "search search search", "l": LOOKING})
    found = assigned(runs.load_run(out), new, tmp_path / "new-out.csv")
    assert found["odd"] == NOISE and found["l"] != NOISE
    assert table(tmp_path / "new-out.csv")[1]["confidence"] == "0.0000"


def refusal(capsys, *arguments):
    capsys.readouterr()
    assert main([str(argument) for argument in arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


def test_a_folder_that_is_no_run_is_refused_and_nothing_is_written(tmp_path, capsys):
    out = tmp_path / "out.csv"
    said = refusal(capsys, "assign", TINY, "--run", tmp_path, "--out", out)
    assert "holds no run" in said and not out.exists()


def test_a_log_with_other_columns_is_refused_with_what_it_has(shop, tmp_path, capsys):
    log = tmp_path / "other.csv"
    log.write_text("usr,time,action,category\na,2026-01-01,view,x\n", encoding="utf-8")
    out = tmp_path / "out.csv"
    said = refusal(capsys, "assign", log, "--run", shop.folder, "--out", out)
    assert "Column 'user'" in said and "Did you mean 'usr'?" in said and not out.exists()


def test_only_a_file_of_its_own_is_written(shop, tmp_path, capsys):
    log = write_log(tmp_path / "new.csv", {"a": LOOKING})
    before = log.read_bytes()
    said = refusal(capsys, "assign", log, "--run", shop.folder, "--out", log)
    assert "is a file of the log" in said and log.read_bytes() == before
    for events in (tmp_path, tmp_path / "n*.csv"):  # the log by other names
        said = refusal(capsys, "assign", events, "--run", shop.folder, "--out", log)
        assert "is a file of the log" in said and log.read_bytes() == before
    of_run = shop.folder / "run.json"
    before = of_run.read_bytes()
    said = refusal(capsys, "assign", log, "--run", shop.folder, "--out", of_run)
    assert "lies in what is read, by --run" in said and of_run.read_bytes() == before
    said = refusal(capsys, "assign", log, "--run", shop.folder, "--out", tmp_path)
    assert "is a folder" in said
    said = refusal(capsys, "assign", log, "--run", shop.folder, "--out", log / "x.csv")
    assert "is a file" in said


def test_a_log_of_which_nothing_is_left_keeps_the_earlier_answer(shop, tmp_path, capsys):
    out = tmp_path / "out.csv"
    assigned(shop, write_log(tmp_path / "new.csv", {"a": LOOKING}), out)
    before = out.read_bytes()
    short = write_log(tmp_path / "short.csv", {"a": "view"})
    said = refusal(capsys, "assign", short, "--run", shop.folder, "--out", out)
    assert "Nothing is left of 1 event after cleaning" in said
    assert out.read_bytes() == before
    assert {path.suffix for path in tmp_path.iterdir()} == {".csv"}


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn", "cnn"])
def test_users_in_a_new_log_stand_where_they_stood_in_the_run(cell, tmp_path):
    """With other users beside them, and the rest of the run's users gone."""
    users = three_groups() | {f"x{n}": f"{LOOKING} {BUYING} {RETURNING}" for n in range(6)}
    out = tmp_path / "out"
    settings = ("--set", f"represent.method={cell}", "--set", "represent.epochs=3", *KMEANS)
    log = write_log(tmp_path / "log.csv", users)
    assert main(["run", str(log), "--out", str(out), *settings, "--set", "project.method=pca"]) == 0
    run = runs.load_run(out)
    some = {user: users[user] for user in ("b07", "l03", "r11", "x2")} | {"new": "cart cart view"}
    arrived, _ = as_in_run(
        run, events_of(write_log(tmp_path / "new.csv", some), tmp_path), tmp_path
    )
    space = run.embeddings()
    points = representations.transform(space.method, space.state, arrived)
    _, here, there = np.intersect1d(space.user_ids, arrived.user_ids, return_indices=True)
    assert len(here) == 4
    one, two = np.asarray(space.values)[here], points[there]
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(two, axis=1)
    assert ((one * two).sum(axis=1) / lengths).min() > 0.9999


def test_new_users_follow_the_refined_segments_of_a_run(tmp_path, capsys):
    world = draw("first_order", 400, 0)
    write(world, tmp_path / "log.csv")
    out, again = tmp_path / "out", tmp_path / "again.csv"
    settings = (*QUICKLY, *KMEANS, "--set", "represent.models_most=2")
    refined = ("--set", "cluster.n_clusters=4", "--set", "cluster.refine=true")
    log = str(tmp_path / "log.csv")
    assert main(["run", log, "--out", str(out), *settings, *refined]) == 0
    labels = runs.load_run(out).labels()
    assert labels.method == "kmeans" and "and kept" in labels.note
    assert agreement(world, np.asarray(labels.values)) > 0.6  # K-means on counts is at 0 here
    assert main(["assign", log, "--run", str(out), "--out", str(again)]) == 0
    placed = [int(row["segment"]) for row in table(again)]
    np.testing.assert_array_equal(placed, labels.values)
