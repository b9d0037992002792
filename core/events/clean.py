"""Cleaning: a log in which every row is usable, and an account of every row that was touched.

Rules act in the order of `engine.RULES`, then come the limits on events per user; each rule sees
only what the rules before it left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import duckdb

from core.artifacts import CleanEvents, CleaningReport, CleaningStep, Events, fingerprint
from core.errors import OptionRefused, TooLittleData
from core.events import engine
from core.options import Options, option

VERSION = 1

_MEASURES = ("price", "duration")
_Effect = Literal["dropped", "changed", "flagged"]


@dataclass(frozen=True, kw_only=True)
class CleanOptions(Options):
    """What is done with rows and users that would mislead.

    The defaults change little. Outliers are judged on the log scale, since money and durations
    are heavy-tailed: for a log-normal price a box plot with factor 3 starts at 4.7 standard
    deviations, so it meets slips of the keyboard and spares big spenders.
    """

    duplicates: Literal["drop", "keep"] = option(
        "drop",
        "Exact duplicates",
        "Drop rows that repeat an earlier row in every column, or keep them where repeats are real",
    )
    impossible: Literal["missing", "drop"] = option(
        "missing",
        "Impossible numbers",
        "A price or duration below zero: empty the cell, or drop the row",
    )
    price_outliers: Literal["off", "iqr", "sigma"] = option(
        "iqr",
        "Price outliers",
        "How far is too far: box plot (iqr), standard deviations (sigma), or not looked for (off)",
    )
    duration_outliers: Literal["off", "iqr", "sigma"] = option(
        "iqr",
        "Duration outliers",
        "How far is too far: box plot (iqr), standard deviations (sigma), or not looked for (off)",
    )
    outlier_factor: float = option(
        3.0,
        "Outlier factor",
        "Box-plot heights beyond the quartiles, or standard deviations from the mean",
        low=0.5,
        high=100,
    )
    outlier_scale: Literal["log", "plain"] = option(
        "log",
        "Outlier scale",
        "Judge by ratios (log, fits money and durations; zeros are left alone) or by differences",
        expert=True,
    )
    outlier_effect: Literal["clip", "drop", "flag"] = option(
        "clip",
        "Outlier effect",
        "Move an outlier to the nearest bound, drop its row, or only count it",
    )
    missing_action: Literal["keep", "drop"] = option(
        "keep", "No action", "Rows without an action: keep them as unknown, or drop them"
    )
    missing_category: Literal["keep", "drop"] = option(
        "keep", "No category", "Rows without a category: keep them as unknown, or drop them"
    )
    missing_item: Literal["keep", "drop"] = option(
        "keep", "No item", "Rows without an item: keep them as unknown, or drop them"
    )
    missing_price: Literal["keep", "drop", "mean", "median"] = option(
        "keep", "No price", "Keep as missing, drop the row, or fill in the log's mean or median"
    )
    missing_duration: Literal["keep", "drop", "mean", "median"] = option(
        "keep", "No duration", "Keep as missing, drop the row, or fill in the log's mean or median"
    )
    min_events: int = option(
        3,
        "Fewest events per user",
        "Users with fewer events say too little to be placed; they are left out and counted",
        low=1,
        high=1000,
        unit="events",
    )
    max_events: int = option(
        5000,
        "Most events per user",
        "Users with more events are likely programs; they are left out and counted",
        low=2,
        high=100_000_000,
        unit="events",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_events > self.max_events:
            raise OptionRefused(
                f"min_events is {self.min_events}, above max_events, which is {self.max_events}. "
                "No user could stay; lower the one or raise the other."
            )


@dataclass(frozen=True, kw_only=True)
class _Bounds:
    """Outside of what a measure counts as an outlier; None where no bounds could be drawn."""

    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What the rules do to this log: their effects, bounds and fill values."""

    bounds: dict[str, _Bounds]
    fills: dict[str, float | None]
    effects: dict[str, _Effect]
    """The rules that are on, in order."""

    def parameters(self, options: CleanOptions) -> dict[str, Any]:
        """The bound parameters of `engine.CLEANING_SQL`."""
        values: dict[str, Any] = {}
        for measure in _MEASURES:
            values[f"{measure}_low"] = self.bounds[measure].low
            values[f"{measure}_high"] = self.bounds[measure].high
            values[f"{measure}_fill"] = self.fills[measure]
        drops = (rule for rule, effect in self.effects.items() if effect == "dropped")
        return values | {
            "positive_only": options.outlier_scale == "log",
            "clips": options.outlier_effect == "clip",
            # the copies of a row go by the way it is read; the row itself stays
            "drops": sum(engine.BITS[rule] for rule in drops if rule != "duplicate"),
        }


