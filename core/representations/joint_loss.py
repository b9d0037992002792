"""Cross-entropy of several predictions from the same states, computed together.

A softmax over ten classes costs PyTorch more than the product that made its logits, and every
prediction has its own. Here all logits are one product, classes as rows, so that every step runs
along the events; and since padding is masked rather than cut out, no state is copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


def joint_cross_entropy(
    states: Tensor, heads: Sequence[nn.Module], targets: Sequence[Tensor], counted: Tensor
) -> Tensor:
    """Cross-entropy of every head, mean over the states that are counted, in nats, shape (P,).

    ``states`` (M, H), of every head (a linear layer) the right classes (M,), ``counted`` (M,)
    bool. The same as `torch.nn.functional.cross_entropy` of each head on the states that are
    counted; 0 where none is.
    """
    weights: list[Tensor] = [head.get_parameter("weight") for head in heads]
    weight = torch.cat(weights)  # (C, H) classes of all heads
    bias = torch.cat([head.get_parameter("bias") for head in heads])
    share = counted.to(states.dtype)
    share /= share.sum().clamp(min=1)
    ask = _Ask(targets=targets, sizes=[len(w) for w in weights], share=share)
    losses: Tensor = _JointCrossEntropy.apply(states, weight, bias, ask)  # type: ignore[no-untyped-call]
    return losses


@dataclass(frozen=True, kw_only=True)
class _Ask:
    """What is asked of the states; nothing of it is learned."""

    targets: Sequence[Tensor]  # (M,) each
    sizes: list[int]
    """Classes of every head."""
    share: Tensor  # (M,) of every state in the mean

    def parts(self, logits: Tensor) -> Sequence[Tensor]:
        """The rows (C, M) of every head, as views."""
        parts: Sequence[Tensor] = torch.split(logits, self.sizes)
        return parts


class _JointCrossEntropy(torch.autograd.Function):
    """One product forth, two back; in between only what runs along the events."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, weight: Tensor, bias: Tensor, ask: _Ask) -> Tensor:
        """Losses (P,) of all heads, whose rows stand below one another in the weight (C, H)."""
        logits = torch.addmm(bias[:, None], weight, states.T)  # (C, M)
        parts = ask.parts(logits)
        for part in parts:
            part -= part.amax(dim=0)  # so that no exponential overflows
        pairs = zip(parts, ask.targets, strict=True)
        right = torch.stack([part.gather(0, target[None])[0] for part, target in pairs])  # (P, M)
        odds = logits.exp_()
        sums = torch.stack([part.sum(dim=0) for part in parts])  # (P, M)
        ctx.save_for_backward(states, weight, odds, sums)
        ctx.ask = ask
        return (sums.log() - right) @ ask.share

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """The chances less the truth, times what each event and prediction weighs."""
        states, weight, slope, sums = ctx.saved_tensors
        ask: _Ask = ctx.ask
        weighs = gradient[:, None] * ask.share  # (P, M)
        for part, target, own, per_odds in zip(
            ask.parts(slope), ask.targets, weighs, weighs / sums, strict=True
        ):
            part *= per_odds
            part.scatter_add_(0, target[None], -own[None])
        return slope.T @ weight, slope @ states, slope.sum(dim=1), None
