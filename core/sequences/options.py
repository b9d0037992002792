"""How much of a user's history is looked at, in how many words, and who is judged by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.errors import OptionRefused
from core.options import Options, option

_SCALES = (
    "log (logarithm, then robust: fits money and pauses), standard (mean 0, deviation 1), robust "
    "(median 0, by the quartiles), min_max (0 to 1) or none"
)


@dataclass(frozen=True, kw_only=True)
class SequenceOptions(Options):
    """How much of a user's history is looked at, and in how many words it is told."""

    last_n: int = option(
        200,
        "Events per user",
        "Only the most recent events of a user are looked at",
        low=1,
        high=100_000,
        unit="events",
    )
    window_days: int | None = option(
        None,
        "Days looked at",
        "Only events in the last so many days of the log are looked at; users without any are "
        "left out and counted",
        low=1,
        high=36_500,
        unit="days",
    )
    session_gap: float | Literal["auto"] = option(
        "auto",
        "Pause that ends a visit",
        "A longer pause begins a new visit, unless the log names its visits itself; auto takes "
        "it from the pauses of the log",
        low=0.01,
        high=1_000_000,
        unit="minutes",
    )
    max_categories: int = option(
        200,
        "Categories",
        "The most frequent categories keep their name; the rest count as one, (other)",
        low=1,
        high=10_000,
        unit="categories",
    )
    max_items: int = option(
        50_000,
        "Items",
        "The most frequent items are told apart; the rest count as unknown",
        low=1,
        high=5_000_000,
        unit="items",
        expert=True,
    )
    max_actions: int = option(
        60,
        "Actions",
        "The most frequent actions (and platforms) keep their name; the rest count as one, (other)",
        low=1,
        high=1000,
        unit="actions",
        expert=True,
    )
    max_queries: int = option(
        20_000,
        "Search texts",
        "The most frequent search texts are told apart; the rest count as unknown. Capitals and "
        "repeated spaces make no difference",
        low=1,
        high=1_000_000,
        unit="texts",
        expert=True,
    )
    scale_gap: Literal["log", "standard", "robust", "min_max", "none"] = option(
        "log", "Scale of pauses", f"How the time between events is scaled: {_SCALES}", expert=True
    )
    scale_duration: Literal["log", "standard", "robust", "min_max", "none"] = option(
        "log", "Scale of durations", f"How durations are scaled: {_SCALES}", expert=True
    )
    scale_price: Literal["log", "standard", "robust", "min_max", "none"] = option(
        "log", "Scale of prices", f"How prices are scaled: {_SCALES}", expert=True
    )
    validate_share: float = option(
        0.15,
        "Validation users",
        "Share of the users that no encoder is fitted on, only watched while it learns",
        low=0,
        high=0.4,
        expert=True,
    )
    test_share: float = option(
        0.15,
        "Test users",
        "Share of the users that are drawn for tests of the segments",
        low=0,
        high=0.4,
        expert=True,
    )
    future_share: float = option(
        0.25,
        "Future",
        "Share of the log's time, at its end, that counts as the future in such tests",
        low=0.05,
        high=0.5,
        expert=True,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.validate_share + self.test_share > 0.7:
            raise OptionRefused(
                f"validate_share is {self.validate_share:g} and test_share {self.test_share:g}: "
                "together more than 0.7, so too few users would be left to fit. Lower one of them."
            )

    def scaling(self) -> dict[str, str]:
        """The way of scaling by column."""
        return {"gap": self.scale_gap, "duration": self.scale_duration, "price": self.scale_price}
