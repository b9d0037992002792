"""Which number of a date is the day, and which century, or year, it is of."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.artifacts import Problem
from core.events.columns.reading import Column, Kind, Reading, kinds_where
from core.events.columns.time_column import FEW, TO_ISO, Sql, Way, ask, cut_apart, refuse_column
from core.events.columns.time_forms import NO_YEAR, ORDERS, SHORT, Form
from core.events.columns.yearless import year_of_first_event


@dataclass(frozen=True)
class Order:
    """The order that was settled, a key of `ORDERS`."""

    name: str
    problems: tuple[Problem, ...]


def order_of(way: Way, form: Form) -> Order | Reading:
    """Settle which number is the day: as told, or as the numbers over 12 (or 31) say."""
    column, told = way.column, way.options.date_order
    if len(form.orders) == 1:
        return Order(form.orders[0], ())
    if told in form.orders:
        message = f"The dates in column '{column.name}' were all read {_worded(told)}, as told."
        return Order(told, (column.warn("date_order", message),))
    tests = {order: _against(order) for order in form.orders}
    against = kinds_where(column, tests, cut_apart(form))
    best = min(form.orders, key=lambda order: against[order].count)
    second = min((o for o in form.orders if o != best), key=lambda order: against[order].count)
    allowed = " or ".join(form.orders)
    if against[second].count == 0:
        what = (
            f"writes dates as '{way.kind.example}' ({column.spell(way.kind)}), and no cell settles "
            "whether the day or the month comes first."
        )
        return ask(way, what, f"map.date_order to {allowed}")
    if against[best].count > FEW * against[second].count:
        one, two = against[second], against[best]
        message = (
            f"Column '{column.name}' writes dates in two orders: '{one.example}' "
            f"({column.spell(one)}) and '{two.example}' ({column.spell(two)}). Set map.date_order "
            f"to {allowed}, which sets the others aside, {TO_ISO}"
        )
        return refuse_column(column, "unclear_times", message, way.kind)
    for part in column.by_file:
        left_open = _left_open(part, form, best)
        if left_open is not None:
            what = (
                f"writes dates as '{left_open.example}' ({column.spell(left_open)}), and no cell "
                f"of {part.file} settles whether the day or the month comes first; that other "
                "files do says nothing of this one."
            )
            return ask(replace(way, kind=left_open), what, f"map.date_order to {allowed}")
    settled = against[second]
    line = column.spell(Kind(1, settled.lines[:1], ""))
    message = (
        f"The dates in column '{column.name}' were all read {_worded(best)}, as "
        f"'{settled.example}' on {line} can only be read so."
    )
    return Order(best, (column.warn("date_order", message, settled),))


def _left_open(part: Column, form: Form, best: str) -> Kind | None:
    """The cells of one file of several that mean another day in another order, if none settles it.

    The files may come from programs that write dates in different orders.
    """
    tests = {order: _against(order) for order in form.orders if order != best}
    same = "p.one = p.two" if len(form.orders) == 2 else "false"
    found = kinds_where(part, {"either": f"NOT ({same})", **tests}, cut_apart(form))
    either = found.pop("either")
    return either if either.count and not all(kind.count for kind in found.values()) else None


def _worded(order: str) -> str:
    return f"with the {order.removesuffix('_first')} first"


def _against(order: str) -> str:
    """SQL that tells whether a date cannot stand in an order."""
    places = dict(zip(ORDERS[order], ("one", "two", "three"), strict=True))
    month, day = (
        f"coalesce(TRY_CAST(p.{places[part]} AS INTEGER), 1)" for part in ("month", "day")
    )
    return f"{month} NOT BETWEEN 1 AND 12 OR {day} NOT BETWEEN 1 AND 31"


@dataclass(frozen=True)
class Year:
    """``sql`` makes SQL of the year, four digits of text, from that of the parts of a date."""

    sql: Sql
    problems: tuple[Problem, ...] = ()


def year_of(way: Way, form: Form, order: str) -> Year | Reading:
    """Settle how a year of two digits, or none, becomes one of four."""
    if form.name in SHORT:
        return _short_year(way, form)
    if form.name not in NO_YEAR:
        return Year(lambda p: f"{p}.year")
    if way.options.year == "auto":
        what = (
            f"writes dates without a year, as '{way.kind.example}' ({way.column.spell(way.kind)})."
        )
        return ask(way, what, "map.year to the year of the first event")
    found = year_of_first_event(way.column, form, order, int(way.options.year))
    return Year(found.sql, (way.column.warn("no_year", found.message),))


def _short_year(way: Way, form: Form) -> Year | Reading:
    test = {
        "short": "regexp_full_match(p.three, '\\d{2}') AND regexp_full_match(p.one, '\\d{1,2}')"
    }
    short = kinds_where(way.column, test, cut_apart(form))["short"]
    if not short.count:
        return Year(lambda p: f"{p}.year")
    century = way.options.short_years
    if century == "auto":
        what = f"has years of two digits, as in '{short.example}' ({way.column.spell(short)})."
        return ask(way, what, "map.short_years to 1900s or 2000s")
    message = f"The years of two digits in column '{way.column.name}' were taken as {century}."
    first = century[:2]
    return Year(
        lambda p: f"CASE WHEN length({p}.year) = 2 THEN '{first}' || {p}.year ELSE {p}.year END",
        (way.column.warn("short_years", message, short),),
    )
