"""Background work: a process of its own per job, watched and stopped through a folder of files.

The dashboard may close, reload or restart meanwhile; a crash of the worker never takes the
dashboard down. Files in a job's folder:

    job.json       what to do            progress.json  where it stands (last Progress)
    epochs.jsonl   every EpochReport     result.json    how it ended
    alive          touched every half second by the worker      ahead    jobs it waits for
    cancel         asks the worker to stop at once              pause    to stop and keep its state
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from core.artifacts import EpochReport, Problem, Progress
from core.errors import AnalystError, FileRefused, JobStopped, NotFound
from core.pipeline import Journey, trained_before
from core.run_options import RunOptions
from core.smaller import STAGE as SMALLER
from core.store import from_plain, replacing, to_plain, write_text
from core.workspace import Workspace

State = Literal["waiting", "running", "done", "failed", "cancelled", "paused", "lost"]
_RESUMABLE = ("paused", "lost", "cancelled")
SILENCE_SECONDS = 10.0
"""A worker that has not touched ``alive`` for so long is taken for dead."""

_children: dict[str, subprocess.Popen[bytes]] = {}
"""Workers started by this very process: their death is seen at once."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file that has arrived in the workspace's incoming folder."""

    id: str
    name: str
    """As the analyst knows it; for showing only, never a path."""


@dataclass(frozen=True, kw_only=True)
class JobRequest:
    """What a worker is asked to make."""

    workspace: str
    """Path of the workspace's folder."""
    dataset_id: str
    """Empty where the job reads files that are not a data set yet."""
    step: str
    """A step of the journey; "read" or "quality" (the typed log and its summary) for what comes
    before it; "items", "vectors" or "known_labels" for a table beside the log; "set_aside" for the
    list of rows set aside; "choices" for what each choice of cleaning would do; "smaller" for
    smaller models; "run" for all of them and a recorded run."""
    options: dict[str, Any]
    uploads: tuple[Upload, ...] = ()
    """The files to read."""
    identity: str
    """Fingerprint of what is wanted, so that a page knows whether it is what it waits for."""
    started: float
    """Seconds since 1970-01-01 UTC."""
    learns: bool = False
    """Whether it is heavy work: then it waits for its turn on this machine."""


@dataclass(frozen=True, kw_only=True)
class JobStatus:
    """Where a job stands."""

    id: str
    state: State
    step: str
    dataset_id: str
    identity: str
    progress: Progress | None
    epochs: tuple[EpochReport, ...]
    uploads: tuple[Upload, ...]
    made: str | None
    """Id of the data set that was read; None for every other job."""
    error: str | None
    """What to tell the analyst when it failed or was lost."""
    problems: tuple[Problem, ...]
    """What the error lists, as data, where a file was refused."""
    seconds: float
    """Since it was started; how long it took once it ended."""
    learns: bool = False
    """Whether it can be paused in the midst of a step."""
    ahead: int = 0
    """Jobs of this machine that must end before this one begins."""
    pausing: bool = False
    """Whether it was asked to pause and has not yet come to a place where it can."""

    @property
    def at_work(self) -> bool:
        """Whether it works or waits for its turn."""
        return self.state in ("waiting", "running")

    @property
    def can_go_on(self) -> bool:
        """Whether `resume` would begin it again; files that were to be read may be gone."""
        return self.state in _RESUMABLE and not self.uploads


def start(
    workspace: Workspace, dataset_id: str, options: RunOptions, step: str, identity: str = ""
) -> str:
    """Start a worker and return the job's id. One job at a time per workspace.

    Where it learns it waits for its turn: one such job at a time works on this machine, or as
    many as the environment's ``SEGMENTLAB_JOBS`` says. ``identity`` is the fingerprint of what is
    wanted. Raises JobStopped while another job runs.
    """
    request = JobRequest(
        workspace=str(workspace.root.resolve()),
        dataset_id=dataset_id,
        step=step,
        options=options.to_dict(),
        identity=identity,
        started=time.time(),
        learns=_learns(workspace, dataset_id, options, step),
    )
    return _start_alone(workspace, request)


