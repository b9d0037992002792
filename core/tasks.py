"""What the background process of a job does, once it is its turn."""

from __future__ import annotations

import json
import time
import traceback
from pathlib import Path

from core import jobs, runs
from core.artifacts import Progress, Report
from core.errors import AnalystError, JobStopped
from core.events.cleaning.non_goods import OddItems, looked_for_as, suggest_non_goods
from core.events.preview import Choices, counted_as, effects
from core.jobs import JobRequest
from core.pipeline import Journey
from core.run_options import RunOptions
from core.smaller import STAGE as SMALLER
from core.smaller.kept import smaller_models
from core.store import to_plain, write_text
from core.workspace import Workspace


def do(folder: Path) -> int:
    """Do the job of a folder and record how it ended; returns the exit code."""
    try:
        made = _work(folder)
    except JobStopped:
        return paused(folder)
    except AnalystError as error:
        jobs.write_result(folder, "failed", error)
        return 2
    except Exception:
        traceback.print_exc()
        jobs.write_result(
            folder,
            "failed",
            "The step failed through an error of the program, not of your data. The details are "
            f"in the file log.txt of the job {folder.name}, on the machine that runs SegmentLab.",
        )
        return 1
    jobs.write_result(folder, "done", made=made)
    return 0


def paused(folder: Path) -> int:
    """Record that the job was stopped to be gone on with; returns the exit code."""
    jobs.write_result(
        folder,
        "paused",
        "Paused. Steps that were finished are kept, and learning goes on from where it stopped.",
    )
    return 0


def _work(folder: Path) -> str | None:
    """Do what is asked for; the id of a data set that was read."""
    request = jobs.load_request(folder)
    workspace = Workspace(Path(request.workspace))
    if request.step == "read":
        return _read(workspace, request, _Recorder(folder))
    if request.uploads:
        _add_beside(workspace, request, _Recorder(folder))
    else:
        _make(workspace, request, _Recorder(folder))
    return None


def _read(workspace: Workspace, request: JobRequest, listen: Report) -> str:
    paths = [workspace.arrived(upload.id) for upload in request.uploads]
    names = [upload.name for upload in request.uploads]
    options = RunOptions.from_dict(request.options)
    made = workspace.add(paths, names, options.read, listen)
    for path in paths:
        path.unlink(missing_ok=True)
    return made.id


def _add_beside(workspace: Workspace, request: JobRequest, listen: Report) -> None:
    """Keep an uploaded table beside a log; the file goes, well read or not."""
    add = {
        "items": workspace.add_items,
        "vectors": workspace.add_vectors,
        "known_labels": workspace.add_labels,
    }[request.step]
    (upload,) = request.uploads
    listen(Progress(stage=request.step, done=0.0, text=f"Reading {upload.name}"))
    path = workspace.arrived(upload.id)
    try:
        add(request.dataset_id, path, upload.name)
    finally:
        path.unlink(missing_ok=True)


def _make(workspace: Workspace, request: JobRequest, listen: Report) -> None:
    dataset = workspace.dataset(request.dataset_id)
    if request.step == "quality":
        listen(Progress(stage="quality", done=0.0, text="Reading times and numbers"))
        workspace.events(dataset)
        listen(Progress(stage="quality", done=0.5, text="Looking at users and events"))
        workspace.quality(dataset)
        listen(Progress(stage="quality", done=0.8, text="Looking at every column"))
        workspace.profile(dataset)
        workspace.known_labels(dataset)  # found here, so that the dashboard need not
        return
    store = workspace.store(dataset.id)
    store.sweep()
    journey = Journey(
        store,
        workspace.events(dataset),
        RunOptions.from_dict(request.options),
        beside=workspace.beside(dataset),
        listen=listen,
    )
    if request.step == "run":
        runs.record_in_workspace(workspace, dataset, journey)
    elif request.step == SMALLER:
        smaller_models(journey, listen)
    elif request.step == "choices":
        _count_choices(journey, listen)
    elif request.step == "set_aside":
        listen(Progress(stage="set_aside", done=0.0, text="Listing every row set aside"))
        journey.set_aside(workspace.raw(dataset))
    else:
        journey.make(request.step)
        if request.step == "sequences":
            journey.overview()  # counted here, so that the dashboard need not
            journey.cleaning_report()
            journey.description()
            journey.item_problems()


def _count_choices(journey: Journey, listen: Report) -> None:
    """What each choice of cleaning would do, and item codes that look like no goods."""
    log, options = journey.filled(), journey.options.clean
    if "item" in log.present:
        listen(Progress(stage="choices", done=0.0, text="Looking at item codes"))
        journey.store.get_or_make(
            OddItems,
            looked_for_as(journey.events),
            lambda _: OddItems(items=suggest_non_goods(journey.events)),
        )
    listen(Progress(stage="choices", done=0.2, text="Counting what each choice would do"))
    journey.store.get_or_make(
        Choices,
        counted_as(journey.fingerprint("clean")),
        lambda _: Choices(effects=effects(log, options)),
    )


class _Recorder:
    """Writes progress to the job's folder, at most ten times a second; stops where asked to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written = 0.0

    def __call__(self, progress: Progress) -> None:
        if progress.epoch is not None:
            with (self._folder / "epochs.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(to_plain(progress.epoch)) + "\n")
        now = time.monotonic()
        if now - self._written > 0.1 or progress.done in (0.0, 1.0):
            self._written = now
            write_text(self._folder / "progress.json", json.dumps(to_plain(progress)))
        if (self._folder / "pause").exists():
            raise JobStopped("Paused.")
