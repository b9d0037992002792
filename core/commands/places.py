"""Whether what a call makes may be written where it is wanted, before any work is done."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from core.errors import OptionRefused


def check_place(out: Path) -> None:
    """Refuse what could not be written at the end, before any work is done."""
    above = next(folder for folder in out.parents if folder.exists())
    if not above.is_dir():
        raise OptionRefused(f"--out '{out}' cannot be made: '{above}' is a file.")
    if not os.access(above, os.W_OK):
        raise OptionRefused(f"--out '{out}' cannot be made: '{above}' may not be written to.")


def check_folder(out: Path) -> None:
    """Only a folder that is new, empty or holds an earlier run and nothing else is written."""
    from core.runs import holds_only_a_run

    if out.is_file():
        raise OptionRefused(f"--out '{out}' is a file. Give a folder that is new or empty.")
    if out.is_dir() and any(out.iterdir()):
        if not holds_only_a_run(out):
            raise OptionRefused(
                f"--out '{out}' already holds other files. Give a folder that is new or empty, or "
                "one that holds an earlier run and nothing else."
            )
        print(f"Replacing the run in {out}", file=sys.stderr)


def check_file(out: Path, call: argparse.Namespace) -> None:
    """Refuse to write over anything that the call reads."""
    from core.events.inputs import find_logs

    if out.is_dir():
        raise OptionRefused(f"--out '{out}' is a folder. Give the name of a file.")
    if out in (path.resolve() for path in find_logs(call.events)):
        raise OptionRefused(f"--out '{out}' is a file of the log. Give the name of another file.")
    for name in ("labels", "items", "item_vectors", "mapping", "options", "run"):
        path = getattr(call, name, None)
        if path is not None and path.resolve() in (out, *out.parents):
            raise OptionRefused(
                f"--out '{out}' is read, or lies in what is read, by --{name.replace('_', '-')}. "
                "Give the name of another file."
            )
