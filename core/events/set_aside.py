"""The rows of a file that are not in the cleaned log: which, why, and every cell as it stood."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from core.artifacts import CleaningLimits, Events, RawLog
from core.events.cleaning.clean_options import CleanOptions
from core.events.cleaning.cleaning_report import reason_of
from core.events.cleaning.cleaning_sql import BITS
from core.events.cleaning.judging import Judged, judged
from core.events.columns.reading import quoted

OWN_COLUMNS = ("file", "line", "reason")
"""What is said of every row, before its cells; ``text`` comes after them."""

_BATCH = 50_000

_FATES_SQL = """
SELECT line, reasons.reason FROM filled JOIN reasons ON filled.dropped_by = reasons.bit
UNION ALL
SELECT filled.line, user_reasons.reason FROM filled JOIN user_fates USING ("user")
JOIN user_reasons ON user_fates.left_by = user_reasons.rule WHERE filled.dropped_by = 0
"""

_LINES_SQL = """
SELECT __line__ AS line, reason, text FROM read_parquet($aside)
UNION ALL SELECT line, reason, NULL AS text FROM fates
"""


@dataclass(frozen=True, kw_only=True)
class SetAside:
    """The list of all rows set aside, as a file."""

    path: Path
    n_rows: int
    fingerprint: str


def write_set_aside(
    raw: RawLog,
    events: Events,
    options: CleanOptions,
    limits: CleaningLimits | None,
    path: Path,
) -> int:
    """Write every row that is not in the cleaned log as CSV, in the order of lines; how many.

    Columns: ``file``, ``line`` (physical, in that file), ``reason`` (that of the first rule that
    took the row), the cells as they stood, and ``text``, the whole row where it could not be cut
    into cells. Names of ours that a column of the log has get an underscore. A row stands there
    once: those that the gate set aside, those that a rule dropped (of equal rows all but the
    first), and all rows of users that were left out. Cells are exact, for programs.

    ``options`` and ``limits`` are those that the log was cleaned with.
    """
    with _opened(raw, events, options, limits, path.parent) as (connection, files):
        found = connection.execute(
            f"COPY ({_rows_sql(raw)}) TO $out (FORMAT csv, HEADER true)",
            files | {"out": str(path)},
        ).fetchall()
    return int(found[0][0])


@contextmanager
def set_aside_batches(
    raw: RawLog, events: Events, options: CleanOptions, limits: CleaningLimits | None
) -> Iterator[pa.RecordBatchReader]:
    """Yield the rows of `write_set_aside` batch by batch, for who writes them another way."""
    with _opened(raw, events, options, limits, None) as (connection, files):
        yield connection.sql(_rows_sql(raw), params=files).to_arrow_reader(_BATCH)


@contextmanager
def _opened(
    raw: RawLog,
    events: Events,
    options: CleanOptions,
    limits: CleaningLimits | None,
    folder: Path | None,
) -> Iterator[tuple[duckdb.DuckDBPyConnection, dict[str, str]]]:
    """Yield all that `_rows_sql` reads: the tables ``fates`` and ``parts``, and two files."""
    with judged(events, options, limits, folder) as log:
        connection, repeats = log.cleaning.connection, log.account.repeats
        _name_reasons(log)
        log.cleaning.make_table("fates", _FATES_SQL)
        if repeats is not None and repeats.decision == "drop":
            told = {"told": repeats.told}
            connection.execute("INSERT INTO fates SELECT line, $told FROM repeats", told)
        _name_files(connection, raw)
        yield connection, {"aside": str(raw.set_aside), "raw": str(raw.path)}


def _name_reasons(log: Judged) -> None:
    """Make tables of the words of every rule that drops something."""
    connection = log.cleaning.connection
    connection.execute("CREATE TEMP TABLE reasons (bit BIGINT, reason VARCHAR)")
    connection.execute("CREATE TEMP TABLE user_reasons (rule VARCHAR, reason VARCHAR)")
    for rule, effect in log.account.effects.items():
        if effect == "dropped":
            row = [BITS[rule], reason_of(log.account, rule)]
            connection.execute("INSERT INTO reasons VALUES ($1, $2)", row)
    for user_rule in log.account.user_rules:
        if user_rule.effect == "dropped":
            words = [user_rule.name, user_rule.reason]
            connection.execute("INSERT INTO user_reasons VALUES ($1, $2)", words)


def _name_files(connection: duckdb.DuckDBPyConnection, raw: RawLog) -> None:
    connection.execute("CREATE TEMP TABLE parts (name VARCHAR, lines_before BIGINT)")
    for part in raw.parts:
        connection.execute("INSERT INTO parts VALUES ($1, $2)", [part.name, part.lines_before])


def _rows_sql(raw: RawLog) -> str:
    """Every row that was set aside, with the file it came from and its cells."""
    file, line, reason, text = _free_names((*OWN_COLUMNS, "text"), raw.columns)
    cells = ", ".join(f"cells.{quoted(column)}" for column in raw.columns)
    return f"""
    SELECT parts.name AS {file}, gone.line - parts.lines_before AS {line}, gone.reason AS {reason},
        {cells}, gone.text AS {text}
    FROM ({_LINES_SQL}) AS gone
    ASOF JOIN parts ON gone.line > parts.lines_before
    LEFT JOIN read_parquet($raw) AS cells ON cells.__line__ = gone.line
    ORDER BY gone.line
    """


def _free_names(names: tuple[str, ...], taken: tuple[str, ...]) -> list[str]:
    """Names that no column of the log has, in any case of letters; quoted for SQL."""
    lower = {column.lower() for column in taken}
    free = []
    for name in names:
        while name.lower() in lower:
            name += "_"
        free.append(quoted(name))
    return free
