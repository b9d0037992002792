"""The command line: ``python -m core COMMAND --help``; a file for every command.

Results go to files or stdout, progress to stderr. Exit code 0: done; 2: input or option refused,
one clear message on stderr and nothing written; 1: a bug.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from core.commands import (
    assign,
    export,
    forecast,
    inspect,
    options,
    prepare,
    refine,
    run,
    smaller,
)
from core.commands.arguments import Parser
from core.errors import AnalystError

_COMMANDS = (inspect, forecast, run, prepare, assign, refine, smaller, export, options)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        parsed = _parser().parse_args(arguments)
        work: Callable[[argparse.Namespace], None] = parsed.command_function
        work(parsed)
    except AnalystError as refused:
        print(f"error: {refused}", file=sys.stderr)
        return 2
    return 0


def _parser() -> Parser:
    parser = Parser(prog="python -m core", description="SegmentLab without a browser.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    for command in _COMMANDS:
        command.add(commands)
    return parser
