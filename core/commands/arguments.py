"""What the commands take, each kind of argument described once."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from core.errors import OptionRefused


class Parser(argparse.ArgumentParser):
    """Words a wrong call as one message, like every other refusal."""

    def __init__(self, **settings: Any) -> None:
        # A flag cut short would come to mean another one when flags are added.
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        raise OptionRefused(f"{message}. See `{self.prog} --help`.")


Commands: TypeAlias = "argparse._SubParsersAction[Parser]"
"""Where a command adds itself."""


def add_events(command: argparse.ArgumentParser, name: str = "EVENTS") -> None:
    """The log itself."""
    command.add_argument(
        "events",
        nargs="+",
        metavar=name,
        help="files, folders or patterns: CSV or TSV, plain, .gz or alone in a .zip; Parquet",
    )


def add_settings(command: argparse.ArgumentParser) -> None:
    """Settings, from a file and one by one."""
    command.add_argument("--options", type=Path, metavar="JSON", help="file of settings")
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="stage.field=value",
        help="one setting, over those of the file; may be given again",
    )


def add_items(command: argparse.ArgumentParser) -> None:
    """The table of items."""
    command.add_argument(
        "--items", type=Path, metavar="CSV", help="table: item id, title, category"
    )


def add_mapping(command: argparse.ArgumentParser) -> None:
    """Which column plays which role."""
    command.add_argument(
        "--mapping", type=Path, metavar="JSON", help="columns as in a run.json or a saved mapping"
    )
    command.add_argument("--map", default="", metavar="user=..,time=..", help="columns by role")


def add_beside(command: argparse.ArgumentParser) -> None:
    """What is given beside a log for the whole journey, and how it is gone."""
    known = command.add_mutually_exclusive_group()
    known.add_argument("--labels-column", metavar="NAME", help="column that holds known labels")
    known.add_argument("--labels", type=Path, metavar="CSV", help="table: user id, label")
    add_items(command)
    command.add_argument(
        "--item-vectors", type=Path, metavar="FILE", help="item id and numbers, CSV or Parquet"
    )
    add_mapping(command)
    add_settings(command)
    command.add_argument("--seed", type=int, help="the same seed gives the same segments (0)")


def add_own_log(command: argparse.ArgumentParser) -> None:
    """A recorded run and the log it was made from, which it does not keep."""
    command.add_argument("run", type=Path, metavar="RUN", help="folder of a recorded run")
    command.add_argument(
        "--events",
        nargs="+",
        required=True,
        metavar="EVENTS",
        help="the log that the run was made from: users to teach, compare and check by",
    )
    add_settings(command)  # of how the log is read, no others
