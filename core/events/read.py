"""The strict gate for logs: a file comes through exactly as written, or not at all.

Bytes -> byte order mark or strict UTF-8 -> no NUL -> separator -> quoting by the letter -> rows
of one width -> header. Every cell stays text; what it means is settled by `core.events.mapping`.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from core.artifacts import Dialect, FilePart, Problem, RawLog, Report, fingerprint, silent
from core.errors import FileRefused, NotFound
from core.events.gate.blocks import Text, open_text
from core.events.gate.dialect import DELIMITERS, find_delimiter
from core.events.gate.encoding import guess_encoding
from core.events.gate.parquet_log import ParquetRows
from core.events.gate.raw_files import SET_ASIDE, RawFiles
from core.events.gate.read_options import ReadOptions
from core.events.gate.rows import Rows
from core.events.gate.scan import nul_problem
from core.events.gate.several import (
    SOURCE,
    FileRead,
    Merger,
    disagreements,
    joint_dialect,
    of_file,
    same_bytes,
    source_names,
)
from core.events.gate.sources import ENDINGS, Meter, Source, find_source
from core.events.problems import refusal, refusal_saying, tally

__all__ = ["ENDINGS", "SET_ASIDE", "SOURCE", "ReadOptions", "read", "read_all", "read_with_sources"]

VERSION = 3
_UTF16 = 0.1
"""A text with so large a share of NUL is written with two bytes per letter."""

Write = Callable[[pa.Table], None]


def read(
    path: Path, folder: Path, options: ReadOptions, *, name: str, listen: Report = silent
) -> RawLog:
    """Read a log (CSV or TSV, plain, .gz or alone in a .zip; or Parquet), every cell as text.

    ``folder`` gets ``raw.parquet`` and ``set_aside.parquet``; ``name`` is what the analyst calls
    the file. Memory stays the same however long the file is. ``listen`` hears how much of it is
    read. Raises FileRefused, with all problems and their lines.
    """
    return _read_single(_File(path, name), folder, options, listen)


@dataclass(frozen=True)
class _File:
    """A file to read, what the analyst calls it, and what it is called in a column of the log."""

    path: Path
    name: str
    source: str | None = None
    """None where there is no such column."""


def _read_single(file: _File, folder: Path, options: ReadOptions, listen: Report) -> RawLog:
    path, name, source = file.path, file.name, file.source
    files = RawFiles(folder)
    merger = Merger(files)

    def with_source(table: pa.Table) -> None:
        merger.write(table, source or "", 0)

    try:
        meter = _meter([path], listen)
        write = files.write if source is None else with_source
        found = _read_one(find_source(path, name, options, meter), files, write)
        files.close()
        if found.is_refused:
            raise refusal(name, [p for p in found.problems if p.severity == "refused"])
    except BaseException:
        files.discard()
        raise
    made_by = options.to_dict() | ({} if source is None else {"source": source})
    return RawLog(
        path=files.path,
        set_aside=files.set_aside,
        name=name,
        parts=(FilePart(name=name, lines_before=0),),
        columns=found.columns if source is None else merger.columns,
        n_rows=found.n_rows,
        dialect=found.dialect,
        problems=found.problems,
        fingerprint=fingerprint(found.sha256, "read", VERSION, made_by),
    )


def read_all(
    paths: Sequence[Path],
    folder: Path,
    options: ReadOptions,
    *,
    names: Sequence[str],
    listen: Report = silent,
) -> RawLog:
    """Read several files (months, platforms) as one log, in the order given; one as `read` does.

    The column ``source`` says which file a row came from, and lines go on counting from file to
    file (see `RawLog.parts`). All files must have the same columns, in any order. Raises
    FileRefused with the problems of all files, and NotFound where there is no file at all.
    """
    if not paths:
        raise NotFound("No file was given. Name at least one.")
    if len(paths) == 1:
        return read(paths[0], folder, options, name=names[0], listen=listen)
    inputs = list(map(_File, paths, names, source_names(names)))
    return _read_several(inputs, folder, options, listen)


def read_with_sources(
    paths: Sequence[Path],
    folder: Path,
    options: ReadOptions,
    *,
    names: Sequence[str],
    sources: Sequence[str],
) -> RawLog:
    """Read files as `read_all` does, with ``sources`` in the column that says where a row is from.

    One file gets that column too; it is the last one.
    """
    inputs = list(map(_File, paths, names, sources))
    if len(inputs) == 1:
        return _read_single(inputs[0], folder, options, silent)
    return _read_several(inputs, folder, options, silent)


def _read_several(
    inputs: Sequence[_File], folder: Path, options: ReadOptions, listen: Report
) -> RawLog:
    files = RawFiles(folder)
    try:
        return _merged(inputs, files, options, _meter([file.path for file in inputs], listen))
    except BaseException:
        files.discard()
        raise


def _merged(inputs: Sequence[_File], files: RawFiles, options: ReadOptions, meter: Meter) -> RawLog:
    merger = Merger(files)
    found: list[FileRead] = []
    parts: list[FilePart] = []
    problems: list[Problem] = []
    lines = 0
    for file in inputs:
        name = file.name

        def write(table: pa.Table, source: str = file.source or "", before: int = lines) -> None:
            merger.write(table, source, before)

        parts.append(FilePart(name=name, lines_before=lines))
        files.lines_before = lines
        try:
            one = _read_one(find_source(file.path, name, options, meter), files, write)
        except FileRefused as stopped:
            one = FileRead(name, stopped.problems)
        problems += [of_file(problem, name, lines) for problem in one.problems]
        found.append(one)
        lines += one.n_lines
    files.close()
    problems += disagreements(found)
    stopping = [problem for problem in problems if problem.severity == "refused"]
    if stopping:
        raise refusal_saying(f"These {len(inputs)} files cannot be read as one log.", stopping)
    made_by: dict[str, Any] = {
        "options": options.to_dict(),
        "files": [[one.name, one.sha256] for one in found],
    }
    sources = [file.source for file in inputs]
    if sources != source_names([file.name for file in inputs]):
        made_by["sources"] = sources
    return RawLog(
        path=files.path,
        set_aside=files.set_aside,
        name=f"{inputs[0].name} and {len(inputs) - 1} more",
        parts=tuple(parts),
        columns=merger.columns,
        n_rows=sum(one.n_rows for one in found),
        dialect=joint_dialect(found),
        problems=(*problems, *same_bytes(found)),
        fingerprint=fingerprint(found[0].sha256, "read", VERSION, made_by),
    )


def _read_one(source: Source, files: RawFiles, write: Write) -> FileRead:
    """Read one file to its end. Raises FileRefused where it must not be read on."""
    rows, dialect = _open(source)
    for table in rows.tables():
        write(table)
        files.put_aside(rows.aside)
        rows.aside.clear()
    files.put_aside(rows.aside)
    return FileRead(
        name=source.name,
        problems=tuple(rows.problems()),
        columns=rows.header.names if rows.header else (),
        dialect=dialect,
        n_rows=rows.n_rows,
        n_lines=rows.n_lines,
        sha256=source.sha256(),
    )


def _open(source: Source) -> tuple[Rows | ParquetRows, Dialect]:
    if source.kind == "parquet":
        return ParquetRows(source), Dialect(encoding="parquet", delimiter="")
    text = open_text(source.pieces(), source.options)
    if text.whole and not text.head.strip():
        raise source.refused("empty", "The file is empty: it holds no header and no rows.")
    _check_letter_size(source, text)
    delimiter = _delimiter(source, text)
    rows = Rows(source.name, text, delimiter, source.options)
    return rows, Dialect(encoding=text.encoding.name, delimiter=delimiter)


def _check_letter_size(source: Source, text: Text) -> None:
    """Refuse two bytes per letter read as one: lines and cells would make no sense."""
    if text.head.count("\0") > _UTF16 * len(text.head):
        guess = guess_encoding(text.head.encode())
        hint = f" The encoding may be {guess} (a guess; read.encoding)." if guess else ""
        lines = (n for n, line in enumerate(text.head.split("\n"), start=1) if "\0" in line)
        raise refusal(source.name, [nul_problem(tally(lines), hint)])


def _delimiter(source: Source, text: Text) -> str:
    asked = source.options.delimiter
    if asked != "auto":
        return DELIMITERS[asked]
    below = list(io.StringIO(text.head, newline=""))[source.options.lines_above :]
    head = "".join(line.lstrip("\ufeff") for line in below)
    delimiter = find_delimiter(head, whole=text.whole, escape=source.options.escape)
    if delimiter is None:
        message = (
            "Two separators cut every row into the same number of cells. Name the right one "
            f"(read.delimiter): {', '.join(DELIMITERS)}."
        )
        raise source.refused("delimiter", message)
    return delimiter


def _meter(paths: Sequence[Path], listen: Report) -> Meter:
    return Meter(listen, sum(path.stat().st_size for path in paths if path.is_file()))
