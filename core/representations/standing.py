"""Where a training stands between two steps, in plain numbers that a checkpoint can hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core.artifacts import EpochReport, State
from core.representations.checkpoint import Snapshot
from core.store import from_plain, to_plain


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

    @property
    def best_epoch(self) -> int:
        """The epoch with the lowest validation loss, counted from 1."""
        return self.epochs_done - self.since_best


def weights_of(encoder: nn.Module) -> State:
    """All weights as they are now; learning on does not change them."""
    return {name: _as_array(value).copy() for name, value in encoder.state_dict().items()}


def load_weights(encoder: nn.Module, weights: State) -> None:
    """Undo `weights_of`."""
    encoder.load_state_dict(_as_tensors(weights))


def snapshot_of(
    encoder: nn.Module, optimizer: torch.optim.Optimizer, standing: Standing, best: State
) -> Snapshot:
    """All that a training must know to go on from here; ``best`` are the best epoch's weights."""
    return Snapshot(
        step=standing.steps_done,
        weights=weights_of(encoder),
        best=best,
        optimizer={
            f"{number}.{name}": _as_array(value)
            for number, averages in optimizer.state_dict()["state"].items()
            for name, value in averages.items()
        },
        standing=to_plain(standing),
    )


def restore(snapshot: Snapshot, encoder: nn.Module, optimizer: torch.optim.Optimizer) -> Standing:
    """Undo `snapshot_of`; what the plan decides of the optimiser stays as it is."""
    load_weights(encoder, snapshot.weights)
    averages: dict[int, dict[str, Tensor]] = {}
    for key, value in _as_tensors(snapshot.optimizer).items():
        number, _, name = key.partition(".")
        averages.setdefault(int(number), {})[name] = value
    optimizer.load_state_dict(optimizer.state_dict() | {"state": averages})
    standing: Standing = from_plain(Standing, dict(snapshot.standing))
    return standing


def _as_array(tensor: Tensor) -> np.ndarray[Any, Any]:
    array: np.ndarray[Any, Any] = tensor.detach().cpu().numpy()
    return array


def _as_tensors(state: State) -> dict[str, Tensor]:
    return {name: torch.from_numpy(np.array(values)) for name, values in state.items()}
