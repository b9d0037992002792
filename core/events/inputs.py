"""Which files are meant by what is named on the command line: files, folders and patterns."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path

from core.errors import NotFound
from core.events.gate.sources import ENDINGS

_KNOWN = f"files that end with {', '.join(ENDINGS)}"


def find_logs(inputs: Iterable[str | Path]) -> list[Path]:
    """The log files meant, each once, in the order of the inputs and sorted by name within one.

    A folder means the files with a known ending right in it, a pattern such as ``logs/2025-*.csv``
    (``**`` for folders within folders) those that fit; hidden files are passed over. A file that
    is named itself is taken whatever its ending. Raises NotFound for an input that finds nothing.
    """
    found = [path for text in map(str, inputs) for path in _found(text)]
    if not found:
        raise NotFound("No log was given. Name files, folders or patterns such as 'logs/*.csv'.")
    once: dict[Path, Path] = {}
    for path in found:
        once.setdefault(path.resolve(), path)
    return list(once.values())


def _found(text: str) -> list[Path]:
    path = Path(text)
    if path.is_file():  # before patterns: a name may hold their signs
        return [path]
    if path.is_dir():
        return _logs(path.iterdir(), f"The folder '{text}' holds no log")
    if glob.has_magic(text):
        fitting = map(Path, glob.glob(text, recursive=True))  # noqa: PTH207 - a pattern may be absolute
        return _logs(fitting, f"Nothing fits the pattern '{text}'")
    raise NotFound(f"There is no file or folder '{text}'.")


def _logs(paths: Iterable[Path], nothing: str) -> list[Path]:
    logs = [
        path
        for path in paths
        if path.is_file() and path.name.lower().endswith(ENDINGS) and not path.name.startswith(".")
    ]
    if not logs:
        raise NotFound(f"{nothing}. Looked for {_KNOWN}; hidden files are passed over.")
    return sorted(logs)