def start_read(workspace: Workspace, uploads: Sequence[Upload], options: RunOptions) -> str:
    """Start a worker that reads uploaded files as one log; the status tells what it ``made``.

    The files are removed once they are a data set; a refused file stays, to be read otherwise.
    Raises JobStopped while another job runs.
    """
    request = JobRequest(
        workspace=str(workspace.root.resolve()),
        dataset_id="",
        step="read",
        options=options.to_dict(),
        uploads=tuple(uploads),
        identity="",
        started=time.time(),
    )
    return _start_alone(workspace, request)


def start_beside(workspace: Workspace, dataset_id: str, table: str, upload: Upload) -> str:
    """Start a worker that keeps an uploaded table beside a log.

    ``table`` is "items", "vectors" or "known_labels".
    The file is removed, well read or not. Raises JobStopped while another job runs.
    """
    request = JobRequest(
        workspace=str(workspace.root.resolve()),
        dataset_id=dataset_id,
        step=table,
        options={},
        uploads=(upload,),
        identity="",
        started=time.time(),
    )
    return _start_alone(workspace, request)


def resume(workspace: Workspace, job_id: str) -> str:
    """Start a job again that was paused, cancelled or lost, and return the new job's id.

    Finished steps are found again, and learning goes on from its newest checkpoint. Raises
    NotFound, and JobStopped where there is nothing to go on with or another job runs.
    """
    ended = status(workspace, job_id)
    if not ended.can_go_on:
        raise JobStopped(
            f"This job cannot be resumed: its state is '{ended.state}'. Allowed: "
            f"{', '.join(_RESUMABLE)}, and no files to read. Start the step again."
        )
    request = load_request(_folder(workspace, job_id))
    return _start_alone(workspace, replace(request, started=time.time()))


def _learns(workspace: Workspace, dataset_id: str, options: RunOptions, step: str) -> bool:
    """Whether a step has to train first: where that was done already, what follows is light."""
    if step == SMALLER:
        return True
    dataset = workspace.dataset(dataset_id)
    if not workspace.quality_ready(dataset):
        return bool(trained_before(step, options))  # the log was not even looked at: all is to do
    events, beside = workspace.events(dataset), workspace.beside(dataset)
    return Journey(workspace.store(dataset_id), events, options, beside=beside).learns(step)


def _start_alone(workspace: Workspace, request: JobRequest) -> str:
    with _one_at_a_time(workspace.jobs):
        _check_idle(workspace)
        return _start(workspace, request)


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Keep two tabs from starting at the same moment."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / "starting"
    if lock.exists() and time.time() - lock.stat().st_mtime > SILENCE_SECONDS:
        lock.unlink(missing_ok=True)  # left by a process that was killed
    try:
        lock.touch(exist_ok=False)
    except FileExistsError:
        raise JobStopped("Another step is being started here. Try again in a moment.") from None
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _check_idle(workspace: Workspace) -> None:
    if running := current(workspace):
        busy = status(workspace, running)
        raise JobStopped(
            f"Another step ('{busy.step}') is still at work here. Wait for it or cancel it first."
        )


def _start(workspace: Workspace, request: JobRequest) -> str:
    job_id = f"{int(request.started * 1000):013d}-{uuid.uuid4().hex[:8]}"
    folder = workspace.jobs / job_id
    with replacing(folder) as scratch:
        write_text(scratch / "job.json", json.dumps(to_plain(request)))
        (scratch / "alive").touch()
    with (folder / "log.txt").open("wb") as log:
        _children[job_id] = subprocess.Popen(
            [sys.executable, "-m", "core.worker", str(folder.resolve())],
            cwd=Path(__file__).resolve().parents[1],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # closing the terminal of the dashboard does not end it
        )
    return job_id


