"""What reads the events one by one: the cells an encoder can be built of, all used alike.

A cell turns inputs (B, T, W) into states (B, T, H); a state has seen its own event and those
before it, never one after. With the memory it hands on, a long history is read in parts and
gives the very states of a read in one go.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

Memory = tuple[Tensor, ...]
"""What a cell keeps of the events so far; how many tensors and of which shape is its own affair."""

CELLS = ("lstm", "gru", "rnn", "cnn")
"""By place; states that were stored know a cell by its place, so only ever append."""

_RECURRENT: dict[str, Callable[..., nn.RNNBase]] = {
    "lstm": nn.LSTM,
    "gru": nn.GRU,
    "rnn": nn.RNN,
}
_DILATIONS = (1, 2, 4, 8)
_TAPS = 3
"""Events that one convolution looks at: its own and two before, as far apart as its dilation."""


class Recurrent(nn.Module):
    """LSTM, GRU or plain (tanh) recurrent cells in layers, with the memory they learn."""

    def __init__(self, cell: str, width: int, hidden: int, layers: int, dropout: float) -> None:
        super().__init__()
        between = dropout if layers > 1 else 0.0
        self.net = _RECURRENT[cell](width, hidden, layers, batch_first=True, dropout=between)
        for layer in range(layers):
            weights = self.net.get_parameter(f"weight_hh_l{layer}").data
            for gate in weights.chunk(len(weights) // hidden):
                nn.init.orthogonal_(gate)  # memory lasts from the start: order is learned sooner

    def forward(self, x: Tensor, memory: Memory | None = None) -> tuple[Tensor, Memory]:
        """States (B, T, H) of inputs (B, T, W), and the memory to read on with."""
        if memory is None:
            hidden, after = self.net(x)
        else:
            hidden, after = self.net(x, memory if len(memory) > 1 else memory[0])
        return hidden, after if isinstance(after, tuple) else (after,)


class Convolutions(nn.Module):
    """Causal convolutions of growing dilation, each added to what it has read.

    A state sees `receptive_field` events and nothing before them. Source: Bai et al., 2018, "An
    Empirical Evaluation of Generic Convolutional and Recurrent Networks".
    """

    def __init__(self, width: int, hidden: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.dilations = _DILATIONS * layers
        self.enter = nn.Linear(width, hidden)
        self.taps = nn.ModuleList(nn.Linear(_TAPS * hidden, hidden) for _ in self.dilations)
        self.norms = nn.ModuleList(nn.LayerNorm(hidden) for _ in self.dilations)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, memory: Memory | None = None) -> tuple[Tensor, Memory]:
        """States (B, T, H) of inputs (B, T, W), and the memory to read on with."""
        hidden, n_events, kept = self.enter(x), x.shape[1], []
        for i, (dilation, tap, norm) in enumerate(
            zip(self.dilations, self.taps, self.norms, strict=True)
        ):
            reach = (_TAPS - 1) * dilation
            before = hidden.new_zeros(len(x), reach, hidden.shape[-1])
            seen = torch.cat([before if memory is None else memory[i], hidden], dim=1)
            looked_at = [seen[:, t * dilation : t * dilation + n_events] for t in range(_TAPS)]
            found = torch.relu(tap(torch.cat(looked_at, dim=-1)))  # (B, T, H)
            hidden = norm(hidden + self.dropout(found))
            kept.append(seen[:, -reach:])
        return hidden, tuple(kept)


def receptive_field(layers: int) -> int:
    """Events that a state of `Convolutions` has seen, its own included."""
    return 1 + layers * (_TAPS - 1) * sum(_DILATIONS)


def build_cell(
    cell: str, width: int, hidden: int, layers: int, dropout: float
) -> Recurrent | Convolutions:
    """The cell of that name in `CELLS`, freshly drawn."""
    if cell == "cnn":
        return Convolutions(width, hidden, layers, dropout)
    return Recurrent(cell, width, hidden, layers, dropout)
