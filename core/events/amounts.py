"""Numbers in a column of text: one decimal mark per column, settled by all its cells together."""

from __future__ import annotations

from collections.abc import Mapping

from core.artifacts import Problem
from core.events.problems import counted, refused, spell_lines, warning
from core.events.reading import NO_CELLS, Column, Kind, Reading, kinds_of, literal

_PLAIN = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?"
_KINDS = (
    ("ungrouped", r"[+-]?\d{4,}"),
    ("whole", r"[+-]?\d+"),
    ("point or thousands", r"[+-]?[1-9]\d{0,2}\.\d{3}"),
    ("points between thousands", r"[+-]?[1-9]\d{0,2}(?:\.\d{3}){2,}"),
    ("point", _PLAIN),
    ("comma or thousands", r"[+-]?[1-9]\d{0,2},\d{3}"),
    ("comma", r"[+-]?(?:\d+|\d{1,3}(?:\.\d{3})+),\d+"),
    ("thousands", r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?"),
)
NUMBERS = tuple(pattern for _, pattern in _KINDS)


def read_numbers(column: Column) -> Reading:
    """Settle how a column writes numbers; the SQL gives finite doubles.

    "1,234" alone can be two numbers; "0,99" or "1,234.50" in the same column tells which. So can
    "1.234", but as it is how numbers should be written it is read as such, with a warning where
    every point in the column stands so and no number of four digits goes without one.
    """
    kinds = kinds_of(column, _KINDS)
    refusal = _why_not(column, kinds)
    if refusal is not None:
        return refusal
    point, comma = kinds.get("point", NO_CELLS), kinds.get("comma", NO_CELLS)
    thousands = kinds.get("thousands", NO_CELLS)
    either = kinds.get("comma or thousands", NO_CELLS)
    doubtful = kinds.get("point or thousands", NO_CELLS)
    if comma.count:
        sql = f"replace(replace({column.cell}, '.', ''), ',', '.')"
        return _with_commas(column, "the decimal mark", comma, sql)
    if thousands.count or either.count:
        sql = f"replace({column.cell}, ',', '')"
        return _with_commas(
            column, "between thousands", thousands if thousands.count else either, sql
        )
    unsettled = doubtful.count and not (point.count or "ungrouped" in kinds)
    found = (_points_taken_as_decimal(column, doubtful),) if unsettled else ()
    return Reading(_number_sql(column, column.cell), found)


def _why_not(column: Column, kinds: Mapping[str, Kind]) -> Reading | None:
    """The refusal of a column that holds no numbers or two ways of writing them; else None."""
    unknown = kinds.get("other", NO_CELLS)
    point, comma = kinds.get("point", NO_CELLS), kinds.get("comma", NO_CELLS)
    thousands = kinds.get("thousands", NO_CELLS)
    either = kinds.get("comma or thousands", NO_CELLS)
    doubtful = kinds.get("point or thousands", NO_CELLS)
    if unknown.count * 2 >= max(1, sum(kind.count for kind in kinds.values())):
        message = (
            f"Column '{column.name}' does not hold numbers: '{unknown.example}' "
            f"({spell_lines(unknown.lines, unknown.count)}). Choose another column or none."
        )
        return _refuse(column, "not_number", message, unknown)
    others = [kind for kind in (point, doubtful, thousands) if kind.count]
    if comma.count and others:
        other = others[0]
        message = (
            f"Column '{column.name}' has two decimal marks: '{comma.example}' "
            f"({spell_lines(comma.lines, comma.count)}) and '{other.example}' "
            f"({spell_lines(other.lines, other.count)}). Write all numbers as 1234.5."
        )
        return _refuse(column, "mixed_decimals", message, comma)
    if either.count and not (comma.count or point.count or thousands.count):
        message = (
            f"Column '{column.name}' holds '{either.example}' on "
            f"{spell_lines(either.lines, either.count)}, which may be a thousand or a decimal "
            "fraction, and no cell settles it. Write all numbers as 1234.5."
        )
        return _refuse(column, "unclear_numbers", message, either)
    grouped = kinds.get("points between thousands", NO_CELLS)
    if grouped.count and not (comma.count or point.count or thousands.count):
        message = (
            f"Column '{column.name}' has points between thousands, as in '{grouped.example}' "
            f"({spell_lines(grouped.lines, grouped.count)}). Write all numbers as 1234.5."
        )
        return _refuse(column, "unclear_numbers", message, grouped)
    return None


def _points_taken_as_decimal(column: Column, kind: Kind) -> Problem:
    number, thousand = f"{float(kind.example):g}", kind.example.replace(".", "")
    message = (
        f"Points in column '{column.name}' were read as decimal marks: '{kind.example}' "
        f"({spell_lines(kind.lines, kind.count)}) is {number}, not {thousand}. If they stand "
        f"between thousands, write the numbers without them ({thousand}) and load the file again."
    )
    return warning("point_numbers", message, counted(kind.lines, kind.count), column.name)


def _with_commas(column: Column, role: str, kind: Kind, sql: str) -> Reading:
    message = f"Commas in column '{column.name}' were read as {role}, as in '{kind.example}'."
    found = warning("comma_numbers", message, counted(kind.lines, kind.count), column.name)
    return Reading(_number_sql(column, sql), (found,))


def _number_sql(column: Column, plain: str) -> str:
    """SQL of a finite double, NULL for what no pattern fits and for what overflows."""
    fits = " OR ".join(f"regexp_full_match({column.cell}, {literal(p)})" for p in NUMBERS)
    value = f"TRY_CAST({plain} AS DOUBLE)"
    return f"CASE WHEN ({fits}) AND isfinite({value}) THEN {value} END"


def _refuse(column: Column, code: str, message: str, kind: Kind) -> Reading:
    found = refused(code, message, counted(kind.lines, kind.count), column.name)
    return Reading("CAST(NULL AS DOUBLE)", (found,))
