"""``refine``: labels from anywhere made better, or told why not."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from core.commands.arguments import Commands, add_events, add_items, add_mapping, add_settings
from core.commands.given import journey_of, labels_from, options_of
from core.commands.places import check_file, check_place
from core.commands.telling import tell_cleaning
from core.store import replacing_file


def add(commands: Commands) -> None:
    """Describe the command and its arguments."""
    refine = commands.add_parser("refine", help="labels from anywhere made better, or told why not")
    add_events(refine)
    refine.add_argument(
        "--labels", type=Path, required=True, metavar="CSV", help="table: user id, label"
    )
    refine.add_argument("--out", type=Path, required=True, metavar="CSV")
    add_items(refine)
    add_mapping(refine)
    add_settings(refine)
    refine.add_argument("--seed", type=int, help="the same seed gives the same labels (0)")
    refine.set_defaults(command_function=_do, labels_column=None)


def _do(call: argparse.Namespace) -> None:
    from core.refine import refine, write_refined

    options = options_of(call)
    out = call.out.resolve()
    check_place(out)
    check_file(out, call)
    with tempfile.TemporaryDirectory() as scratch:
        journey, _, _ = journey_of(call, options, Path(scratch))
        known = labels_from(call.labels, journey.events)
        tell_cleaning(journey.cleaning_report())
        found = refine(journey, known)
        for note in found.notes:
            print(f"note: {note}", file=sys.stderr)
        out.parent.mkdir(parents=True, exist_ok=True)
        with replacing_file(out) as file:
            write_refined(file, found)
    print(found.told, file=sys.stderr)
    print(f"Wrote {len(found.user_ids)} users to {call.out}", file=sys.stderr)
