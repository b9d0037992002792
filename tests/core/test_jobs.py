"""Real workers in processes of their own, on the worked example."""

import os
import signal
import time
import uuid
from pathlib import Path

import pytest

from core import jobs
from core.errors import JobStopped, NotFound
from core.events.mapping import guessed_mapping
from core.events.read import ReadOptions
from core.pipeline import Journey
from core.run_options import RunOptions
from core.workspace import Dataset, Workspace

SAMPLE = Path(__file__).parents[2] / "sample_data" / "tiny_100_users.csv"
ENDLESS = RunOptions.from_dict({"represent": {"method": "lstm", "epochs": 500, "patience": 500}})


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "local")


@pytest.fixture
def dataset(workspace: Workspace) -> Dataset:
    added = workspace.add([SAMPLE], ["tiny.csv"], ReadOptions())
    return workspace.confirm_mapping(added.id, guessed_mapping(workspace.raw(added)))


def until(condition, seconds: float = 60.0):
    """Wait for a condition; a test that waits in vain fails with what it waited for."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("waited in vain")


def ended(workspace, job_id):
    until(lambda: jobs.status(workspace, job_id).state != "running")
    return jobs.status(workspace, job_id)


def learning(workspace, dataset):
    job_id = jobs.start(workspace, dataset.id, ENDLESS, "embeddings")
    until(lambda: jobs.status(workspace, job_id).epochs)
    return job_id


def test_a_job_makes_its_step_and_all_before_it(workspace, dataset):
    job_id = jobs.start(workspace, dataset.id, RunOptions(), "sequences")
    assert ended(workspace, job_id).state == "done"
    journey = Journey(workspace.store(dataset.id), workspace.events(dataset), RunOptions())
    assert journey.ready("sequences") and journey.sequences().n_users == 100
    assert jobs.current(workspace) is None and jobs.latest(workspace) == job_id


def test_training_reports_every_epoch_and_a_cancel_stops_it_at_once(workspace, dataset):
    job_id = learning(workspace, dataset)
    running = jobs.status(workspace, job_id)
    assert running.epochs[0].epoch == 1 and running.epochs[0].losses["total"] > 0
    with pytest.raises(JobStopped, match="still at work"):
        jobs.start(workspace, dataset.id, RunOptions(), "sequences")
    begun = time.monotonic()
    jobs.cancel(workspace, job_id)
    assert time.monotonic() - begun < 2.0
    assert jobs.status(workspace, job_id).state == "cancelled"
    assert jobs.current(workspace) is None


def test_a_cancel_by_another_process_reaches_the_worker(workspace, dataset, monkeypatch):
    job_id = learning(workspace, dataset)
    child = jobs._children[job_id]
    monkeypatch.setattr(jobs, "_children", {})  # as after a restart of the dashboard
    jobs.cancel(workspace, job_id)
    assert child.wait(timeout=5) == 3


def test_a_killed_worker_is_told_as_such_and_the_next_job_runs(workspace, dataset):
    job_id = learning(workspace, dataset)
    os.kill(jobs._children[job_id].pid, signal.SIGKILL)
    lost = ended(workspace, job_id)
    assert lost.state == "lost" and "ended unexpectedly" in str(lost.error)
    again = jobs.start(workspace, dataset.id, RunOptions(), "sequences")
    assert ended(workspace, again).state == "done"


def test_a_refused_step_ends_with_the_analysts_message(workspace, dataset):
    too_strict = RunOptions.from_dict({"clean": {"min_events": 1000}})
    failed = ended(workspace, jobs.start(workspace, dataset.id, too_strict, "sequences"))
    assert failed.state == "failed" and "fewer than 1,000 events" in str(failed.error)


def test_a_job_that_is_not_there_is_said_to_be_gone(workspace):
    with pytest.raises(NotFound, match="no longer here"):
        jobs.status(workspace, "../../etc")


def arrive(workspace, content, name):
    upload = jobs.Upload(id=uuid.uuid4().hex, name=name)
    (workspace.incoming / upload.id).write_bytes(content)
    return upload


def test_a_job_reads_an_uploaded_file_into_a_data_set(workspace):
    upload = arrive(workspace, SAMPLE.read_bytes(), "../../tiny.csv")
    status = ended(workspace, jobs.start_read(workspace, [upload], RunOptions()))
    assert status.state == "done" and status.made is not None
    assert workspace.raw(workspace.dataset(status.made)).n_rows == 1981
    assert list(workspace.incoming.iterdir()) == []


def test_a_refused_upload_stays_and_its_problems_are_told_as_data(workspace):
    upload = arrive(workspace, b"user,time\nJos\xe9,2024-01-01\n", "log.csv")
    status = ended(workspace, jobs.start_read(workspace, [upload], RunOptions()))
    assert (status.state, status.made) == ("failed", None)
    assert [(problem.code, problem.lines) for problem in status.problems] == [("encoding", (2,))]
    assert workspace.arrived(upload.id).exists() and workspace.datasets() == []


@pytest.mark.parametrize("name", ["../local", "", "0" * 32])
def test_only_uploads_that_are_there_can_be_read(workspace, name):
    upload = jobs.Upload(id=name, name="log.csv")
    status = ended(workspace, jobs.start_read(workspace, [upload], RunOptions()))
    assert status.state == "failed" and "Upload it again" in status.error


def test_a_job_types_a_log_and_measures_its_quality(workspace, dataset):
    assert not workspace.quality_ready(dataset)
    assert (
        ended(workspace, jobs.start(workspace, dataset.id, RunOptions(), "quality")).state == "done"
    )
    assert workspace.quality_ready(dataset)
    seen = workspace.quality(dataset)
    assert (seen.n_users, seen.n_rows, seen.level) == (100, 1981, "care")


def test_an_error_of_the_program_names_the_log_without_a_path_of_the_server(workspace, dataset):
    failed = ended(workspace, jobs.start(workspace, dataset.id, RunOptions(), "no such step"))
    assert failed.state == "failed" and failed.error is not None
    assert failed.id in failed.error and "log.txt" in failed.error
    assert str(workspace.root) not in failed.error
    assert "no such step" in (workspace.jobs / failed.id / "log.txt").read_text()


@pytest.mark.parametrize(
    ("table", "content"),
    [
        ("items", b"item,title\na,Red shoe\n"),
        ("vectors", b"item,v1,v2\na,1,2\nb,3,4\n"),
        ("labels", b"user,kind\nu1,buyer\n"),
    ],
)
def test_a_job_keeps_a_table_beside_a_log(workspace, dataset, table, content):
    upload = arrive(workspace, content, f"{table}.csv")
    status = ended(workspace, jobs.start_beside(workspace, dataset.id, table, upload))
    assert (status.state, status.step, status.made) == ("done", table, None)
    assert getattr(workspace.dataset(dataset.id), f"{table}_name") == f"{table}.csv"
    assert not list(workspace.incoming.iterdir())
