"""How a raw log becomes events: one SELECT, and all that must be said of it beforehand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import duckdb

from core.artifacts import EVENT_COLUMNS, ROLES, ColumnMapping, Problem, RawLog
from core.events.columns.actions import Actions, ParameterValue, plan_actions
from core.events.columns.amounts import read_numbers
from core.events.columns.contents import look_at
from core.events.columns.doubtful_ids import doubtful_ids
from core.events.columns.reading import Column, Reading, nothing, quoted, trimmed
from core.events.columns.role_names import name_strength, words_of
from core.events.columns.times import read_times
from core.events.gate.header import LINE_COLUMN
from core.events.map_options import OF_ONE_LOG, MapOptions
from core.events.problems import plural, refused, warning

NUMBER_ROLES = ("duration", "price", "quantity", "value")
TYPED_ROLES = ("time", *NUMBER_ROLES)
"""The roles whose cells are more than text."""
_IDS = ("user", "item")
_ABSENT = {
    "time": "CAST(NULL AS TIMESTAMP)",
    **dict.fromkeys(NUMBER_ROLES, "CAST(NULL AS DOUBLE)"),
}
"""What stands in the column of a typed role that the log does not have."""
_SECONDS = {"milliseconds": 0.001, "seconds": 1.0, "minutes": 60.0, "hours": 3600.0}
_UNITS = {
    **dict.fromkeys(("ms", "millis", "msec", "milliseconds", "毫秒"), "milliseconds"),
    **dict.fromkeys(("min", "mins", "minutes", "分", "分钟"), "minutes"),
    **dict.fromkeys(("h", "hour", "hours", "小时"), "hours"),
}
"""Units a column name may state; without one it is taken as seconds."""


@dataclass(frozen=True)
class Plan:
    """How a raw log becomes events: SELECTs over ``read_parquet($path)``."""

    sql: str
    """The events, in the order of the file."""
    cells_sql: str
    """Per role ``cell_<role>``, as it stands, and ``<role>``, as it is read."""
    parameters: dict[str, ParameterValue]
    """The values of `sql`."""
    cells_parameters: dict[str, ParameterValue]
    """The values of `cells_sql`; a name may stand in a column name too, so none is looked for."""
    refusals: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    read_as: dict[str, Any]
    """See `Events.read_as`."""


def plan_events(
    db: duckdb.DuckDBPyConnection,
    raw: RawLog,
    mapping: ColumnMapping,
    options: MapOptions,
    now: datetime | None = None,
) -> Plan:
    """Settle how every mapped column is read; what stops it is in ``refusals``.

    Raises MappingRefused for rules or names of actions that do not fit the log.
    """
    columns = {
        role: Column(db, str(raw.path), name, raw.parts) for role, name in mapping.columns().items()
    }
    readings = {role: _reading(role, column, options, now) for role, column in columns.items()}
    actions = plan_actions(db, raw, mapping, options)
    typed = _typed(_cells(raw, mapping, actions), readings, actions)
    cells_parameters = {"path": str(raw.path), **actions.parameters}
    parameters = cells_parameters | actions.return_parameters
    problems = [problem for reading in readings.values() for problem in reading.problems]
    problems += actions.problems
    if any(problem.code == "dates_only" for problem in problems):
        problems += _clocks_apart(raw, mapping)
    refusals = tuple(problem for problem in problems if problem.severity == "refused")
    if not refusals:
        problems += _taken_by_size(db, typed, readings, actions, parameters)
    unread = ", ".join(_unread(mapping, readings, options)) or "NULL"
    chosen = ", ".join(
        f"{_money(readings, actions)} AS price" if column == "price" else quoted(column)
        for column in EVENT_COLUMNS
    )
    return Plan(
        f"SELECT {chosen}, line, concat_ws(',', {unread}) AS unreadable, row_hash FROM ({typed})",
        typed,
        parameters,
        cells_parameters,
        tuple(dict.fromkeys(refusals)),
        tuple(problem for problem in problems if problem.severity == "warning"),
        _read_as(options, readings, actions),
    )


def _read_as(options: MapOptions, readings: dict[str, Reading], actions: Actions) -> dict[str, Any]:
    """The options with what was settled in place of "auto".

    What two columns settled in two ways stays "auto", as no one option says both.
    """
    found: dict[str, set[Any]] = {}
    for reading in readings.values():
        for name, value in reading.settled.items():
            found.setdefault(name, set()).add(value)
    settled = {name: values.pop() for name, values in found.items() if len(values) == 1}
    settled |= actions.settled
    return {
        name: settled.get(name, value) if value == "auto" else value
        for name, value in options.to_dict().items()
        if name not in OF_ONE_LOG
    }


def _cells(raw: RawLog, mapping: ColumnMapping, actions: Actions) -> str:
    """SQL of the cells by role, as text; of what is typed without the spaces around it."""
    cells = {
        role: f"{trimmed(name) if role in TYPED_ROLES else quoted(name)} AS {quoted(role)}"
        for role, name in mapping.columns().items()
    }
    listed = ", ".join(
        cells.get(role, f"CAST(NULL AS VARCHAR) AS {quoted(role)}") for role in ROLES
    )
    # The rules see names of our own only: a column called as something in them would be meant.
    seen = "".join(f"{cell}, " for cell in actions.cells)
    kept = ", ".join(map(quoted, ROLES))
    return (
        f"SELECT {kept}, {actions.rule} AS rule, line, row_hash FROM (SELECT {listed}, {seen}"
        f"__line__ AS line, {_row_hash(raw, mapping)} AS row_hash FROM read_parquet($path))"
    )


def _typed(cells: str, readings: dict[str, Reading], actions: Actions) -> str:
    """SQL of the values by role, beside the cells they come from."""
    values = {role: quoted(role) for role in ROLES} | _ABSENT | {"action": actions.action}
    values |= {role: readings[role].value(quoted(role)) for role in TYPED_ROLES if role in readings}
    listed = ", ".join(
        f"{quoted(role)} AS {quoted(f'cell_{role}')}, {values[role]} AS {quoted(role)}"
        for role in ROLES
    )
    return f"SELECT {listed}, line, row_hash FROM ({cells})"


def _row_hash(raw: RawLog, mapping: ColumnMapping) -> str:
    """SQL of 64 bits that tell apart rows that differ in any cell but that of the label.

    Each cell is hashed by itself and its place counts, so that no two cells run together and
    "a, blank" is not "blank, a". Columns stand in an order that does not depend on the file's, so
    that two files with the same columns can be compared. Which file a row came from counts only
    where it says the platform: months that overlap hold the same rows twice.
    """
    chosen = mapping.columns()
    rest = sorted(set(raw.columns) - set(chosen.values()) - {LINE_COLUMN, raw.source_column})
    compared = [*(column for role, column in chosen.items() if role != "label"), *rest]
    return f"hash({', '.join(map(quoted, compared))})" if compared else "CAST(NULL AS UBIGINT)"


def _reading(role: str, column: Column, options: MapOptions, now: datetime | None) -> Reading:
    if column.is_blank and role in ("user", "time"):
        message = f"Column '{column.name}' ({role}) is blank in every row. Choose another."
        return _unused(role, refused("blank_column", message, None, column.name))
    if column.is_blank:
        message = f"Column '{column.name}' ({role}) is blank in every row."
        return _unused(role, warning("blank_column", message, None, column.name))
    if role == "time":
        return read_times(column, options, now)
    if role == "duration":
        return _in_seconds(column, read_numbers(column, options), options)
    if role in NUMBER_ROLES:
        return read_numbers(column, options)
    return Reading(lambda cell: cell, doubtful_ids(column) if role in _IDS else ())


def _clocks_apart(raw: RawLog, mapping: ColumnMapping) -> list[Problem]:
    """Warn of columns with the times of day that the dates of the time column lack."""
    message = (
        "Column '{}' holds times of day apart from the dates in '{}'. They are not read, so the "
        "events of a day all have the same time. Join both into one column, as 2024-01-31 18:30, "
        "and import the file again."
    )
    return [
        warning("clock_apart", message.format(name, mapping.time), None, name)
        for name, contents in look_at(raw).items()
        if contents.clocks > 0.5 and not name_strength("duration", name)
    ]


def _unused(role: str, problem: Problem) -> Reading:
    kind = "TIMESTAMP" if role == "time" else "DOUBLE" if role in NUMBER_ROLES else "VARCHAR"
    return Reading(nothing(kind), (problem,))


def _in_seconds(column: Column, reading: Reading, options: MapOptions) -> Reading:
    """Convert a duration in another unit, as told or as the name of its column states."""
    named = next((word for word in words_of(column.name) if word in _UNITS), None)
    unit = _UNITS.get(named or "", "seconds")
    if options.duration_unit != "auto":
        unit = options.duration_unit
    reading = replace(reading, settled={**reading.settled, "duration_unit": unit})
    if unit == "seconds" or reading.refused:
        return reading
    told = "as its name says" if options.duration_unit == "auto" else "as told"
    message = f"Column '{column.name}' was taken as {unit}, {told}, and converted to seconds."
    found = warning("duration_unit", message, None, column.name)
    return replace(
        reading,
        value=lambda cell: f"({reading.value(cell)}) * {_SECONDS[unit]}",
        problems=(*reading.problems, found),
    )


def _raw_money(readings: dict[str, Reading]) -> str:
    """SQL of the money of an event: its value, else the price of all its pieces.

    A value that cannot be read is not made up from the price.
    """
    pieces = "price * abs(quantity)" if "quantity" in readings else "price"
    if "value" not in readings:
        return pieces
    return f'CASE WHEN cell_value IS NOT NULL THEN "value" ELSE {pieces} END'


def _money(readings: dict[str, Reading], actions: Actions) -> str:
    """SQL of the money of an event; what goes back is counted by its size."""
    money = _raw_money(readings)
    return f"CASE WHEN {actions.is_return} THEN abs({money}) ELSE {money} END"


def _taken_by_size(
    db: duckdb.DuckDBPyConnection,
    typed: str,
    readings: dict[str, Reading],
    actions: Actions,
    parameters: dict[str, ParameterValue],
) -> list[Problem]:
    """Say how many returns had money below zero."""
    if actions.is_return == "false" or not ({"value", "price"} & set(readings)):
        return []
    count = (
        f"SELECT count(*) FROM ({typed}) WHERE {actions.is_return} AND {_raw_money(readings)} < 0"
    )
    negative = db.execute(count, parameters).fetchall()[0][0]
    if not negative:
        return []
    message = (
        f"{plural(negative, 'return')} with an amount below zero: counted by its size, since the "
        "action says that the goods came back."
    )
    return [warning("negative_returns", message)]


def _unread(mapping: ColumnMapping, readings: dict[str, Reading], options: MapOptions) -> list[str]:
    """SQL, per column of events, of its name where its cell held something unreadable.

    The name stands behind "drop:" where the row is to go.
    """
    tests = {
        role: f"{quoted(f'cell_{role}')} IS NOT NULL AND {quoted(role)} IS NULL"
        for role in TYPED_ROLES
        if role in readings
    }
    value = tests.pop("value", None)
    if value is not None:
        price = tests.get("price", "false")
        tests["price"] = f"({value}) OR (cell_value IS NULL AND {price})"
    drop = "drop:" if options.unreadable_numbers == "drop" else ""
    return [
        f"CASE WHEN {test} THEN '{'' if role == 'time' else drop}{role}' END"
        for role, test in tests.items()
    ]
