"""Rules on whole users: too few events, too many, too many on one day, and wholesalers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import duckdb

from core.artifacts import CleaningLimits
from core.events.cleaning.clean_options import CleanOptions
from core.events.cleaning.cleaning_limits import MOST_EXPONENT, fence, steady
from core.events.cleaning.cleaning_sql import Cleaning

TIMES_TYPICAL = 5
"""How many times the middle user's a wholesaler's median must be, besides lying outside the box
plot: where users hardly differ, twice as much is outside already."""

WHOLESALE = {"wholesaler_quantity": "usual_quantity", "wholesaler_money": "usual_money"}
"""The limit to the figure of a user that it bounds."""


USERS_SQL = """
SELECT "user", CAST(sum(n) AS BIGINT) AS n_events, min(line) AS line
FROM tally WHERE dropped_by = 0 GROUP BY "user"
"""
"""The users that have events left, how many, and the first of them."""

BUSIEST_SQL = """
SELECT "user", max(n) AS busiest FROM (
    SELECT "user", date_trunc('day', "time") AS day, count(*) AS n
    FROM cleaned WHERE dropped_by = 0 GROUP BY ALL
) GROUP BY "user"
"""

_USUAL_SQL = """
SELECT "user", median(abs(quantity)) AS usual_quantity, median(price) AS usual_money
FROM cleaned WHERE dropped_by = 0 GROUP BY "user"
"""

KEPT_USERS_SQL = """
CREATE TEMP TABLE kept_users AS
SELECT "user", row_number() OVER (ORDER BY "user") AS place FROM user_fates WHERE left_by IS NULL
"""
"""The users that stay, numbered in order: numbers sort faster than texts."""


@dataclass(frozen=True)
class UserRule:
    """One rule on users: its name, its words, what it does, and whom it meets, as SQL."""

    name: str
    reason: str
    effect: Literal["dropped", "flagged"]
    test: str


@dataclass(frozen=True)
class Judgement:
    """The rules on users that were on, and from where on users look like wholesalers."""

    rules: tuple[UserRule, ...]
    limits: dict[str, float | None]


def judge_users(
    cleaning: Cleaning, options: CleanOptions, wholesale: bool, limits: CleaningLimits | None
) -> Judgement:
    """Make the table ``user_fates``: each user's ``n_events``, first ``line`` and ``left_by``.

    ``left_by`` is the first rule that drops the user, or NULL; only users with events left are
    there. ``wholesale`` says whether wholesalers are looked for; ``limits`` are those of an
    earlier log.
    """
    rules = _size_rules(options)
    _make_figures(cleaning, options, wholesale)
    above: dict[str, float | None] = dict.fromkeys(WHOLESALE)
    if wholesale:
        above = (
            _wholesale_limits(cleaning.connection, _first_of(rules), options.wholesaler_factor)
            if limits is None
            else {name: getattr(limits, name) for name in WHOLESALE}
        )
        rules = (*rules, _wholesaler_rule(options, above))
    cleaning.connection.execute(
        f"CREATE TEMP TABLE user_fates AS SELECT *, {_first_of(rules)} AS left_by FROM user_figures"
    )
    return Judgement(rules, above)


def _size_rules(options: CleanOptions) -> tuple[UserRule, ...]:
    few, many, daily = options.min_events, options.max_events, options.max_events_per_day
    rules = [
        UserRule(
            "few_events",
            f"user with fewer than {few:,} events",
            "dropped",
            f"n_events < {few:d}",
        ),
        UserRule(
            "many_events",
            f"user with more than {many:,} events, likely a program",
            "dropped",
            f"n_events > {many:d}",
        ),
    ]
    if daily != "off":
        rules.append(
            UserRule(
                "busy_day",
                f"user with more than {daily:,} events on one day, likely a program",
                "dropped",
                f"busiest > {daily:d}",
            )
        )
    return tuple(rules)


def _make_figures(cleaning: Cleaning, options: CleanOptions, wholesale: bool) -> None:
    """Make the table ``user_figures``: all that the rules on users look at."""
    figures = f"FROM ({USERS_SQL})"
    wanted = {"busiest": options.max_events_per_day != "off", "usual": wholesale}
    for name, sql in (("busiest", BUSIEST_SQL), ("usual", _USUAL_SQL)):
        if wanted[name]:
            cleaning.dropping().make_table(name, sql)
            figures += f' LEFT JOIN {name} USING ("user")'
    cleaning.connection.execute(f"CREATE TEMP TABLE user_figures AS {figures}")


def _first_of(rules: tuple[UserRule, ...]) -> str:
    """SQL of the first rule that drops a user, NULL where none does."""
    cases = [f"WHEN {rule.test} THEN '{rule.name}'" for rule in rules if rule.effect == "dropped"]
    return f"CASE {' '.join(cases)} END"


def _wholesale_limits(
    connection: duckdb.DuckDBPyConnection, left_by: str, factor: float
) -> dict[str, float | None]:
    """From where on a user's median lies far above that of the users whom no other rule drops.

    By the box plot on the log scale, and at least `TIMES_TYPICAL` times the middle user's; None
    where users do not differ.
    """
    limits: dict[str, float | None] = {}
    for name, figure in WHOLESALE.items():
        value = f"CASE WHEN {figure} > 0 THEN ln({figure}) END"
        found = connection.execute(
            "SELECT "
            + ", ".join(f"quantile_cont({value}, {q})" for q in (0.25, 0.5, 0.75))
            + f" FROM user_figures WHERE {left_by} IS NULL"
        ).fetchone()
        assert found is not None
        low, middle, high = map(steady, found)
        ends = fence(low, high, "iqr", factor)
        if ends is None or middle is None:
            limits[name] = None
        else:
            above = max(ends[1], middle + math.log(TIMES_TYPICAL))
            limits[name] = math.exp(min(above, MOST_EXPONENT))
    return limits


def _wholesaler_rule(options: CleanOptions, limits: dict[str, float | None]) -> UserRule:
    words = {
        "wholesaler_quantity": "a median quantity above {:,.4g}",
        "wholesaler_money": "a median of money per event above {:,.4g}",
    }
    known = {name: limit for name, limit in limits.items() if limit is not None}
    about = " or ".join(words[name].format(limit) for name, limit in known.items())
    tests = [f"{WHOLESALE[name]} > {limit!r}" for name, limit in known.items()]
    return UserRule(
        "wholesaler",
        f"user with {about}, likely a wholesaler"
        if known
        else "wholesalers could not be told, since users do not differ",
        "dropped" if options.wholesalers == "drop" else "flagged",
        f"coalesce({' OR '.join(tests)}, false)" if tests else "false",
    )
