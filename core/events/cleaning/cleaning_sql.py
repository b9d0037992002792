"""The one SQL text that cleans a log.

It sees a table of typed events and bound parameters, and everything in it holds within the rows of
one user. So it runs over a whole file, and can run unchanged over a partition of whole users on a
distributed engine; what can be known only of the whole log (bounds, fill values) comes in as
parameters, found by the same text with these left open.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

ROWS_OF_GROUP = 122_880
"""Rows per group of a file: as many as the engine itself would put into one."""

WORDS = ("action", "category", "item", "platform")
"""Columns of text whose blanks can be filled."""

AMOUNTS = ("price", "duration")
"""Columns of numbers whose blanks can be filled."""

MEASURES = ("price", "duration", "quantity")
"""Columns of numbers that can have outliers."""

_UNREAD = "(',' || unreadable || ',')"

RULES = {
    "no_user": f""" "user" IS NULL AND NOT contains({_UNREAD}, ',user,') """,
    "unreadable_user": f""" "user" IS NULL AND contains({_UNREAD}, ',user,') """,
    "no_time": f""" "time" IS NULL AND NOT contains({_UNREAD}, ',time,') """,
    "unreadable_time": f""" "time" IS NULL AND contains({_UNREAD}, ',time,') """,
    **{
        f"illegible_{role}": f"contains({_UNREAD}, ',drop:{role},')"
        for role in ("price", "value", "quantity", "duration")
    },
    "non_goods": "coalesce(list_contains(CAST($non_goods AS VARCHAR[]), item), false)",
    "impossible_price": "price IS NOT NULL AND possible_price IS NULL",
    "impossible_duration": "duration IS NOT NULL AND possible_duration IS NULL",
    **{f"outlier_{measure}": f"far_{measure}" for measure in MEASURES},
    **{f"no_{column}": f"{column} IS NULL" for column in WORDS},
    "no_price": f"possible_price IS NULL AND NOT contains({_UNREAD}, ',price,')",
    "unreadable_price": f"possible_price IS NULL AND contains({_UNREAD}, ',price,')",
    "no_duration": f"possible_duration IS NULL AND NOT contains({_UNREAD}, ',duration,')",
    "unreadable_duration": f"possible_duration IS NULL AND contains({_UNREAD}, ',duration,')",
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


def _touched(rules: Iterable[str]) -> str:
    """SQL of the bits of the rules that meet a row.

    Few rows hold something that could not be read, so the words for it are looked at in these only.
    """
    any_row = {rule: RULES[rule] for rule in rules}
    plain = {rule: _MENTIONED.sub("false", condition) for rule, condition in any_row.items()}
    return f"CASE WHEN unreadable <> '' THEN {_bits(any_row)} ELSE {_bits(plain)} END"


def _bits(conditions: Mapping[str, str]) -> str:
    marks = (
        f"CASE WHEN {condition} THEN CAST({BITS[rule]} AS BIGINT) ELSE 0 END"
        for rule, condition in conditions.items()
        if condition != "false"
    )
    return " | ".join(["CAST(0 AS BIGINT)", *(f"({mark})" for mark in marks)])


_MENTIONED = re.compile(rf"contains\({re.escape(_UNREAD)}, '[^']*'\)")
_FAR = ", ".join(f"{far(m, f'${m}_low', f'${m}_high')} AS far_{m}" for m in MEASURES)

_CLEANED = f"""
WITH possible AS (
    SELECT *,
        CASE WHEN isfinite(price) AND price >= 0 THEN price END AS possible_price,
        CASE WHEN isfinite(duration) AND duration >= 0 THEN duration END AS possible_duration,
        CASE WHEN isfinite(quantity) THEN quantity END AS possible_quantity
    FROM rows_once
), bounded AS (
    SELECT *, {_FAR} FROM possible
), touched AS (
    SELECT *, {{touched}} AS all_bits FROM bounded
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


def cleaning_sql(rules: Iterable[str], methods: Mapping[str, str]) -> str:
    """SQL of every row with its cleaned values, the rules it met and the one that dropped it.

    ``rules`` are those that look; what they find stands in ``all_bits``, and in ``bits`` without
    what a row met after it was dropped. ``methods`` says by which of `ffill`, `bfill`, `user_mean`
    and `user_median` the blanks of a column are filled out of the user's own rows; other columns
    have but their ``*_fill``.

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
    return f"""{_CLEANED.format(touched=_touched(rules))}, of_user AS (
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

TEXTS = (*WORDS, "session", "query", "unreadable")
"""Columns of text in a cleaned log beside ``user``."""


def clean_rows_sql(coded: Iterable[str]) -> str:
    """SELECT of the rows that stay, of the users in ``kept_users``, by user, time and line.

    The columns ``coded`` travel through the sort as codes of the type ``<column>_word``, an ENUM
    that must know every word of theirs; in a file they are text again. TRY_CAST, unlike CAST, is
    worked out once per word of the file's dictionary, not once per row.
    """
    codes = [f"TRY_CAST({column} AS {column}_word) AS {column}" for column in coded]
    columns = f"* REPLACE ({', '.join(codes)})" if codes else "*"
    return f"""
    SELECT {COLUMNS}, line, unreadable FROM (SELECT {columns} FROM filled WHERE dropped_by = 0)
    JOIN kept_users USING ("user") ORDER BY place, "time", line
    """


@dataclass(frozen=True)
class Cleaning:
    """The cleaning text over an open log, with its parameters bound."""

    connection: duckdb.DuckDBPyConnection
    parameters: dict[str, Any]
    methods: Mapping[str, str] = field(default_factory=dict)
    rules: tuple[str, ...] = tuple(RULES)

    def dropping(self) -> Cleaning:
        """The same without the rules that drop nothing: all that is needed of rows that stay."""
        drops = self.parameters["drops"]
        return replace(self, rules=tuple(rule for rule in self.rules if BITS[rule] & drops))

    def rows(self, select: str) -> list[tuple[Any, ...]]:
        """What a SELECT on ``cleaned`` or ``filled`` gives."""
        return self._run("{}", select)

    def make_table(self, name: str, select: str) -> None:
        """Keep what a SELECT on ``cleaned`` or ``filled`` gives as a table."""
        self._run(f"CREATE TEMP TABLE {name} AS {{}}", select)

    def write(self, select: str, path: Path) -> None:
        """Write what a SELECT on ``cleaned`` or ``filled`` gives as Parquet.

        Text that comes as codes is written as such, and no word of it is looked up again. (DuckDB
        would leave empty the words that a row group lacks, which readers of codes take for one.)
        """
        sql, bound = self._bound("{}", select)
        batches = self.connection.sql(sql, params=bound).to_arrow_reader(ROWS_OF_GROUP)
        repeating = [name for name in batches.schema.names if name not in ("time", "line")]
        with pq.ParquetWriter(
            path, batches.schema, use_dictionary=repeating, store_schema=False
        ) as file:
            for batch in batches:
                file.write_batch(batch)

    def _run(self, frame: str, select: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(*self._bound(frame, select)).fetchall()

    def _bound(self, frame: str, select: str) -> tuple[str, dict[str, Any]]:
        """A statement, and the parameters that it names: others would be refused."""
        sql = frame.format(f"{cleaning_sql(self.rules, self.methods)} {select}")
        named = set(re.findall(r"\$(\w+)", sql))
        return sql, {name: value for name, value in self.parameters.items() if name in named}


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
