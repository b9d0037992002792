"""What cleaning would do, before it is done: the account alone, and every choice by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from core.artifacts import CleaningLimits, CleaningReport, Events, fingerprint
from core.events.cleaning.clean_options import CleanOptions
from core.events.cleaning.cleaning_limits import bounds
from core.events.cleaning.cleaning_report import Effect
from core.events.cleaning.cleaning_sql import (
    AMOUNTS,
    BITS,
    MEASURES,
    RULES,
    WORDS,
    all_bits,
    blanks,
    far,
)
from core.events.cleaning.duplicates import find_repeats
from core.events.cleaning.judging import Judged, judged, valid_rows
from core.events.cleaning.user_rules import BUSIEST_SQL

VERSION = 1

FEWEST_EVENTS = (2, 3, 5, 10, 20)
MOST_EVENTS = (500, 1000, 5000, 20_000)
A_DAY = (100, 500, 1000)
"""Limits on events per user whose effect is shown; 500 a day is one a minute for eight hours."""

_METHODS: tuple[Literal["iqr", "sigma"], ...] = ("iqr", "sigma")


@dataclass(frozen=True, kw_only=True)
class ChoiceEffect:
    """What one choice would do, with every other option as it is."""

    option: str
    choice: str
    text: str
    """In the analyst's words, e.g. "drop rows without a category"."""
    effect: Effect
    rows: int
    users: int


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What every choice would do, kept for a log on which counting takes a while."""

    effects: tuple[ChoiceEffect, ...]


@dataclass(frozen=True)
class _Sought:
    """Rows that a choice would touch: they meet one of ``bits`` and no rule took them before."""

    option: str
    choice: str
    text: str
    effect: Effect
    bits: int
    acts_at: int
    """The bit at whose turn the rule acts."""


def preview(
    events: Events, options: CleanOptions, limits: CleaningLimits | None = None
) -> CleaningReport:
    """The report that `clean` would give, to the last number; also where nothing would stay."""
    with judged(events, options, limits) as log:
        return log.report


def effects(events: Events, options: CleanOptions) -> tuple[ChoiceEffect, ...]:
    """What each choice would drop or change were it the only one to be changed.

    Rules that act before it take their rows first, as they would; whom the limits on events per
    user meet in consequence is for `preview` to tell. Choices that fill blanks are counted once
    per column, by the blanks there are. Outliers are counted for each way to find them.
    """
    seen = replace(options, wholesalers="flag") if options.wholesalers == "off" else options
    with judged(events, seen) as log:
        found = [*_copies(log), *_rows_met(log, events.present), *_users_met(log)]
    return tuple(found)


def counted_as(cleaned: str) -> str:
    """Fingerprint of the effects of every choice, from that of the log as it would be cleaned."""
    return fingerprint(cleaned, "choices", VERSION, {})


def _copies(log: Judged) -> Iterator[ChoiceEffect]:
    connection = log.cleaning.connection
    if log.account.repeats is None:
        find_repeats(connection)
    query = 'SELECT count(*), count(DISTINCT "user") FROM repeats'
    rows, users = connection.execute(query).fetchall()[0]
    yield ChoiceEffect(
        option="duplicates",
        choice="drop",
        text="drop rows that repeat another one",
        effect="dropped",
        rows=rows,
        users=users,
    )


def _rows_met(log: Judged, present: tuple[str, ...]) -> Iterator[ChoiceEffect]:
    """Count, in one pass over the rows, what each choice about rows would touch."""
    sought = [*_blanks_sought(present), *_impossible_sought(present)]
    if log.account.options.non_goods and "item" in present:
        bit = BITS["non_goods"]
        text = "drop rows with items that are no goods"
        sought.append(_Sought("non_goods", "drop", text, "dropped", bit, bit))
    outliers, marks = _outliers_sought(log, present)
    sought += outliers
    meets = f"all_bits | {' | '.join(marks)}" if marks else "all_bits"
    replace(log.cleaning, rules=tuple(RULES)).make_table(
        "meets", f'SELECT "user", {meets} AS bits, count(*) AS n FROM cleaned GROUP BY ALL'
    )
    drops = log.cleaning.parameters["drops"]
    columns = ", ".join(
        f"sum(n) FILTER (bits & {one.bits} <> 0 AND bits & {drops & (one.acts_at - 1)} = 0) AS n{i}"
        for i, one in enumerate(sought)
    )
    totals = ", ".join(
        f'coalesce(sum(n{i}), 0), count("user") FILTER (n{i} > 0)' for i in range(len(sought))
    )
    query = f'SELECT {totals} FROM (SELECT "user", {columns} FROM meets GROUP BY "user")'
    counts = log.cleaning.connection.execute(query).fetchall()[0] if sought else ()
    for one, rows, users in zip(sought, counts[::2], counts[1::2], strict=True):
        yield _effect_of(one, rows, users)


def _effect_of(one: _Sought, rows: Any, users: Any) -> ChoiceEffect:
    return ChoiceEffect(
        option=one.option,
        choice=one.choice,
        text=one.text,
        effect=one.effect,
        rows=int(rows),
        users=int(users),
    )


def _blanks_sought(present: tuple[str, ...]) -> Iterator[_Sought]:
    for column in (*WORDS, *AMOUNTS):
        if column in present:
            bits, first = all_bits(blanks(column)), BITS[f"no_{column}"]
            option = f"missing_{column}"
            text = f"rows without {'an' if column[0] in 'ai' else 'a'} {column}"
            yield _Sought(option, "drop", f"drop {text}", "dropped", bits, first)
            yield _Sought(option, "fill", f"fill {text}", "changed", bits, first)


def _impossible_sought(present: tuple[str, ...]) -> Iterator[_Sought]:
    rules = [f"impossible_{measure}" for measure in AMOUNTS if measure in present]
    if rules:
        text = "rows with a price or duration below zero"
        bits, first = all_bits(rules), BITS[rules[0]]
        yield _Sought("impossible", "drop", f"drop {text}", "dropped", bits, first)
        yield _Sought("impossible", "missing", f"empty the cell in {text}", "changed", bits, first)


def _outliers_sought(log: Judged, present: tuple[str, ...]) -> tuple[list[_Sought], list[str]]:
    """Outliers by either way to find them, and the SQL of a bit that marks each."""
    options = log.account.options
    valid = valid_rows(log.cleaning.connection, options)
    did: dict[str, Effect] = {"clip": "changed", "drop": "dropped", "flag": "flagged"}
    sought, marks = [], []
    free = 2 * max(BITS.values())
    for measure in (measure for measure in MEASURES if measure in present):
        for how in _METHODS:
            ends = bounds(valid, {measure: how}, options)
            low, high = ends[f"{measure}_low"], ends[f"{measure}_high"]
            if low is None or high is None:
                continue
            text = f"{options.outlier_effect} a {measure} outside {low:,.4g} to {high:,.4g}"
            option, first = f"{measure}_outliers", BITS[f"outlier_{measure}"]
            effect = did[options.outlier_effect]
            sought.append(_Sought(option, how, text, effect, free, first))
            test = far(measure, repr(low), repr(high))
            marks.append(f"CASE WHEN {test} THEN CAST({free} AS BIGINT) ELSE 0 END")
            free *= 2
    return sought, marks


def _users_met(log: Judged) -> Iterator[ChoiceEffect]:
    """What each limit on users would drop, of the rows that the rules before it leave."""
    log.cleaning.dropping().make_table("days", BUSIEST_SQL)
    choices = list(_limits_sought(log))
    counts = ", ".join(
        f"coalesce(sum(n_events) FILTER ({test}), 0), count(*) FILTER ({test})"
        for *_, test in choices
    )
    query = f'SELECT {counts} FROM user_fates JOIN days USING ("user")'
    found = log.cleaning.connection.execute(query).fetchall()[0]
    for (option, choice, words, _), rows, users in zip(
        choices, found[::2], found[1::2], strict=True
    ):
        yield ChoiceEffect(
            option=option,
            choice=choice,
            text=f"drop users with {words}",
            effect="dropped",
            rows=int(rows),
            users=int(users),
        )


def _limits_sought(log: Judged) -> Iterator[tuple[str, str, str, str]]:
    """Option, choice, words and SQL of every limit on users."""
    for n in FEWEST_EVENTS:
        yield "min_events", str(n), f"fewer than {n:,} events", f"n_events < {n}"
    for n in MOST_EVENTS:
        test = f"n_events > {n} AND {_not_taken('few_events')}"
        yield "max_events", str(n), f"more than {n:,} events", test
    for n in A_DAY:
        test = f"days.busiest > {n} AND {_not_taken('few_events', 'many_events')}"
        yield "max_events_per_day", str(n), f"more than {n:,} events on one day", test
    for rule in log.account.user_rules:
        if rule.name == "wholesaler":
            test = f"{rule.test} AND {_not_taken('few_events', 'many_events', 'busy_day')}"
            yield "wholesalers", "drop", "wholesale quantities or money", test


def _not_taken(*rules: str) -> str:
    """SQL of the users that none of these rules drops."""
    names = ", ".join(f"'{rule}'" for rule in rules)
    return f"coalesce(left_by NOT IN ({names}), true)"
