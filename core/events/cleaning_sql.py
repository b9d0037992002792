"""The one SQL text that cleans a log.

It sees a table of typed events and bound parameters, and everything in it holds within the rows of
one user. So it runs over a whole file, and can run unchanged over a partition of whole users on a
distributed engine; what can be known only of the whole log (bounds, fill values) comes in as
parameters, found by the same text with these left open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

WORDS = ("action", "category", "item", "platform")
"""Columns of text whose blanks can be filled."""

AMOUNTS = ("price", "duration")
"""Columns of numbers whose blanks can be filled."""

MEASURES = ("price", "duration", "quantity")
"""Columns of numbers that can have outliers."""

RULES = {
    "no_user": """ "user" IS NULL AND NOT contains(unread, ',user,') """,
    "unreadable_user": """ "user" IS NULL AND contains(unread, ',user,') """,
    "no_time": """ "time" IS NULL AND NOT contains(unread, ',time,') """,
    "unreadable_time": """ "time" IS NULL AND contains(unread, ',time,') """,
    **{
        f"illegible_{role}": f"contains(unread, ',drop:{role},')"
        for role in ("price", "value", "quantity", "duration")
    },
    "non_goods": "coalesce(list_contains(CAST($non_goods AS VARCHAR[]), item), false)",
    "impossible_price": "price IS NOT NULL AND possible_price IS NULL",
    "impossible_duration": "duration IS NOT NULL AND possible_duration IS NULL",
    **{f"outlier_{measure}": f"far_{measure}" for measure in MEASURES},
    **{f"no_{column}": f"{column} IS NULL" for column in WORDS},
    "no_price": "possible_price IS NULL AND NOT contains(unread, ',price,')",
    "unreadable_price": "possible_price IS NULL AND contains(unread, ',price,')",
    "no_duration": "possible_duration IS NULL AND NOT contains(unread, ',duration,')",
    "unreadable_duration": "possible_duration IS NULL AND contains(unread, ',duration,')",
}
"""The rules that look at single rows, in the order in which they act, and what each looks for.

A second copy of a row is told before any of them but the first four looks (`duplicates`).
"""

BITS = {
    rule: 1 << place
    for place, rule in enumerate((*RULES, *(f"unfilled_{c}" for c in (*WORDS, *AMOUNTS))))
}
"""The bit that stands for a rule; a lower bit acts earlier.

