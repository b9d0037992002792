"""``inspect``: what is in a log and what is wrong with it."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from core.commands.arguments import Commands, add_events, add_settings
from core.commands.given import read_log
from core.run_options import load_options


def add(commands: Commands) -> None:
    """Describe the command and its arguments."""
    inspect = commands.add_parser("inspect", help="what is in a log and what is wrong with it")
    add_events(inspect)
    add_settings(inspect)
    inspect.set_defaults(command_function=_do)


def _do(call: argparse.Namespace) -> None:
    from core.events.mapping import guess, inspect_report

    options = load_options(call.options, call.set, None)
    with tempfile.TemporaryDirectory() as scratch:
        raw = read_log(call.events, Path(scratch), options)
        report = inspect_report(raw, guess(raw), options.map)
        print(json.dumps(report, indent=2, ensure_ascii=False))
