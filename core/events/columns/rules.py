"""Rules that name the action of an event by what stands in another column.

    return if Quantity < 0
    return if InvoiceNo starts C
    order if Order Status = paid in full
    visit if Item is blank

A rule is ACTION if COLUMN, then < <= > >= and a number, or = != starts contains and a text, or
"is blank". A column name may be put between double quotes. The first rule that fits a row wins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite

from core.errors import MappingRefused, did_you_mean
from core.events.columns.reading import fits

_SIZES = ("<=", ">=", "<", ">")
_TESTS = (*_SIZES, "!=", "=", "starts", "contains", "is blank")
_TEST = re.compile(r"\s*(<=|>=|!=|<|>|=|starts\b|contains\b|is\s+blank\b)\s*", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_GRAMMAR = (
    "Write ACTION if COLUMN TEST VALUE, such as: return if Quantity < 0, or: return if InvoiceNo "
    f"starts C. Tests: {', '.join(_TESTS)}."
)


@dataclass(frozen=True)
class Rule:
    """One rule, taken apart."""

    text: str
    action: str
    column: str
    test: str
    value: str

    @property
    def by_size(self) -> bool:
        """Whether numbers are compared."""
        return self.test in _SIZES


def parse_rules(texts: Sequence[str], columns: Sequence[str]) -> tuple[Rule, ...]:
    """Read rules for a log with these columns. Raises MappingRefused with all that is wrong."""
    rules, wrong = [], []
    for text in texts:
        try:
            rules.append(_parse(" ".join(text.split()), columns))
        except MappingRefused as refused:
            wrong.append(str(refused))
    if wrong:
        raise MappingRefused("\n".join(wrong))
    return tuple(rules)


def rule_sql(rule: Rule, cell: str, number: Callable[[str], str], place: str) -> str:
    """SQL that tells whether a row fits, of the SQL of its cell; parameter ``place`` is the value.

    ``number`` makes, of the SQL of a cell, that of its number. A blank cell fits only "is blank".
    """
    value = f"${place}"
    if rule.test == "is blank":
        return f"{cell} IS NULL"
    if rule.by_size:
        return f"{number(cell)} {rule.test} {value}"
    if rule.test in ("=", "!="):
        # a code that went through decimals is still that code
        through_decimals = f"{fits(cell, '-?[0-9]+[.]0+')} AND regexp_replace({cell}, '[.]0+$', '')"
        same = f"({cell} = {value} OR {through_decimals} = {value})"
        return same if rule.test == "=" else f"NOT {same}"
    return f"{'starts_with' if rule.test == 'starts' else 'contains'}({cell}, {value})"


def _parse(text: str, columns: Sequence[str]) -> Rule:
    action, found, rest = text.partition(" if ")
    if not (found and action.strip() and rest.strip()):
        raise MappingRefused(f"'{text}' is no rule. {_GRAMMAR}")
    column, behind = _column(text, rest.strip(), columns)
    match = _TEST.match(behind)
    if match is None:
        raise MappingRefused(f"The rule '{text}' has no test after '{column}'. {_GRAMMAR}")
    test = " ".join(match.group(1).lower().split())
    value = behind[match.end() :].strip()
    if (test == "is blank") == bool(value):
        what = "takes no value" if value else "lacks the value"
        raise MappingRefused(f"The rule '{text}': '{test}' {what}. {_GRAMMAR}")
    rule = Rule(text, action.strip(), column, test, value)
    if rule.by_size and not _is_number(value):
        raise MappingRefused(
            f"The rule '{text}' compares with '{value}', which is no number such as 12 or "
            "-1.5. For texts use =, !=, starts or contains."
        )
    return rule


def _column(text: str, rest: str, columns: Sequence[str]) -> tuple[str, str]:
    """The column a condition begins with, the longest that fits, and what follows it."""
    if rest.startswith('"') and '"' in rest[1:]:
        name, _, behind = rest[1:].partition('"')
        if name in columns:
            return name, behind
    else:
        for name in sorted(columns, key=len, reverse=True):
            behind = rest[len(name) :]
            if rest.startswith(name) and _TEST.match(behind):
                return name, behind
        test = _TEST.search(rest)
        name = rest[: test.start()] if test else rest
    near = did_you_mean(name, columns)
    raise MappingRefused(
        f"The rule '{text}' names the column '{name}', which is not there.{near} "
        f"Columns: {', '.join(columns)}."
    )


def _is_number(text: str) -> bool:
    """Whether a text is a finite number, in the digits and with the point of a program."""
    return _NUMBER.fullmatch(text) is not None and isfinite(float(text))
