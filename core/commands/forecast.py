"""``forecast``: how long the heavy steps of a run will take here, and their memory."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from core.commands.arguments import Commands, add_beside, add_events
from core.commands.given import journey_of, options_of


def add(commands: Commands) -> None:
    """Describe the command and its arguments."""
    forecast = commands.add_parser(
        "forecast", help="how long the heavy steps of a run will take here, and their memory"
    )
    add_events(forecast)
    add_beside(forecast)
    forecast.add_argument(
        "--minutes",
        type=_minutes,
        default=10.0,
        metavar="N",
        help="a step that takes longer is offered in a cheaper setting (10)",
    )
    forecast.set_defaults(command_function=_do)


def _do(call: argparse.Namespace) -> None:
    from core.forecast import forecast
    from core.store import to_plain

    options = options_of(call)
    with tempfile.TemporaryDirectory() as scratch:
        journey, _, _ = journey_of(call, options, Path(scratch))  # labels make no step longer
        found = forecast(journey, limit_seconds=60.0 * call.minutes)
        print(json.dumps(to_plain(found), indent=2, ensure_ascii=False))


def _minutes(text: str) -> float:
    """A time limit."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is no number of minutes above 0")
    return value
