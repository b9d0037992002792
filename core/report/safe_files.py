"""Large CSV files made safe for spreadsheets, without passing through Python row by row."""

from __future__ import annotations

from pathlib import Path

from core.events import engine
from core.events.reading import literal, quoted
from core.report.tables import formula_safe

_UNWRITABLE = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x{9f}]"
_FORMULA = (
    r"[\t\r\n]|[\s\x{a0}\x{85}\x{1680}\x{2000}-\x{200f}\x{2028}\x{2029}\x{202f}\x{205f}\x{2060}-"
    r"\x{2064}\x{3000}\x{ad}\x{180e}\x{feff}\x0b\x1c-\x1f]*"
    r"[=+\-@\x{ff1d}\x{ff0b}\x{ff0d}\x{ff20}\x{fe66}\x{fe62}\x{fe63}\x{fe6b}]"
)
_NUMBER = r"-?[0-9]+(\.[0-9]+)?"
_LONGEST_ROW = 1 << 30
_MARK = b"\xef\xbb\xbf"
"""Without a byte order mark Excel takes a file for 8-bit text."""


def make_safe(source: Path, target: Path) -> int:
    """Copy a CSV with a header, written by this program, as `tables.formula_safe` would; its rows.

    Every cell is quoted, so that a semicolon in it cannot begin a new one where a spreadsheet
    splits by semicolons, and the file begins with a byte order mark.
    """
    with engine.connect(target.parent) as db:
        cells = db.read_csv(
            str(source),
            header=True,
            all_varchar=True,
            delimiter=",",
            quotechar='"',
            escapechar='"',
            max_line_size=_LONGEST_ROW,
            strict_mode=True,
        )
        db.register("rows_to_copy", cells)
        safe = ", ".join(
            f"{_safe(quoted(name))} AS {quoted(formula_safe(name))}" for name in cells.columns
        )
        plain = target.with_suffix(".part")
        found = db.execute(
            f"COPY (SELECT {safe} FROM rows_to_copy) TO $out (FORMAT csv, HEADER true, "
            "FORCE_QUOTE *)",
            {"out": str(plain)},
        ).fetchall()
    with target.open("wb") as file, plain.open("rb") as rest:
        file.write(_MARK)
        while piece := rest.read(1 << 20):
            file.write(piece)
    plain.unlink()
    return int(found[0][0])


def _safe(cell: str) -> str:
    """SQL of a cell behind an apostrophe where a spreadsheet would take it for a formula."""
    clean = f"regexp_replace({cell}, {literal(_UNWRITABLE)}, '', 'g')"
    dangerous = (
        f"regexp_matches({clean}, {literal(f'^(?:{_FORMULA})')}) "
        f"AND NOT regexp_full_match({clean}, {literal(_NUMBER)})"
    )
    return f"CASE WHEN {dangerous} THEN '''' || {clean} ELSE {clean} END"
