"""From columns of text to typed events: which column plays which role, and what its cells mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

from core.artifacts import EVENT_COLUMNS, ROLES, ColumnMapping, Events, Problem, RawLog, fingerprint
from core.errors import MappingRefused, did_you_mean
from core.events import engine
from core.events.amounts import NUMBERS
from core.events.guess import Guess, guess, look_at, words_of
from core.events.map_options import MapOptions
from core.events.plan import plan_events, unreadable_cells
from core.events.problems import counted, plural, spell_lines, warning
from core.events.reading import Column, kinds_of, quoted
from core.store import to_plain

__all__ = [
    "Guess",
    "complete",
    "guess",
    "guessed_mapping",
    "inspect_report",
    "map_events",
    "parse_mapping",
]

VERSION = 3
_SURE = 0.45
"""A guess from this confidence on is taken where nothing else is said."""


def guessed_mapping(raw: RawLog) -> ColumnMapping:
    """The mapping that the names and cells of a log suggest; user or time may be missing."""
    return ColumnMapping(**{g.role: g.column for g in guess(raw) if g.confidence >= _SURE})


def parse_mapping(text: str) -> dict[str, str]:
    """Read "user=buyer,time=at,category=" into columns by role; no column means none.

    A column name may hold commas and equals signs. Raises MappingRefused for an unknown role.
    """
    found: dict[str, str] = {}
    for part in re.split(r",(?=\s*\w+\s*=)", text) if text.strip() else []:
        role, equals, column = part.partition("=")
        role = role.strip().lower()
        if not equals or role not in ROLES:
            raise MappingRefused(
                f"'{part.strip()}' names no role. Allowed: role=column, with the roles "
                f"{', '.join(ROLES)}.{did_you_mean(role, ROLES)}"
            )
        if role in found:
            raise MappingRefused(f"The role '{role}' is given twice. Give it one column.")
        found[role] = column.strip()
    return found


def complete(raw: RawLog, given: Mapping[str, str]) -> ColumnMapping:
    """Fill what was not given with guesses; a role given as "" stays without a column.

    Raises MappingRefused where a column is missing or used twice, or user or time has none.
    """
    chosen = {role: column for role, column in given.items() if column}
    for offer in guess(raw):
        free = offer.role not in given and offer.column not in chosen.values()
        if free and offer.confidence >= _SURE:
            chosen[offer.role] = offer.column
    mapping = ColumnMapping(**chosen)
    _check(raw, mapping)
    return mapping


def map_events(
    raw: RawLog, mapping: ColumnMapping, folder: Path, options: MapOptions = MapOptions()
) -> Events:
    """Type the columns of a log: times in UTC, finite numbers, ids as the text they are.

    ``folder`` gets ``events.parquet``, in the order of the file. A cell that cannot be read is
    NULL, its role stands in ``unreadable``, and a problem names its lines; what must be taken for
    granted is a problem too (those of the file come first). Raises MappingRefused for a mapping
    that does not fit the file, and for a column that cannot be read without guessing.
    """
    _check(raw, mapping)
    out = folder / "events.parquet"
    with engine.connect(folder) as db:
        plan = plan_events(db, raw, mapping)
        if plan.refusals:
            raise MappingRefused("\n".join(problem.message for problem in plan.refusals))
        db.execute(
            f"COPY ({plan.sql}) TO $out (FORMAT parquet)", {"path": str(raw.path), "out": str(out)}
        )
        unreadable = unreadable_cells(db, "read_parquet($path)", out, mapping)
        users = f"SELECT count(DISTINCT {quoted('user')}) FROM read_parquet($path)"
        n_users = db.execute(users, {"path": str(out)}).fetchall()[0][0]
    return Events(
        path=out,
        present=_present(mapping),
        n_events=raw.n_rows,
        n_users=n_users,
        problems=(*raw.problems, *plan.warnings, *unreadable),
        fingerprint=mapped_as(raw, mapping, options),
    )


def mapped_as(raw: RawLog, mapping: ColumnMapping, options: MapOptions) -> str:
    """Fingerprint of the events that a mapping makes of a log."""
    made_by = {"columns": mapping.columns(), "options": options.to_dict()}
    return fingerprint(raw.fingerprint, "map", VERSION, made_by)


def inspect_report(
    raw: RawLog, guesses: tuple[Guess, ...], options: MapOptions = MapOptions()
) -> dict[str, Any]:
    """What is known of a file before anything is done with it, as plain JSON values.

    ``problems`` are those of the file and those that reading it by the guessed mapping would
    meet; one with the severity "refused" would stop it.
    """
    mapping = ColumnMapping(**{g.role: g.column for g in guesses if g.confidence >= _SURE})
    with engine.connect() as db:
        plan = plan_events(db, raw, mapping)
        unreadable = (
            () if plan.refusals else unreadable_cells(db, f"({plan.sql})", raw.path, mapping)
        )
        others = _half_numbers(db, raw, mapping)
    problems = (*raw.problems, *plan.refusals, *plan.warnings, *unreadable, *others)
    report = {
        "name": raw.name,
        "dialect": raw.dialect,
        "n_rows": raw.n_rows,
        "columns": raw.columns,
        "mapping": mapping.columns(),
        "guesses": guesses,
        "problems": problems,
    }
    return {key: to_plain(value) for key, value in report.items()}


def _present(mapping: ColumnMapping) -> tuple[str, ...]:
    """Columns of the events that hold something: what a mapped value column gives is a price."""
    mapped = {"price" if role == "value" else role for role in mapping.columns()}
    return tuple(column for column in EVENT_COLUMNS if column in mapped)


def _check(raw: RawLog, mapping: ColumnMapping) -> None:
    chosen = mapping.columns()
    has = f"'{raw.name}' has the columns {', '.join(raw.columns)}."
    for role, column in chosen.items():
        if column not in raw.columns:
            near = did_you_mean(column, raw.columns)
            raise MappingRefused(f"Column '{column}' (for {role}) is not there. {has}{near}")
        twin = next(other for other, name in chosen.items() if name == column)
        if twin != role:
            raise MappingRefused(
                f"Column '{column}' is chosen for {twin} and for {role}. Give each its own."
            )
    for role in ("user", "time"):
        if role not in chosen:
            raise MappingRefused(
                f"No column is chosen for {role}, and none is clear from the names. {has} "
                f"Choose one ({role}=COLUMN)."
            )


def _half_numbers(
    db: duckdb.DuckDBPyConnection, raw: RawLog, mapping: ColumnMapping
) -> tuple[Problem, ...]:
    """Warn of columns in no role that hold numbers but for some cells, ids left aside."""
    found = []
    for name, contents in look_at(raw).items():
        is_id = bool({"id", "no", "nr", "code"} & set(words_of(name)[-1:]))
        is_scale = contents.distinct < contents.filled / 100  # a few grades, such as 0, 1, 2, 3+
        if name in mapping.columns().values() or is_id or is_scale:
            continue
        if not 0.5 <= contents.numbers < 1:
            continue
        column = Column(db, str(raw.path), name)
        other = kinds_of(column, [("number", pattern) for pattern in NUMBERS])["other"]
        message = (
            f"Column '{name}' holds numbers but for {plural(other.count, 'cell')}, such as "
            f"'{other.example}': {spell_lines(other.lines, other.count)}."
        )
        where = counted(other.lines, other.count)
        found.append(warning("half_numbers", message, where, name))
    return tuple(found)
