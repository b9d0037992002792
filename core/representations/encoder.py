"""The encoder: reads a user's events one by one and is trained on what comes next.

Letters in shapes: B stretches, T events of each, H hidden width, I items, F width of what is
known of an item (or query), K soft labels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.artifacts import FloatArray, State
from core.representations.encoder_cells import CELLS, Memory, build_cell
from core.representations.heads import ItemHead, Rebuilder
from core.representations.inputs import NUMBERS, NUMERIC_INPUTS, PREDICTED, EventBatch, Scales
from core.representations.joint_loss import joint_cross_entropy
from core.representations.pooling import POOLINGS, Pooling

Tensors = dict[str, Tensor]

_NUMBER_WIDTH = 6
"""Numbers by which the class of a pause, a duration or a price is read."""
_MOST_PROJECTED = 16
"""Numbers to which what is known of an item is brought before the encoder reads it."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What an encoder is built of, beside its width and the words of the log."""

    cell: str = "lstm"
    layers: int = 1
    pooling: str = "mean"
    dropout: float = 0.0
    rebuilds: bool = False
    """Whether it is asked to rebuild stretches."""
    n_targets: int = 0
    """K where a teacher's soft labels are learned."""

    @classmethod
    def from_state(cls, state: State) -> Self:
        """The shape of an encoder that is only to be read with."""
        told = {f: int(state[f"shape.{f}"][0]) for f in _TOLD}
        return cls(
            cell=CELLS[told["cell"]],
            layers=told["layers"],
            pooling=POOLINGS[told["pooling"]],
            rebuilds=bool(told["rebuilds"]),
            n_targets=told["n_targets"],
        )

    def to_state(self) -> dict[str, npt.NDArray[Any]]:
        """As arrays; cell and pooling by their place in the catalogue."""
        numbers = {"cell": CELLS.index(self.cell), "pooling": POOLINGS.index(self.pooling)}
        return {f"shape.{f}": np.array([numbers.get(f, getattr(self, f))], np.int64) for f in _TOLD}


_TOLD = ("cell", "layers", "pooling", "rebuilds", "n_targets")
"""Fields that say how weights are laid out; dropout does not."""


class EventEncoder(nn.Module):
    """Embeddings of the words of an event beside its numbers, a cell, one head per prediction.

    What is known of items and queries (``vectors``, tables (I + 1, F) by name of the code) comes
    in through a learned projection and is never predicted; a log without any has the very same
    encoder as if there were no such thing. Where the scales tell the commonest items apart, these
    are read and guessed as well.
    """

    autocast: torch.dtype | None = None
    """Shorter numbers in which events are read while training; None reads in float32."""

    def __init__(
        self,
        scales: Scales,
        hidden: int,
        vectors: Mapping[str, FloatArray] | None = None,
        shape: Shape = Shape(),
    ) -> None:
        super().__init__()
        self.hidden, self.shape = hidden, shape
        actions, categories, platforms = (int(n) for n in scales.sizes)
        self.action = nn.Embedding(actions, _width(actions))
        self.category = nn.Embedding(categories, _width(categories))
        self.platform = nn.Embedding(platforms, _width(platforms))
        self.daypart = nn.Embedding(int(scales.dayparts[0]) + 1, 4)
        n_recent = int(scales.recent[1])
        self.recent = nn.Embedding(n_recent, _width(n_recent)) if n_recent > 1 else None
        words = (self.action, self.category, self.platform, self.daypart)
        width = sum(e.embedding_dim for e in words) + NUMERIC_INPUTS
        width += self.recent.embedding_dim if self.recent else 0
        classes = scales.classes()
        self.told = [name for name in NUMBERS if classes[name] > 1]
        n_classes = [classes[name] for name in self.told]
        self.number = nn.Embedding(sum(n_classes), _NUMBER_WIDTH)
        first = torch.tensor([0, *n_classes]).cumsum(0)[:-1]
        self.register_buffer("first_class", first, persistent=False)
        width += len(self.told) * _NUMBER_WIDTH
        self.projections = nn.ModuleDict()
        for name, table in (vectors or {}).items():
            projected = min(_MOST_PROJECTED, table.shape[1])
            self.projections[name] = nn.Linear(table.shape[1], projected, bias=False)
            width += projected
            # of the log, not learned: it goes where the encoder goes but is not saved with it
            self.register_buffer(_table_of(name), torch.tensor(np.array(table)), persistent=False)
        n_items = int(scales.items[0])
        self.items = ItemHead(n_items, hidden) if n_items else None
        width += self.items.width if self.items else 0
        self.cell = build_cell(shape.cell, width, hidden, shape.layers, shape.dropout)
        self.dropout = nn.Dropout(shape.dropout)
        self.pool = Pooling(shape.pooling, hidden)
        self.heads = nn.ModuleDict(
            {name: nn.Linear(hidden, n) for name, n in classes.items() if n > 1}
        )
        self.rebuilder = Rebuilder(hidden, classes) if shape.rebuilds else None
        self.taught = nn.Linear(hidden, shape.n_targets) if shape.n_targets else None

    def forward(self, batch: Tensors, memory: Memory | None = None) -> tuple[Tensor, Memory]:
        """Hidden state after every event, and the memory to read on with."""
        with torch.autocast(
            batch["numeric"].device.type, dtype=self.autocast, enabled=self.autocast is not None
        ):
            hidden, memory = self.cell(self.inputs(batch), memory)
        return self.dropout(hidden.float()), memory

    def inputs(self, batch: Tensors) -> Tensor:
        """All that is read of every event, shape (B, T, input width)."""
        words = [
            _looked_up(self.action, batch["action"]),  # (B, T, width of its embedding)
            _looked_up(self.category, batch["category"]),
            _looked_up(self.platform, batch["platform"]),
            _looked_up(self.daypart, batch["daypart"]),
        ]
        at = [PREDICTED.index(name) for name in self.told]
        classes = batch["classes"][..., at] + self.get_buffer("first_class")  # (B, T, N)
        words.append(_looked_up(self.number, classes).flatten(2))
        if self.recent:
            words.append(_looked_up(self.recent, batch["recent"]))
        known = [
            projection(F.embedding(batch[name], self.get_buffer(_table_of(name))))  # (B, T, <= 16)
            for name, projection in self.projections.items()
        ]
        items = [self.items.table(batch["common_item"])] if self.items else []
        return torch.cat([*words, batch["numeric"], *known, *items], dim=-1)

    def next_event_losses(self, hidden: Tensor, batch: Tensors) -> dict[str, Tensor]:
        """Cross-entropy of every prediction at the next event, mean over events, in nats."""
        asked = [name for name in PREDICTED if name in self.heads]
        if not asked:
            return {}
        follows = F.pad(batch["real"][:, 1:], (0, 1))  # (B, T) where there is a next event
        following = batch["classes"].roll(-1, dims=1).flatten(0, 1)  # (B T, 6) of the next event
        losses = joint_cross_entropy(
            hidden.flatten(0, 1),
            [self.heads[name] for name in asked],
            [following[:, PREDICTED.index(name)] for name in asked],
            follows.flatten(),
        )
        return dict(zip(asked, losses, strict=True))


