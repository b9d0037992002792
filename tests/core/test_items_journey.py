"""An items table and item vectors all the way: they tell users apart, and new users alike."""

import csv
import json
from datetime import datetime, timedelta

import pytest

from core.__main__ import main
from core.runs import load_run

SEASONS = {"w": ("warm", "wool", "winter"), "s": ("light", "linen", "summer")}
SETTINGS = ("--set", "represent.method=bag", "--set", "project.method=pca")


@pytest.fixture
def shop(tmp_path):
    """Sixty users who do the same to different items; only what the items are tells them apart."""
    log, items, vectors = (tmp_path / f"{name}.csv" for name in ("log", "items", "vectors"))
    begun = datetime(2026, 1, 1)
    with log.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["user", "time", "action", "item", "category"])
        for number in range(60):
            kind = "ws"[number % 2]
            for event in range(6):
                item = f"{kind}{(number * 7 + event * 5) % 40}"
                writer.writerow(
                    [f"{kind}{number}", begun + timedelta(hours=event), "view", item, ""]
                )
    with items.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["item_id", "title", "category"])
        for kind, words in SEASONS.items():
            for number in range(40):
                title = f"{words[number % 3]} {words[(number + 1) % 3]} coat"
                writer.writerow([f"{kind}{number}", title, f"coats {number % 2}"])
    with vectors.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["item_id", "x", "y"])
        for kind in SEASONS:
            for number in range(40):
                writer.writerow([f"{kind}{number}", 5.0 if kind == "w" else -5.0, number % 3])
    return log, items, vectors


def segments(path):
    with path.open(newline="") as file:
        return {row["user_id"]: row["segment"] for row in csv.DictReader(file)}


def is_by_season(found):
    return len(set(found.values())) == 2 and all(
        len({segment for user, segment in found.items() if user[0] == kind}) == 1 for kind in "ws"
    )


@pytest.mark.parametrize("flag", ["--items", "--item-vectors"])
def test_what_is_known_of_items_tells_users_apart(shop, tmp_path, flag):
    log, items, vectors = shop
    table = items if flag == "--items" else vectors
    out, two = tmp_path / "out", ("--set", "cluster.n_clusters=2")
    assert main(["run", str(log), "--out", str(out), flag, str(table), *SETTINGS, *two]) == 0
    found = segments(out / "assignments.csv")
    assert is_by_season(found)
    again = tmp_path / "again.csv"
    assert main(["assign", str(log), "--run", str(out), "--out", str(again)]) == 0
    assert segments(again) == found
    assert load_run(out).item_features().item_vectors.shape[1] > 0


@pytest.mark.parametrize("flag", ["--items", "--item-vectors"])
def test_the_number_of_segments_is_found_by_what_is_known_of_items_alone(shop, tmp_path, flag):
    log, items, vectors = shop
    table = items if flag == "--items" else vectors
    out = tmp_path / "out"
    assert main(["run", str(log), "--out", str(out), flag, str(table), *SETTINGS]) == 0
    assert is_by_season(segments(out / "assignments.csv"))
    again = tmp_path / "again.csv"
    assert main(["assign", str(log), "--run", str(out), "--out", str(again)]) == 0
    assert segments(again) == segments(out / "assignments.csv")


@pytest.mark.parametrize("flag", ["--items", "--item-vectors"])
def test_items_that_only_a_new_log_holds_are_placed_by_the_files_of_the_run(shop, tmp_path, flag):
    log, items, vectors = shop
    header, *rows = log.read_text().splitlines(keepends=True)
    seen = [row for row in rows if int(row.split(",")[3][1:]) < 30]
    log.write_text("".join([header, *seen]))
    table = items if flag == "--items" else vectors
    out, two = tmp_path / "out", ("--set", "cluster.n_clusters=2")
    assert main(["run", str(log), "--out", str(out), flag, str(table), *SETTINGS, *two]) == 0
    first = segments(out / "assignments.csv")
    table.unlink()  # the run has its own
    new = [f"{k} new,2026-02-0{day},view,{k}3{day},\n" for k in "ws" for day in range(1, 7)]
    log.write_text("".join([header, *new]))
    assert main(["assign", str(log), "--run", str(out), "--out", str(tmp_path / "new.csv")]) == 0
    there = {kind: next(s for user, s in first.items() if user[0] == kind) for kind in "ws"}
    assert is_by_season(first)
    assert segments(tmp_path / "new.csv") == {"s new": there["s"], "w new": there["w"]}


def test_categories_come_from_the_items_table_and_can_be_left_open(shop, tmp_path):
    log, items, _ = shop
    call = ["run", str(log), "--items", str(items), *SETTINGS, "--out"]
    assert main([*call, str(tmp_path / "filled")]) == 0
    left_open = ("--set", "sequence.category_from_items=false")
    assert main([*call, str(tmp_path / "open"), *left_open]) == 0
    words = {name: load_run(tmp_path / name).vocabulary() for name in ("filled", "open")}
    assert words["filled"].categories == ("coats 0", "coats 1")
    assert words["open"].categories == ()
    source = json.loads((tmp_path / "filled" / "run.json").read_text("utf-8"))["source"]
    assert source["items_name"] == "items.csv"


def test_a_missing_items_file_is_named(shop, tmp_path, capsys):
    call = [
        "run",
        str(shop[0]),
        "--out",
        str(tmp_path / "out"),
        "--items",
        str(tmp_path / "no.csv"),
    ]
    assert main(call) == 2
    assert "There is no items file" in capsys.readouterr().err and not (tmp_path / "out").exists()
