"""The command line: what it writes, what it says, and what it refuses before anything is done."""

import csv
import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from core import runs
from core.__main__ import main
from core.clustering import CLUSTERERS
from core.pipeline import STEPS
from core.representations import REPRESENTATIONS
from core.run_options import RunOptions
from tests.journeys import (
    LOOKING,
    QUICKLY,
    SAMPLES,
    TINY,
    TINY_LABELS,
    three_groups,
    write_log,
)

ROOT = Path(__file__).parents[2]
ENCODED = (
    *("--set", "represent.method=lstm", "--set", "represent.epochs=3"),
    *("--set", "cluster.method=kmeans", "--set", "project.method=pca"),
)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """The worked example on the default settings: all that can be chosen is left to the tool."""
    out = tmp_path_factory.mktemp("tiny") / "a" / "new" / "folder"
    assert main(["run", str(TINY), "--labels", str(TINY_LABELS), "--out", str(out)]) == 0
    return runs.load_run(out)


@pytest.fixture(scope="module")
def encoded(tmp_path_factory):
    """The worked example with K-means on a briefly trained encoder."""
    out = tmp_path_factory.mktemp("encoded") / "out"
    three = ("--set", "cluster.n_clusters=3")
    assert main(["run", str(TINY), "--out", str(out), *ENCODED, *three]) == 0
    return runs.load_run(out)


@pytest.fixture
def log(tmp_path):
    return write_log(tmp_path / "log.csv", three_groups())


@pytest.fixture
def core(capsys):
    """Call the command line: exit code, stdout and stderr."""

    def call(*arguments):
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def told(run, name):
    return json.loads((run.folder / name).read_text("utf-8"))


def assignments(folder):
    with (folder / "assignments.csv").open(encoding="utf-8", newline="") as file:
        return {row["user_id"]: int(row["segment"]) for row in csv.DictReader(file)}


# The worked example


def test_every_file_of_the_contract_is_there_and_nothing_else(tiny):
    assert {path.name for path in tiny.folder.iterdir()} == runs.FILES


def test_three_segments_are_found_and_they_are_the_planted_ones(tiny):
    found = told(tiny, "evaluation.json")
    assert (found["k"], found["k_recommended"], found["n_users"]) == (3, 3, 100)
    with TINY_LABELS.open(encoding="utf-8", newline="") as file:
        persona = {row["user_id"]: row["persona"] for row in csv.DictReader(file)}
    sizes = {"window shopper": 50, "straight buyer": 30, "picky returner": 20}
    segment = assignments(tiny.folder)
    assert set(segment) == set(persona)
    for place, (name, size) in enumerate(sizes.items()):
        right = sum(persona[user] == name for user, found in segment.items() if found == place)
        assert right >= size - 1
    assert found["external"]["ari"] >= 0.95


def test_counting_actions_finds_the_planted_segments_without_a_mistake(core, tmp_path):
    out = tmp_path / "out"
    core("run", TINY, "--labels", TINY_LABELS, "--out", out, *QUICKLY)
    external = told(runs.load_run(out), "evaluation.json")["external"]
    assert external["ari"] == external["pair_f1"] == external["purity"] == 1.0
    assert external["confusion"]["counts"] == [[50, 0, 0], [0, 30, 0], [0, 0, 20]]


def test_what_was_compared_is_kept_with_the_reason_of_the_choice(tiny):
    found, candidates = tiny.embeddings(), tiny.options().represent_params.candidates
    assert sorted(rung.method for rung in found.tried) == sorted(candidates)
    bits = [rung.bits for rung in found.tried if not rung.problem]
    assert bits == sorted(bits, reverse=True) and min(rung.behind for rung in found.tried) == 0
    assert REPRESENTATIONS[found.method].label in found.why and "bits per event" in found.why
    assert "bits per event" in tiny.labels().note
    taken = tuple(f"The choice is {CLUSTERERS[name].label}:" for name in ("latent_class", "kmeans"))
    assert tiny.labels().note.startswith(taken)


