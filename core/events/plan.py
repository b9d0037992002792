"""How a raw log becomes events: one SELECT, and all that must be said of it beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from core.artifacts import EVENT_COLUMNS, ROLES, ColumnMapping, Problem, RawLog
from core.events.amounts import read_numbers
from core.events.guess import words_of
from core.events.header import LINE_COLUMN
from core.events.problems import (
    LINES_SHOWN,
    counted,
    plural,
    refused,
    shown,
    spell_lines,
    warning,
)
from core.events.reading import Column, Reading, literal, quoted
from core.events.times import read_times

DEFAULT_ACTION = "event"
"""The action of every event in a log that has no action column."""

_MISSING_WORDS = ("na", "n/a", "nan", "null", "none", "nil", "undefined", "\\n", "-")
_UNITS = {
    **dict.fromkeys(("ms", "millis", "milliseconds"), ("milliseconds", 0.001)),
    **dict.fromkeys(("min", "mins", "minutes"), ("minutes", 60)),
    **dict.fromkeys(("hour", "hours"), ("hours", 3600)),
}
"""Units a column name may state: how it is called, and its length in seconds."""


@dataclass(frozen=True)
class Plan:
    """How a raw log becomes events: one SELECT over ``read_parquet($path)``."""

    sql: str
    refusals: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def plan_events(db: duckdb.DuckDBPyConnection, raw: RawLog, mapping: ColumnMapping) -> Plan:
    """Settle how every mapped column is read; what stops it is in ``refusals``."""
    readings = {
        role: _reading(role, Column(db, str(raw.path), name))
        for role, name in mapping.columns().items()
    }
    values = [f"{readings[r].sql if r in readings else _ABSENT[r]} AS {quoted(r)}" for r in ROLES]
    money = _MONEY.format("abs(quantity)" if "quantity" in readings else "1")
    typed = {role: name for role, name in mapping.columns().items() if role in _READERS}
    values += [f"{quoted(name)} IS NOT NULL AS filled_{role}" for role, name in typed.items()]
    unread = [
        f"CASE WHEN filled_{role} AND {quoted(role)} IS NULL THEN '{role}' END" for role in typed
    ]
    columns = ", ".join(f"{money} AS price" if c == "price" else quoted(c) for c in EVENT_COLUMNS)
    problems = [problem for reading in readings.values() for problem in reading.problems]
    if mapping.user is not None and mapping.action is None:
        message = f"There is no action column; every event has the action '{DEFAULT_ACTION}'."
        problems.append(warning("no_action", message))
    return Plan(
        f"SELECT {columns}, line, concat_ws(',', {', '.join(unread) or 'NULL'}) AS unreadable, "
        f"row_hash FROM (SELECT {', '.join(values)}, __line__ AS line, "
        f"{_row_hash(raw, mapping)} AS row_hash FROM read_parquet($path))",
        tuple(problem for problem in problems if problem.severity == "refused"),
        tuple(problem for problem in problems if problem.severity == "warning"),
    )


def _row_hash(raw: RawLog, mapping: ColumnMapping) -> str:
    """SQL of 64 bits that tell apart rows that differ in any cell but that of the label.

    Each cell is hashed by itself and its place counts, so that no two cells run together and
    "a, blank" is not "blank, a". Columns stand in an order that does not depend on the file's, so
    that two files with the same columns can be compared.
    """
    chosen = mapping.columns()
    rest = sorted(set(raw.columns) - set(chosen.values()) - {LINE_COLUMN})
    compared = [*(column for role, column in chosen.items() if role != "label"), *rest]
    return f"hash({', '.join(map(quoted, compared))})" if compared else "CAST(NULL AS UBIGINT)"


_NUMBERS = ("duration", "price", "quantity", "value")
_READERS = {"time": read_times, **dict.fromkeys(_NUMBERS, read_numbers)}
_MONEY = 'coalesce("value", price * {})'
"""SQL of the money of an event, with the number of pieces left open."""
_ABSENT = {
    **dict.fromkeys(ROLES, "CAST(NULL AS VARCHAR)"),
    "time": "CAST(NULL AS TIMESTAMP)",
    "action": literal(DEFAULT_ACTION),
    **dict.fromkeys(_NUMBERS, "CAST(NULL AS DOUBLE)"),
}
"""What stands in the column of a role that the log does not have."""


def _reading(role: str, column: Column) -> Reading:
    blank = not column.query("SELECT 1 FROM cells LIMIT 1")
    if blank and role in ("user", "time"):
        message = f"Column '{column.name}' ({role}) is blank in every row. Choose another."
        return Reading(_ABSENT[role], (refused("blank_column", message, None, column.name),))
    if blank:
        message = f"Column '{column.name}' ({role}) is blank in every row."
        return Reading(_ABSENT[role], (warning("blank_column", message, None, column.name),))
    if role == "duration":
        return _in_seconds(column, read_numbers(column))
    if role in _READERS:
        return _READERS[role](column)
    return Reading(quoted(column.name), _doubtful_ids(column) if role == "user" else ())


def _in_seconds(column: Column, reading: Reading) -> Reading:
    """Convert a duration whose column name states another unit."""
    unit = next((word for word in words_of(column.name) if word in _UNITS), None)
    if unit is None or reading.refused:
        return reading
    message = f"Column '{column.name}' was taken as {_UNITS[unit][0]} and converted to seconds."
    found = warning("duration_unit", message, None, column.name)
    return Reading(f"({reading.sql}) * {_UNITS[unit][1]}", (*reading.problems, found))


def _doubtful_ids(column: Column) -> tuple[Problem, ...]:
    """Warn of ids that may be no ids; they are kept to the letter."""
    words = ", ".join(map(literal, _MISSING_WORDS))
    doubts = {
        "missing_words": (
            f"lower(cell) IN ({words})",
            "in column '{}' hold a word that may mean missing, such as '{}'; kept as user ids",
        ),
        "spaces_around": (
            "cell <> raw",
            "in column '{}' begin or end with a space, such as '{}'; kept as they are",
        ),
    }
    found = []
    for code, (test, text) in doubts.items():
        where = f"FROM cells WHERE {test}"
        select = f"SELECT count(*), min(line, {LINES_SHOWN}), arg_min(raw, line) {where}"
        count, lines, example = column.query(select)[0]
        if count:
            message = f"{plural(count, 'cell')} {text.format(column.name, shown(example))}: "
            message += f"{spell_lines(lines, count)}."
            found.append(warning(code, message, counted(lines, count), column.name))
    return tuple(found)


def unreadable_cells(
    db: duckdb.DuckDBPyConnection, source: str, path: Path, mapping: ColumnMapping
) -> tuple[Problem, ...]:
    """Name the cells that could not be read, by column."""
    typed = {role: name for role, name in mapping.columns().items() if role in _READERS}
    unread = "list_contains(string_split(unreadable, ','), '{}')"
    wanted = [
        f"count(*) FILTER ({test}), min(line, {LINES_SHOWN}) FILTER ({test})"
        for test in map(unread.format, typed)
    ]
    if not typed:
        return ()
    row = db.execute(f"SELECT {', '.join(wanted)} FROM {source}", {"path": str(path)}).fetchall()[0]
    found = []
    for (role, name), count, lines in zip(typed.items(), row[::2], row[1::2], strict=True):
        if count:
            message = (
                f"{plural(count, 'cell')} in column '{name}' ({role}) cannot be read and count as "
                f"missing: {spell_lines(lines, count)}."
            )
            found.append(warning("unreadable", message, counted(lines, count), name))
    return tuple(found)
