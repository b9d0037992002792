"""How figures and names are written in sentences for the analyst.

Names out of the data are put between quotes as they came; whoever draws them escapes them.
"""

from __future__ import annotations


def percent(share: float) -> str:
    """A share as "34%", below ten "3.4%"."""
    value = 100.0 * share
    return f"{value:.0f}%" if value >= 9.95 or value < 0.05 else f"{value:.1f}%"


def figure(value: float) -> str:
    """A number in three digits or so: "0.42", "3.1", "45", "12,300"."""
    size = abs(value)
    if size >= 99.5:
        return f"{value:,.0f}"
    return f"{value:.2g}" if size < 9.95 else f"{value:.0f}"


def duration(seconds: float) -> str:
    """A time span in the unit that fits: "40 s", "3.5 min", "5 h", "2 days"."""
    for size, one, many in ((86_400, "day", "days"), (3600, "h", "h"), (60, "min", "min")):
        if seconds >= 0.995 * size:
            amount = figure(seconds / size)
            return f"{amount} {one if amount == '1' else many}"
    return f"{figure(seconds)} s"


def quoted(name: str) -> str:
    """A name out of the data, between quotes and otherwise as it came."""
    return f"“{name}”"


def counted(number: int, one: str, many: str) -> str:
    """A number with its noun: "1 user", "1,200 users"."""
    return f"{number:,} {one if number == 1 else many}"