def test_the_loss_j_falls_at_every_iteration_until_it_stands_still(encoded):
    labels, options = encoded.labels(), encoded.options()
    assert len(labels.loss_trace) == options.cluster_params.n_init == 10
    for trace in labels.loss_trace:
        assert all(after < before for before, after in pairwise(trace[:-1]))
        assert len(trace) < options.cluster_params.max_iter
        assert 0 <= trace[-2] - trace[-1] <= options.cluster_params.tol * trace[-2]
    best = labels.loss_trace[labels.best_restart][-1]
    assert best == min(trace[-1] for trace in labels.loss_trace)
    points, values = np.asarray(encoded.embeddings().values, dtype=np.float64), labels.values
    loss = sum(
        ((points[values == k] - points[values == k].mean(axis=0)) ** 2).sum() for k in range(3)
    )
    assert best == pytest.approx(loss, rel=1e-6)
    assert told(encoded, "evaluation.json")["internal"]["loss_j"] == pytest.approx(best, rel=1e-4)


def test_the_losses_of_every_epoch_are_kept_where_something_was_trained(encoded):
    history = told(encoded, "history.json")
    assert [one["epoch"] for one in history] == [1, 2, 3]
    assert history[-1]["losses"]["total"] < history[0]["losses"]["total"]


def test_the_assignments_name_every_user_once_in_the_order_of_ids(tiny):
    text = (tiny.folder / "assignments.csv").read_bytes().decode("utf-8")
    lines = text.split("\n")
    assert lines[0] == "user_id,segment,confidence" and lines[-1] == "" and "\r" not in text
    ids = [line.split(",")[0] for line in lines[1:-1]]
    assert ids == sorted(ids) and len(set(ids)) == 100
    assert all(0.3 < float(line.split(",")[2]) <= 1.0 for line in lines[1:-1])


def test_the_manifest_tells_how_the_run_was_made(tiny):
    manifest = told(tiny, "run.json")
    assert RunOptions.from_dict(manifest["options"]) == RunOptions()
    assert (manifest["seed"], manifest["status"]) == (0, "complete")
    assert set(manifest["timings"]) == set(STEPS) - {"filled", "item_features"}
    assert all(seconds >= 0 for seconds in manifest["timings"].values())
    assert manifest["timings"]["embeddings"] > 0
    assert manifest["device"].split(" ")[0] in ("cpu", "cuda", "mps")
    assert {"python", "torch", "numpy", "duckdb"} <= set(manifest["versions"])
    assert manifest["source"]["name"] == "tiny_100_users.csv"
    assert manifest["source"]["mapping"]["user"] == "user_id"
    assert (manifest["source"]["labels_name"], manifest["source"]["dataset_id"]) == (
        "persona",
        None,
    )


def test_the_evaluation_holds_what_the_contract_says_and_null_for_what_is_not_measured(tiny):
    found = told(tiny, "evaluation.json")
    assert {"internal", "external", "k", "k_recommended", "n_users", "verdict"} <= set(found)
    internal = {"macro_silhouette", "micro_silhouette", "mean_intra_distance", "loss_j"}
    assert internal | {"calinski_harabasz", "davies_bouldin"} <= set(found["internal"])
    external = {"pair_precision", "pair_recall", "pair_f1", "ari", "ami", "nmi", "purity"}
    assert external <= set(found["external"])
    assert found["external"]["n_labelled"] == 100
    assert found["external"]["baseline"]["purity"] == 0.5
    assert [found[later] for later in ("null", "stability", "yardstick")] == [None, None, None]
    assert found["verdict_code"] is None and "not been tested" in found["verdict"]
    assert found["internal"]["loss_j"] > 0


def test_segments_recommendations_and_cleaning_are_told(tiny):
    segments = told(tiny, "segments.json")
    assert [segment["id"] for segment in segments] == [0, 1, 2]
    assert sum(segment["size"] for segment in segments) == 100
    assert len({segment["name"] for segment in segments}) == 3
    cleaning = told(tiny, "cleaning.json")
    assert cleaning["events_after"] == cleaning["events_before"] == 1981
    rows = (tiny.folder / "recommendations.csv").read_text("utf-8").splitlines()
    assert rows[0].startswith("segment,segment_name,rank,item,") and len(rows) > 3


