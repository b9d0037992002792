"""The recurrent encoder: reads a user's events one by one and is trained on what comes next.

Letters in shapes: B stretches, T events of each, H hidden width, I items, F width of what is
known of an item (or query).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.artifacts import FloatArray
from core.representations.inputs import NUMERIC_INPUTS, PREDICTED, EventBatch, Scales

Memory = tuple[Tensor, Tensor]

_MOST_PROJECTED = 16
"""Numbers to which what is known of an item is brought before the LSTM reads it."""


class EventEncoder(nn.Module):
    """Embeddings of the words of an event beside its numbers, an LSTM, one head per prediction.

    What is known of items and queries (``vectors``, tables (I + 1, F) by name of the code) comes
    in through a learned projection and is never predicted; a log without any has the very same
    encoder as if there were no such thing.
    """

    def __init__(
        self, scales: Scales, hidden: int, vectors: Mapping[str, FloatArray] | None = None
    ) -> None:
        super().__init__()
        self.hidden = hidden
        actions, categories, platforms = (int(n) for n in scales.sizes)
        self.action = nn.Embedding(actions, _width(actions))
        self.category = nn.Embedding(categories, _width(categories))
        self.platform = nn.Embedding(platforms, _width(platforms))
        self.daypart = nn.Embedding(int(scales.dayparts[0]), 4)
        words = (self.action, self.category, self.platform, self.daypart)
        width = sum(e.embedding_dim for e in words) + NUMERIC_INPUTS
        self.projections = nn.ModuleDict()
        for name, table in (vectors or {}).items():
            projected = min(_MOST_PROJECTED, table.shape[1])
            self.projections[name] = nn.Linear(table.shape[1], projected, bias=False)
            width += projected
            # of the log, not learned: it goes where the encoder goes but is not saved with it
            self.register_buffer(_table_of(name), torch.tensor(np.array(table)), persistent=False)
        self.lstm = nn.LSTM(width, hidden, batch_first=True)
        for gate in self.lstm.get_parameter("weight_hh_l0").data.chunk(4):
            nn.init.orthogonal_(gate)  # memory lasts from the start, so order is learned sooner
        self.heads = nn.ModuleDict(
            {name: nn.Linear(hidden, n) for name, n in scales.classes().items() if n > 1}
        )

    def forward(self, batch: Tensors, memory: Memory | None = None) -> tuple[Tensor, Memory]:
        """Hidden state after every event, and the memory to read on with."""
        words = [
            self.action(batch["action"]),  # (B, T, width of its embedding)
            self.category(batch["category"]),
            self.platform(batch["platform"]),
            self.daypart(batch["daypart"]),
        ]
        known = [
            projection(F.embedding(batch[name], self.get_buffer(_table_of(name))))  # (B, T, <= 16)
            for name, projection in self.projections.items()
        ]
        x = torch.cat([*words, batch["numeric"], *known], dim=-1)  # (B, T, input width)
        hidden, memory = self.lstm(x, memory)  # (B, T, H)
        return hidden, memory

    def next_event_losses(self, hidden: Tensor, batch: Tensors) -> dict[str, Tensor]:
        """Cross-entropy of every prediction at the next event, mean over events, in nats."""
        follows = batch["real"][:, 1:]  # (B, T - 1) where there is a next event
        seen = hidden[:, :-1][follows]  # (N, H)
        target = batch["classes"][:, 1:][follows]  # (N, 5)
        return {
            name: F.cross_entropy(self.heads[name](seen), target[:, i])
            for i, name in enumerate(PREDICTED)
            if name in self.heads
        }


Tensors = dict[str, Tensor]


def projected_widths(weights: Mapping[str, Tensor]) -> dict[str, int]:
    """Width of every table of vectors that an encoder with these weights reads."""
    found = ((name.split("."), weight) for name, weight in weights.items())
    return {parts[1]: w.shape[1] for parts, w in found if parts[0] == "projections"}


def to_tensors(batch: EventBatch, device: str) -> Tensors:
    """Move a batch to where the encoder is."""
    return {
        f.name: torch.from_numpy(getattr(batch, f.name)).to(device, non_blocking=True)
        for f in fields(batch)
    }


def mean_pool(hidden: Tensor, real: Tensor) -> Tensor:
    """Mean hidden state over the real events, shape (B, H)."""
    weight = real.unsqueeze(-1).to(hidden.dtype)  # (B, T, 1)
    return (hidden * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1.0)


def contrastive_loss(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Cross-entropy of finding a slice's user among the batch by the other slice, in nats.

    ``first`` and ``second`` are (B, H), row by row of the same users; ln B is guessing.
    Source: van den Oord et al., 2018, "Representation Learning with Contrastive Predictive
    Coding" (InfoNCE); slices of one user: Babaev et al., 2022, "CoLES".
    """
    likeness = F.normalize(first, dim=1) @ F.normalize(second, dim=1).T / temperature  # (B, B)
    own = torch.arange(len(first), device=first.device)
    return (F.cross_entropy(likeness, own) + F.cross_entropy(likeness.T, own)) / 2


def _table_of(name: str) -> str:
    return f"{name}_vectors"


def _width(n_words: int) -> int:
    """Width of an embedding: 2 for the smallest vocabulary, 24 for the largest."""
    return min(24, 2 + n_words // 2)
