"""A column of times, so far as its way of writing is settled; and how it is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from core.events.columns.reading import Column, Kind, Reading, fits, nothing
from core.events.columns.time_forms import PLAIN_ISO, Form, parts, plain_parts
from core.events.map_options import MapOptions

EARLIEST = datetime(1990, 1, 1)
"""Times before it are stand-ins for "unknown" (1970, 1900, day 0 of a program), not events."""
FEW = 0.01
"""Up to this share of cells in another way of writing are set aside; more is a mixed column."""
TO_ISO = "or write all times as 2024-01-31 18:30:00 (ISO 8601) and import the file again."
Sql = Callable[[str], str]


@dataclass(frozen=True)
class Way:
    """How one column writes its times, so far as it is settled."""

    column: Column
    options: MapOptions
    main: str
    """The form, unit or "excel"."""
    pattern: str
    kind: Kind


def refuse_column(column: Column, code: str, message: str, kind: Kind) -> Reading:
    """The reading of a column that cannot be read."""
    return Reading(nothing("TIMESTAMP"), (column.refuse(code, message, kind),))


def ask(way: Way, what: str, option: str) -> Reading:
    """Refuse what can be read in more than one way, with the option that settles it."""
    message = f"Column '{way.column.name}' {what} Set {option}, {TO_ISO}"
    return refuse_column(way.column, "unclear_times", message, way.kind)


def cut_apart(form: Form) -> str:
    """SQL of the cells of a form, cut into their parts ``p``: one, two, three, hour ..."""
    p = parts("cell", form, ("one", "two", "three"))
    is_form = fits("cell", form.pattern)
    if form.name == "year_first":
        plain = fits("cell", PLAIN_ISO)
        p = f"CASE WHEN {plain} THEN {plain_parts()} ELSE {p} END"
        is_form = f"{plain} OR {is_form}"
    return f"(SELECT *, {p} AS p FROM cells WHERE {is_form})"
