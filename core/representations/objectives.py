"""What the encoder is asked, all of it mixed by weights: to guess, to rebuild, to tell apart.

===========  ====================================================================================
action ...   the next event: its action, category, pause, duration and price, as classes
item         the next item, among itself and wrong ones drawn by how common they are
autoencoder  actions and categories of a stretch at their places, from its pooled state alone
teacher      the soft labels of whose stretch it is, where there are any
contrastive  whether two slices are of the same user
===========  ====================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from core.representations.encoder import EventEncoder, Tensors, contrastive_loss
from core.representations.heads import REBUILT, REBUILT_EVENTS, taught_loss
from core.representations.inputs import ITEM, PREDICTED
from core.representations.pooling import direction

NEXT_EVENT = (*PREDICTED, "item")
"""Objectives that are about what comes next."""


@dataclass(frozen=True, kw_only=True)
class Objectives:
    """Which objectives count, and how much."""

    weights: Mapping[str, float]
    temperature: float

    def losses(
        self,
        encoder: EventEncoder,
        batch: Tensors,
        pair: tuple[Tensors, Tensors] | None,
        rng: np.random.Generator,
    ) -> dict[str, Tensor]:
        """Every loss that counts and can be had of this batch, by name, in nats.

        ``pair`` holds slices of the same users, row by row; None where nobody is told apart.
        """
        losses: dict[str, Tensor] = {}
        if self._reads(encoder, batch):
            hidden, _ = encoder(batch)
            losses |= self._guessed(encoder, hidden, batch, rng)
            losses |= self._pooled(encoder, hidden, batch)
        if pair:
            first, second = (encoder.pool(encoder(side)[0], side["real"]) for side in pair)
            losses["contrastive"] = contrastive_loss(first, second, self.temperature)
        return losses

    def _counts(self, name: str) -> bool:
        return self.weights.get(name, 0.0) > 0

    def _reads(self, encoder: EventEncoder, batch: Tensors) -> bool:
        """Whether anything but telling users apart is to be learned of the batch."""
        guesses = any(self._counts(name) for name in encoder.heads)
        items = encoder.items is not None and self._counts("item")
        follows = batch["real"].shape[1] > 1
        return (follows and (guesses or items)) or self._rebuilds(encoder) or "target" in batch

    def _rebuilds(self, encoder: EventEncoder) -> bool:
        return encoder.rebuilder is not None and len(encoder.rebuilder.heads) > 0

    def _guessed(
        self, encoder: EventEncoder, hidden: Tensor, batch: Tensors, rng: np.random.Generator
    ) -> dict[str, Tensor]:
        """Losses at the next event, where any event has one."""
        follows = batch["real"][:, 1:]  # (B, T - 1)
        if not follows.shape[1]:
            return {}
        losses = encoder.next_event_losses(hidden, batch)
        found = {name: loss for name, loss in losses.items() if self._counts(name)}
        if encoder.items is not None and self._counts("item"):
            target = batch["classes"][:, 1:, ITEM][follows]  # (N,)
            wrong = encoder.items.wrong(rng)
            found["item"] = encoder.items.loss(hidden[:, :-1][follows], target, wrong)
        return found

    def _pooled(self, encoder: EventEncoder, hidden: Tensor, batch: Tensors) -> dict[str, Tensor]:
        """Losses of what the pooled state of a stretch tells."""
        found: dict[str, Tensor] = {}
        if encoder.rebuilder is not None and self._rebuilds(encoder):
            real = batch["real"][:, :REBUILT_EVENTS]
            pooled = encoder.pool(hidden[:, :REBUILT_EVENTS], real)
            classes = batch["classes"][:, :REBUILT_EVENTS, : len(REBUILT)]
            found["autoencoder"] = encoder.rebuilder.loss(pooled, classes, real)
        if encoder.taught is not None and "target" in batch:
            pooled = encoder.pool(hidden, batch["real"])
            found["teacher"] = taught_loss(encoder.taught(direction(pooled)), batch["target"])
        return found
