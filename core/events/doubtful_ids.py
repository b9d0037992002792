"""Ids that may be no ids, or not the same as they look; they are kept to the letter."""

from __future__ import annotations

from core.artifacts import Problem
from core.events.problems import LINES_SHOWN, plural, shown
from core.events.reading import Column, Kind, is_missing_word, literal, quoted

_TESTS = {
    "missing_words": is_missing_word("cell"),
    "spaces_around": "trim(cell) <> cell",
    "float_ids": f"suffix(cell, '.0') AND regexp_full_match(cell, {literal('[0-9]+[.]0')})",
    "whole_ids": f"regexp_full_match(cell, {literal('[0-9]+')})",
}


def doubtful_ids(column: Column) -> tuple[Problem, ...]:
    """Warn of ids that a program or a spreadsheet may have changed."""
    kinds = _kinds(column)
    missing, spaces, decimals = (
        kinds[name] for name in ("missing_words", "spaces_around", "float_ids")
    )
    found = []
    if missing.count:
        message = (
            f"{plural(missing.count, 'cell')} in column '{column.name}' hold a word that may mean "
            f"missing, such as '{missing.example}'; kept as ids: {column.spell(missing)}."
        )
        found.append(column.warn("missing_words", message, missing))
    if spaces.count:
        message = (
            f"{plural(spaces.count, 'cell')} in column '{column.name}' begin or end with a space, "
            f"such as '{spaces.example}'; kept as they are: {column.spell(spaces)}."
        )
        found.append(column.warn("spaces_around", message, spaces))
    if decimals.count:
        found.append(column.warn("float_ids", _through_decimals(column, kinds), decimals))
    return tuple(found)


def _through_decimals(column: Column, kinds: dict[str, Kind]) -> str:
    decimals, whole = kinds["float_ids"], kinds["whole_ids"]
    if whole.count:
        return (
            f"Column '{column.name}' holds whole numbers as '{whole.example}' and as "
            f"'{decimals.example}' ({column.spell(decimals)}). They are kept as they are, so the "
            "same id in both writings counts as two."
        )
    return (
        f"The ids in column '{column.name}' look like whole numbers that another program turned "
        f"into decimals, as '{decimals.example}'; kept as they are."
    )


def _kinds(column: Column) -> dict[str, Kind]:
    """Count the cells of each kind, with the spaces around them."""
    name = quoted(column.name)
    wanted = ", ".join(
        f"count(*) FILTER ({test}), min(line, {LINES_SHOWN}) FILTER ({test}), "
        f"arg_min(cell, line) FILTER ({test})"
        for test in _TESTS.values()
    )
    row = column.db.execute(
        f"SELECT {wanted} FROM (SELECT {name} AS cell, __line__ AS line FROM read_parquet($path) "
        f"WHERE {name} IS NOT NULL)",
        {"path": column.path},
    ).fetchall()[0]
    found = zip(row[::3], row[1::3], row[2::3], strict=True)
    return {
        kind: Kind(count, tuple(lines or ()), shown(example or ""))
        for kind, (count, lines, example) in zip(_TESTS, found, strict=True)
    }
