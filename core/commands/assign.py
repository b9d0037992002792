"""``assign``: users of a new log into the segments of a run."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from core.commands.arguments import Commands, add_events, add_settings
from core.commands.given import events_as_in
from core.commands.places import check_file, check_place
from core.commands.telling import tell_cleaning
from core.store import replacing_file


def add(commands: Commands) -> None:
    """Describe the command and its arguments."""
    assign = commands.add_parser("assign", help="put users of a new log into a run's segments")
    add_events(assign, "NEW_EVENTS")
    assign.add_argument("--run", type=Path, required=True, metavar="DIR")
    assign.add_argument("--out", type=Path, required=True, metavar="CSV")
    assign.add_argument(
        "--platform", metavar="NAME", help="platform of the new files, if their names do not tell"
    )
    add_settings(assign)  # of how the new log is read, no others
    assign.set_defaults(command_function=_do)


def _do(call: argparse.Namespace) -> None:
    from core import runs
    from core.assign import assign
    from core.report.tables import write_assignments

    out = call.out.resolve()
    check_place(out)
    run = runs.load_run(call.run)
    check_file(out, call)
    with tempfile.TemporaryDirectory() as scratch:
        events = events_as_in(run, call, Path(scratch), call.platform)
        labels, report = assign(run, events, Path(scratch))
        tell_cleaning(report)
        out.parent.mkdir(parents=True, exist_ok=True)
        with replacing_file(out) as file:
            write_assignments(file, labels)
    print(f"Wrote {len(labels.user_ids)} users to {call.out}", file=sys.stderr)
