"""A forecast made in a process of its own, for a page that does not wait for it.

``python -m core.forecast.background`` reads what is wanted from its input and keeps the forecast
in the store. It is no job: whoever starts the real work need not wait for it, and one that fails
leaves nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from core.forecast import Forecast, forecast, forecast_as
from core.pipeline import Journey
from core.run_options import RunOptions
from core.workspace import Workspace

_children: dict[str, tuple[str, subprocess.Popen[bytes]]] = {}
"""By workspace, the forecast that was begun last and its process."""
_begun: set[str] = set()
"""Forecasts that were begun here: once each, also if they failed."""


def found(journey: Journey, steps: tuple[str, ...]) -> Forecast | None:
    """The forecast of some steps, if it was made."""
    return journey.store.get(Forecast, forecast_as(journey, steps))


def begin(
    workspace: Workspace, dataset_id: str, options: RunOptions, steps: Sequence[str], identity: str
) -> None:
    """Start to work out a forecast, unless that was done before; ends an older one of the place."""
    if identity in _begun:
        return
    _begun.add(identity)
    root = str(workspace.root.resolve())
    if root in _children:
        ended, older = _children[root]
        if older.poll() is None:
            older.kill()
            _begun.discard(ended)  # it did not fail: whoever comes back to it gets it
        older.wait()
    child = subprocess.Popen(
        [sys.executable, "-m", "core.forecast.background"],
        cwd=Path(__file__).resolve().parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wanted = {
        "workspace": root,
        "dataset_id": dataset_id,
        "options": options.to_dict(),
        "steps": list(steps),
    }
    assert child.stdin is not None
    with child.stdin as to_child:
        to_child.write(json.dumps(wanted).encode())
    _children[root] = identity, child


def at_work(workspace: Workspace, identity: str) -> bool:
    """Whether that forecast is being worked out."""
    now, child = _children.get(str(workspace.root.resolve()), ("", None))
    return child is not None and now == identity and child.poll() is None


def main(text: str) -> None:
    """Work out what is wanted and keep it."""
    wanted = json.loads(text)
    workspace = Workspace(Path(wanted["workspace"]))
    dataset = workspace.dataset(wanted["dataset_id"])
    journey = Journey(
        workspace.store(dataset.id),
        workspace.events(dataset),
        RunOptions.from_dict(wanted["options"]),
        beside=workspace.beside(dataset),
    )
    steps = tuple(wanted["steps"])
    made_as = forecast_as(journey, steps)
    journey.store.get_or_make(Forecast, made_as, lambda _: forecast(journey, steps))


if __name__ == "__main__":
    if hasattr(os, "nice"):
        os.nice(5)  # what the analyst does meanwhile goes first
    main(sys.stdin.read())
