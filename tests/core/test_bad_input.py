"""Logs that hold too little, too much of the same, or strings that want to be code.

Each is a clear message (exit code 2, nothing written) or a named result (exit code 0).
"""

import csv
import json

import pytest

from core.__main__ import main
from tests.journeys import LOOKING, QUICKLY, three_groups, write_log

ENCODER = (
    "--set",
    "represent.method=lstm",
    "--set",
    "represent.epochs=2",
    "--set",
    "project.method=pca",
)
PAIRS = ("--set", "represent.method=bigram")
DENSE = (*QUICKLY, "--set", "cluster.method=hdbscan")
WAYS = {"counts": QUICKLY, "encoder": ENCODER, "pairs, umap": PAIRS, "dense groups": DENSE}
HOSTILE = (
    "<script>alert(1)</script>",
    "=HYPERLINK(1)",
    "[a](http://evil.example)",
    "</script><b>x",
    "{{7*7}}",
    "a'; DROP TABLE events; --",
)


@pytest.fixture
def told(tmp_path, capsys):
    """Run a log: exit code, the error message, and the evaluation that was written."""

    def run(log, *settings):
        out = tmp_path / "out"
        code = main(["run", str(log), "--out", str(out), *settings])
        said = capsys.readouterr().err
        assert out.exists() == (code == 0)
        assert ("error: " in said) == (code == 2)
        found = json.loads((out / "evaluation.json").read_text("utf-8")) if out.exists() else {}
        return code, said[said.find("error: ") :], found

    return run


def log_of(tmp_path, text):
    path = tmp_path / "log.csv"
    path.write_text(text, encoding="utf-8")
    return path


def segments(tmp_path):
    with (tmp_path / "out" / "assignments.csv").open(encoding="utf-8", newline="") as file:
        return {row["user_id"]: int(row["segment"]) for row in csv.DictReader(file)}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "'log.csv' cannot be read without guessing.\n- The file is empty"),
        ("user,time,action\n", "Only a header was found"),
        ("foo,bar\nx,y\nz,w\n", "No column is chosen for user"),
    ],
)
def test_a_file_without_rows_or_users_says_so(told, tmp_path, text, words):
    code, said, _ = told(log_of(tmp_path, text))
    assert code == 2 and words in said


@pytest.mark.parametrize("way", WAYS)
def test_one_user_is_one_segment_and_too_little_to_conclude_anything(told, tmp_path, way):
    code, _, found = told(write_log(tmp_path / "log.csv", {"solo": LOOKING}), *WAYS[way])
    assert (code, found["k"], found["k_recommended"]) == (0, 1, 1)
    assert found["verdict_code"] == "too_little_data"
    assert "1 user, and at least 50 are needed" in found["verdict"]
    assert segments(tmp_path) == {"solo": 0}