def test_the_report_names_the_segments_and_no_user(tiny):
    report = (tiny.folder / "report.html").read_text("utf-8")
    assert all(segment["name"] in report for segment in told(tiny, "segments.json"))
    assert not any(user in report for user in assignments(tiny.folder))


# Seeds and settings


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_points(core, tmp_path):
    out = {name: tmp_path / name for name in ("first", "again", "other")}
    for name, folder in out.items():
        seed = 1 if name == "other" else 0
        assert core("run", TINY, "--out", folder, "--seed", seed, *ENCODED)[0] == 0
    first, again = (out[name] / "assignments.csv" for name in ("first", "again"))
    assert first.read_bytes() == again.read_bytes()
    points = {name: runs.load_run(folder).embeddings().values for name, folder in out.items()}
    assert points["first"].tobytes() == points["again"].tobytes() != points["other"].tobytes()
    assert assignments(out["other"]).keys() == assignments(out["first"]).keys()
    assert runs.load_run(out["other"]).manifest.seed == 1


def test_settings_come_from_a_file_and_from_the_command_line(core, log, tmp_path):
    file = tmp_path / "options.json"
    file.write_text('{"represent": {"method": "bag"}, "cluster": {"n_clusters": 2}, "seed": 4}')
    call = ("run", log, "--out", tmp_path / "out", "--options", file, "--set")
    assert core(*call, "project.method=pca", "--set", "cluster.n_clusters=4")[0] == 2
    assert core(*call, "project.method=pca")[0] == 0
    run = runs.load_run(tmp_path / "out")
    assert (run.options().represent.method, run.options().seed) == ("bag", 4)
    assert set(assignments(run.folder).values()) == {0, 1}


def test_hdbscan_finds_the_number_by_itself_and_names_noise(core, tmp_path):
    users = three_groups() | {"odd": "sing dance sing"}
    log = write_log(tmp_path / "log.csv", users)
    method = ("--set", "cluster.method=hdbscan")
    assert core("run", log, "--out", tmp_path / "out", *QUICKLY, *method)[0] == 0
    found = assignments(tmp_path / "out")
    assert found["odd"] == -1 and set(found.values()) == {-1, 0, 1, 2}
    assert told(runs.load_run(tmp_path / "out"), "evaluation.json")["k"] == 3


def test_columns_are_taken_as_they_are_named_and_a_label_column_is_compared(core, tmp_path):
    log = tmp_path / "odd.csv"
    rows = [f"{n % 9},{n % 9 % 3},2026-01-{n // 9 + 1:02d},{'xyz'[n % 3]}" for n in range(54)]
    log.write_text("\n".join(["a,b,c,d", *rows]), encoding="utf-8")
    mapped = ("--map", "user=a,time=c,action=d", "--labels-column", "b")
    three = ("--set", "cluster.n_clusters=3")
    assert core("run", log, "--out", tmp_path / "out", *mapped, *three, *QUICKLY)[0] == 0
    run = runs.load_run(tmp_path / "out")
    assert run.manifest.source.mapping.columns() == {
        "user": "a",
        "time": "c",
        "action": "d",
        "label": "b",
    }
    external = told(run, "evaluation.json")["external"]
    assert (external["label"], external["n_labelled"], external["purity"]) == ("b", 9, 1.0)


def test_several_files_are_one_log(core, tmp_path):
    users = three_groups()
    half = {user: actions for user, actions in users.items() if user < "l10"}
    first = write_log(tmp_path / "first.csv", half)
    second = write_log(tmp_path / "second.csv", users)
    assert core("run", first, second, "--out", tmp_path / "out", *QUICKLY)[0] == 0
    run = runs.load_run(tmp_path / "out")
    cleaning = told(run, "cleaning.json")
    assert (cleaning["users_before"], cleaning["users_after"]) == (60, 60)
    assert cleaning["events_after"] == sum(len(actions.split()) for actions in users.values())
    assert run.manifest.source.name == "first.csv, second.csv"


def test_a_run_takes_the_place_of_an_earlier_one(core, log, tmp_path):
    out = tmp_path / "out"
    core("run", log, "--out", out, *QUICKLY)
    code, _, said = core("run", log, "--out", out, *QUICKLY, "--set", "cluster.n_clusters=2")
    assert code == 0 and "Replacing the run" in said
    assert set(assignments(out).values()) == {0, 1}
    assert {path.name for path in tmp_path.iterdir()} == {"log.csv", "out"}


