"""The strict gate for text logs: a file comes through exactly as written, or not at all.

Bytes -> byte order mark or strict UTF-8 -> no NUL -> separator -> quoting by the letter -> rows
of one width -> header. Every cell stays text; what it means is settled by `core.events.mapping`.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from core.artifacts import Dialect, FilePart, RawLog, Report, fingerprint, silent
from core.events.dialect import DELIMITERS, DelimiterName, find_delimiter
from core.events.encoding import EncodingName, find_encoding
from core.events.problems import refusal, refused
from core.events.rows import Rows
from core.events.scan import Limits, Scan, Source, scan
from core.options import Options, option

VERSION = 1
ENDINGS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
"""Names a file may end with."""

SET_ASIDE = pa.schema([("__line__", pa.int64()), ("reason", pa.string()), ("text", pa.string())])
"""Columns of the rows that were set aside."""

_ROW_GROUP = 120_000
_GZIP = b"\x1f\x8b"
_OTHER_KINDS = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF",
    b"SQLite format 3": "an SQLite database",
}


@dataclass(frozen=True, kw_only=True)
class ReadOptions(Options):
    """How a CSV file is read; "auto" tells it from the file or refuses it, and never guesses."""

    encoding: EncodingName = option(
        "auto",
        "Encoding",
        "How letters are written as bytes. Auto takes UTF-8, or what the byte order mark says.",
    )
    delimiter: DelimiterName = option(
        "auto", "Separator", "The sign between two cells. Auto finds it from the first rows."
    )
    max_megabytes: int = option(
        4000, "Largest file", "Size when unpacked.", low=1, high=1_000_000, unit="MB", expert=True
    )
    max_line_length: int = option(
        1_000_000,
        "Longest line",
        "A longer line means that the file is no table.",
        low=1000,
        high=100_000_000,
        unit="characters",
        expert=True,
    )
    max_columns: int = option(
        500, "Most columns", "A wider table is no event log.", low=2, high=10_000, expert=True
    )


def read(path: Path, folder: Path, options: ReadOptions, *, name: str) -> RawLog:
    """Read a CSV or TSV file (plain or gzip) into Parquet, every cell as the text it was.

    ``folder`` gets ``raw.parquet``; ``name`` is what the analyst calls the file. Memory stays
    the same however long the file is. Raises FileRefused, with all problems and their lines.
    """
    source = _source(path, name, options)
    found = scan(source, Limits(options.max_megabytes, options.max_line_length))
    if not found.head.strip():
        empty = "The file is empty: it holds no header and no rows."
        raise refusal(name, [refused("empty", empty)])
    delimiter = _delimiter(name, found, options)
    rows = Rows(source, delimiter, found, options.max_columns)
    out, aside = folder / "raw.parquet", folder / "set_aside.parquet"
    _write(rows, out)
    pq.write_table(SET_ASIDE.empty_table(), aside)
    problems = (*found.warnings, *rows.problems())
    if any(problem.severity == "refused" for problem in problems):
        out.unlink(missing_ok=True)
        aside.unlink(missing_ok=True)
        raise refusal(name, [problem for problem in problems if problem.severity == "refused"])
    return RawLog(
        path=out,
        set_aside=aside,
        name=name,
        parts=(FilePart(name=name, lines_before=0),),
        columns=rows.header.names,
        n_rows=rows.n_rows,
        dialect=Dialect(encoding=source.encoding.name, delimiter=delimiter),
        problems=problems,
        fingerprint=fingerprint(_sha256(path), "read", VERSION, options.to_dict()),
    )


def read_all(
    paths: Sequence[Path],
    folder: Path,
    options: ReadOptions,
    *,
    names: Sequence[str],
    listen: Report = silent,
) -> RawLog:
    """Read one file, or several as one log. Raises FileRefused."""
    if len(paths) > 1:
        raise refusal(names[1], [refused("several_files", "Bring one file at a time.")])
    return read(paths[0], folder, options, name=names[0])


def _source(path: Path, name: str, options: ReadOptions) -> Source:
    """Look at the name and the first bytes; refuse what is no text file."""
    if not path.is_file():
        raise refusal(name, [refused("no_file", f"There is no file at '{path}'.")])
    with path.open("rb") as stream:
        head = stream.read(16)
    kind = next((kind for magic, kind in _OTHER_KINDS.items() if head.startswith(magic)), None)
    if kind is None and not name.lower().endswith(ENDINGS):
        kind = "of a kind that is not known"
    if kind is not None:
        message = f"The file is {kind}. Allowed: {', '.join(ENDINGS)}. Save or export it as CSV."
        raise refusal(name, [refused("file_type", message)])
    packed = head.startswith(_GZIP)
    plain = Source(path, name, packed, find_encoding(head, options.encoding))
    if not packed:
        return plain
    return Source(path, name, True, find_encoding(_first_bytes(plain), options.encoding))


def _first_bytes(source: Source) -> bytes:
    """First bytes of a compressed file; nothing where it is damaged, which the scan reports."""
    with source.path.open("rb") as stream:
        try:
            return zlib.decompressobj(wbits=31).decompress(stream.read(4096), 16)
        except zlib.error:
            return b""


def _delimiter(name: str, found: Scan, options: ReadOptions) -> str:
    if options.delimiter != "auto":
        return DELIMITERS[options.delimiter]
    delimiter = find_delimiter(found.head, whole=found.whole)
    if delimiter is None:
        message = (
            "Two separators cut every row into the same number of cells. Name the right one "
            f"(read.delimiter): {', '.join(DELIMITERS)}."
        )
        raise refusal(name, [refused("delimiter", message)])
    return delimiter


def _write(rows: Rows, out: Path) -> None:
    """Write the tables in groups large enough for a query engine to work on side by side."""
    writer: pq.ParquetWriter | None = None
    waiting: list[pa.Table] = []
    try:
        for table in rows.tables():
            waiting.append(table)
            writer = writer or pq.ParquetWriter(out, table.schema, compression="lz4")
            if sum(map(len, waiting)) >= _ROW_GROUP:
                writer.write_table(pa.concat_tables(waiting))
                waiting.clear()
        if writer is not None and waiting:
            writer.write_table(pa.concat_tables(waiting))
    finally:
        if writer is not None:
            writer.close()


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
