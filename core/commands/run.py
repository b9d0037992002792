"""``run``: the whole journey, from a log to a folder of results."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from core.commands.arguments import Commands, add_beside, add_events
from core.commands.given import journey_of, options_of
from core.commands.places import check_folder, check_place
from core.commands.telling import tell, tell_cleaning


def add(commands: Commands) -> None:
    """Describe the command and its arguments."""
    run = commands.add_parser("run", help="the whole journey, from a log to a folder of results")
    add_events(run)
    run.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="new folder, or that of a run"
    )
    add_beside(run)
    run.set_defaults(command_function=_do)


def _do(call: argparse.Namespace) -> None:
    from core import runs

    options = options_of(call)
    out = call.out.resolve()
    check_place(out)
    check_folder(out)
    with tempfile.TemporaryDirectory() as scratch:
        journey, raw, mapping = journey_of(call, options, Path(scratch), labelled=True)
        tell_cleaning(journey.cleaning_report())
        tell("items and searches", journey.item_problems())
        beside = journey.beside
        source = runs.Source(
            name=", ".join(part.name for part in raw.parts),
            dataset_id=None,
            mapping=mapping,
            labels_name=beside.labels.name if beside.labels else None,
            items_name=beside.items.name if beside.items else None,
            vectors_name=beside.vectors.name if beside.vectors else None,
        )
        runs.record(out, journey, source, raw)
        print(journey.evaluation().verdict, file=sys.stderr)
    print(f"Wrote {call.out}", file=sys.stderr)
