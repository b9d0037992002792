"""From columns of text to typed events: which column plays which role, and what its cells mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from core.artifacts import EVENT_COLUMNS, ROLES, ColumnMapping, Events, Problem, RawLog, fingerprint
from core.errors import MappingRefused, did_you_mean
from core.events import engine
from core.events.columns.amounts import read_numbers
from core.events.columns.contents import Contents, look_at
from core.events.columns.offers import Offer, offer_actions
from core.events.columns.plan import Plan, plan_events
from core.events.columns.reading import Column, quoted
from core.events.columns.role_names import name_strength, words_of
from core.events.columns.times import read_times
from core.events.guess import Guess, fit, guess
from core.events.map_options import MapOptions
from core.events.problems import warning
from core.store import to_plain

__all__ = [
    "Guess",
    "complete",
    "guess",
    "guessed_mapping",
    "inspect_report",
    "map_events",
    "parse_mapping",
    "suggest",
]

VERSION = 5
_SURE = 0.45
"""A guess from this confidence on is taken where nothing else is said."""
_NAMED = 0.9
"""A name from this strength on is that of a role, to the letter."""
_ROWS_SHOWN = 1000
"""Rows in which an example is looked for."""
_ODD_CELLS = ("unreadable", "early_times", "future_times")
"""Problems that are worth telling of a column in no role."""


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
    raw: RawLog,
    mapping: ColumnMapping,
    folder: Path,
    options: MapOptions = MapOptions(),
    now: datetime | None = None,
) -> Events:
    """Type the columns of a log: times in UTC, finite numbers, ids as the text they are.

    ``folder`` gets ``events.parquet``, in the order of the file. A cell that cannot be read is
    NULL, its role stands in ``unreadable`` ("drop:price" where the options set the row aside), and
    a problem names its lines; what must be taken for granted is a problem too (those of the file
    come first). Times after ``now`` (UTC without zone; default: this moment) are not believed.

    Raises MappingRefused for a mapping, a rule or a name that does not fit the file, and, with all
    that stands in the way, for columns that cannot be read without guessing.
    """
    _check(raw, mapping)
    out = folder / "events.parquet"
    with engine.connect(folder) as db:
        plan = plan_events(db, raw, mapping, options, now)
        if plan.refusals:
            raise MappingRefused("\n".join(problem.message for problem in plan.refusals))
        copy = f"COPY ({plan.sql}) TO $out (FORMAT parquet)"
        db.execute(copy, {**plan.parameters, "out": str(out)})
        users = f"SELECT count(DISTINCT {quoted('user')}) FROM read_parquet($path)"
        n_users = db.execute(users, {"path": str(out)}).fetchall()[0][0]
    return Events(
        path=out,
        present=_present(mapping),
        n_events=raw.n_rows,
        n_users=n_users,
        problems=(*raw.problems, *plan.warnings),
        fingerprint=mapped_as(raw, mapping, options),
        read_as=plan.read_as,
    )


def mapped_as(raw: RawLog, mapping: ColumnMapping, options: MapOptions) -> str:
    """Fingerprint of the events that a mapping makes of a log."""
    made_by = {"columns": mapping.columns(), "options": options.to_dict()}
    return fingerprint(raw.fingerprint, "map", VERSION, made_by)


def suggest(raw: RawLog, mapping: ColumnMapping) -> Offer:
    """What the log suggests where the options leave it open: rules, and a default action."""
    with engine.connect() as db:
        return offer_actions(db, raw, mapping)


def inspect_report(
    raw: RawLog,
    guesses: tuple[Guess, ...],
    options: MapOptions = MapOptions(),
    now: datetime | None = None,
) -> dict[str, Any]:
    """What is known of a file before anything is done with it, as plain JSON values.

    ``problems`` are those of the file and those that reading it by the guessed mapping would
    meet, all at once; one with the severity "refused" would stop it. ``examples`` show, per role,
    a cell and how it is read; ``suggested`` are options, with the reasons in ``why``;
    ``action_codes`` need names (the option ``action_names``).
    """
    mapping = ColumnMapping(**{g.role: g.column for g in guesses if g.confidence >= _SURE})
    with engine.connect() as db:
        plan = plan_events(db, raw, mapping, options, now)
        examples = _examples(db, plan, mapping)
        offer = offer_actions(db, raw, mapping)
        others = _other_columns(db, raw, mapping, options)
    report = {
        "name": raw.name,
        "dialect": raw.dialect,
        "n_rows": raw.n_rows,
        "columns": raw.columns,
        "mapping": mapping.columns(),
        "guesses": guesses,
        "examples": examples,
        "suggested": {"rules": offer.rules, "default_action": offer.default_action},
        "action_codes": offer.action_codes,
        "why": offer.why,
        "problems": (*raw.problems, *plan.refusals, *plan.warnings, *others),
    }
    return {key: to_plain(value) for key, value in report.items()}


def _examples(
    db: duckdb.DuckDBPyConnection, plan: Plan, mapping: ColumnMapping
) -> dict[str, dict[str, str | None]]:
    """Per role, the first cell that is read and its value; none where nothing is."""
    roles = mapping.columns()
    wanted = ", ".join(
        f"first({cell}) FILTER ({quoted(role)} IS NOT NULL), "
        f"first(CAST({quoted(role)} AS VARCHAR)) FILTER ({quoted(role)} IS NOT NULL)"
        for role in roles
        for cell in [quoted(f"cell_{role}")]
    )
    if not roles:
        return {}
    query = f"SELECT {wanted} FROM (FROM ({plan.cells_sql}) LIMIT {_ROWS_SHOWN})"
    row = db.execute(query, plan.cells_parameters).fetchall()[0]
    return {
        role: {"column": column, "cell": cell, "value": value}
        for (role, column), cell, value in zip(roles.items(), row[::2], row[1::2], strict=True)
    }


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


def _other_columns(
    db: duckdb.DuckDBPyConnection, raw: RawLog, mapping: ColumnMapping, options: MapOptions
) -> tuple[Problem, ...]:
    """Warn of columns in no role that hold numbers or times, but not in one way; ids left aside."""
    found = []
    for name, contents in look_at(raw).items():
        found += _named_like_a_role(raw, mapping, name, contents)
        is_id = bool({"id", "no", "nr", "code"} & set(words_of(name)[-1:]))
        is_scale = contents.distinct < contents.filled / 100  # a few grades, such as 0, 1, 2, 3+
        if name in mapping.columns().values() or is_id or is_scale:
            continue
        column = Column(db, str(raw.path), name, raw.parts)
        if contents.dates >= 0.5:
            reading = read_times(column, options)
        elif contents.numbers >= 0.5:
            reading = read_numbers(column, options)
        else:
            continue
        found += [
            replace(problem, severity="warning")
            for problem in reading.problems
            if problem.severity == "refused" or problem.code in _ODD_CELLS
        ]
    return tuple(found)


def _named_like_a_role(
    raw: RawLog, mapping: ColumnMapping, name: str, contents: Contents
) -> list[Problem]:
    """Warn of a column that its name puts in a role while its cells keep it out."""
    chosen = mapping.columns()
    if name in chosen.values() or name == raw.source_column or not contents.filled:
        return []
    role = max(ROLES, key=lambda role: name_strength(role, name))
    if role in chosen or name_strength(role, name) < _NAMED:
        return []
    why = fit(role, contents)[1]
    message = (
        f"Column '{name}' is named like a {role}, but {why}; it was left out. If it is one, write "
        f"its cells so that they can be read, or choose it all the same ({role}={name})."
    )
    return [warning("named_like_role", message, None, name)]
