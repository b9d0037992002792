"""What every event is called: by a column, by names given to its codes, by rules, or by default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from core.action_roles import role_of
from core.artifacts import ColumnMapping, Problem, RawLog
from core.errors import MappingRefused
from core.events.columns.amounts import read_numbers
from core.events.columns.offers import actions_of, coded, offer_actions, whole_code, whole_code_sql
from core.events.columns.reading import Column, nothing, quoted, trimmed
from core.events.columns.rules import Rule, parse_rules, rule_sql
from core.events.map_options import MapOptions
from core.events.problems import plural, shown, warning

ParameterValue = str | float
"""What stands for a name in SQL."""


@dataclass(frozen=True)
class Actions:
    """SQL of the action of every event, in steps, and what must be said of it.

    ``cells`` names, out of a raw log, what the rules look at; ``rule`` gives, from these, the
    number of the rule that fits (from 1), NULL for none; ``action`` the action, from a column
    ``rule``; ``is_return`` tells, from a column ``action``, what goes back.
    """

    cells: tuple[str, ...]
    rule: str
    action: str
    is_return: str
    parameters: dict[str, ParameterValue]
    """The values that ``rule`` and ``action`` name."""
    return_parameters: dict[str, ParameterValue]
    """The values that ``is_return`` names."""
    problems: tuple[Problem, ...]
    settled: dict[str, Any]
    """The rules, and the default action where there is one, by the option's name."""


def plan_actions(
    db: duckdb.DuckDBPyConnection, raw: RawLog, mapping: ColumnMapping, options: MapOptions
) -> Actions:
    """Settle what events are called. Raises MappingRefused for rules or names that do not fit."""
    named = list(actions_of(db, raw, mapping.action)) if mapping.action else []
    offer = offer_actions(db, raw, mapping)
    given = offer.rules if options.rules == "auto" else options.rules
    rules = parse_rules(given, raw.columns)
    names = parse_names(options.action_names)
    settled: dict[str, Any] = {"rules": list(given)}
    base, parameters, problems = _base(raw, mapping, options, names, named)
    if mapping.action is None:
        default = options.default_action
        parameters["default_action"] = offer.default_action if default == "auto" else default
        settled["default_action"] = parameters["default_action"]
        message = (
            f"There is no action column; every event has the action "
            f"'{parameters['default_action']}'{' but for the rules' if rules else ''}."
        )
        problems.append(warning("no_action", message))
    else:
        problems += _alike(mapping.action, named, names)
    compiled = _compiled(db, raw, rules, options)
    parameters |= compiled.parameters
    known = [*named, *names.values(), *(rule.action for rule in rules)]
    back = [action for action in dict.fromkeys(known) if role_of(action) == "return"]
    places = ", ".join(f"$return_{place}" for place in range(len(back)))
    numbers = range(1, len(rules) + 1)
    cases = "".join(f"WHEN {number} THEN $rule_action_{number} " for number in numbers)
    if rules and not compiled.refusals:
        problems += _counted(db, raw, mapping, rules, compiled)
    return Actions(
        compiled.cells,
        compiled.sql,
        f"CASE rule {cases}ELSE {base} END" if rules else base,
        f"coalesce(action IN ({places}), false)" if back else "false",
        parameters,
        {f"return_{place}": action for place, action in enumerate(back)},
        (*problems, *compiled.refusals),
        settled,
    )


def parse_names(texts: Sequence[str]) -> dict[str, str]:
    """Read "0=view" into names by code, of which "0.0" is another writing.

    A code may hold equals signs, a name none. Raises MappingRefused, also for a code named twice.
    """
    names: dict[str, str] = {}
    for text in texts:
        code, equals, name = (part.strip() for part in text.rpartition("="))
        code = whole_code(code)
        if not (code and equals and name):
            raise MappingRefused(f"'{text}' names no action. Write code=name, such as 0=view.")
        if code in names:
            raise MappingRefused(
                f"The code '{code}' is given two names, '{names[code]}' and '{name}'. Give it one."
            )
        names[code] = name
    return names


def _base(
    raw: RawLog,
    mapping: ColumnMapping,
    options: MapOptions,
    names: dict[str, str],
    named: Sequence[str],
) -> tuple[str, dict[str, ParameterValue], list[Problem]]:
    """SQL of the action before the rules, its parameters, and what must be said."""
    if mapping.action is None:
        if names:
            raise MappingRefused(
                "Names of coded actions are given (map.action_names), but no column is chosen for "
                "action."
            )
        return "$default_action", {}, []
    column = mapping.action
    if not names:
        return quoted("action"), {}, _coded(column, named)
    codes = {whole_code(action): action for action in named}
    unknown = [code for code in codes if code not in names]
    idle = [code for code in names if code not in codes]
    problems = []
    if unknown:
        message = f"No name is given for {_listed(unknown)} in column '{column}'; kept as they are."
        problems.append(warning("unnamed_codes", message, None, column))
    if idle:
        message = f"Names are given for {_listed(idle)}, which column '{column}' does not hold."
        problems.append(warning("idle_names", message, None, column))
    cell = quoted("action")
    cases = "".join(f"WHEN $code_{place} THEN $name_{place} " for place in range(len(names)))
    parameters: dict[str, ParameterValue] = {
        f"code_{place}": code for place, code in enumerate(names)
    }
    parameters |= {f"name_{place}": name for place, name in enumerate(names.values())}
    return f"CASE {whole_code_sql(cell)} {cases}ELSE {cell} END", parameters, problems


