"""``options``: every option of every stage."""

from __future__ import annotations

import argparse
import json

from core.commands.arguments import Commands
from core.run_options import options_schema


def add(commands: Commands) -> None:
    """Describe the command and its arguments."""
    options = commands.add_parser("options", help="JSON schema of every stage's options")
    options.add_argument("--format", choices=("json", "markdown"), default="json")
    options.set_defaults(command_function=_do)


def _do(call: argparse.Namespace) -> None:
    if call.format == "markdown":
        from core.option_tables import markdown

        print(markdown())
    else:
        print(json.dumps(options_schema(), indent=2, ensure_ascii=False))
