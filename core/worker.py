"""The background process of one job: ``python -m core.worker JOB_FOLDER``.

Waits for its turn where the job learns; loads what it works with only then, so that a process in
the queue is small.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.turns import jobs_at_once, turn

_BEAT_SECONDS = 0.5
_CANCELLED_EXIT = 3


def main(folder: Path) -> int:
    """Do the job and record how it ended; returns the exit code."""
    threading.Thread(target=_heartbeat, args=(folder,), daemon=True).start()
    try:
        with _its_turn(folder):
            from core import tasks

            return tasks.do(folder)
    except _Paused:
        from core import tasks

        return tasks.paused(folder)


class _Paused(Exception):
    """The job was to pause before its turn had come."""


@contextmanager
def _its_turn(folder: Path) -> Iterator[None]:
    """One heavy job at a time on this machine; the others begin at once."""
    request = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    if not request.get("learns"):
        yield
        return
    queue = Path(request["workspace"]).parent / "queue"
    with turn(queue, jobs_at_once(), lambda n_ahead: _tell_place(folder, n_ahead)):
        yield


def _tell_place(folder: Path, n_ahead: int) -> None:
    if (folder / "pause").exists():
        raise _Paused
    scratch = folder / ".ahead"
    scratch.write_text(str(n_ahead), encoding="utf-8")
    scratch.replace(folder / "ahead")


def _heartbeat(folder: Path) -> None:
    """Show that the process lives; end it when another process asks for it or took it for lost.

    A machine that slept lets a process look dead. By then its work may be done anew elsewhere.
    """
    while True:
        if (folder / "cancel").exists() or _taken_for_lost(folder):
            os._exit(_CANCELLED_EXIT)
        (folder / "alive").touch()
        time.sleep(_BEAT_SECONDS)


def _taken_for_lost(folder: Path) -> bool:
    try:
        result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    return bool(result["state"] == "lost")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
