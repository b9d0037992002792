"""Ids that may be no ids, or not the same as they look; they are kept to the letter."""

from __future__ import annotations

from core.artifacts import Problem
from core.events.columns.reading import Column, Kind, is_missing_word, literal, quoted
from core.events.problems import LINES_SHOWN, plural, shown

_UNSEEN = r"[\x{00AD}\x{200B}-\x{200F}\x{2060}-\x{2064}\x{FEFF}]"
"""Signs without width: marks of byte order, soft hyphens, joiners and the like."""
_ROUNDED = r"[1-9](?:[.,][0-9]+)?[eE][+][0-9]{1,3}|[1-9][.,][0-9]+[eE][0-9]{1,3}"
"""Large numbers as spreadsheets write them when they are short of digits."""
_TESTS = {
    "missing_words": is_missing_word("cell"),
    "spaces_around": "trim(cell) <> cell",
    "float_ids": f"suffix(cell, '.0') AND regexp_full_match(cell, {literal('[0-9]+[.]0')})",
    "rounded_ids": f"regexp_full_match(cell, {literal(_ROUNDED)})",
    "unseen_signs": f"strlen(cell) <> length(cell) AND regexp_matches(cell, {literal(_UNSEEN)})",
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
    return (*found, *_lost_or_hidden(column, kinds))


def _lost_or_hidden(column: Column, kinds: dict[str, Kind]) -> list[Problem]:
    """Ids that lost digits, so that several look like one; and one id that looks like several."""
    rounded, unseen = kinds["rounded_ids"], kinds["unseen_signs"]
    found = []
    if rounded.count:
        message = (
            f"{plural(rounded.count, 'cell')} in column '{column.name}' hold a number that was "
            f"rounded, as spreadsheets do with long ids: '{rounded.example}' "
            f"({column.spell(rounded)}). Different ids may have become the same. Export the log "
            "again with the ids as text."
        )
        found.append(column.warn("rounded_ids", message, rounded))
    if unseen.count:
        message = (
            f"{plural(unseen.count, 'cell')} in column '{column.name}' hold signs that cannot be "
            f"seen, shown here as ?: '{unseen.example}' ({column.spell(unseen)}). They are kept, "
            "so the same id with and without them counts as two."
        )
        found.append(column.warn("unseen_signs", message, unseen))
    return found


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
