"""How a log is cleaned: every choice with its default, bounds and words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.errors import OptionRefused
from core.options import Options, option

MissingWord = Literal["keep", "drop", "constant", "ffill", "bfill"]
MissingNumber = Literal[
    "keep", "drop", "constant", "mean", "median", "user_mean", "user_median", "ffill", "bfill"
]
Outliers = Literal["off", "iqr", "sigma"]

_WORDS = (
    "Keep as unknown, drop the row, or fill in: a constant, or what the user's row before (ffill) "
    "or after (bfill) says"
)
_NUMBERS = (
    "Keep as missing, drop the row, or fill in: a constant, the log's or the user's own mean or "
    "median, or what the user's row before (ffill) or after (bfill) says"
)
_HOW_FAR = (
    "How far is too far: box plot (iqr), standard deviations (sigma), or not looked for (off)"
)


@dataclass(frozen=True, kw_only=True)
class CleanOptions(Options):
    """What is done with rows and users that would mislead.

    The defaults change little. Outliers are judged on the log scale, since money and durations
    are heavy-tailed: for a log-normal price a box plot with factor 3 starts at 4.7 standard
    deviations, so it meets slips of the keyboard and spares big spenders.
    """

    duplicates: Literal["auto", "drop", "keep"] = option(
        "auto",
        "Exact duplicates",
        "Rows that repeat an earlier row in every column: drop them, keep them where repeats are "
        "real, or let the log tell (auto) which they are",
    )
    non_goods: tuple[str, ...] = option(
        (),
        "Items that are no goods",
        "Codes such as POST or BANK CHARGES; rows with one of them are dropped",
    )
    impossible: Literal["missing", "drop"] = option(
        "missing",
        "Impossible numbers",
        "A price or duration below zero: empty the cell, or drop the row",
    )
    price_outliers: Outliers = option("iqr", "Price outliers", _HOW_FAR)
    duration_outliers: Outliers = option("iqr", "Duration outliers", _HOW_FAR)
    quantity_outliers: Outliers = option("off", "Quantity outliers", _HOW_FAR)
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
    missing_action: MissingWord = option("keep", "No action", _WORDS)
    missing_category: MissingWord = option("keep", "No category", _WORDS)
    missing_item: MissingWord = option("keep", "No item", _WORDS)
    missing_platform: MissingWord = option("keep", "No platform", _WORDS)
    missing_price: MissingNumber = option("keep", "No price", _NUMBERS)
    missing_duration: MissingNumber = option("keep", "No duration", _NUMBERS)
    fill_text: str = option(
        "(none)", "Text that fills blanks", "The constant of columns of text", expert=True
    )
    fill_number: float = option(
        0.0,
        "Number that fills blanks",
        "The constant of prices and durations",
        low=0,
        high=1e12,
        expert=True,
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
    max_events_per_day: int | Literal["off"] = option(
        "off",
        "Most events on one day",
        "Users with more events on any day (UTC) are likely programs; they are left out",
        low=2,
        high=100_000_000,
        unit="events",
    )
    wholesalers: Literal["off", "flag", "drop"] = option(
        "flag",
        "Wholesalers",
        "Users whose median quantity, or money per event, lies far above that of the others: not "
        "looked for, named, or left out. Needs a quantity column",
    )
    wholesaler_factor: float = option(
        2.0,
        "Wholesaler factor",
        "Box-plot heights beyond the upper quartile of all users, by ratios",
        low=0.5,
        high=100,
        expert=True,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_events > self.max_events:
            raise OptionRefused(
                f"min_events is {self.min_events}, above max_events, which is {self.max_events}. "
                "No user could stay; lower the one or raise the other."
            )
        if not self.fill_text.strip():
            raise OptionRefused(
                "fill_text is blank, which would leave blanks as they are. Give a word such as "
                "'(none)', or choose another way to fill."
            )
