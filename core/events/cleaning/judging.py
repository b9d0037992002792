"""Every rule looks at a log: what would go, what would change, and by which limits.

Nothing is written; `core.events.clean` writes the rows that stay, `core.events.preview` shows the
account alone, `core.events.set_aside` writes the rows that do not stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import duckdb

from core.artifacts import CleaningLimits, CleaningReport, Events
from core.events import engine
from core.events.cleaning.clean_options import CleanOptions
from core.events.cleaning.cleaning_limits import bounds, fills
from core.events.cleaning.cleaning_report import Account, Effect, write_report
from core.events.cleaning.cleaning_sql import (
    AMOUNTS,
    BITS,
    INVALID,
    MEASURES,
    ROWS_SQL,
    RULES,
    TALLY_SQL,
    WORDS,
    Cleaning,
    all_bits,
    open_parameters,
)
from core.events.cleaning.duplicates import Verdict, decide, find_repeats, repeats_as_before
from core.events.cleaning.user_rules import judge_users

_OF_USER = ("ffill", "bfill", "user_mean", "user_median")
"""Ways to fill blanks out of the user's own rows."""


@dataclass(frozen=True)
class Judged:
    """A log that every rule has looked at; its tables are open as long as the block lasts."""

    cleaning: Cleaning
    account: Account
    report: CleaningReport
    limits: CleaningLimits


@contextmanager
def judged(
    events: Events,
    options: CleanOptions,
    limits: CleaningLimits | None = None,
    folder: Path | None = None,
) -> Iterator[Judged]:
    """Yield a log with the verdict on every row and user in it.

    Open are ``rows_once``, ``repeats`` (further copies, also where they are kept), ``tally`` and
    ``user_fates``. ``limits`` are those of an earlier log; ``folder`` takes what spills.
    """
    with engine.connect(folder) as connection:
        engine.open_events(connection, events.path)
        repeats = _settle_repeats(connection, options, limits)
        effects = effects_of(events.present, options)
        cleaning = _bound(connection, effects, options, limits)
        cleaning.make_table("tally", TALLY_SQL)
        wholesale = options.wholesalers != "off" and "quantity" in events.present
        users = judge_users(cleaning, options, wholesale, limits)
        account = Account(cleaning, options, effects, repeats, users.rules)
        yield Judged(
            cleaning=cleaning,
            account=account,
            report=write_report(account),
            limits=_limits(cleaning.parameters | users.limits, repeats),
        )


def effects_of(present: tuple[str, ...], options: CleanOptions) -> dict[str, Effect]:
    """What each rule on rows does; one that is off, or whose column the log lacks, is left out."""
    effects: dict[str, Effect] = {}
    for rule in BITS:
        kind, _, about = rule.rpartition("_")
        effect = _effect(kind, about, options)
        if effect and (kind == "illegible" or about in (*present, "user", "time", "goods")):
            effects[rule] = effect
    if "item" not in present:
        effects.pop("non_goods", None)
    return effects


def _effect(kind: str, about: str, options: CleanOptions) -> Effect | None:
    if about in ("user", "time") or kind == "illegible":
        return "dropped"
    if about == "goods":
        return "dropped" if options.non_goods else None
    if kind == "impossible":
        return "dropped" if options.impossible == "drop" else "changed"
    if kind == "outlier":
        effects: dict[str, Effect] = {"clip": "changed", "drop": "dropped", "flag": "flagged"}
        off = getattr(options, f"{about}_outliers") == "off"
        return None if off else effects[options.outlier_effect]
    missing = getattr(options, f"missing_{about}")
    if kind == "unfilled":
        return "flagged" if missing in ("ffill", "bfill") else None
    if missing in ("keep", "drop"):
        return "flagged" if missing == "keep" else "dropped"
    return "changed"


def _settle_repeats(
    connection: duckdb.DuckDBPyConnection, options: CleanOptions, limits: CleaningLimits | None
) -> Verdict | None:
    """Find further copies and make the view ``rows_once``; None where nobody looks for copies."""
    if options.duplicates == "keep":
        connection.execute("CREATE TEMP VIEW rows_once AS FROM events")
        return None
    find_repeats(connection)
    if options.duplicates == "drop":
        verdict = Verdict("drop")
    elif limits is not None and limits.duplicates is not None:
        verdict = repeats_as_before(limits.duplicates)
    else:
        verdict = decide(connection)
    any_left_out = (
        verdict.decision == "drop" and connection.execute("FROM repeats LIMIT 1").fetchall()
    )
    connection.execute(
        f"CREATE TEMP VIEW rows_once AS {ROWS_SQL if any_left_out else 'FROM events'}"
    )
    return verdict


def valid_rows(connection: duckdb.DuckDBPyConnection, options: CleanOptions) -> Cleaning:
    """The rows that bounds are drawn from: usable ones, without items that are no goods."""
    parameters = open_parameters() | {
        "positive_only": options.outlier_scale == "log",
        "non_goods": list(options.non_goods),
        "drops": all_bits((*INVALID, "non_goods")),
    }
    return Cleaning(connection, parameters).dropping()


def _bound(
    connection: duckdb.DuckDBPyConnection,
    effects: dict[str, Effect],
    options: CleanOptions,
    limits: CleaningLimits | None,
) -> Cleaning:
    """The cleaning text with its parameters: bounds over the valid rows, then fill values."""
    valid = valid_rows(connection, options)
    parameters = valid.parameters | {"clips": options.outlier_effect == "clip"}
    looked_for = {
        measure: getattr(options, f"{measure}_outliers")
        for measure in MEASURES
        if f"outlier_{measure}" in effects
    }
    parameters |= (
        bounds(valid, looked_for, options)
        if limits is None
        else {f"{m}_{side}": getattr(limits, f"{m}_{side}") for m in looked_for for side in _SIDES}
    )
    parameters["drops"] = all_bits(rule for rule, effect in effects.items() if effect == "dropped")
    parameters |= _fill_values(
        Cleaning(connection, parameters).dropping(), effects, options, limits
    )
    methods = {c: getattr(options, f"missing_{c}") for c in (*WORDS, *AMOUNTS)}
    return Cleaning(
        connection,
        parameters,
        {c: how for c, how in methods.items() if how in _OF_USER and f"no_{c}" in effects},
        tuple(rule for rule in RULES if rule in effects),
    )


_SIDES = ("low", "high")


def _fill_values(
    cleaning: Cleaning,
    effects: dict[str, Effect],
    options: CleanOptions,
    limits: CleaningLimits | None,
) -> dict[str, Any]:
    """What blanks are filled with where the user's own rows do not say."""
    filled = [c for c in (*WORDS, *AMOUNTS) if effects.get(f"no_{c}") == "changed"]
    constant = [c for c in filled if getattr(options, f"missing_{c}") == "constant"]
    found: dict[str, Any] = {f"{c}_fill": options.fill_text for c in constant if c in WORDS}
    amounts = [c for c in filled if c in AMOUNTS]
    if limits is not None:
        return found | {f"{c}_fill": getattr(limits, f"{c}_fill") for c in amounts}
    found |= {f"{c}_fill": options.fill_number for c in amounts if c in constant}
    from_log = fills(cleaning, options)
    return found | {f"{c}_fill": from_log[c] for c in amounts if c in from_log}


def _limits(values: dict[str, Any], repeats: Verdict | None) -> CleaningLimits:
    decision = "keep" if repeats is None else repeats.decision
    names = {field.name for field in fields(CleaningLimits)} - {"duplicates"}
    return CleaningLimits(**{name: values[name] for name in names}, duplicates=decision)
