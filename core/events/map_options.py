"""How the cells of the mapped columns are read, where a file leaves it open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from core.errors import OptionRefused, did_you_mean
from core.options import Options, option

Unreadable = Literal["missing", "drop", "refuse"]
OF_ONE_LOG = ("year",)
"""Options whose answer holds for one log alone: of the next, they are asked again."""


@dataclass(frozen=True, kw_only=True)
class MapOptions(Options):
    """What the cells mean; "auto" tells it from the whole column or refuses, and never guesses."""

    date_order: Literal["auto", "day_first", "month_first", "year_first"] = option(
        "auto",
        "Day or month first",
        "How 02/01/2024 is read (year first: 24-02-01). Auto asks where no cell of the column "
        "settles it.",
    )
    time_zone: str = option(
        "UTC",
        "Time zone",
        "Zone of times that name none, such as Europe/London or Asia/Shanghai",
    )
    epoch: Literal["auto", "seconds", "milliseconds", "microseconds"] = option(
        "auto", "Unit of times in digits", "What times since 1970 are counted in", expert=True
    )
    year: int | Literal["auto"] = option(
        "auto",
        "Year of dates without one",
        "Year of the first event where dates are written as month and day only",
        low=1970,
        high=2199,
    )
    short_years: Literal["auto", "1900s", "2000s"] = option(
        "auto", "Years of two digits", "Which century 24 is in. Auto asks.", expert=True
    )
    excel_dates: Literal["auto", "1900", "1904"] = option(
        "auto",
        "Excel's day numbers",
        "Calendar of dates left as numbers: 1900 (Windows) or 1904 (old Mac). Auto asks.",
        expert=True,
    )
    decimal: Literal["auto", "point", "comma"] = option(
        "auto", "Decimal mark", "Which sign stands before the decimals. Auto asks where unclear."
    )
    duration_unit: Literal["auto", "milliseconds", "seconds", "minutes", "hours"] = option(
        "auto",
        "Unit of durations",
        "Auto takes the unit that the column's name states, else seconds",
    )
    unreadable_times: Literal["drop", "refuse"] = option(
        "drop",
        "Times that cannot be read",
        "Drop the row and count it, or refuse the file; so also impossible and future dates",
    )
    unreadable_numbers: Unreadable = option(
        "missing",
        "Numbers that cannot be read",
        "Count the cell as missing, drop the row, or refuse the file",
    )
    default_action: str = option(
        "auto",
        "Action where none is named",
        "What every event is called in a log without actions; auto says purchase where the log "
        "holds invoices or quantities, else event",
    )
    action_names: tuple[str, ...] = option(
        (), "Names of coded actions", "Such as 0=view, 1=cart, 2=purchase"
    )
    rules: tuple[str, ...] | Literal["auto"] = option(
        "auto",
        "Rules for actions",
        "Such as: return if Quantity < 0, return if InvoiceNo starts C. Auto takes those that the "
        "log suggests",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        try:
            ZoneInfo(self.time_zone)
        except (KeyError, ValueError, OSError):  # no such name, or one that is a path
            near = did_you_mean(self.time_zone, available_timezones())
            raise OptionRefused(
                f"time_zone is '{self.time_zone}'. Allowed: a name such as UTC, Europe/London or "
                f"Asia/Shanghai.{near}"
            ) from None
