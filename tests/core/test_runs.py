"""Recorded runs: written whole, listed, renamed, compared, deleted."""

import json
import shutil

import pytest

from core import runs
from core.artifacts import NOISE
from core.errors import NotFound, OptionRefused
from core.pipeline import STEPS
from core.workspace import Workspace
from tests.journeys import added, journey_in, quick, three_groups, write_log


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A workspace with one recorded run; tests work on copies of it."""
    home = tmp_path_factory.mktemp("begun")
    workspace = Workspace(home / "local")
    users = three_groups() | {"l00": "view view view", "=1+1": "buy return buy return"}
    dataset = added(workspace, write_log(home / "log.csv", users))
    runs.record_in_workspace(workspace, dataset, journey_in(workspace, dataset, quick()))
    return workspace


@pytest.fixture
def workspace(begun, tmp_path):
    shutil.copytree(begun.root, tmp_path / "local")
    return Workspace(tmp_path / "local")


@pytest.fixture
def run(workspace):
    return runs.list_runs(workspace)[0]


def recorded(workspace, options):
    dataset = workspace.datasets()[0]
    return runs.record_in_workspace(workspace, dataset, journey_in(workspace, dataset, options))


def test_a_run_is_listed_found_and_holds_what_it_was_made_of(workspace, run):
    manifest = run.manifest
    assert runs.load_run(workspace.runs / manifest.id) == run
    assert {path.name for path in run.folder.iterdir()} == runs.FILES
    assert run.options() == quick()
    assert (manifest.status, manifest.seed, manifest.source.name) == ("complete", 0, "log.csv")
    made = set(STEPS) - {"filled", "item_features"}
    assert set(manifest.timings) == set(manifest.fingerprints) == made
    assert manifest.metrics["segments"] == run.labels().n_clusters == 3
    assert (run.folder / "report.html").read_text("utf-8").lstrip().startswith("<!doctype html>")


def test_the_record_of_a_run_gives_back_the_points_the_words_and_the_map(run):
    n_users = len(run.labels().user_ids)
    assert n_users == len(run.projection().points) == len(run.embeddings().values) == 61
    assert run.vocabulary().actions == ("view", "buy", "return", "cart", "search")
    assert run.recommendations().note


def test_the_same_journey_is_recorded_once_and_another_setting_beside_it(workspace, run):
    made = (run.folder / "run.json").stat().st_mtime_ns
    assert recorded(workspace, quick()) == run
    assert (run.folder / "run.json").stat().st_mtime_ns == made
    other = recorded(workspace, quick(cluster={"n_clusters": 2}))
    listed = {found.manifest.id for found in runs.list_runs(workspace)}
    assert listed == {run.manifest.id, other.manifest.id} and len(listed) == 2


def test_a_report_that_may_tell_more_is_a_run_of_its_own(workspace, run):
    other = recorded(workspace, quick(report={"min_cell": 3}))
    assert other.manifest.id != run.manifest.id
    assert other.options().report.min_cell == 3


def test_the_newest_run_stands_first(workspace, run):
    other = recorded(workspace, quick(cluster={"n_clusters": 2}))
    for made, found in (("2026-05-02", run), ("2026-05-01", other)):
        rewrite(found, created=f"{made}T10:00:00+00:00")
    listed = [found.manifest.id for found in runs.list_runs(workspace)]
    assert listed == [run.manifest.id, other.manifest.id]


def rewrite(run, **changes):
    file = run.folder / "run.json"
    plain = json.loads(file.read_text("utf-8")) | changes
    file.write_text(json.dumps(plain), encoding="utf-8")


def test_a_new_name_stands_in_the_record_the_tables_and_the_report(workspace, run):
    name = '=Window <b>shoppers</b> & "friends"'
    journey = journey_in(workspace, workspace.datasets()[0], quick())
    old = run.segments().segments[0].name
    renamed = runs.rename_segments(run, journey, {0: name})
    assert renamed.manifest.segment_names["0"] == name
    assert runs.load_run(workspace.runs / run.manifest.id).segments().segments[0].name == name
    told = json.loads((run.folder / "segments.json").read_text("utf-8"))
    assert told[0]["name"] == name
    report = (run.folder / "report.html").read_text("utf-8")
    assert "=Window &lt;b&gt;shoppers&lt;/b&gt; &amp; " in report
    assert "<b>shoppers" not in report and old not in report
    assert (renamed.manifest.id, renamed.manifest.created) == (
        run.manifest.id,
        run.manifest.created,
    )


def test_a_name_that_will_not_do_is_refused_and_changes_nothing(workspace, run):
    journey = journey_in(workspace, workspace.datasets()[0], quick())
    before = {path.name: path.read_bytes() for path in run.folder.glob("*.*")}
    with pytest.raises(OptionRefused):
        runs.rename_segments(run, journey, {0: "  "})
    assert {path.name: path.read_bytes() for path in run.folder.glob("*.*")} == before


def test_a_deleted_run_is_gone_and_its_data_set_stays(workspace, run):
    runs.delete_run(run)
    assert runs.list_runs(workspace) == [] and len(workspace.datasets()) == 1
    with pytest.raises(NotFound, match="holds no run"):
        runs.load_run(workspace.runs / run.manifest.id)


def test_a_run_agrees_wholly_with_itself_under_another_seed(workspace, run):
    other = recorded(workspace, quick(seed=5))
    found = runs.compare(run, other)
    assert (found.shared_users, found.agreement) == (61, 1.0)
    assert ("seed", "0", "5") in found.rows
    assert not {what for what, _, _ in found.rows} & {"cluster.n_clusters", "segments", "data set"}


def test_a_comparison_names_the_settings_and_figures_that_differ(workspace, run):
    other = recorded(workspace, quick(cluster={"n_clusters": 2}))
    found = runs.compare(run, other)
    assert ("segments", "3", "2") in found.rows
    assert ("cluster.n_clusters", "auto", "2") in found.rows
    assert found.agreement is not None and 0.3 < found.agreement < 0.9


def test_runs_on_other_users_share_none_and_are_not_said_to_agree(workspace, run, tmp_path):
    users = {f"x{user}": actions for user, actions in three_groups().items()} | {"l01": "view"}
    dataset = added(workspace, write_log(tmp_path / "other.csv", users))
    options = quick(clean={"min_events": 1})
    other = runs.record_in_workspace(workspace, dataset, journey_in(workspace, dataset, options))
    found = runs.compare(run, other)
    assert (found.shared_users, found.agreement) == (1, None)
    assert ("data set", "log.csv", "other.csv") in found.rows


def test_a_run_that_is_half_written_is_not_listed_and_not_found(workspace, run):
    half = workspace.runs / f".{'a' * 16}.12345678"
    shutil.copytree(run.folder, half)
    unfinished = workspace.runs / ("b" * 16)
    shutil.copytree(run.folder, unfinished)
    (unfinished / "run.json").unlink()
    assert runs.list_runs(workspace) == [run]
    with pytest.raises(NotFound, match="holds no run"):
        runs.load_run(workspace.runs / ("b" * 16))


def test_a_recording_that_breaks_leaves_no_run_and_the_earlier_one_as_it_was(
    workspace, run, monkeypatch, tmp_path
):
    journey = journey_in(workspace, workspace.datasets()[0], quick())
    before = {path.name for path in workspace.runs.iterdir()}
    monkeypatch.setattr(runs, "report_html", lambda _: 1 / 0)
    for target in (run.folder, tmp_path / "new"):
        with pytest.raises(ZeroDivisionError):
            raw = workspace.raw(workspace.datasets()[0])
            runs.record(target, journey, run.manifest.source, raw)
    assert {path.name for path in workspace.runs.iterdir()} == before
    assert runs.load_run(run.folder) == run and not (tmp_path / "new").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null", '{"format": 1}', '{"format": 2}'])
def test_a_damaged_record_is_a_clear_error_and_hides_no_other_run(workspace, run, text):
    damaged = workspace.runs / ("c" * 16)
    shutil.copytree(run.folder, damaged)
    (damaged / "run.json").write_text(text, encoding="utf-8")
    with pytest.raises(NotFound, match="damaged or of another version"):
        runs.load_run(workspace.runs / ("c" * 16))
    assert runs.list_runs(workspace) == [run]


def test_a_record_that_is_no_text_is_a_clear_error(run):
    (run.folder / "run.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(NotFound, match="damaged"):
        runs.load_run(run.folder)


def test_damaged_weights_are_told_by_their_checksum(run):
    weights = run.folder / "artifacts" / "embeddings" / "state.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(NotFound, match="checksum"):
        run.embeddings()


def test_a_folder_with_other_files_beside_a_run_is_not_only_a_run(run):
    assert runs.holds_only_a_run(run.folder)
    (run.folder / "notes.txt").write_text("mine", encoding="utf-8")
    assert not runs.holds_only_a_run(run.folder)


def test_noise_is_named_and_counted_in_the_record(workspace, tmp_path):
    users = three_groups() | {"odd": "sing dance sing"}
    dataset = added(workspace, write_log(tmp_path / "odd.csv", users))
    options = quick(cluster={"method": "hdbscan"})
    run = runs.record_in_workspace(workspace, dataset, journey_in(workspace, dataset, options))
    labels = run.labels()
    assert labels.values[labels.user_ids.tolist().index("odd")] == NOISE
    assert set(run.manifest.segment_names) == {"0", "1", "2", "-1"}
    assert run.manifest.metrics["segments"] == 3
