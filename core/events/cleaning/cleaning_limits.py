"""What only the whole log can tell: where outliers begin, and what blanks are filled with."""

from __future__ import annotations

import math
from collections.abc import Iterable

from core.events.cleaning.clean_options import CleanOptions
from core.events.cleaning.cleaning_sql import AMOUNTS, Cleaning

MOST_EXPONENT = 700.0
"""exp of more than 709 overflows; no price comes near."""

_QUARTILES = "quantile_cont({value}, 0.25), quantile_cont({value}, 0.75)"
_MEAN_AND_DEVIATION = "favg({value}), stddev_samp({value})"
_FILLS = {
    "mean": "favg({})",
    "median": "median({})",
    "user_mean": "favg({})",
    "user_median": "median({})",
}
"""The log's value; users that have none of their own get it too."""


def bounds(
    cleaning: Cleaning, methods: dict[str, str], options: CleanOptions
) -> dict[str, float | None]:
    """Where the outliers of several measures begin, by `iqr` or `sigma` as ``methods`` says.

    Bounds by k standard deviations, or by the box plot (Tukey, 1977), on the chosen scale; None
    where the measure does not spread: any other value would then be called an outlier.
    """
    if not methods:
        return {}
    log = options.outlier_scale == "log"
    pairs = [
        (_QUARTILES if how == "iqr" else _MEAN_AND_DEVIATION).format(
            value=f"CASE WHEN {measure} <> 0 THEN ln(abs({measure})) END" if log else measure
        )
        for measure, how in methods.items()
    ]
    found = statistics(cleaning, pairs)
    limits: dict[str, float | None] = {}
    for measure, first, second in zip(methods, found[::2], found[1::2], strict=True):
        both = fence(first, second, methods[measure], options.outlier_factor)
        if both and log:
            both = tuple(math.exp(min(bound, MOST_EXPONENT)) for bound in both)
        limits[f"{measure}_low"], limits[f"{measure}_high"] = both or (None, None)
    return limits


def fence(
    first: float | None, second: float | None, how: str, factor: float
) -> tuple[float, ...] | None:
    """Lower and upper bound from the quartiles (iqr), or from mean and deviation (sigma).

    None where there are no values, or where they do not spread.
    """
    if first is None or second is None:
        return None
    width = second - first if how == "iqr" else second
    if not width > 0:
        return None
    return first - factor * width, (second if how == "iqr" else first) + factor * width


def fills(cleaning: Cleaning, options: CleanOptions) -> dict[str, float | None]:
    """Mean or median of prices and durations as the rules leave them; None where never known."""
    wanted = {
        measure: _FILLS[how].format(measure)
        for measure in AMOUNTS
        if (how := getattr(options, f"missing_{measure}")) in _FILLS
    }
    if not wanted:
        return {}
    return dict(zip(wanted, statistics(cleaning, wanted.values()), strict=True))


def statistics(cleaning: Cleaning, aggregates: Iterable[str]) -> list[float | None]:
    """Aggregates over the rows that stay, the same at every run.

    Threads add numbers up in whatever order they come, so the last digits of a sum vary; twelve
    significant digits do not.
    """
    (found,) = cleaning.rows(f"SELECT {', '.join(aggregates)} FROM cleaned WHERE dropped_by = 0")
    return [steady(value) for value in found]


def steady(value: float | None) -> float | None:
    """A number in twelve significant digits."""
    return None if value is None else float(f"{value:.12g}")
