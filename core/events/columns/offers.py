"""What a log suggests about its actions: names for codes, a default, and rules for returns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from core.artifacts import ColumnMapping, RawLog
from core.events.columns.amounts import read_numbers
from core.events.columns.reading import Column, fits, quoted, trimmed
from core.events.problems import plural

PLAIN_ACTION = "event"
SALE = "purchase"
RETURN = "return"
MOST_ACTIONS = 1000
_CODE = r"[0-9]{1,2}(?:[.]0+)?"
_MOST_CODES = 20
_MOST_RETURNS = 0.3
"""A larger share of negative quantities or marked invoices are not returns but a way of writing."""
_SALE_NUMBER = re.compile(
    r"(invoice|order|transaction|receipt|basket|bill)[ _-]?(no|nr|number|id|code)?$|发票|订单|单号",
    re.IGNORECASE,
)
_MARKED = {letter: rf"{letter}-?[0-9]+" for letter in "CR"}
"""How the number of a cancelled or returned invoice is written."""


@dataclass(frozen=True)
class Offer:
    """A setting that the log suggests, and why."""

    rules: tuple[str, ...]
    default_action: str
    why: tuple[str, ...]
    action_codes: tuple[str, ...] = ()
    """The codes in the action column that need names."""


def offer_actions(db: duckdb.DuckDBPyConnection, raw: RawLog, mapping: ColumnMapping) -> Offer:
    """What a log without actions, or with one only, suggests: a default and rules for returns."""
    sale = _sale_number(db, raw)
    why: list[str] = []
    codes: tuple[str, ...] = ()
    default = PLAIN_ACTION
    if mapping.action is not None:
        actions = actions_of(db, raw, mapping.action)
        codes = coded(actions)
        if codes:
            why = [f"The actions are the codes {', '.join(codes)}; only you know what they mean."]
        if len(actions) > 1:
            return Offer((), default, tuple(why), codes)
    elif about := mapping.quantity or mapping.value or sale:
        default = SALE
        why = [f"Column '{about}' speaks of sales, so events are called '{SALE}'."]
    rules = []
    for offer in (_marked_numbers(db, raw, sale), _negative_quantities(db, raw, mapping)):
        if offer is not None:
            rules.append(offer[0])
            why.append(offer[1])
    return Offer(tuple(rules), default, tuple(why), codes)


def _sale_number(db: duckdb.DuckDBPyConnection, raw: RawLog) -> str | None:
    """The first column that numbers invoices, orders or the like, in most of the rows."""
    for name in raw.columns:
        if _SALE_NUMBER.search(name):
            query = f"SELECT count({quoted(name)}) FROM read_parquet($path)"
            filled = db.execute(query, {"path": str(raw.path)}).fetchall()[0][0]
            if filled * 2 >= raw.n_rows:
                return name
    return None


def coded(actions: Sequence[str]) -> tuple[str, ...]:
    """The actions as whole numbers, where they are but a few codes; else none."""
    codes = {whole_code(action) for action in actions}
    few = 0 < len(codes) <= _MOST_CODES and all(code.isascii() and code.isdigit() for code in codes)
    return tuple(sorted(codes, key=int)) if few else ()


def whole_code(action: str) -> str:
    """A code as a whole number, where it went through decimals: "1.0" is 1."""
    code = action.strip()
    return re.sub(r"[.]0+$", "", code) if re.fullmatch(_CODE, code) else code


def whole_code_sql(cell: str) -> str:
    """SQL of `whole_code`."""
    cell = f"trim({cell})"
    return (
        f"CASE WHEN {fits(cell, _CODE)} THEN regexp_replace({cell}, '[.]0+$', '') ELSE {cell} END"
    )


def _marked_numbers(
    db: duckdb.DuckDBPyConnection, raw: RawLog, column: str | None
) -> tuple[str, str] | None:
    """A rule for invoices whose number begins with a letter that says "cancelled"."""
    if column is None:
        return None
    cell = trimmed(column)
    tests = {"all": "true", "digits": fits("cell", "[0-9]+")}
    tests |= {letter: fits("cell", pattern) for letter, pattern in _MARKED.items()}
    wanted = ", ".join(f"count(*) FILTER ({test})" for test in tests.values())
    rows = f"(SELECT {cell} AS cell FROM read_parquet($path) WHERE {cell} IS NOT NULL)"
    row = db.execute(f"SELECT {wanted} FROM {rows}", {"path": str(raw.path)}).fetchall()[0]
    counts = dict(zip(tests, row, strict=True))
    for letter in _MARKED:
        few = 0 < counts[letter] <= _MOST_RETURNS * counts["all"]
        if few and counts["digits"] >= counts["all"] / 2:
            begins = "begins" if counts[letter] == 1 else "begin"
            why = (
                f"{plural(counts[letter], 'number')} in '{column}' {begins} with {letter} while "
                "the others are digits, as cancelled invoices are marked."
            )
            return f"{RETURN} if {_named(column)} starts {letter}", why
    return None


def _negative_quantities(
    db: duckdb.DuckDBPyConnection, raw: RawLog, mapping: ColumnMapping
) -> tuple[str, str] | None:
    """A rule for rows with fewer than no pieces."""
    if mapping.quantity is None:
        return None
    column = Column(db, str(raw.path), mapping.quantity, raw.parts)
    reading = read_numbers(column)
    if reading.refused:
        return None
    numbers = f"SELECT {reading.value('cell')} AS x, n FROM cells"
    negative, total = column.query(
        f"SELECT coalesce(sum(n) FILTER (x < 0), 0), sum(n) FROM ({numbers})"
    )[0]
    if not 0 < negative <= _MOST_RETURNS * total:
        return None
    are = "is" if negative == 1 else "are"
    why = (
        f"{plural(int(negative), 'cell')} in '{column.name}' {are} below zero, as returned goods "
        "are."
    )
    return f"{RETURN} if {_named(column.name)} < 0", why


def _named(column: str) -> str:
    """A column as a rule names it."""
    return column if '"' in column else f'"{column}"' if " " in column else column


def actions_of(
    db: duckdb.DuckDBPyConnection, raw: RawLog, column: str, most: int = MOST_ACTIONS
) -> tuple[str, ...]:
    """The different cells of a column, in order; up to so many."""
    name = quoted(column)
    query = (
        f"SELECT DISTINCT {name} FROM read_parquet($path) WHERE {name} IS NOT NULL "
        f"ORDER BY {name} LIMIT {most}"
    )
    rows = db.execute(query, {"path": str(raw.path)}).fetchall()
    return tuple(value for (value,) in rows)
