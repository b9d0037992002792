"""Numbers in a column of text: one decimal mark, one currency, percent or none, for all its cells.

What no cell settles is refused, with the option that answers it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from core.artifacts import Problem
from core.events.columns.number_forms import (
    BARE,
    CORE,
    IS_BRACKETED,
    IS_GROUPED,
    IS_PERCENT,
    IS_TRAILED,
    KINDS,
    currency,
    finite_number,
    parts_or_core,
)
from core.events.columns.reading import (
    NO_CELLS,
    Column,
    Kind,
    Reading,
    count_missing_words,
    fits,
    kinds_of,
    kinds_where,
    literal,
    nothing,
)
from core.events.map_options import MapOptions
from core.events.problems import plural

_APART = f"(SELECT *, {parts_or_core('cell')} AS p FROM cells)"
_MARKS = {"point": ".", "comma": ","}
_SETTLING = ("comma", "point", "thousands")
"""Kinds that say which of the marks is the decimal one."""
_UNMARKED = {"ungrouped", "whole"}
"""Kinds of numbers that say nothing of the decimal mark."""
_PLAINLY = "or write all numbers as 1234.5 and import the file again."


def read_numbers(column: Column, options: MapOptions = MapOptions()) -> Reading:
    """Settle how a column writes numbers; the values are finite doubles.

    "1,234" alone can be two numbers; "0,99" or "1,234.50" in the same column tells which. So can
    "1.234", but as it is how numbers should be written it is read as such, with a warning where
    every point in the column stands so and no number of four digits goes without one.
    """
    kinds = _kinds(column)
    unknown = kinds.pop("other", NO_CELLS)
    if _hopeless(column, kinds, unknown):
        return _refused(column.refuse("not_number", _no_numbers(column, unknown), unknown))
    mark, said = _mark(column, kinds, options)
    around = _around(column)
    unclear = any(problem.severity == "refused" for problem in said)
    odd, most = (unknown, False) if unclear else _not_read(column, mark)
    unread = _unreadable(column, odd, options, most=most)
    found = (*said, *around, *unread)
    if any(problem.severity == "refused" for problem in found):
        return _refused(*found)
    name = next(name for name, sign in _MARKS.items() if sign == mark)
    settled = {} if _UNMARKED.issuperset(kinds) else {"decimal": name}
    return Reading(lambda cell: finite_number(cell, mark), found, settled)


def _kinds(column: Column) -> dict[str, Kind]:
    """The cells by the way in which their digits are written, "other" for no number."""
    return kinds_of(column, KINDS, CORE, _APART)


def _refused(*problems: Problem) -> Reading:
    return Reading(nothing("DOUBLE"), problems)


def _hopeless(column: Column, kinds: Mapping[str, Kind], unknown: Kind) -> bool:
    """Whether most cells are no numbers; words for "missing" speak for neither side."""
    numbers = sum(kind.count for kind in kinds.values())
    missing = count_missing_words(column) if unknown.count else 0
    return numbers == 0 or unknown.count - missing >= max(1, numbers)


def _no_numbers(column: Column, unknown: Kind) -> str:
    return (
        f"Column '{column.name}' does not hold numbers: '{unknown.example}' "
        f"({column.spell(unknown)}). Choose another column or none."
    )


def _mark(
    column: Column, kinds: Mapping[str, Kind], options: MapOptions
) -> tuple[str, list[Problem]]:
    """The decimal mark, told or settled, and what must be said of it (a refusal, at worst)."""
    commas = [kinds[name] for name in ("comma", "comma or thousands", "thousands") if name in kinds]
    if options.decimal != "auto":
        mark = _MARKS[options.decimal]
        if not commas and "points between thousands" not in kinds and mark == ".":
            return mark, []
        message = (
            f"The {options.decimal} was taken as decimal mark in column '{column.name}', as told."
        )
        return mark, [column.warn("told_decimal", message)]
    refusal = _unclear(column, kinds)
    if refusal is not None:
        return ".", [refusal]
    if "comma" in kinds:
        message = f"Commas in column '{column.name}' were read as the decimal mark, as in "
        message += f"'{kinds['comma'].example}'."
        return ",", [column.warn("comma_numbers", message, kinds["comma"])]
    if commas:
        kind = kinds.get("thousands", commas[0])
        message = f"Commas in column '{column.name}' were read as between thousands, as in "
        message += f"'{kind.example}'."
        return ".", [column.warn("comma_numbers", message, kind)]
    return ".", _points(column, kinds)


def _unclear(column: Column, kinds: Mapping[str, Kind]) -> Problem | None:
    """The refusal of a column with two decimal marks, or with none that is clear; else None."""
    others = [kinds[name] for name in ("point", "point or thousands", "thousands") if name in kinds]
    settled = any(name in kinds for name in _SETTLING)
    to_set = f"Set map.decimal to point or comma, {_PLAINLY}"
    if "comma" in kinds and others:
        comma, other = kinds["comma"], others[0]
        message = (
            f"Column '{column.name}' has two decimal marks: '{comma.example}' "
            f"({column.spell(comma)}) and '{other.example}' ({column.spell(other)}). {to_set}"
        )
        return column.refuse("mixed_decimals", message, comma)
    if "comma or thousands" in kinds and settled:
        return _file_left_open(column, to_set)
    if "comma or thousands" in kinds:
        either = kinds["comma or thousands"]
        message = (
            f"Column '{column.name}' holds '{either.example}' on {column.spell(either)}, which may "
            f"be a thousand or a decimal fraction, and no cell settles it. {to_set}"
        )
        return column.refuse("unclear_numbers", message, either)
    if "points between thousands" in kinds and "comma" not in kinds:
        grouped = kinds["points between thousands"]
        message = (
            f"Column '{column.name}' has points between thousands, as in '{grouped.example}' "
            f"({column.spell(grouped)}). Set map.decimal to comma, {_PLAINLY}"
        )
        return column.refuse("unclear_numbers", message, grouped)
    return None


def _file_left_open(column: Column, to_set: str) -> Problem | None:
    """The refusal of a file of several whose commas only the other files would settle; else None.

    The files may come from programs that write numbers in different ways.
    """
    for part in column.by_file:
        kinds = _kinds(part)
        if "comma or thousands" in kinds and not any(name in kinds for name in _SETTLING):
            either = kinds["comma or thousands"]
            message = (
                f"Column '{column.name}' holds '{either.example}' on {column.spell(either)}, which "
                f"may be a thousand or a decimal fraction, and no cell of {part.file} settles it; "
                f"that other files do says nothing of this one. {to_set}"
            )
            return column.refuse("unclear_numbers", message, either)
    return None


def _points(column: Column, kinds: Mapping[str, Kind]) -> list[Problem]:
    """Say where points that may stand between thousands were taken as decimal marks.

    Every file is looked at by itself: what another holds does not tell how this one is written.
    """
    if "point or thousands" not in kinds:
        return []
    found = []
    for part in column.by_file or (column,):
        own = _kinds(part) if column.by_file else kinds
        doubtful = own.get("point or thousands", NO_CELLS)
        if doubtful.count and not ("point" in own or "ungrouped" in own):
            found.append(_points_taken_as_decimal(column, doubtful))
    return found


def _points_taken_as_decimal(column: Column, kind: Kind) -> Problem:
    digits = re.sub(r"[^0-9.]", "", kind.example)
    number, thousand = f"{float(digits):g}", digits.replace(".", "")
    message = (
        f"Points in column '{column.name}' were read as decimal marks: '{kind.example}' "
        f"({column.spell(kind)}) is {number}, not {thousand}. If they stand between thousands, "
        "set map.decimal to comma."
    )
    return column.warn("point_numbers", message, kind)


def _around(column: Column) -> list[Problem]:
    """What was found around the digits: spaces, parentheses, percent signs and currencies."""
    if not column.query(f"SELECT 1 FROM cells WHERE NOT {fits('cell', BARE)} LIMIT 1"):
        return []
    kinds = kinds_where(
        column,
        {
            "grouped": IS_GROUPED,
            "bracketed": IS_BRACKETED,
            "trailed": IS_TRAILED,
            "percent": IS_PERCENT,
            "plain": f"p.core <> '' AND NOT {IS_PERCENT}",
        },
        _APART,
    )
    texts = {
        "grouped": "Spaces or apostrophes in column '{}' were read as between thousands, as in "
        "'{}'.",
        "bracketed": "Numbers in parentheses in column '{}' were read as below zero, as '{}'.",
        "trailed": "Numbers with a minus behind them in column '{}' were read as below zero, as "
        "'{}'.",
    }
    found = [
        column.warn(f"{name}_numbers", text.format(column.name, kinds[name].example), kinds[name])
        for name, text in texts.items()
        if kinds[name].count
    ]
    return [*found, *_percent(column, kinds["percent"], kinds["plain"]), *_currency(column)]


def _percent(column: Column, percent: Kind, plain: Kind) -> list[Problem]:
    if not percent.count:
        return []
    if plain.count:
        message = (
            f"Column '{column.name}' mixes percentages and plain numbers: '{percent.example}' "
            f"({column.spell(percent)}) and '{plain.example}' ({column.spell(plain)}). Write all "
            "cells in the same way and import the file again."
        )
        fewer = min(percent, plain, key=lambda kind: kind.count)
        return [column.refuse("mixed_percent", message, fewer)]
    message = f"The percentages in column '{column.name}' were divided by 100: '{percent.example}'."
    return [column.warn("percent_numbers", message, percent)]


def _currency(column: Column) -> list[Problem]:
    """One currency for the whole column; two are two different things to add up."""
    named = f"(SELECT *, {currency()} AS currency FROM {_APART} WHERE p.core <> '')"
    rows = column.query(f"SELECT DISTINCT currency FROM {named} ORDER BY currency")
    currencies = [name for (name,) in rows if name is not None]
    if not currencies:
        return []
    tests = {name: f"currency = {literal(name)}" for name in currencies}
    kinds = kinds_where(column, {**tests, "": "currency IS NULL"}, named)
    without = kinds.pop("")
    if len(kinds) > 1:
        each = "; ".join(f"{name} on {column.spell(kind)}" for name, kind in kinds.items())
        message = (
            f"Column '{column.name}' holds amounts in several currencies, which cannot be "
            f"compared: {each}. Convert them to one and import the file again."
        )
        rarest = min(kinds.values(), key=lambda kind: kind.count)
        return [column.refuse("mixed_currencies", message, rarest)]
    message = f"The amounts in column '{column.name}' are in {currencies[0]}."
    if without.count:
        message += (
            f" {plural(without.count, 'cell')} without a currency, taken as the same: "
            f"{column.spell(without)}."
        )
    return [column.warn("currency", message, without if without.count else None)]


def _not_read(column: Column, mark: str) -> tuple[Kind, bool]:
    """The cells that hold no finite number, and whether they are more than those that do."""
    source = f"(SELECT *, {finite_number('cell', mark)} AS x FROM cells)"
    unreadable = kinds_where(column, {"unreadable": "x IS NULL"}, source)["unreadable"]
    missing = count_missing_words(column) if unreadable.count else 0
    return unreadable, unreadable.count - missing > column.filled - unreadable.count


def _unreadable(
    column: Column, kind: Kind, options: MapOptions, *, most: bool = False
) -> list[Problem]:
    """List the cells that hold no finite number; refused where they are the most."""
    if not kind.count:
        return []
    message = (
        f"{plural(kind.count, 'cell')} in column '{column.name}' cannot be read as finite numbers"
    )
    where = f", as '{kind.example}': {column.spell(kind)}."
    if most:
        message += f"{where} These are more than the others. Check map.decimal."
        return [column.refuse("not_number", message, kind)]
    if options.unreadable_numbers == "refuse":
        message += f"{where} Correct them, or set map.unreadable_numbers to missing or drop."
        return [column.refuse("unreadable", message, kind)]
    follows = {"missing": " and count as missing", "drop": "; their rows will be set aside"}
    message += follows[options.unreadable_numbers] + where
    return [column.warn("unreadable", message, kind)]