def clean(events: Events, options: CleanOptions, folder: Path) -> CleanEvents:
    """The log without unusable rows, as Parquet in ``folder``, and what every rule did to it.

    Rows are ordered by user, time and line, so events of the same second keep their order in the
    file. Bounds and fill values are taken over valid rows, without duplicates where those are
    dropped; fill values after outliers are dealt with. Nothing is random.

    Raises `TooLittleData` where no event stays.
    """
    path = folder / "clean.parquet"
    with engine.connect(folder) as connection:
        engine.open_events(connection, events.path)
        _read_rows(connection, options)
        plan = _plan(connection, events, options)
        connection.execute(
            f"CREATE TEMP TABLE tally AS {engine.TALLY_SQL}", plan.parameters(options)
        )
        report = _report(connection, plan, options)
        if report.events_after == 0:
            raise TooLittleData(_nothing_left(report))
        connection.execute(
            f"COPY ({engine.CLEAN_ROWS_SQL}) TO $path (FORMAT parquet)",
            plan.parameters(options) | {"path": str(path)},
        )
    made_by = fingerprint(events.fingerprint, "clean", VERSION, options.to_dict())
    return CleanEvents(path=path, present=events.present, report=report, fingerprint=made_by)


def _read_rows(connection: duckdb.DuckDBPyConnection, options: CleanOptions) -> None:
    if options.duplicates == "drop":
        connection.execute(f"CREATE TEMP TABLE rows_once AS {engine.DISTINCT_SQL}")
    else:
        connection.execute(f"CREATE TEMP VIEW rows_once AS {engine.ALL_ROWS_SQL}")


def _plan(
    connection: duckdb.DuckDBPyConnection, events: Events, options: CleanOptions
) -> _Plan:
    bounds = {measure: _bounds(connection, measure, options) for measure in _MEASURES}
    fills = {
        measure: _fill_value(connection, measure, bounds[measure], options)
        for measure in _MEASURES
    }
    effects = {
        rule: effect
        for rule in engine.RULES
        if (effect := _effect(rule, options, fills)) and _concerns(rule, events.present)
    }
    return _Plan(bounds=bounds, fills=fills, effects=effects)


def _concerns(rule: str, present: tuple[str, ...]) -> bool:
    """Whether the log has the column of the rule; a column that is not there misses nothing."""
    role = rule.rpartition("_")[2]
    return role in (*present, "duplicate", "user", "time")


def _effect(
    rule: str, options: CleanOptions, fills: dict[str, float | None]
) -> _Effect | None:
    """What a rule does to the rows it meets; None where it is off."""
    kind, _, role = rule.rpartition("_")
    if role in ("user", "time"):
        return "dropped"
    if rule == "duplicate":
        return "dropped" if options.duplicates == "drop" else None
    if kind == "impossible":
        return "dropped" if options.impossible == "drop" else "changed"
    if kind == "outlier":
        effects: dict[str, _Effect] = {"clip": "changed", "drop": "dropped", "flag": "flagged"}
        off = getattr(options, f"{role}_outliers") == "off"
        return None if off else effects[options.outlier_effect]
    if getattr(options, f"missing_{role}") == "drop":
        return "dropped"
    return "flagged" if fills.get(role) is None else "changed"


def _bounds(
    connection: duckdb.DuckDBPyConnection, measure: str, options: CleanOptions
) -> _Bounds:
    """Bounds by k standard deviations, or by the box plot (Tukey, 1977), on the chosen scale."""
    method = getattr(options, f"{measure}_outliers")
    if method == "off":
        return _Bounds()
    value = f"possible_{measure}"
    scaled = f"CASE WHEN {value} > 0 THEN ln({value}) END" if options.outlier_scale == "log" else value
    spread = {
        "iqr": "quantile_cont(v, 0.25), quantile_cont(v, 0.75)",
        "sigma": "avg(v), stddev_samp(v)",
    }[method]
    found = connection.execute(
        f"SELECT {spread} FROM (SELECT {scaled} AS v FROM ({engine.KNOWN_SQL}))"
    ).fetchone()
    first, second = found if found is not None else (None, None)
    if first is None or second is None:
        return _Bounds()
    return _around(_steady(first), _steady(second), method, options)


def _around(
    first: float, second: float, method: Literal["iqr", "sigma"], options: CleanOptions
) -> _Bounds:
    """Bounds from the quartiles, or from the mean and the standard deviation."""
    width = second - first if method == "iqr" else second
    if width <= 0:  # most values are the same: any other would be called an outlier
        return _Bounds()
    reach = options.outlier_factor * width
    low, high = first - reach, (second if method == "iqr" else first) + reach
    if options.outlier_scale == "plain":
        return _Bounds(low=low, high=high)
    # beyond this no double is larger, and exp would overflow
    return _Bounds(low=math.exp(low), high=math.exp(min(high, 700.0)))


def _fill_value(
    connection: duckdb.DuckDBPyConnection, measure: str, bounds: _Bounds, options: CleanOptions
) -> float | None:
    """Mean or median of a measure as its outliers leave it; None where nothing is to be filled."""
    how = getattr(options, f"missing_{measure}")
    if how not in ("mean", "median"):
        return None
    value = f"possible_{measure}"
    spared = f"({value} = 0 AND $positive_only)"
    held = f"CASE WHEN {spared} THEN {value} ELSE least(greatest({value}, $low), $high) END"
    left = {
        "clip": held,
        "drop": f"CASE WHEN {held} = {value} THEN {value} END",
        "flag": f"CASE WHEN {spared} OR $low <= $high OR true THEN {value} END",
    }[options.outlier_effect]
    return None
