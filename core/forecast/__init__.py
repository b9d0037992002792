"""How long the heavy steps will take on this machine and what memory they need, told beforehand.

Figures come from a short calibration: the very code of the steps, run on some users of the very
log. What is known of the work does the rest: how often it is done, and past how many users it is
done on a sample. A cheaper setting is looked for where a step does not fit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.artifacts import fingerprint
from core.forecast.cheaper import cheaper_settings
from core.forecast.forecaster import Forecaster
from core.forecast.machine import available_bytes, held_bytes
from core.forecast.measuring import Cost, Gauge
from core.pipeline import Journey
from core.wording import duration, figure

VERSION = 2
HEAVY = ("models", "embeddings", "k_curve", "labels", "projection")
"""The steps that are forecast, in order; the others take seconds at any size."""
LIMIT_SECONDS = 600.0
"""A step that takes longer is thought too long, and a cheaper setting offered."""
_MB = 2.0**20


@dataclass(frozen=True, kw_only=True)
class Cheaper:
    """Settings under which a step takes less, and what it takes then."""

    says: str
    """What is changed, in the analyst's words."""
    options: Mapping[str, Any]
    """All settings, as `RunOptions.from_dict` takes them."""
    low_seconds: float
    high_seconds: float
    memory_mb: float
    fits: bool
    """Whether the step fits then; where nothing does, this is the cheapest there is."""


@dataclass(frozen=True, kw_only=True)
class StepForecast:
    """What one step will take."""

    step: str
    low_seconds: float
    high_seconds: float
    memory_mb: float
    """Of the whole process, at its peak."""
    fits: bool
    """Whether there is memory enough, and it takes no longer than wanted."""
    has_room: bool
    """Whether there is memory enough."""
    cheaper: Cheaper | None
    """None where the step fits, or nothing is cheaper."""


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What the heavy steps that are still to be made will take."""

    steps: tuple[StepForecast, ...]
    available_mb: float | None
    """Memory that could be had when this was worked out; None where the machine does not tell."""
    limit_seconds: float
    fingerprint: str

    def of(self, step: str) -> StepForecast | None:
        """The forecast of one step, or None where it was not forecast."""
        return next((one for one in self.steps if one.step == step), None)


def forecast(
    journey: Journey,
    steps: tuple[str, ...] | None = None,
    *,
    limit_seconds: float = LIMIT_SECONDS,
    gauge: Gauge | None = None,
    available: Callable[[], float | None] = available_bytes,
) -> Forecast:
    """Forecast those of some steps (of a whole run, where None) that are still to be made.

    The log is cleaned and made into sequences first, where it is not. Nothing that is made here is
    kept; the figures differ a little from call to call.
    """
    from threadpoolctl import threadpool_limits

    gauge = gauge or Gauge()
    steps = heavy_before(journey, "projection", "evaluation") if steps is None else steps
    wanted = [step for step in HEAVY if step in steps and not journey.ready(step)]
    could_have = available()
    with threadpool_limits(limits=1, user_api="blas"):  # as the steps themselves
        forecaster = Forecaster(journey, gauge)
        # What the process holds then are the libraries that this step and those before it load.
        costs = {step: (forecaster.cost(step), held_bytes()) for step in wanted}
        told = tuple(
            _told(step, cost, _Room(held, could_have, limit_seconds), forecaster)
            for step, (cost, held) in costs.items()
        )
    return Forecast(
        steps=told,
        available_mb=None if could_have is None else could_have / _MB,
        limit_seconds=limit_seconds,
        fingerprint=forecast_as(journey, steps, limit_seconds),
    )


def heavy_before(journey: Journey, *steps: str) -> tuple[str, ...]:
    """The heavy steps that are still to be made for some steps, themselves included, in order."""
    return tuple(name for name in journey.missing(*steps) if name in HEAVY)


def forecast_as(
    journey: Journey, steps: tuple[str, ...], limit_seconds: float = LIMIT_SECONDS
) -> str:
    """Identity of a forecast, by which it is found again in the store of this machine."""
    wanted = {step: journey.fingerprint(step) for step in steps}
    made_by = {"steps": wanted, "limit": limit_seconds}
    return fingerprint(journey.fingerprint("sequences"), "forecast", VERSION, made_by)


def in_words(low_seconds: float, high_seconds: float, memory_mb: float) -> str:
    """A forecast as the analyst reads it: "About 1 to 2 min and 400 MB"."""
    return f"About {_span(low_seconds, high_seconds)} and {_size(memory_mb)}"


@dataclass(frozen=True)
class _Room:
    """What a step may take."""

    held: float
    """Bytes that this process holds before a step begins: libraries, mostly."""
    available: float | None
    limit_seconds: float

    def memory_mb(self, cost: Cost) -> float:
        return (self.held + cost.memory) / _MB

    def holds(self, cost: Cost) -> bool:
        # What this process holds is taken already, so only what is added must still be there.
        return self.available is None or cost.memory <= self.available

    def fits(self, cost: Cost) -> bool:
        return self.holds(cost) and cost.middle <= self.limit_seconds


def _told(step: str, cost: Cost, room: _Room, forecaster: Forecaster) -> StepForecast:
    fits = room.fits(cost)
    return StepForecast(
        step=step,
        low_seconds=cost.low,
        high_seconds=cost.high,
        memory_mb=room.memory_mb(cost),
        fits=fits,
        has_room=room.holds(cost),
        cheaper=None if fits else _cheaper(step, cost, room, forecaster),
    )


def _cheaper(step: str, cost: Cost, room: _Room, forecaster: Forecaster) -> Cheaper | None:
    """The first setting that fits, of those that change little first; else the cheapest."""
    best: Cheaper | None = None
    least = cost
    for says, options in cheaper_settings(step, forecaster.journey.options, forecaster.epochs):
        found = forecaster.under(options).cost(step)
        if not _surely_less(found, least):
            continue
        least = found
        best = Cheaper(
            says=says,
            options=options.to_dict(),
            low_seconds=found.low,
            high_seconds=found.high,
            memory_mb=room.memory_mb(found),
            fits=room.fits(found),
        )
        if best.fits:
            break
    return best


def _surely_less(found: Cost, than: Cost) -> bool:
    return found.middle < 0.9 * than.middle or found.memory < 0.9 * than.memory


def _span(low: float, high: float) -> str:
    """Both ends in full units of the larger one: "1 to 2 min"; one where they are the same."""
    size, unit = next(
        (size, unit)
        for size, unit in ((3600.0, "h"), (60.0, "min"), (0.0, "s"))
        if high >= 1.5 * size
    )
    size = size or 1.0
    first, last = max(1, round(low / size)), max(1, math.ceil(high / size - 0.25))
    if low < 0.75 * size and last > 1:
        return f"{duration(max(1.0, low))} to {last} {unit}" if unit != "s" else f"{last} s"
    return f"{first} {unit}" if first >= last else f"{first} to {last} {unit}"


def _size(megabytes: float) -> str:
    if megabytes >= 995:
        return f"{figure(megabytes / 1024)} GB"
    return f"{max(10, round(megabytes, -1)):.0f} MB"