def test_a_folder_that_is_there_and_empty_is_filled(core, log, tmp_path):
    (tmp_path / "out").mkdir()
    assert core("run", log, "--out", tmp_path / "out", *QUICKLY)[0] == 0
    assert (tmp_path / "out" / "run.json").exists()


def test_progress_goes_to_stderr_and_ends_with_the_verdict(core, log, tmp_path):
    code, out, said = core("run", log, "--out", tmp_path / "out", *QUICKLY)
    assert (code, out) == (0, "")
    lines = said.splitlines()
    assert len(lines) == len(set(lines))
    assert "[clean] Cleaning the log" in lines and "[labels] Forming segments" in lines
    assert lines[-2].startswith("3 segments") and lines[-1] == f"Wrote {tmp_path / 'out'}"


def test_the_commands_work_as_a_program_of_their_own(log, tmp_path):
    call = [sys.executable, "-m", "core", "run", str(log), "--out", "out/here", *QUICKLY]
    ended = subprocess.run(
        call,
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (0, ""), ended.stderr
    assert set(assignments(tmp_path / "out" / "here").values()) == {0, 1, 2}


# Inspect and options


def test_inspect_tells_columns_mapping_and_problems_as_json(core):
    code, out, said = core("inspect", SAMPLES / "shop_events.csv")
    found = json.loads(out)
    assert (code, said) == (0, "")
    assert found["dialect"] == {"encoding": "utf-8", "delimiter": ","}
    assert found["mapping"]["user"] == "user_id" and found["mapping"]["time"] == "timestamp"
    assert found["n_rows"] == 101_103 and "price" in found["columns"]
    unreadable = next(p for p in found["problems"] if p["column"] == "timestamp" and p["lines"])
    lines = (SAMPLES / "shop_events.csv").read_text("utf-8").splitlines()
    assert [lines[number - 1].split(",")[1] for number in unreadable["lines"]] == [
        "2025-13-45 99:99:99",
        "yesterday",
    ]


def test_inspect_tells_of_a_log_without_a_user_column_instead_of_refusing_it(core, tmp_path):
    log = tmp_path / "strange.csv"
    log.write_text("foo,bar\nx,y\nz,w\n", encoding="utf-8")
    code, out, _ = core("inspect", log)
    found = json.loads(out)
    assert code == 0 and "user" not in found["mapping"] and found["columns"] == ["foo", "bar"]


def test_options_are_told_as_a_json_schema_that_takes_the_defaults(core):
    code, out, _ = core("options")
    schema = json.loads(out)
    assert code == 0 and schema["type"] == "object"
    assert schema["properties"]["cluster"]["properties"]["n_clusters"]["default"] == "auto"
    for stage, values in RunOptions().to_dict().items():
        own = schema["properties"][stage]
        methods = own.get("methods", {}).values()
        known = set(own.get("properties", {})).union(*(m["properties"] for m in methods))
        assert stage == "seed" or set(values) <= known


def test_options_are_told_as_tables_too(core):
    code, out, _ = core("options", "--format", "markdown")
    assert code == 0 and "| `clean.min_events` | `3` |" in out


# Refusals: exit code 2, one message, nothing written


REFUSED = {
    "a file that is not there": (["{tmp}/none.csv"], "There is no file"),
    "a folder without a log": (["{tmp}/empty"], "The folder '.*' holds no log"),
    "an empty file": (["{tmp}/empty.csv"], "The file is empty"),
    "a log without a user column": (["{tmp}/strange.csv"], "No column is chosen for user"),
    "a second file without the columns": (["{log}", "{tmp}/strange.csv"], "strange.csv.*foo"),
    "a column that is not there": (
        ["{log}", "--map", "user=usr"],
        "'usr' (for user) is not there.*Did you mean 'user'",
    ),
    "a role that is not there": (["{log}", "--map", "usr=user"], "Did you mean 'user'"),
    "a mapping without a column": (["{log}", "--map", "user"], "role=column"),
    "a column with two roles": (["{log}", "--map", "user=user,item=user"], "Give each its own"),
    "a time column without times": (["{log}", "--map", "time=action"], "does not hold times"),
    "a label column that is not there": (["{log}", "--labels-column", "kid"], "'kid' (for label)"),
    "a label table that is not there": (["{log}", "--labels", "{tmp}/no.csv"], "no labels file"),
    "a label table of one column": (["{log}", "--labels", "{tmp}/one.csv"], "has one column"),
    "labels in two ways": (
        ["{log}", "--labels", "{tmp}/one.csv", "--labels-column", "kind"],
        "not allowed with",
    ),
    "a setting that is not there": (
        ["{log}", "--set", "cluster.n_cluster=6"],
        "Did you mean 'n_clusters'",
    ),
    "a setting out of range": (["{log}", "--set", "cluster.n_clusters=0"], "n_clusters is 0"),
    "a setting without a value": (["{log}", "--set", "cluster"], "stage.field=value"),
    "a method that is not there": (["{log}", "--set", "represent.method=lstn"], "mean 'lstm'"),
    "an options file that is not there": (
        ["{log}", "--options", "{tmp}/no.json"],
        "no options file",
    ),
    "an options file that is a folder": (["{log}", "--options", "{tmp}"], "cannot be read"),
    "an options file that is no JSON": (
        ["{log}", "--options", "{tmp}/empty.csv"],
        "not valid JSON",
    ),
    "an options file of odd shape": (
        ["{log}", "--options", "{tmp}/odd.json", "--set", "clean.min_events=1"],
        "'clean' must hold named options",
    ),
    "a method that is a list": (["{log}", "--options", "{tmp}/list.json"], "cluster.method is"),
    "a seed that is no number": (["{log}", "--seed", "x"], "--seed"),
    "a negative seed": (["{log}", "--seed=-1"], "seed is -1"),
    "more segments than users": (["{log}", *QUICKLY, "--set", "cluster.n_clusters=99"], "99 segm"),
    "an unknown flag": (["{log}", "--see", "1"], "--see"),
}


@pytest.mark.parametrize(("arguments", "words"), REFUSED.values(), ids=list(REFUSED))
def test_what_cannot_be_is_refused_and_nothing_is_written(core, log, tmp_path, arguments, words):
    for name, text in {
        "empty.csv": "",
        "strange.csv": "foo,bar\nx,y\nz,w\n",
        "one.csv": "user\nl01\nl02\n",
        "odd.json": '{"clean": 1}',
        "list.json": '{"cluster": {"method": []}}',
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "empty").mkdir()
    before = sorted(tmp_path.iterdir())
    filled = [argument.format(log=log, tmp=tmp_path) for argument in arguments]
    code, out, said = core("run", *filled, "--out", tmp_path / "out" / "deep")
    assert (code, out) == (2, "")
    errors = [line for line in said.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    message = said[said.index("error: ") :]
    assert all(word in message for word in words.split(".*")) and "Traceback" not in said
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("log.csv", "is a file"),
        ("log.csv/below", "is a file"),
        ("foreign", "already holds other files"),
        ("mixed", "already holds other files"),
    ],
)
def test_only_a_folder_of_its_own_is_written(core, log, tmp_path, target, words):
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "run.py").write_text("mine", encoding="utf-8")
    (tmp_path / "mixed").mkdir()
    for name in ("run.json", "mine.txt"):
        (tmp_path / "mixed" / name).write_text("mine", encoding="utf-8")
    before = {path: path.stat().st_mtime_ns for path in sorted(tmp_path.rglob("*"))}
    code, _, said = core("run", log, "--out", tmp_path / target, *QUICKLY)
    assert code == 2 and words in said and "Cleaning" not in said
    assert {path: path.stat().st_mtime_ns for path in sorted(tmp_path.rglob("*"))} == before


