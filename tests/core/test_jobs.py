"""Real workers in processes of their own, on the worked example."""

import os
import signal
import sys
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
    until(lambda: not jobs.status(workspace, job_id).at_work)
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


def test_a_worker_that_was_taken_for_lost_while_the_machine_slept_ends_itself(
    workspace, dataset, monkeypatch
):
    job_id = learning(workspace, dataset)
    child = jobs._children[job_id]
    os.kill(child.pid, signal.SIGSTOP)
    monkeypatch.setattr(jobs, "_children", {})  # as after a restart of the dashboard
    monkeypatch.setattr(jobs, "SILENCE_SECONDS", -1.0)
    assert jobs.status(workspace, job_id).state == "lost"
    os.kill(child.pid, signal.SIGCONT)
    assert child.wait(timeout=20) == 3


def test_a_killed_worker_is_told_as_such_and_the_next_job_runs(workspace, dataset):
    job_id = learning(workspace, dataset)
    os.kill(jobs._children[job_id].pid, signal.SIGKILL)
    lost = ended(workspace, job_id)
    assert lost.state == "lost" and "ended unexpectedly" in str(lost.error)
    again = jobs.start(workspace, dataset.id, RunOptions(), "sequences")
    assert ended(workspace, again).state == "done"


def steps_kept(workspace, dataset):
    """After which steps of learning there is a state to go on from."""
    kept = workspace.store(dataset.id).root.glob("unfinished/*/[0-9]*")
    return sorted(int(path.name.split("-")[0]) for path in kept)


def test_a_paused_job_keeps_its_state_and_resume_goes_on_from_it(workspace, dataset):
    job_id = learning(workspace, dataset)
    assert jobs.status(workspace, job_id).learns
    jobs.pause(workspace, job_id)
    paused = ended(workspace, job_id)
    assert paused.state == "paused" and "goes on from where it stopped" in str(paused.error)
    (kept,) = steps_kept(workspace, dataset)
    again = jobs.resume(workspace, job_id)
    assert again != job_id
    until(lambda: len(jobs.status(workspace, again).epochs) > len(paused.epochs))
    resumed = jobs.status(workspace, again)
    assert resumed.epochs[: len(paused.epochs)] == paused.epochs  # the curve is whole
    # progress is written at most ten times a second, so it may lag behind the epochs
    until(lambda: jobs.status(workspace, again).progress.note.startswith("Goes on from epoch "))
    assert resumed.epochs[len(paused.epochs)].note.startswith("Goes on from epoch ")
    jobs.pause(workspace, again)
    ended(workspace, again)
    assert max(steps_kept(workspace, dataset)) > kept


def test_a_cancelled_job_says_that_learning_goes_on_and_can_be_resumed(workspace, dataset):
    job_id = learning(workspace, dataset)
    jobs.cancel(workspace, job_id)
    cancelled = jobs.status(workspace, job_id)
    assert cancelled.can_go_on and "goes on from where it was saved last" in str(cancelled.error)


def test_what_is_done_or_at_work_cannot_be_resumed(workspace, dataset):
    job_id = jobs.start(workspace, dataset.id, RunOptions(), "sequences")
    with pytest.raises(JobStopped, match="state is 'running'"):
        jobs.resume(workspace, job_id)
    assert ended(workspace, job_id).state == "done"
    with pytest.raises(JobStopped, match=r"state is 'done'\. Allowed: paused, lost, cancelled"):
        jobs.resume(workspace, job_id)


def test_kept_work_goes_when_the_artifact_is_made(workspace, dataset):
    brief = RunOptions.from_dict({"represent": {"method": "lstm", "epochs": 2}})
    done = ended(workspace, jobs.start(workspace, dataset.id, brief, "embeddings"))
    assert done.state == "done" and len(done.epochs) == 2
    assert list(workspace.store(dataset.id).root.glob("unfinished/*")) == []


