"""Several files as one log: their columns must agree, and a column says where a row came from."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import pyarrow as pa

from core.artifacts import Dialect, Problem
from core.events.gate.header import LINE_COLUMN
from core.events.gate.raw_files import RawFiles
from core.events.gate.sources import ENDINGS
from core.events.problems import listed, refused, shown, warning

SOURCE = "source"
"""Name of the column that says which file a row came from."""


@dataclass(frozen=True)
class FileRead:
    """What came of one file; no columns where it was refused."""

    name: str
    problems: tuple[Problem, ...]
    columns: tuple[str, ...] = ()
    dialect: Dialect = Dialect(encoding="", delimiter="")
    n_rows: int = 0
    n_lines: int = 0
    sha256: str = ""

    @property
    def is_refused(self) -> bool:
        return any(problem.severity == "refused" for problem in self.problems)


class Merger:
    """Brings the rows of every file into the columns of the first that holds rows."""

    def __init__(self, files: RawFiles) -> None:
        self._files = files
        self._columns: list[str] = []
        self.source_column = SOURCE

    def write(self, table: pa.Table, source: str, lines_before: int) -> None:
        """Take rows of one file; those of other columns are left, and refused at the end."""
        if not self._columns:
            self._columns = table.column_names[:-1]
            self.source_column = _free_name(SOURCE, self._columns)
        if set(self._columns) == set(table.column_names[:-1]):
            texts = pa.DictionaryArray.from_arrays(
                pa.nulls(len(table), pa.int32()).fill_null(0), pa.array([source])
            ).cast(pa.string())
            lines = pa.array(table[LINE_COLUMN].to_numpy() + lines_before)
            columns = [*(table[name] for name in self._columns), texts, lines]
            names = [*self._columns, self.source_column, LINE_COLUMN]
            self._files.write(pa.table(columns, names=names))

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self._columns, self.source_column)


def source_names(names: Sequence[str]) -> list[str]:
    """What each file is called in the column: its name without folder and ending, each once."""
    found: list[str] = []
    for name in names:
        file = PurePosixPath(name.replace("\\", "/")).name
        ending = max((e for e in ENDINGS if file.lower().endswith(e)), key=len, default="")
        stem = file[: len(file) - len(ending)].strip() or file or "file"
        found.append(_free_name(stem, found))
    return found


def disagreements(files: Sequence[FileRead]) -> list[Problem]:
    """Refuse files that do not have the columns of the first; their order does not matter."""
    readable = [file for file in files if file.columns]
    found = []
    for file in readable[1:]:
        first = readable[0]
        missing = [name for name in first.columns if name not in file.columns]
        extra = [name for name in file.columns if name not in first.columns]
        if missing or extra:
            message = (
                f"{shown(file.name)} has not the columns of {shown(first.name)}: "
                f"{'; '.join(_differences(missing, extra))}. Give all files the same columns."
            )
            found.append(refused("columns_differ", message))
    return found


def same_bytes(files: Sequence[FileRead]) -> list[Problem]:
    """Warn of files that are the same to the last byte: all their rows count twice."""
    twins: dict[str, list[str]] = {}
    for file in files:
        twins.setdefault(file.sha256, []).append(shown(file.name))
    return [
        warning(
            "same_files",
            f"{listed(names)} hold the same bytes, so that their rows are in the log "
            f"{len(names)} times.",
        )
        for names in twins.values()
        if len(names) > 1
    ]


def of_file(problem: Problem, name: str, lines_before: int) -> Problem:
    """A problem of one of several files: its message names it, its lines are those of the log."""
    lines = tuple(line + lines_before for line in problem.lines)
    return replace(problem, message=f"{shown(name)}: {problem.message}", lines=lines)


def joint_dialect(files: Sequence[FileRead]) -> Dialect:
    """How the files are written; where they differ, all ways one after another."""
    encodings = dict.fromkeys(file.dialect.encoding for file in files)
    delimiters = dict.fromkeys(file.dialect.delimiter for file in files)
    return Dialect(encoding=", ".join(encodings), delimiter=" ".join(delimiters))


def _differences(missing: Sequence[str], extra: Sequence[str]) -> list[str]:
    told = []
    by_case = {name.casefold(): name for name in extra}
    for name in missing:
        near = difflib.get_close_matches(name.casefold(), by_case, n=1)
        like = f" (it has '{shown(by_case[near[0]])}')" if near else ""
        told.append(f"'{shown(name)}' is missing{like}")
    return told + [f"'{shown(name)}' is extra" for name in extra]


def _free_name(wanted: str, taken: Sequence[str]) -> str:
    """The name, with the first number from 2 on that makes it differ from all others."""
    names = {name.casefold() for name in taken}
    name, number = wanted, 1
    while name.casefold() in names:
        number += 1
        name = f"{wanted} {number}"
    return name
