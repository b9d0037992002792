"""Real work on samples, timed and weighed, and what follows for more of it."""

from __future__ import annotations

import math
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass, replace

Clock = Callable[[], float]
Work = Callable[[int], object]
"""Does the real thing with so many users."""

_FIRST, _TIMES = 500, 4
"""Users of the first sample, and how many times larger the next one is."""
_LONG_ENOUGH = 0.2
"""Seconds from which on a run tells enough; the next would take about four times as long."""
_SURE, _UNSURE = 1.3, 0.15
"""By how much a forecast may miss at the size measured, and what each tenfold size adds."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What some work takes: seconds from ``low`` to ``high``, and bytes on top at its peak."""

    low: float = 0.0
    high: float = 0.0
    memory: float = 0.0

    @classmethod
    def about(cls, seconds: float, memory: float = 0.0, spread: float = _SURE) -> Cost:
        """A figure that may be ``spread`` times too small or too large."""
        return cls(low=seconds / spread, high=seconds * spread, memory=memory)

    def then(self, other: Cost) -> Cost:
        """One after the other: seconds add up, memory is given back in between."""
        memory = max(self.memory, other.memory)
        return Cost(low=self.low + other.low, high=self.high + other.high, memory=memory)

    def either(self, other: Cost) -> Cost:
        """One of both, and nobody knows yet which."""
        return Cost(
            low=min(self.low, other.low),
            high=max(self.high, other.high),
            memory=max(self.memory, other.memory),
        )

    def perhaps(self, other: Cost) -> Cost:
        """This, and after it perhaps the other."""
        return self.then(other).either(self)

    def times(self, least: float, most: float | None = None) -> Cost:
        """The same so many times."""
        high = self.high * (least if most is None else most)
        return replace(self, low=self.low * least, high=high)

    def beside(self, held: float) -> Cost:
        """The same while so many bytes are held besides."""
        return replace(self, memory=self.memory + held)

    @property
    def middle(self) -> float:
        """As many times above ``low`` as below ``high``."""
        return math.sqrt(self.low * self.high)


@dataclass(frozen=True, kw_only=True)
class Growth:
    """Seconds and bytes at two sizes, the second the larger; the same twice where there is one."""

    sizes: tuple[int, int]
    seconds: tuple[float, float]
    bytes: tuple[float, float] = (0.0, 0.0)
    loading: float = 0.0
    """Seconds that the very first run took longer: libraries, which whoever does it must load."""

    def at(self, size: float, *, curved: bool = False) -> Cost:
        """What so many users take: along a line, or ``curved`` along a power of the size."""
        beyond = max(1.0, size / max(1, self.sizes[1]))
        spread = _SURE + _UNSURE * math.log10(beyond)
        along = self._along_power if curved else self._along_line
        memory = self._along_line(self.bytes, size)
        return Cost.about(self.loading + along(self.seconds, size), memory, spread)

    def _along_line(self, values: tuple[float, float], size: float) -> float:
        (small, large), (less, more) = self.sizes, values
        each = more / max(1, large)
        if small < large:
            # Never steeper than through nothing at all, and never falling: both would be noise.
            each = min(each, max(0.0, (more - less) / (large - small)))
        return max(0.0, more + each * (size - large))

    def _along_power(self, values: tuple[float, float], size: float) -> float:
        (small, large), (less, more) = self.sizes, values
        if not (0 < small < large and 0 < less < more):
            return self._along_line(values, size)
        power = min(2.2, max(1.0, math.log(more / less) / math.log(large / small)))
        return float(more * (size / large) ** power)


class Gauge:
    """Runs work for real and says what it took."""

    def __init__(self, clock: Clock = time.process_time) -> None:
        """``clock`` tells seconds; those of the processor, so that others at work do not count."""
        self.clock = clock

    def on(self, device: str, threads: int) -> Gauge:
        """The gauge for a device: where others than one thread here are at work, time itself."""
        return self if device == "cpu" and threads == 1 else Gauge(time.perf_counter)

    def seconds(self, work: Callable[[], object]) -> float:
        """Seconds that some work takes."""
        began = self.clock()
        work()
        return self.clock() - began

    def growth(self, work: Work, most: int) -> Growth:
        """Do the work with more and more users, up to ``most``, until it takes long enough to tell.

        The smallest is done once before, which loads what has to be loaded.
        """
        cold = self._timed(work, min(_FIRST, most))
        before, took = None, self._timed(work, min(_FIRST, most))
        loading = max(0.0, cold[1] - took[1])
        while took[0] < most and (before is None or took[1] < _LONG_ENOUGH):
            before, took = took, self._timed(work, min(_TIMES * took[0], most))
        small = before or took
        weighed = self._weighed(work, small[0], took[0])
        return Growth(
            sizes=(small[0], took[0]),
            seconds=(small[1], took[1]),
            bytes=weighed,
            loading=loading,
        )

    def _timed(self, work: Work, n_users: int) -> tuple[int, float]:
        return n_users, self.seconds(lambda: work(n_users))

    @staticmethod
    def _weighed(work: Work, small: int, large: int) -> tuple[float, float]:
        """Bytes at the peak, in runs of their own: to be watched makes work slower."""
        less = peak_bytes(lambda: work(small))
        return less, less if large == small else peak_bytes(lambda: work(large))


def peak_bytes(work: Callable[[], object]) -> float:
    """Most bytes that NumPy and Python hold on top while some work is done."""
    begun_here = not tracemalloc.is_tracing()
    if begun_here:
        tracemalloc.start(1)
    try:
        tracemalloc.reset_peak()
        held = tracemalloc.get_traced_memory()[0]
        work()
        return float(max(0, tracemalloc.get_traced_memory()[1] - held))
    finally:
        if begun_here:
            tracemalloc.stop()