def _coded(column: str, named: Sequence[str]) -> list[Problem]:
    codes = coded(named)
    if not codes:
        return []
    example = ",".join(
        f"{code}={name}" for code, name in zip(codes, ("view", "cart"), strict=False)
    )
    message = (
        f"The actions in column '{column}' are codes ({', '.join(codes)}). Give them names, such "
        f"as map.action_names={example}, so that purchases and views are known as such."
    )
    return [warning("coded_actions", message, None, column)]


def _alike(column: str, named: Sequence[str], names: Mapping[str, str]) -> list[Problem]:
    """Warn of actions that differ by spaces, capitals or decimals alone; they are kept apart."""
    groups: dict[str, dict[str, None]] = {}
    for cell in named:
        action = names.get(whole_code(cell), cell)
        groups.setdefault(whole_code(" ".join(action.split()).casefold()), {})[action] = None
    alike = [sorted(group) for group in groups.values() if len(group) > 1]
    if not alike:
        return []
    written = "; ".join(
        " and ".join(f"'{_visible(name)}'" for name in group) for group in alike[:5]
    )
    more = f"; and {len(alike) - 5} more" if len(alike) > 5 else ""
    merged = alike[0][-1].strip()
    message = (
        f"Actions in column '{column}' differ only by spaces, capitals or decimals and are kept "
        f"apart: {written}{more}. To count them as one, give them one name, such as "
        f"map.action_names={','.join(f'{code}={merged}' for code in _codes_of(alike[0]))}."
    )
    return [warning("alike_actions", message, None, column)]


def _codes_of(actions: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(whole_code(action) for action in actions))


def _visible(action: str) -> str:
    """An action as it can stand in a sentence, with the spaces around it."""
    before, after = (" " * (action != strip()) for strip in (action.lstrip, action.rstrip))
    return f"{before}{shown(action)}{after}"


def _listed(codes: Sequence[str]) -> str:
    few = ", ".join(f"'{shown(code)}'" for code in codes[:10])
    return few if len(codes) <= 10 else f"{few} and {len(codes) - 10} more"


@dataclass(frozen=True)
class _Compiled:
    """Rules as SQL of the number of the first that fits, from 1; NULL where none does."""

    sql: str
    cells: tuple[str, ...]
    """SQL of the cells it looks at, which it knows by names of their own."""
    parameters: dict[str, ParameterValue]
    refusals: tuple[Problem, ...]


def _compiled(
    db: duckdb.DuckDBPyConnection, raw: RawLog, rules: Sequence[Rule], options: MapOptions
) -> _Compiled:
    if not rules:
        return _Compiled("CAST(NULL AS INTEGER)", (), {}, ())
    cases = ""
    parameters: dict[str, ParameterValue] = {}
    cells: list[str] = []
    refusals: list[Problem] = []
    for place, rule in enumerate(rules, 1):
        number = nothing("DOUBLE")
        if rule.by_size:
            reading = read_numbers(Column(db, str(raw.path), rule.column, raw.parts), options)
            number = reading.value
            refusals += [p for p in reading.problems if p.severity == "refused"]
        cell = f"rule_cell_{place}"
        cells.append(f"{trimmed(rule.column)} AS {cell}")
        cases += f"WHEN {rule_sql(rule, cell, number, f'rule_value_{place}')} THEN {place} "
        parameters[f"rule_action_{place}"] = rule.action
        if rule.test != "is blank":
            parameters[f"rule_value_{place}"] = float(rule.value) if rule.by_size else rule.value
    return _Compiled(f"CASE {cases}END", tuple(cells), parameters, tuple(refusals))


def _counted(
    db: duckdb.DuckDBPyConnection,
    raw: RawLog,
    mapping: ColumnMapping,
    rules: Sequence[Rule],
    compiled: _Compiled,
) -> list[Problem]:
    """Say how many rows and users each rule named."""
    values = {k: v for k, v in compiled.parameters.items() if k.startswith("rule_value_")}
    user = quoted(mapping.user) if mapping.user else "NULL"
    cells = ", ".join((*compiled.cells, f"{user} AS who"))
    rows = db.execute(
        f"SELECT {compiled.sql} AS rule, count(*), count(DISTINCT who) "
        f"FROM (SELECT {cells} FROM read_parquet($path)) GROUP BY rule",
        {"path": str(raw.path), **values},
    ).fetchall()
    found = {number: (count, users) for number, count, users in rows}
    problems = []
    for number, rule in enumerate(rules, 1):
        count, users = found.get(number, (0, 0))
        message = (
            f"{plural(count, 'row')} of {plural(users, 'user')} {'is' if count == 1 else 'are'} "
            f"'{shown(rule.action)}' by the rule '{shown(rule.text)}'."
        )
        if not count:
            message += " No row fits it, or a rule before it named them all."
        problems.append(warning("rule", message, None, rule.column))
    return problems