def test_a_refusal_keeps_the_earlier_run(core, log, tmp_path):
    out = tmp_path / "out"
    core("run", log, "--out", out, *QUICKLY)
    before = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    short = write_log(tmp_path / "short.csv", {"a": "view"})
    assert core("run", short, "--out", out, *QUICKLY)[0] == 2
    assert {path.name: path.stat().st_mtime_ns for path in out.iterdir()} == before


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ([], "COMMAND"),
        (["runn"], "invalid choice: 'runn'"),
        (["evaluator-proof", "--quick", "--out", "x.json"], "invalid choice: 'evaluator-proof'"),
        (["run", "log.csv"], "--out"),
        (["assign", "log.csv", "--out", "x.csv"], "--run"),
        (["inspect"], "EVENTS"),
        (["inspect", "none.csv"], "There is no file or folder 'none.csv'"),
        (["options", "--format", "yaml"], "yaml"),
    ],
)
def test_a_wrong_call_is_one_message_and_exit_code_two(core, call, words):
    code, out, said = core(*call)
    assert (code, out) == (2, "")
    assert said.startswith("error: ") and said.count("\n") == 1 and words in said


def test_the_commands_that_are_offered_are_those_that_exist(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    told = capsys.readouterr().out
    assert ended.value.code == 0
    assert all(command in told for command in ("inspect", "run", "assign", "options"))
    assert "evaluator-proof" not in told and "replay" not in told


def test_a_bug_stays_visible_and_leaves_nothing(core, log, tmp_path, monkeypatch):
    monkeypatch.setattr("core.clustering.cluster", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        core("run", log, "--out", tmp_path / "out", *QUICKLY)
    assert [path.name for path in tmp_path.iterdir()] == ["log.csv"]


def test_an_analyst_reads_of_users_with_more_than_one_label(core, tmp_path):
    users = {"a": LOOKING, "b": LOOKING, "c": LOOKING}
    log = write_log(tmp_path / "l.csv", users, label={"a": ["x", "y"], "b": ["x"], "c": ["z"]})
    code, _, said = core("run", log, "--out", tmp_path / "out", "--labels-column", "kind", *QUICKLY)
    assert code == 0
    assert "1 user with more than one 'kind'" in said


def test_a_log_is_prepared_in_a_form_other_tools_take(core, tmp_path):
    import pyarrow.parquet as parquet

    log, out = write_log(tmp_path / "log.csv", three_groups()), tmp_path / "out"
    with log.open("a", encoding="utf-8") as file:
        file.write(",2026-01-01,view,,\n")
    code, said, _ = core("prepare", log, "--out", out, "--form", "bag", "--words", "action")
    assert (code, said) == (0, "")
    assert {path.name for path in out.iterdir()} == {
        "bag.parquet", "cleaning.json", "quality.json", "set_aside.csv"
    }  # fmt: skip
    bag = parquet.read_table(out / "bag.parquet").to_pylist()
    assert {(row["word"], row["count"]) for row in bag if row["user_id"] == "l03"} == {
        ("view", 4), ("search", 2)
    }  # fmt: skip
    set_aside = (out / "set_aside.csv").read_text("utf-8").splitlines()
    assert set_aside[1:] == ["log.csv,362,no user id,,2026-01-01,view,,,"]
    code, _, said = core("prepare", log, "--out", out)
    assert code == 2 and "is not empty" in said


def test_a_folder_a_pattern_and_a_mapping_of_an_earlier_run(core, tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    users = three_groups()
    write_log(folder / "a.csv", {user: acts for user, acts in users.items() if user < "c"})
    write_log(folder / "b.csv", {user: acts for user, acts in users.items() if user >= "c"})
    (folder / "notes.md").write_text("no log")
    first = ("run", folder, "--out", tmp_path / "one", *QUICKLY, "--map", "category=")
    assert core(*first)[0] == 0
    kept = ("--mapping", tmp_path / "one" / "run.json")
    assert core("run", folder / "*.csv", "--out", tmp_path / "two", *QUICKLY, *kept)[0] == 0
    one, two = (runs.load_run(tmp_path / name) for name in ("one", "two"))
    assert one.manifest.source.mapping == two.manifest.source.mapping
    assert one.manifest.source.mapping.category is None
    assert one.manifest.source.name == "a.csv, b.csv"
    assert assignments(tmp_path / "one") == assignments(tmp_path / "two")
    assert len(assignments(tmp_path / "one")) == 60
