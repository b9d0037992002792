"""Where a training stands between two steps, as plain numbers that a checkpoint can hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.artifacts import EpochReport


@dataclass(kw_only=True)
class Tally:
    """Losses summed over batches, each weighing as many users as it has; what was read for them."""

    sums: dict[str, float] = field(default_factory=dict)
    weights: dict[str, int] = field(default_factory=dict)
    n_events: int = 0

    def add(self, losses: Mapping[str, float], n_users: int, n_events: int = 0) -> None:
        """Count a batch."""
        for name, loss in losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + loss * n_users
            self.weights[name] = self.weights.get(name, 0) + n_users
        self.n_events += n_events

    def absorb(self, other: Tally) -> None:
        """Count what another tally has counted."""
        for name, total in other.sums.items():
            self.sums[name] = self.sums.get(name, 0.0) + total
            self.weights[name] = self.weights.get(name, 0) + other.weights[name]
        self.n_events += other.n_events

    def means(self) -> dict[str, float]:
        """Mean of every loss."""
        return {name: total / self.weights[name] for name, total in self.sums.items()}

    def to_numbers(self, names: Sequence[str]) -> list[float]:
        """As numbers in a fixed order, to be summed over processes."""
        sums = [self.sums.get(name, 0.0) for name in names]
        return [*sums, *(float(self.weights.get(name, 0)) for name in names), float(self.n_events)]

    @classmethod
    def from_numbers(cls, names: Sequence[str], numbers: Sequence[float]) -> Tally:
        """Undo `to_numbers`; a loss that nobody has counted is not there."""
        n = len(names)
        weights = {name: round(w) for name, w in zip(names, numbers[n : 2 * n], strict=True) if w}
        sums = {name: s for name, s in zip(names, numbers[:n], strict=True) if name in weights}
        return cls(sums=sums, weights=weights, n_events=round(numbers[-1]))


@dataclass(kw_only=True)
class Standing:
    """How far training is. Every die it throws is thrown by these counters and the seed alone."""

    epochs_done: int = 0
    batches_done: int = 0
    """Of the epoch under way."""
    steps_done: int = 0
    tally: Tally = field(default_factory=Tally)
    """Of the epoch under way."""
    fit_seconds: float = 0.0
    """Spent on the epoch under way."""
    seconds: float = 0.0
    """Spent on all of it, over all sittings."""
    best: float | None = None
    """Lowest validation loss so far."""
    since_best: int = 0
    """Epochs since then."""
    history: tuple[EpochReport, ...] = ()
