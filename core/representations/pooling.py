"""How the states of a user's events become one state: the mean, the last, or a learned mean.

What is pooled can be added to part by part, so that the longest history takes no more memory than
a short one. Letters in shapes: B stretches, T events of each, H hidden width.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

POOLINGS = ("mean", "last", "attention")
"""By place; states that were stored know a pooling by its place, so only ever append."""

_LOWEST = -1e30
"""Below any score; finite, so that no difference of two is undefined."""


@dataclass(frozen=True, kw_only=True)
class Pooled:
    """What has been pooled of the events read so far."""

    total: Tensor  # (B, H) sum of states, each times its weight
    weight: Tensor  # (B, 1) sum of the weights
    top: Tensor  # (B, 1) highest score so far; weights are exp(score - top)

    def state(self) -> Tensor:
        """The pooled state, shape (B, H); zeros where no event was real."""
        return self.total / torch.where(self.weight > 0, self.weight, 1.0)


class Pooling(nn.Module):
    """One state of many: ``mean``, ``last`` or ``attention``.

    Attention weighs the events by a softmax of their likeness to one learned query, over the real
    events only. The query begins as zeros, so attention begins as the mean.
    """

    def __init__(self, kind: str, hidden: int) -> None:
        super().__init__()
        self.kind = kind
        if kind == "attention":
            self.query = nn.Parameter(torch.zeros(hidden))

    def forward(self, hidden: Tensor, real: Tensor) -> Tensor:
        """The pooled state (B, H) of states (B, T, H), of which ``real`` (B, T) count."""
        return self.add(None, hidden, real).state()

    def add(self, before: Pooled | None, hidden: Tensor, real: Tensor) -> Pooled:
        """What is pooled with these events after those pooled before."""
        if self.kind == "last":
            return _last(before, hidden, real)
        scores = self._scores(hidden).masked_fill(~real, _LOWEST)  # (B, T)
        top = scores.detach().amax(dim=1, keepdim=True)  # (B, 1)
        if before is not None:
            top = torch.maximum(top, before.top)
        weights = torch.exp(scores - top) * real
        total = (hidden * weights.unsqueeze(-1)).sum(dim=1)
        weight = weights.sum(dim=1, keepdim=True)
        if before is not None:
            faded = torch.exp(before.top - top)
            total, weight = total + before.total * faded, weight + before.weight * faded
        return Pooled(total=total, weight=weight, top=top)

    def _scores(self, hidden: Tensor) -> Tensor:
        if self.kind == "mean":
            return hidden.new_zeros(hidden.shape[:2])
        return hidden @ self.query / math.sqrt(hidden.shape[-1])


def _last(before: Pooled | None, hidden: Tensor, real: Tensor) -> Pooled:
    """The state after the last real event; that from before where none is real."""
    last = (real.sum(dim=1) - 1).clamp(min=0)
    total = hidden[torch.arange(len(hidden), device=hidden.device), last]
    some = real.any(dim=1, keepdim=True)  # (B, 1)
    weight = some.to(hidden.dtype)
    total = torch.where(some, total, 0.0 if before is None else before.total)
    weight = weight if before is None else torch.maximum(weight, before.weight)
    return Pooled(total=total, weight=weight, top=torch.zeros_like(weight))


def direction(pooled: Tensor) -> Tensor:
    """Pooled states (B, H) at one length, sqrt(H): users are placed by the direction alone."""
    return F.normalize(pooled, dim=1) * math.sqrt(pooled.shape[1])
