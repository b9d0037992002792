"""The account of a cleaning: what every rule did, in rows and users, adding up exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import duckdb

from core.artifacts import CleaningReport, CleaningStep, UserRows
from core.events.cleaning.clean_options import CleanOptions
from core.events.cleaning.cleaning_sql import AMOUNTS, BITS, INVALID, Cleaning
from core.events.cleaning.duplicates import Verdict
from core.events.cleaning.user_rules import UserRule
from core.wording import counted, quoted

Effect = Literal["dropped", "changed", "flagged"]

SHOWN = 20
"""So many lines and users are named with a rule."""

_REASONS = {
    "no_user": "no user id",
    "unreadable_user": "user id could not be read",
    "no_time": "no time",
    "unreadable_time": "time could not be read",
    "non_goods": "item that is no goods",
    "illegible": "{role} could not be read",
    "impossible": "{role} below zero or not a finite number",
    "no": "no {role}",
    "unreadable": "{role} could not be read",
}
_FILLED = {
    "constant": "{fill} was filled in",
    "mean": "{fill} was filled in",
    "median": "{fill} was filled in",
    "user_mean": "the user's own mean was filled in, or {fill} where there is none",
    "user_median": "the user's own median was filled in, or {fill} where there is none",
    "ffill": "that of the user's row before was filled in",
    "bfill": "that of the user's row after was filled in",
}
_UNFILLED = {
    "ffill": "no {role}, nor in any row of the user before",
    "bfill": "no {role}, nor in any row of the user after",
}


@dataclass(frozen=True)
class Account:
    """All that a report is written from, beside the tables that the rules made."""

    cleaning: Cleaning
    options: CleanOptions
    effects: dict[str, Effect]
    repeats: Verdict | None
    """None where copies were not looked for."""
    user_rules: tuple[UserRule, ...]

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        return self.cleaning.connection


def write_report(account: Account) -> CleaningReport:
    """Count what the rules on rows, copies and users did.

    Reads ``tally``, ``repeats`` and ``user_fates``. A rule that is on is listed even where it met
    nothing: that it looked is worth knowing.
    """
    row_steps = _row_steps(account)
    copies = [] if account.repeats is None else [_copies_step(account)]
    dropped_copies = sum(step.rows for step in copies if step.effect == "dropped")
    rows, users = _one(account, 'SELECT coalesce(sum(n), 0), count(DISTINCT "user") FROM tally')
    events_after, users_after = _one(
        account, "SELECT coalesce(sum(n_events), 0), count(*) FROM user_fates WHERE left_by IS NULL"
    )
    return CleaningReport(
        steps=(
            *row_steps[: len(INVALID)],
            *copies,
            *row_steps[len(INVALID) :],
            *(_user_step(account, rule) for rule in account.user_rules),
        ),
        events_before=int(rows) + dropped_copies,
        events_after=int(events_after),
        users_before=int(users),
        users_after=int(users_after),
    )


def nothing_left(report: CleaningReport) -> str:
    """Say why no event stayed, and what would help."""
    if report.events_before == 0:
        return "The log has no events. Choose a file with at least one row below its header."
    losses = [f"{s.reason} ({s.rows:,})" for s in report.steps if s.effect == "dropped" and s.rows]
    return (
        f"Nothing is left of {counted(report.events_before, 'event', 'events')} after cleaning: "
        f"{'; '.join(losses)}. Check which columns hold the user and the time, or loosen the rule "
        "that took the most."
    )


def reason_of(account: Account, rule: str) -> str:
    """What a rule on rows looked for, and what it did, in the analyst's words."""
    kind, _, role = rule.rpartition("_")
    parameters = account.cleaning.parameters
    if kind == "outlier":
        low, high = parameters[f"{role}_low"], parameters[f"{role}_high"]
        if low is None:
            return f"{role} outliers were not looked for, since the values do not spread"
        sized = role == "quantity" and parameters["positive_only"]
        return f"{'size of the ' if sized else ''}{role} outside {low:,.4g} to {high:,.4g}"
    if kind == "unfilled":
        return _UNFILLED[getattr(account.options, f"missing_{role}")].format(role=role)
    reason = _REASONS.get(rule) or _REASONS[kind].format(role=role)
    if kind in ("no", "unreadable") and _what_was_done(account, rule) == "changed":
        fill = parameters[f"{role}_fill"]
        words = _FILLED[getattr(account.options, f"missing_{role}")]
        told = quoted(fill) if isinstance(fill, str) else f"{fill or 0:,.4g}"
        return f"{reason}; {words.format(fill=told)}"
    return reason