@pytest.fixture
def neighbours(tmp_path, workspace, dataset):
    """Three workspaces of one machine, with a data set each: the first at work, two waiting."""
    places = [workspace, Workspace(tmp_path / "w-second"), Workspace(tmp_path / "w-third")]
    for place in places[1:]:
        added = place.add([SAMPLE], ["tiny.csv"], ReadOptions())
        place.confirm_mapping(added.id, guessed_mapping(place.raw(added)))
    at_work = [(workspace, learning(workspace, dataset))]
    for n, place in enumerate(places[1:], start=1):
        job_id = jobs.start(place, dataset.id, ENDLESS, "embeddings")
        until(lambda place=place, job_id=job_id, n=n: jobs.status(place, job_id).ahead == n)
        at_work.append((place, job_id))
    yield at_work
    for place in places:
        if (newest := jobs.current(place)) is not None:
            jobs.cancel(place, newest)


def begins(place, job_id):
    until(lambda: jobs.status(place, job_id).epochs)
    assert jobs.status(place, job_id).state == "running"


def test_learning_waits_for_that_of_others_and_begins_by_itself(neighbours, dataset):
    (first, busy), (second, waiting), (third, last) = neighbours
    status = jobs.status(second, waiting)
    assert (status.state, status.ahead, status.progress) == ("waiting", 1, None)
    assert jobs.current(second) == waiting  # it holds its own workspace
    with pytest.raises(JobStopped, match="still at work"):
        jobs.start(second, dataset.id, RunOptions(), "sequences")
    jobs.cancel(first, busy)
    begins(second, waiting)
    until(lambda: jobs.status(third, last).ahead == 1)
    assert jobs.status(third, last).state == "waiting"


def test_one_that_dies_or_gives_up_in_the_queue_lets_the_next_one_in(neighbours):
    (_, busy), (second, waiting), (third, last) = neighbours
    os.kill(jobs._children[waiting].pid, signal.SIGKILL)
    until(lambda: jobs.status(third, last).ahead == 1)
    assert ended(second, waiting).state == "lost"
    again = jobs.resume(second, waiting)  # behind the others now
    until(lambda: jobs.status(second, again).ahead == 2)
    jobs.cancel(second, again)
    os.kill(jobs._children[busy].pid, signal.SIGKILL)
    begins(third, last)


def test_the_queue_says_nothing_of_whose_work_it_is(neighbours, tmp_path):
    tickets = [path for path in (tmp_path / "queue").iterdir() if path.name.isdecimal()]
    assert [path.name for path in sorted(tickets)] == [f"{n:012d}" for n in (1, 2, 3)]
    assert all(path.read_bytes() == b"" for path in tickets)


def test_work_that_learns_nothing_waits_for_nobody(neighbours, dataset):
    second, waiting = neighbours[1]
    jobs.cancel(second, waiting)
    counted = RunOptions.from_dict({"represent": {"method": "bag"}})
    done = ended(second, jobs.start(second, dataset.id, counted, "embeddings"))
    assert done.state == "done" and not done.learns


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_process_that_waits_is_small(neighbours):
    _, waiting = neighbours[1]
    status = Path(f"/proc/{jobs._children[waiting].pid}/status").read_text()
    resident = int(status.split("VmRSS:")[1].split()[0])  # kB
    assert resident < 40_000


def test_a_job_that_waits_can_be_paused_and_resumed(neighbours):
    (second, waiting), (third, last) = neighbours[1:]
    jobs.pause(second, waiting)
    assert ended(second, waiting).state == "paused"
    until(lambda: jobs.status(third, last).ahead == 1)
    until(lambda: jobs.status(second, jobs.resume(second, waiting)).at_work)


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
        ("known_labels", b"user,kind\nu1,buyer\n"),
    ],
)
def test_a_job_keeps_a_table_beside_a_log(workspace, dataset, table, content):
    upload = arrive(workspace, content, f"{table}.csv")
    status = ended(workspace, jobs.start_beside(workspace, dataset.id, table, upload))
    assert (status.state, status.step, status.made) == ("done", table, None)
    kept_as = f"{table.removeprefix('known_')}_name"
    assert getattr(workspace.dataset(dataset.id), kept_as) == f"{table}.csv"
    assert not list(workspace.incoming.iterdir())