def only_teaches(name: str) -> bool:
    """Whether a weight is there for training only: users are placed without it."""
    return name.startswith(("heads.", "rebuilder.", "taught.", "items.ask.", "items.bias."))


def projected_widths(weights: Mapping[str, Tensor]) -> dict[str, int]:
    """Width of every table of vectors that an encoder with these weights reads."""
    found = ((name.split("."), weight) for name, weight in weights.items())
    return {parts[1]: w.shape[1] for parts, w in found if parts[0] == "projections"}


def to_tensors(batch: EventBatch, device: str) -> Tensors:
    """Move a batch to where the encoder is; to a GPU from locked memory, so that nobody waits."""
    tensors = {f.name: torch.from_numpy(getattr(batch, f.name)) for f in fields(batch)}
    if device == "cuda":
        tensors = {name: tensor.pin_memory() for name, tensor in tensors.items()}
    return {name: tensor.to(device, non_blocking=True) for name, tensor in tensors.items()}


def contrastive_loss(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Cross-entropy of finding a slice's user among the batch by the other slice, in nats.

    ``first`` and ``second`` are (B, H), row by row of the same users; ln B is guessing.
    Source: van den Oord et al., 2018, "Representation Learning with Contrastive Predictive
    Coding" (InfoNCE); slices of one user: Babaev et al., 2022, "CoLES".
    """
    likeness = F.normalize(first, dim=1) @ F.normalize(second, dim=1).T / temperature  # (B, B)
    own = torch.arange(len(first), device=first.device)
    return (F.cross_entropy(likeness, own) + F.cross_entropy(likeness.T, own)) / 2


def _looked_up(words: nn.Embedding, codes: Tensor) -> Tensor:
    """Rows of the codes, in the codes' shape with one axis more.

    What `nn.Embedding` does, but adding up its gradient takes PyTorch three times as long on a CPU.
    """
    rows = words.weight.index_select(0, codes.flatten())
    return rows.view(*codes.shape, words.embedding_dim)


def _table_of(name: str) -> str:
    return f"{name}_vectors"


def _width(n_words: int) -> int:
    """Width of an embedding: 2 for the smallest vocabulary, 24 for the largest."""
    return min(24, 2 + n_words // 2)