@pytest.mark.parametrize(
    ("way", "n_users"),
    [
        ("counts", 2),
        ("counts", 3),
        ("counts", 5),
        ("counts", 10),
        ("encoder", 2),
        ("encoder", 10),
        ("dense groups", 2),
        ("dense groups", 10),
        ("pairs, umap", 9),
        ("pairs, umap", 10),
    ],
)
def test_a_handful_of_users_goes_all_the_way_and_is_called_too_little(told, tmp_path, way, n_users):
    users = dict(list(three_groups(4).items())[::-1][:n_users])
    code, _, found = told(write_log(tmp_path / "log.csv", users), *WAYS[way])
    assert (code, found["verdict_code"], found["k_recommended"]) == (0, "too_little_data", 1)
    assert 1 <= found["k"] <= max(n_users // 5, 2)
    assert segments(tmp_path).keys() == users.keys()


def test_one_event_a_user_is_refused_with_the_rule_that_took_them(told, tmp_path):
    users = dict.fromkeys(three_groups(), "view")
    code, said, _ = told(write_log(tmp_path / "log.csv", users))
    assert code == 2
    assert "Nothing is left of 60 events" in said and "fewer than 3 events (60)" in said


def test_one_event_a_user_leaves_nothing_to_learn_but_something_to_count(told, tmp_path):
    users = {user: actions.split()[0] for user, actions in three_groups().items()}
    log, allowed = write_log(tmp_path / "log.csv", users), ("--set", "clean.min_events=1")
    code, said, _ = told(log, *allowed, *ENCODER)
    assert code == 2 and "No user has two events" in said and "'bag'" in said
    code, _, found = told(log, *allowed, *PAIRS, "--set", "cluster.method=kmeans")
    assert (code, found["k"]) == (0, 2)
    by_first = segments(tmp_path)
    assert len({by_first[user] for user in users if users[user] == "view"}) == 1
    assert by_first["l00"] != by_first["r00"]


def test_one_event_a_user_foretells_nothing_so_one_segment_is_suggested(told, tmp_path):
    users = {user: actions.split()[0] for user, actions in three_groups().items()}
    log = write_log(tmp_path / "log.csv", users, category="shoes")
    code, _, found = told(log, *QUICKLY, "--set", "clean.min_events=1")
    assert (code, found["k"], found["k_recommended"]) == (0, 1, 1)


@pytest.mark.parametrize("way", WAYS)
def test_users_who_are_all_alike_are_one_segment_by_name(told, tmp_path, way):
    users = dict.fromkeys(three_groups(), LOOKING)
    code, _, found = told(write_log(tmp_path / "log.csv", users), *WAYS[way])
    assert (code, found["k"], found["k_recommended"]) == (0, 1, 1)
    assert found["verdict_code"] == "continuum" and found["verdict"].startswith("No segments")
    assert set(segments(tmp_path).values()) == {0}
    assert found["internal"]["macro_silhouette"] is None and found["internal_notes"]


def test_users_who_are_all_alike_cannot_be_parted(told, tmp_path):
    users = dict.fromkeys(three_groups(), LOOKING)
    log = write_log(tmp_path / "log.csv", users)
    code, said, _ = told(log, *QUICKLY, "--set", "cluster.n_clusters=6")
    assert code == 2
    assert "6 segments cannot be formed of 60 users who all behave alike" in said
    assert "Choose 1 segment (cluster.n_clusters)" in said


@pytest.mark.parametrize("way", ["counts", "encoder", "pairs, umap"])
def test_fewer_users_than_segments_are_told_how_many_there_can_be(told, tmp_path, way):
    users = dict(list(three_groups(4).items())[::3])
    assert len(users) == 4
    log = write_log(tmp_path / "log.csv", users)
    code, said, _ = told(log, *WAYS[way], "--set", "cluster.n_clusters=6")
    assert code == 2 and "6 segments cannot be formed of 4 users" in said
    assert "fewer segments" in said


def test_fewer_users_than_the_smallest_dense_group_are_told(told, tmp_path):
    log = write_log(tmp_path / "log.csv", three_groups(3))
    code, said, _ = told(log, *DENSE, "--set", "cluster.min_cluster_size=50")
    assert code == 2 and "50 users, and 9 users are there" in said


def test_a_label_that_varies_within_a_user_leaves_that_user_out_of_the_comparison(told, tmp_path):
    users = three_groups()
    kinds = {user: [user[0]] for user in users} | {"l00": ["l", "b"]}
    log = write_log(tmp_path / "log.csv", users, label=kinds)
    code, _, found = told(log, *QUICKLY, "--labels-column", "kind")
    external = found["external"]
    assert (code, external["n_labelled"], external["n_conflicting"]) == (0, 59, 1)
    assert external["ari"] == 1.0 and len(segments(tmp_path)) == 60


def test_a_label_that_varies_within_every_user_leaves_nobody_to_compare(told, tmp_path):
    users = three_groups()
    log = write_log(tmp_path / "log.csv", users, label={user: ["x", "y"] for user in users})
    code, _, found = told(log, *QUICKLY, "--labels-column", "kind")
    external = found["external"]
    assert (code, found["k"], external["n_labelled"], external["n_conflicting"]) == (0, 3, 0, 60)
    assert external["ari"] is None
    assert "60 users with more than one kind" in external["reading"]


def test_the_label_never_moves_a_segment(told, tmp_path):
    users = three_groups()
    plain = write_log(tmp_path / "plain.csv", users)
    told(plain, *QUICKLY)
    first = segments(tmp_path)
    labelled = write_log(tmp_path / "l.csv", users, label={u: [u[1:]] for u in users})
    assert told(labelled, *QUICKLY, "--labels-column", "kind")[0] == 0
    assert segments(tmp_path) == first


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_name_with_markup_or_a_formula_is_only_a_name(told, tmp_path, hostile):
    users = {f"{hostile}{user}": actions for user, actions in three_groups(6).items()}
    log = write_log(tmp_path / "log.csv", users, category=hostile)
    assert told(log, *QUICKLY)[0] == 0
    assert segments(tmp_path).keys() == users.keys()
    kept = json.loads((tmp_path / "out" / "segments.json").read_text("utf-8"))
    assert {lift["name"] for segment in kept for lift in segment["categories"]} <= {hostile}
    report = (tmp_path / "out" / "report.html").read_text("utf-8")
    for live in ("<script>alert", "</script><b>x", 'href="http://evil', 'src="http://evil', ">49<"):
        assert live not in report


def test_a_log_of_nothing_but_users_and_times_says_that_all_are_alike(told, tmp_path):
    rows = [f"u{user:02d},2026-01-0{day}" for user in range(60) for day in range(1, 6)]
    log = log_of(tmp_path, "\n".join(["user,time", *rows]))
    code, _, found = told(log, *QUICKLY)
    assert (code, found["k"], found["verdict_code"]) == (0, 1, "continuum")
