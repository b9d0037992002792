"""The account of a cleaning: what every rule did, in rows and users, adding up exactly."""

from __future__ import annotations

from typing import Any, Literal

import duckdb

from core.artifacts import CleaningReport, CleaningStep
from core.events import engine
from core.wording import counted

Effect = Literal["dropped", "changed", "flagged"]
Fate = tuple[int, int, int, int]
"""Bits of the rules that touched rows, bit of the one that dropped them, copies, distinct rows."""

_REASONS = {
    "no_user": "no user id",
    "unreadable_user": "user id could not be read",
    "no_time": "no time",
    "unreadable_time": "time could not be read",
    "duplicate": "exact duplicate of another row",
    "impossible": "{role} below zero or not a finite number",
    "no": "no {role}",
    "unreadable": "{role} could not be read",
}


def write_report(
    connection: duckdb.DuckDBPyConnection,
    effects: dict[str, Effect],
    parameters: dict[str, Any],
    limits: tuple[int, int],
) -> CleaningReport:
    """Count, from the table ``tally``, what the rules and the limits on events per user did.

    A rule that is on is listed even where it met nothing: that it looked is worth knowing.
    """
    fates: list[Fate] = connection.execute(
        "SELECT bits, dropped_by, CAST(sum(copies) AS BIGINT), CAST(sum(distinct_rows) AS BIGINT) "
        "FROM tally GROUP BY ALL"
    ).fetchall()
    users = connection.execute(
        "SELECT bits, count(*) FROM (SELECT bit_or(bits) AS bits FROM tally "
        'WHERE "user" IS NOT NULL GROUP BY "user") GROUP BY ALL'
    ).fetchall()
    steps = [
        CleaningStep(
            rule=rule,
            reason=_reason(rule, parameters),
            effect=_what_was_done(rule, effect, parameters),
            rows=_rows(rule, fates),
            users=sum(count for bits, count in users if bits & engine.BITS[rule]),
        )
        for rule, effect in effects.items()
    ]
    steps += _limit_steps(connection, limits)
    before = sum(copies for _, _, copies, _ in fates)
    events_after, users_after = _left(connection, limits)
    return CleaningReport(
        steps=tuple(steps),
        events_before=before,
        events_after=events_after,
        users_before=sum(count for _, count in users),
        users_after=users_after,
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


def _rows(rule: str, fates: list[Fate]) -> int:
    """Rows a rule touched. Rows that are unusable were dropped with all their copies."""
    bit = engine.BITS[rule]
    met = [(copies, distinct) for bits, _, copies, distinct in fates if bits & bit]
    if rule == "duplicate":
        return sum(copies - distinct for copies, distinct in met)
    return sum(copies if rule in engine.INVALID else distinct for copies, distinct in met)


def _limit_steps(
    connection: duckdb.DuckDBPyConnection, limits: tuple[int, int]
) -> list[CleaningStep]:
    fewest, most = limits
    found = connection.execute(
        "SELECT count(*) FILTER (few), coalesce(sum(n_events) FILTER (few), 0), "
        "count(*) FILTER (many), coalesce(sum(n_events) FILTER (many), 0) "
        f"FROM (SELECT *, n_events < $1 AS few, n_events > $2 AS many FROM ({engine.USERS_SQL}))",
        limits,
    ).fetchone()
    assert found is not None
    few_users, few_rows, many_users, many_rows = map(int, found)
    return [
        CleaningStep(
            rule="few_events",
            reason=f"user with fewer than {fewest:,} events",
            effect="dropped",
            rows=few_rows,
            users=few_users,
        ),
        CleaningStep(
            rule="many_events",
            reason=f"user with more than {most:,} events, likely a program",
            effect="dropped",
            rows=many_rows,
            users=many_users,
        ),
    ]


def _left(connection: duckdb.DuckDBPyConnection, limits: tuple[int, int]) -> tuple[int, int]:
    found = connection.execute(
        f"SELECT coalesce(sum(n_events), 0), count(*) FROM ({engine.USERS_SQL}) "
        "WHERE n_events BETWEEN $1 AND $2",
        limits,
    ).fetchone()
    assert found is not None
    return int(found[0]), int(found[1])


def _reason(rule: str, parameters: dict[str, Any]) -> str:
    kind, _, role = rule.rpartition("_")
    if kind == "outlier":
        low, high = parameters[f"{role}_low"], parameters[f"{role}_high"]
        if low is None:
            return f"{role} outliers were not looked for, since the values do not spread"
        return f"{role} outside {low:,.4g} to {high:,.4g}"
    reason = _REASONS.get(rule) or _REASONS[kind].format(role=role)
    if kind in ("no", "unreadable") and (fill := parameters.get(f"{role}_fill")) is not None:
        return f"{reason}; {fill:,.4g} was filled in"
    return reason


def _what_was_done(rule: str, effect: Effect, parameters: dict[str, Any]) -> Effect:
    """The effect of a rule; nothing is filled in where the measure is known nowhere."""
    kind, _, role = rule.rpartition("_")
    unfilled = kind in ("no", "unreadable") and parameters.get(f"{role}_fill") is None
    return "flagged" if unfilled and effect == "changed" else effect