def status(workspace: Workspace, job_id: str) -> JobStatus:
    """Where a job stands. Raises NotFound."""
    folder = _folder(workspace, job_id)
    request = load_request(folder)
    result = _read_json(folder / "result.json")
    if result is None and not _alive(folder):
        # The worker may have ended between the two looks.
        result = _read_json(folder / "result.json") or _mark_lost(folder)
    ended = result["ended"] if result else time.time()
    ahead = 0 if result else _read_json(folder / "ahead") or 0
    return JobStatus(
        id=job_id,
        state=result["state"] if result else ("waiting" if ahead else "running"),
        step=request.step,
        dataset_id=request.dataset_id,
        identity=request.identity,
        progress=from_plain(Progress, _read_json(folder / "progress.json")),
        epochs=_epochs(folder),
        uploads=request.uploads,
        made=result["made"] if result else None,
        error=result["error"] if result else None,
        problems=tuple(from_plain(Problem, p) for p in result["problems"]) if result else (),
        seconds=ended - request.started,
        learns=request.learns,
        ahead=ahead,
        pausing=not result and (folder / "pause").exists(),
    )


def current(workspace: Workspace) -> str | None:
    """Id of the job that works or waits in the workspace, or None."""
    newest = latest(workspace)
    return newest if newest and status(workspace, newest).at_work else None


def latest(workspace: Workspace) -> str | None:
    """Id of the newest job of the workspace, running or ended, or None."""
    names = sorted(folder.name for folder in workspace.jobs.glob("[0-9]*-*"))
    return names[-1] if names else None


def cancel(workspace: Workspace, job_id: str) -> None:
    """Stop a job at once; what was made before stays."""
    folder = _folder(workspace, job_id)
    if not status(workspace, job_id).at_work:
        return
    (folder / "cancel").touch()
    child = _children.get(job_id)
    if child:
        child.terminate()
        try:
            child.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            child.kill()
    learned = " and learning goes on from where it was saved last"
    write_result(
        folder,
        "cancelled",
        "Cancelled. Steps that were finished are kept"
        f"{learned if (folder / 'epochs.jsonl').exists() else ''}, should you start again with "
        "the same settings.",
    )


def pause(workspace: Workspace, job_id: str) -> None:
    """Ask a job to stop and keep its state, so that `resume` goes on from there; returns at once.

    A step that keeps no state within itself is done again.
    """
    if status(workspace, job_id).at_work:
        (_folder(workspace, job_id) / "pause").touch()


def write_result(
    folder: Path,
    state: State,
    error: AnalystError | str | None = None,
    *,
    made: str | None = None,
) -> dict[str, Any]:
    """Record how a job ended; the first word counts."""
    result: dict[str, Any] = {
        "state": state,
        "error": None if error is None else str(error),
        "problems": to_plain(error.problems) if isinstance(error, FileRefused) else [],
        "made": made,
        "ended": time.time(),
    }
    scratch = folder / f".result.{uuid.uuid4().hex}"
    scratch.write_text(json.dumps(result), encoding="utf-8")
    try:
        os.link(scratch, folder / "result.json")  # unlike a rename, never over another
    except FileExistsError:
        result = _read_json(folder / "result.json")
    finally:
        scratch.unlink()
    return result


def load_request(folder: Path) -> JobRequest:
    """What the job of a folder was asked to do."""
    request: JobRequest = from_plain(JobRequest, _read_json(folder / "job.json"))
    return request


def _folder(workspace: Workspace, job_id: str) -> Path:
    folder = workspace.jobs / Path(job_id).name
    if not (folder / "job.json").exists():
        raise NotFound("This job is no longer here. Start the step again.")
    return folder


def _alive(folder: Path) -> bool:
    child = _children.get(folder.name)
    if child is not None:
        return child.poll() is None
    return time.time() - (folder / "alive").stat().st_mtime < SILENCE_SECONDS


def _mark_lost(folder: Path) -> dict[str, Any]:
    return write_result(
        folder,
        "lost",
        "The background process ended unexpectedly (it may have been stopped from outside or run "
        "out of memory). Nothing finished was lost: resume it, start the step again, or choose a "
        "smaller setting.",
    )


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def _epochs(folder: Path) -> tuple[EpochReport, ...]:
    try:
        lines = (folder / "epochs.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    except FileNotFoundError:
        return ()
    # A line without its end is still being written.
    whole = [line for line in lines if line.endswith("\n")]
    return tuple(from_plain(EpochReport, json.loads(line)) for line in whole)
