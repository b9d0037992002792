"""The ways in which times are written, as patterns, and the SQL that turns each into a timestamp.

A pattern cuts a cell into parts by position: three numbers of a date (or two, or a day and the
name of a month), then hour, minute, second, fraction, half of the day and zone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.events.columns.reading import fits, literal

_CLOCK = r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?: ?([AaPp])\.?[Mm]\.?)?"
_ZONE = r" ?\(?(Z|z|UTC|GMT|(?:UTC|GMT)?[+-]\d{1,2}(?::?\d{2})?)\)?"
_AFTER = f"(?:(?:[Tt]|, ?| +){_CLOCK}(?:{_ZONE})?)?"
_AFTER_NAME = f"(?:(?:[Tt:]|, ?| +){_CLOCK}(?:{_ZONE})?)?"
_SOLID_CLOCK = (
    r"(?:[T ]?([01]\d|2[0-3])([0-5]\d)(?:([0-5]\d)(?:\.(\d{1,9}))?)?()(Z|[+-]\d{2}:?\d{2})?)?"
)
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_MONTH = (
    "(?i:(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    "sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?))"
)
_WEEKDAY = r"(?:(?i:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?),? )?"

EPOCHS = {
    "seconds": (r"\d{9,10}(?:\.\d+)?", 1_000_000),
    "milliseconds": (r"\d{13}(?:\.\d+)?", 1000),
    "microseconds": (r"\d{16}(?:\.0+)?", 1),
}
"""By unit: how many digits it has in our days, and its length in microseconds."""
ANY_DIGITS = r"-?\d{1,17}(?:\.\d+)?"
EXCEL = r"[1-9]\d{4}(?:\.\d+)?"
_EXCEL_ZERO = {"1900": "1899-12-30", "1904": "1904-01-01"}
"""Day 0 of both calendars; that of 1900 is out by one before March 1900, which is no concern."""


@dataclass(frozen=True)
class Form:
    """One way of writing a time."""

    name: str
    pattern: str
    words: str
    """What it is called in a sentence."""
    orders: tuple[str, ...] = ()
    """The orders its numbers can stand in; more than one must be settled."""


_AFTER_DATE = ("hour", "minute", "second", "fraction", "half", "zone")
ORDERS = {
    "day_first": ("day", "month", "year"),
    "month_first": ("month", "day", "year"),
    "year_first": ("year", "month", "day"),
}
_BOTH = ("day_first", "month_first")
_FORMS = (
    Form(
        "year_first",
        rf"(\d{{4}}) ?[-/.年] ?(\d{{1,2}}) ?[-/.月] ?(\d{{1,2}})日?{_AFTER}",
        "year-month-day",
        ("year_first",),
    ),
    Form(
        "year_last",
        rf"(\d{{1,2}})[-/.](\d{{1,2}})[-/.](\d{{4}}){_AFTER}",
        "day and month before the year",
        _BOTH,
    ),
    Form(
        "short_dashed",
        rf"(\d{{1,2}})-(\d{{1,2}})-(\d{{2}}){_AFTER}",
        "years of two digits",
        (*_BOTH, "year_first"),
    ),
    Form(
        "short", rf"(\d{{1,2}})[/.](\d{{1,2}})[/.](\d{{2}}){_AFTER}", "years of two digits", _BOTH
    ),
    Form(
        "day_month_name",
        rf"{_WEEKDAY}(\d{{1,2}})(?:st|nd|rd|th)?[-/. ]{_MONTH}[-/., ] ?(\d{{4}}|\d{{2}})"
        f"{_AFTER_NAME}",
        "day, name of the month, year",
        ("day_first",),
    ),
    Form(
        "month_name_day",
        rf"{_WEEKDAY}{_MONTH}\.?[- ](\d{{1,2}})(?:st|nd|rd|th)?,? (\d{{4}}){_AFTER}",
        "name of the month, day, year",
        ("month_first",),
    ),
    Form("no_year", rf"(\d{{1,2}})[-/.月](\d{{1,2}})日?(){_AFTER}", "day and month alone", _BOTH),
    Form(
        "solid",
        rf"((?:19|20)\d{{2}})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01]){_SOLID_CLOCK}",
        "yyyymmdd",
        ("year_first",),
    ),
    Form(
        "no_year_solid",
        r"(0?[1-9]|[12]\d|3[01])([0-2]\d|3[01])()()()()()()()",
        "day and month alone, in digits",
        _BOTH,
    ),
)
FORMS = {form.name: form for form in _FORMS}
SHORT = ("short", "short_dashed", "day_month_name")
NO_YEAR = ("no_year", "no_year_solid")
NAMED_MONTH = ("day_month_name", "month_name_day")

WORDS = {
    **{form.name: form.words for form in _FORMS},
    "excel": "numbers of days, as Excel keeps dates",
    **{unit: f"{unit} since 1970" for unit in EPOCHS},
    "digits": "numbers since 1970",
}
WRITTEN_DATES = tuple(
    (name, FORMS[name].pattern)
    for name in ("year_first", "year_last", "short_dashed", "short", *NAMED_MONTH)
)
NUMBER_DATES = (
    ("solid", FORMS["solid"].pattern),
    *((unit, pattern) for unit, (pattern, _) in EPOCHS.items()),
)

PLAIN_ISO = r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?"
"""Read by the engine itself, ten times as fast as part by part."""


def parts(cell: str, form: Form, names: Sequence[str]) -> str:
    """SQL of a struct of texts: the parts of a written time, "" for what is not there.

    ``names`` are those of the three parts of the date.
    """
    listed = ", ".join(map(literal, (*names, *_AFTER_DATE)))
    return f"regexp_extract({cell}, {literal(f'^(?:{form.pattern})$')}, [{listed}])"


def plain_parts() -> str:
    """SQL of the parts of a plain ISO time, so far as they tell how to read a column of them."""
    values = {"one": "", "two": "", "three": "", **dict.fromkeys(_AFTER_DATE, ""), "hour": "00"}
    return "{" + ", ".join(f"'{name}': '{value}'" for name, value in values.items()) + "}"


def written_time(
    cell: str, form: Form, order: str, year: Callable[[str], str], to_utc: Callable[[str], str]
) -> str:
    """SQL of the timestamp in UTC of a written time; NULL for a day or an hour that is none.

    ``year`` makes SQL of the year from that of the parts; ``to_utc`` shifts a time without zone.
    """
    p = parts(cell, form, ORDERS[order])
    local = _stamp(p, form, year(p))
    sql = f"CASE WHEN {p}.zone = '' THEN {to_utc(local)} ELSE {local} - {_offset(p)} END"
    if form.name != "year_first":
        return sql
    plain = to_utc(f"TRY_CAST({cell} AS TIMESTAMP)")
    return f"CASE WHEN {fits(cell, PLAIN_ISO)} THEN {plain} ELSE {sql} END"


def local_time(cell: str, form: Form, order: str, year: Callable[[str], str]) -> str:
    """SQL of the timestamp of a written time that names no zone, as it stands; else NULL."""
    p = parts(cell, form, ORDERS[order])
    sql = f"CASE WHEN {p}.zone = '' THEN {_stamp(p, form, year(p))} END"
    if form.name != "year_first":
        return sql
    return f"CASE WHEN {fits(cell, PLAIN_ISO)} THEN TRY_CAST({cell} AS TIMESTAMP) ELSE {sql} END"


def epoch_time(cell: str, unit: str, pattern: str) -> str:
    """SQL of the timestamp of a number of units since 1970."""
    number = f"TRY_CAST({cell} AS DECIMAL(28, 9))"
    micros = f"TRY_CAST(round(TRY({number} * {EPOCHS[unit][1]})) AS BIGINT)"
    return f"CASE WHEN {fits(cell, pattern)} THEN TRY(make_timestamp({micros})) END"


def excel_time(cell: str, calendar: str) -> str:
    """SQL of the timestamp of a day number, to the second."""
    seconds = f"CAST(round(TRY_CAST({cell} AS DOUBLE) * 86400) AS BIGINT)"
    zero = f"TIMESTAMP '{_EXCEL_ZERO[calendar]}'"
    return f"CASE WHEN {fits(cell, EXCEL)} THEN {zero} + to_seconds({seconds}) END"


def _stamp(p: str, form: Form, year: str) -> str:
    hour = f"TRY_CAST({p}.hour AS INTEGER)"
    in_day = (
        f"CASE WHEN {p}.half = '' THEN coalesce({hour}, 0) WHEN {hour} NOT BETWEEN 1 AND 12 THEN "
        f"NULL ELSE {hour} % 12 + CASE WHEN lower({p}.half) = 'p' THEN 12 ELSE 0 END END"
    )
    month = f"{p}.month"
    if form.name in NAMED_MONTH:
        names = ", ".join(map(literal, _MONTHS))
        month = f"CAST(list_position([{names}], lower({p}.month[1:3])) AS VARCHAR)"
    return (
        f"TRY_CAST({year} || '-' || lpad({month}, 2, '0') || '-' || lpad({p}.day, 2, '0') || ' ' "
        f"|| lpad(CAST({in_day} AS VARCHAR), 2, '0') || ':' || lpad({p}.minute, 2, '0') || ':' || "
        f"lpad({p}.second, 2, '0') || '.' || {p}.fraction || '0' AS TIMESTAMP)"
    )


def _offset(p: str) -> str:
    """SQL of the interval that a zone is ahead of UTC; NULL for one that is nowhere."""
    signed = f"regexp_replace({p}.zone, '^(UTC|GMT)', '')"
    digits = f"replace({signed}[2:], ':', '')"
    whole = (
        f"TRY_CAST(CASE WHEN length({digits}) > 2 THEN {digits}[:-3] ELSE {digits} END AS INTEGER)"
    )
    rest = f"CASE WHEN length({digits}) > 2 THEN TRY_CAST(right({digits}, 2) AS INTEGER) ELSE 0 END"
    return (
        f"to_minutes(CASE WHEN {signed}[1] NOT IN ('+', '-') THEN 0 WHEN {whole} > 14 OR "
        f"{rest} > 59 THEN NULL ELSE ({whole} * 60 + {rest}) * CASE {signed}[1] WHEN '-' THEN -1 "
        "ELSE 1 END END)"
    )
