"""Cleaning: a log in which every row is usable, and an account of every row that was touched.

Rules act in the order of `engine.RULES`, then come the limits on events per user; each rule sees
only what the rules before it left.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

import duckdb

from core.artifacts import CleanEvents, CleaningLimits, Events, fingerprint
from core.errors import OptionRefused, TooLittleData
from core.events import engine
from core.events.cleaning_report import Effect, nothing_left, write_report
from core.options import Options, option

VERSION = 3

_MEASURES = ("price", "duration")
_LIMITS = tuple(field.name for field in fields(CleaningLimits))
_QUARTILES = "quantile_cont({value}, 0.25), quantile_cont({value}, 0.75)"
_MEAN_AND_DEVIATION = "favg({value}), stddev_samp({value})"
_MOST_EXPONENT = 700.0
"""exp of more than 709 overflows; no price comes near."""


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


def clean(
    events: Events, options: CleanOptions, folder: Path, limits: CleaningLimits | None = None
) -> CleanEvents:
    """The log without unusable rows, as Parquet in ``folder``, and what every rule did to it.

    Rows are ordered by user, time and line, so events of the same second keep their order in the
    file. Bounds are taken over the valid rows, fill values over the rows that the rules leave;
    both without the copies of a row where duplicates are dropped; or both are those of an earlier
    cleaning, where its ``limits`` are given. Nothing is random. The values
    of a label column change nothing but the fingerprint, which names the mapping of the log.

    Raises `TooLittleData` where no event stays.
    """
    path = folder / "clean.parquet"
    effects = _effects(events.present, options)
    with engine.connect(folder) as connection:
        engine.open_events(connection, events.path)
        _read_rows(connection, options)
        parameters = _parameters(connection, effects, options, limits)
        connection.execute(f"CREATE TEMP TABLE tally AS {engine.TALLY_SQL}", parameters)
        sizes = (options.min_events, options.max_events)
        report = write_report(connection, effects, parameters, sizes)
        if report.events_after == 0:
            raise TooLittleData(nothing_left(report))
        connection.execute(engine.KEPT_USERS_SQL, sizes)
        connection.execute(
            f"COPY ({engine.CLEAN_ROWS_SQL}) TO $path (FORMAT parquet)",
            parameters | {"path": str(path)},
        )
    made_by = options.to_dict() | ({} if limits is None else {"limits": asdict(limits)})
    return CleanEvents(
        path=path,
        present=events.present,
        report=report,
        limits=CleaningLimits(**{name: parameters[name] for name in _LIMITS}),
        fingerprint=fingerprint(events.fingerprint, "clean", VERSION, made_by),
    )


def _read_rows(connection: duckdb.DuckDBPyConnection, options: CleanOptions) -> None:
    if options.duplicates == "drop":
        connection.execute(f"CREATE TEMP TABLE rows_once AS {engine.DISTINCT_SQL}")
    else:
        connection.execute(f"CREATE TEMP VIEW rows_once AS {engine.ALL_ROWS_SQL}")


def _effects(present: tuple[str, ...], options: CleanOptions) -> dict[str, Effect]:
    """What each rule does; a rule that is off, or whose column the log lacks, is left out."""
    effects: dict[str, Effect] = {}
    for rule in engine.RULES:
        kind, _, about = rule.rpartition("_")
        effect = _effect(kind, about, options)
        if effect and about in (*present, "user", "time", "duplicate"):
            effects[rule] = effect
    return effects


def _effect(kind: str, about: str, options: CleanOptions) -> Effect | None:
    if about in ("user", "time"):
        return "dropped"
    if about == "duplicate":
        return "dropped" if options.duplicates == "drop" else None
    if kind == "impossible":
        return "dropped" if options.impossible == "drop" else "changed"
    if kind == "outlier":
        effects: dict[str, Effect] = {"clip": "changed", "drop": "dropped", "flag": "flagged"}
        off = getattr(options, f"{about}_outliers") == "off"
        return None if off else effects[options.outlier_effect]
    missing: dict[str, Effect] = {"keep": "flagged", "drop": "dropped"}
    return missing.get(getattr(options, f"missing_{about}"), "changed")


def _parameters(
    connection: duckdb.DuckDBPyConnection,
    effects: dict[str, Effect],
    options: CleanOptions,
    limits: CleaningLimits | None,
) -> dict[str, Any]:
    """The bound parameters of `engine.CLEANING_SQL`: bounds first, then fill values."""
    dropping = [rule for rule, effect in effects.items() if effect == "dropped"]
    parameters: dict[str, Any] = asdict(CleaningLimits()) | {
        "positive_only": options.outlier_scale == "log",
        "clips": options.outlier_effect == "clip",
        "drops": sum(engine.BITS[rule] for rule in engine.INVALID),
    }
    for measure in _MEASURES:
        if f"outlier_{measure}" not in effects:
            continue
        if limits is None:
            parameters |= _bounds(connection, measure, options, parameters)
        else:
            bounds = (f"{measure}_low", f"{measure}_high")
            parameters |= {name: getattr(limits, name) for name in bounds}
    # The copies of a duplicate went when the rows were read; its first copy stays.
    parameters["drops"] = sum(engine.BITS[rule] for rule in dropping if rule != "duplicate")
    return parameters | {
        f"{measure}_fill": _fill(connection, measure, options, parameters)
        if limits is None
        else getattr(limits, f"{measure}_fill")
        for measure in _MEASURES
        if effects.get(f"no_{measure}") == "changed"
    }


def _bounds(
    connection: duckdb.DuckDBPyConnection,
    measure: str,
    options: CleanOptions,
    parameters: dict[str, Any],
) -> dict[str, float]:
    """Bounds by k standard deviations, or by the box plot (Tukey, 1977), on the chosen scale.

    None where the measure does not spread: any other value would then be called an outlier.
    """
    log = options.outlier_scale == "log"
    value = f"CASE WHEN {measure} > 0 THEN ln({measure}) END" if log else measure
    iqr = getattr(options, f"{measure}_outliers") == "iqr"
    pair = _QUARTILES if iqr else _MEAN_AND_DEVIATION
    first, second = _statistics(connection, pair.format(value=value), parameters)
    if first is None or second is None or (width := second - first if iqr else second) <= 0:
        return {}
    low = first - options.outlier_factor * width
    high = (second if iqr else first) + options.outlier_factor * width
    if log:
        low, high = math.exp(low), math.exp(min(high, _MOST_EXPONENT))
    return {f"{measure}_low": low, f"{measure}_high": high}


def _fill(
    connection: duckdb.DuckDBPyConnection,
    measure: str,
    options: CleanOptions,
    parameters: dict[str, Any],
) -> float | None:
    """Mean or median of a measure as the rules leave it; None where it is never known."""
    aggregate = {"mean": "favg({})", "median": "median({})"}[getattr(options, f"missing_{measure}")]
    (value,) = _statistics(connection, aggregate.format(measure), parameters)
    return value


def _statistics(
    connection: duckdb.DuckDBPyConnection, aggregates: str, parameters: dict[str, Any]
) -> list[float | None]:
    """Aggregates over the rows that stay under these parameters, the same at every run.

    Threads add numbers up in whatever order they come, so the last digits of a sum vary; twelve
    significant digits do not.
    """
    found = connection.execute(
        f"{engine.CLEANING_SQL} SELECT {aggregates} FROM cleaned WHERE dropped_by = 0", parameters
    ).fetchone()
    assert found is not None
    return [None if value is None else float(f"{value:.12g}") for value in found]
