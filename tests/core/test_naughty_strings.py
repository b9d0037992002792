"""Strings that break programs, as user id, action, category, item, label and column name.

Programs get them back exactly; spreadsheets get them behind an apostrophe where they could be a
formula. (`tests/e2e/test_naughty_strings.py` looks at what a browser makes of them.)
"""

import csv
import json

import pytest

from core.__main__ import main
from core.events.mapping import guess, inspect_report
from core.events.read import ReadOptions, read
from core.report import tables
from core.runs import load_run
from tests.journeys import QUICKLY
from tests.naughty import NEEDS_NAUGHTY, as_cells, write_naughty_log


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("naughty")
    log = write_naughty_log(folder / "log.csv")
    settings = ("sequence.max_actions=1000", "sequence.max_categories=1000", "cluster.n_clusters=3")
    flags = [word for setting in settings for word in ("--set", setting)]
    flags += ["--set", "cluster.method=kmeans"]  # which forms segments by words alone
    assert main(["run", str(log), "--out", str(folder / "out"), *QUICKLY, *flags]) == 0
    return load_run(folder / "out")


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@NEEDS_NAUGHTY
def test_every_string_is_a_user_to_the_letter(run):
    users = [row["user_id"] for row in rows_of(run.folder / "assignments.csv")]
    assert sorted(users) == sorted(as_cells())


@NEEDS_NAUGHTY
def test_every_string_is_an_action_a_category_and_an_item_to_the_letter(run):
    words, told = run.vocabulary(), set(as_cells())
    assert set(words.actions) == told
    assert set(words.items) == told
    assert set(words.categories) == told
    described = json.loads((run.folder / "segments.json").read_text("utf-8"))
    named = {lift["name"] for segment in described for lift in segment["categories"]}
    assert named and named <= told
    offered = {row["item"] for row in rows_of(run.folder / "recommendations.csv")}
    assert offered and offered <= told


@NEEDS_NAUGHTY
def test_no_cell_of_a_download_for_people_is_a_formula(run):
    listed = tables.users_per_segment_csv(run.labels(), run.segments())
    users = [row[0] for row in csv.reader(listed.lstrip("\ufeff").splitlines(keepends=True))][1:]
    assert sorted(users) == sorted(map(tables.formula_safe, as_cells()))
    changed = [user for user in users if user not in set(as_cells())]
    assert len([user for user in changed if user.startswith("'")]) >= 20
    assert not [user for user in users if user.strip()[:1] in "=+@＝＋＠" and user.strip()]


@NEEDS_NAUGHTY
def test_every_string_can_name_a_column(tmp_path):
    path = tmp_path / "log.csv"
    seen: dict[str, str] = {}
    printable = [s for s in as_cells() if any(c.isprintable() and not c.isspace() for c in s)]
    for name in printable:  # names equal but for case or white space are refused, as they must be
        seen.setdefault(" ".join(name.split()).casefold(), name)
    names = list(seen.values())[:490]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["user", "time", *names], ["u", "2024-01-01", *names]])
    raw = read(path, tmp_path, ReadOptions(max_columns=1000, header_line=1), name="log.csv")
    report = inspect_report(raw, guess(raw))
    assert report["mapping"]["user"] == "user" and len(report["columns"]) == len(names) + 2
    changed = [name for name in names if name not in report["columns"]]
    assert all(any(not char.isprintable() or char.isspace() for char in name) for name in changed)


@NEEDS_NAUGHTY
@pytest.mark.parametrize(
    "name", ["=1+1", "a, b", '"; DROP TABLE x', "<img src=x onerror=a()>", "$path"]
)
def test_a_column_of_any_name_can_be_mapped(tmp_path, name):
    log = write_naughty_log(tmp_path / "log.csv", header=("user", "time", name, "category", "item"))
    out = tmp_path / "out"
    mapped = f"user=user,time=time,action={name},category=category,item=item"
    assert main(["run", str(log), "--out", str(out), *QUICKLY, "--map", mapped]) == 0
    assert load_run(out).manifest.source.mapping.action == name
    assert "<img src=x" not in (out / "report.html").read_text("utf-8")