``unfilled_*`` marks blanks for which a user's other rows had nothing to give.
"""

INVALID = ("no_user", "unreadable_user", "no_time", "unreadable_time")
"""The rules that make a row unusable; always on."""

USABLE = """ "user" IS NOT NULL AND "time" IS NOT NULL """
"""What a row must have for anything to be made of it."""

COLUMNS = """ "user", "time", action, item, category, duration, price, quantity, session,
    platform, query """
"""The columns of a cleaned log that hold what happened."""

ROWS_SQL = "SELECT * FROM events ANTI JOIN repeats USING (row)"
"""Every row once: without the further copies that stand in the table ``repeats``."""


def all_bits(rules: Iterable[str]) -> int:
    """The bits of several rules together."""
    return sum(BITS[rule] for rule in rules)


def far(measure: str, low: str, high: str) -> str:
    """SQL that tells whether a possible value lies outside bounds, given as SQL.

    On the log scale (``positive_only``) zero is never an outlier, and a quantity is judged by its
    size, so that a return of many is as far out as a purchase of many.
    """
    value = f"possible_{measure}"
    size = f"CASE WHEN $positive_only THEN abs({value}) ELSE {value} END"
    return (
        f"coalesce(({size} < {low} OR {size} > {high}) "
        f"AND ({value} <> 0 OR NOT $positive_only), false)"
    )


def _clipped(measure: str) -> str:
    value, low, high = f"possible_{measure}", f"${measure}_low", f"${measure}_high"
    between = f"least(greatest({{}}, {low}), {high})"
    nearest = (
        f"CASE WHEN $positive_only THEN sign({value}) * {between.format(f'abs({value})')} "
        f"ELSE {between.format(value)} END"
    )
    return f"CASE WHEN far_{measure} AND $clips THEN {nearest} ELSE {value} END AS {measure}"


_TOUCHED = " | ".join(
    f"(CASE WHEN {condition} THEN CAST({BITS[rule]} AS BIGINT) ELSE 0 END)"
    for rule, condition in RULES.items()
)
_FAR = ", ".join(f"{far(m, f'${m}_low', f'${m}_high')} AS far_{m}" for m in MEASURES)

_CLEANED = f"""
WITH possible AS (
    SELECT *, ',' || coalesce(unreadable, '') || ',' AS unread,
        CASE WHEN isfinite(price) AND price >= 0 THEN price END AS possible_price,
        CASE WHEN isfinite(duration) AND duration >= 0 THEN duration END AS possible_duration,
        CASE WHEN isfinite(quantity) THEN quantity END AS possible_quantity
    FROM rows_once
), bounded AS (
    SELECT *, {_FAR} FROM possible
), touched AS (
    SELECT *, {_TOUCHED} AS all_bits FROM bounded
), dropped AS (
    -- n & -n is the lowest bit of n: the first rule that drops the row, 0 where none does
    SELECT *, (all_bits & $drops) & -(all_bits & $drops) AS dropped_by FROM touched
), cleaned AS (
    SELECT * REPLACE ({", ".join(map(_clipped, MEASURES))}),
        -- a rule that comes after the one that dropped the row never saw it
        CASE WHEN dropped_by = 0 THEN all_bits ELSE all_bits & (2 * dropped_by - 1) END AS bits
    FROM dropped
)"""

_BESIDE = {
    "ffill": 'last_value({value} IGNORE NULLS) OVER (PARTITION BY "user" ORDER BY "time", line '
    "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)",
    "bfill": 'first_value({value} IGNORE NULLS) OVER (PARTITION BY "user" ORDER BY "time", line '
    "ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)",
}
"""The nearest value of the same user before or after a row."""

_OF_USER = {"user_mean": "favg({column} ORDER BY line)", "user_median": "median({column})"}
"""One value per user; sums in the order of lines, so that their last digits never vary."""


def cleaning_sql(methods: Mapping[str, str]) -> str:
    """SQL of every row with its cleaned values, the rules that touched it and the one that did not.

    ``methods`` says by which of `ffill`, `bfill`, `user_mean` and `user_median` the blanks of a
    column are filled out of the user's own rows; other columns have but their ``*_fill``.

    Reads ``rows_once`` (`ROWS_SQL`); a query on ``cleaned`` (blanks not yet filled) or ``filled``
    follows it: the columns of the log, ``line``, ``bits``, ``all_bits`` and ``dropped_by``.
    Parameters: bounds of `MEASURES` (doubles, NULL for none), ``*_fill`` of `WORDS` and `AMOUNTS`,
    ``positive_only`` (judge sizes, and zero is no outlier), ``clips`` (outliers move to the bound),
    ``drops`` (the bits of the rules that drop rows), ``non_goods`` (a list of items).
    """
    beside = {column: how for column, how in methods.items() if how in _BESIDE}
    of_user = {column: how for column, how in methods.items() if how in _OF_USER}
    near = [
        _BESIDE[how].format(value=f"CASE WHEN dropped_by = 0 THEN {column} END")
        + f" AS near_{column}"
        for column, how in beside.items()
    ]
    own = [f"{_OF_USER[how].format(column=c)} AS near_{c}" for c, how in of_user.items()]
    values = [
        f"coalesce({c}, {f'near_{c}, ' if c in methods else ''}${c}_fill) AS {c}"
        for c in (*WORDS, *AMOUNTS)
    ]
    join = 'LEFT JOIN of_user USING ("user")' if own else ""
    return f"""{_CLEANED}, of_user AS (
    SELECT {", ".join(['"user"', *own])} FROM cleaned WHERE dropped_by = 0 GROUP BY "user"
), beside AS (
    SELECT {", ".join(["*", *near])} FROM cleaned
), filled AS (
    SELECT * REPLACE ({", ".join([*values, f"{_still_blank(beside)} AS bits"])})
    FROM beside {join}
)
"""


def _still_blank(columns: Iterable[str]) -> str:
    """SQL of the bits, where a blank that stayed is told from one that was filled."""
    sql = "bits"
    for column in columns:
        mark, other = BITS[f"unfilled_{column}"], all_bits(blanks(column))
        blank = f"dropped_by = 0 AND {column} IS NULL AND near_{column} IS NULL"
        sql = f"CASE WHEN {blank} THEN ({sql} & ~CAST({other} AS BIGINT)) | {mark} ELSE {sql} END"
    return sql


def blanks(column: str) -> list[str]:
    """The rules that meet the blanks of a column."""
    return [rule for rule in (f"no_{column}", f"unreadable_{column}") if rule in RULES]


TALLY_SQL = (
    'SELECT "user", bits, dropped_by, count(*) AS n, min(line) AS line FROM filled GROUP BY ALL'
)
"""The table ``tally``: how many rows of each user met which fate, and the first of them."""

CLEAN_ROWS_SQL = f"""
SELECT {COLUMNS}, line, unreadable FROM filled JOIN kept_users USING ("user")
WHERE dropped_by = 0 ORDER BY place, "time", line
"""
"""The rows that stay, of the users in the table ``kept_users``, ordered by user, time and line."""


@dataclass(frozen=True)
class Cleaning:
    """The cleaning text over an open log, with its parameters bound."""

    connection: duckdb.DuckDBPyConnection
    parameters: dict[str, Any]
    methods: Mapping[str, str] = field(default_factory=dict)

    def rows(self, select: str) -> list[tuple[Any, ...]]:
        """What a SELECT on ``cleaned`` or ``filled`` gives."""
        return self._run("", select)

    def make_table(self, name: str, select: str) -> None:
        """Keep what a SELECT on ``cleaned`` or ``filled`` gives as a table."""
        self._run(f"CREATE TEMP TABLE {name} AS", select)

    def copy(self, select: str, path: Path, form: str) -> int:
        """Write what a SELECT on ``cleaned`` or ``filled`` gives to a file; how many rows."""
        sql = f"COPY ({cleaning_sql(self.methods)} {select}) TO $path ({form})"
        found = self.connection.execute(sql, self.parameters | {"path": str(path)}).fetchall()
        return int(found[0][0])

    def _run(self, begin: str, select: str) -> list[tuple[Any, ...]]:
        sql = f"{begin} {cleaning_sql(self.methods)} {select}"
        return self.connection.execute(sql, self.parameters).fetchall()


def open_parameters() -> dict[str, Any]:
    """Parameters under which no rule but the necessary ones does anything."""
    bounds = {f"{measure}_{side}": None for measure in MEASURES for side in ("low", "high")}
    fills = {f"{column}_fill": None for column in (*WORDS, *AMOUNTS)}
    return {
        **bounds,
        **fills,
        "positive_only": True,
        "clips": True,
        "drops": all_bits(INVALID),
        "non_goods": [],
    }