def _row_steps(account: Account) -> list[CleaningStep]:
    """What each rule on rows did; that the mapping had rows dropped is told only where it had."""
    fates = account.connection.execute(
        "SELECT bits, CAST(sum(n) AS BIGINT) FROM tally GROUP BY bits"
    ).fetchall()
    users = account.connection.execute(
        "SELECT bits, count(*) FROM (SELECT bit_or(bits) AS bits FROM tally "
        'WHERE "user" IS NOT NULL GROUP BY "user") GROUP BY bits'
    ).fetchall()
    lines = _first_lines(account)
    steps = []
    for rule in account.effects:
        rows = sum(n for bits, n in fates if bits & BITS[rule])
        if not rows and rule.startswith("illegible"):
            continue
        steps.append(
            CleaningStep(
                rule=rule,
                reason=reason_of(account, rule),
                effect=_what_was_done(account, rule),
                rows=rows,
                users=sum(n for bits, n in users if bits & BITS[rule]),
                lines=tuple(lines[rule]),
                examples=_examples(
                    account,
                    f'SELECT "user", sum(n) AS n FROM tally WHERE bits & {BITS[rule]} <> 0 '
                    'AND "user" IS NOT NULL GROUP BY "user"',
                )
                if rows
                else (),
            )
        )
    return steps


def _first_lines(account: Account) -> dict[str, list[int]]:
    """The first lines that each rule met.

    ``tally`` holds the first line of every group of a user's rows. Where each group is one row,
    these are the lines; else none of the first lines can stand behind the last of as many groups,
    so that of a long file only the beginning is read. Rows without a user are looked up.
    """
    rules = list(account.effects)
    met = [f"bits & {BITS[rule]} <> 0" for rule in rules]
    columns = ", ".join(
        f"min(line, {SHOWN}) FILTER ({test}), bool_and(n = 1) FILTER ({test})" for test in met
    )
    found = _one(account, f'SELECT {columns} FROM tally WHERE "user" IS NOT NULL')
    firsts = {rule: some or [] for rule, some in zip(rules, found[::2], strict=True)}
    unsure = [rule for rule, single in zip(rules, found[1::2], strict=True) if single is False]
    ends = [max(firsts[rule]) if len(firsts[rule]) == SHOWN else _FAR for rule in unsure]
    seen = _lines_by_bits(account, f"line <= {max(ends)}") if ends else []
    strangers = _lines_by_bits(account, '"user" IS NULL')
    lines = {}
    for rule in rules:
        looked_up = (seen if rule in unsure else []) + strangers
        some = {line for bits, those in looked_up if bits & BITS[rule] for line in those}
        lines[rule] = sorted(some | (set() if rule in unsure else set(firsts[rule])))[:SHOWN]
    return lines


def _lines_by_bits(account: Account, where: str) -> list[tuple[int, list[int]]]:
    found = account.cleaning.rows(
        f"SELECT bits, min(line, {SHOWN}) FROM filled WHERE bits <> 0 AND {where} GROUP BY bits"
    )
    return [(bits, lines) for bits, lines in found]


_FAR = 2**62
"""Behind every line of any file."""


def _copies_step(account: Account) -> CleaningStep:
    verdict = account.repeats
    assert verdict is not None
    rows, users, lines = _one(
        account, f'SELECT count(*), count(DISTINCT "user"), min(line, {SHOWN}) FROM repeats'
    )
    return CleaningStep(
        rule="duplicate",
        reason=verdict.told,
        effect="dropped" if verdict.decision == "drop" else "flagged",
        rows=rows,
        users=users,
        lines=tuple(lines or ()),
        examples=_examples(account, 'SELECT "user", count(*) AS n FROM repeats GROUP BY "user"'),
    )


def _user_step(account: Account, rule: UserRule) -> CleaningStep:
    met = (
        f"left_by = '{rule.name}'"
        if rule.effect == "dropped"
        else f"left_by IS NULL AND {rule.test}"
    )
    rows, users, lines = _one(
        account,
        f"SELECT coalesce(sum(n_events), 0), count(*), min(line, {SHOWN}) FROM user_fates "
        f"WHERE {met}",
    )
    return CleaningStep(
        rule=rule.name,
        reason=rule.reason,
        effect=rule.effect,
        rows=int(rows),
        users=users,
        lines=tuple(lines or ()),
        examples=_examples(account, f'SELECT "user", n_events AS n FROM user_fates WHERE {met}'),
    )


def _examples(account: Account, counts: str) -> tuple[UserRows, ...]:
    """The users with the most rows, from a SELECT of ``user`` and ``n``."""
    found = account.connection.execute(
        f'SELECT "user", CAST(n AS BIGINT) FROM ({counts}) ORDER BY n DESC, "user" LIMIT {SHOWN}'
    ).fetchall()
    return tuple(UserRows(user=user, rows=rows) for user, rows in found)


def _what_was_done(account: Account, rule: str) -> Effect:
    """The effect of a rule; nothing is filled in where the measure is known nowhere."""
    effect = account.effects[rule]
    kind, _, role = rule.rpartition("_")
    if effect != "changed" or kind not in ("no", "unreadable") or role not in AMOUNTS:
        return effect
    from_log = getattr(account.options, f"missing_{role}") not in ("ffill", "bfill")
    unknown = from_log and account.cleaning.parameters[f"{role}_fill"] is None
    return "flagged" if unknown else effect


def _one(account: Account, query: str) -> tuple[Any, ...]:
    found = account.connection.execute(query).fetchone()
    assert found is not None
    return found
