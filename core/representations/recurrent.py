"""Behaviour learned by reading it: an LSTM trained to expect what a user does next.

The part that needs no PyTorch, so that the catalogue loads at once.
"""

from __future__ import annotations

from core.artifacts import FloatArray, Sequences, State
from core.representations._base import Fitted, Representation, Work
from core.representations.lstm_options import LSTMOptions


def fit(sequences: Sequences, options: LSTMOptions, work: Work) -> Fitted:
    """Train the encoder and place every user; loads PyTorch only now."""
    from core.representations import learning

    return learning.fit(sequences, options, work)


def transform(state: State, sequences: Sequences) -> FloatArray:
    """Place users by an encoder trained earlier, shape (U, D); loads PyTorch only now."""
    from core.representations import learning

    return learning.transform(state, sequences)


LSTM = Representation(
    name="lstm",
    label="Sequence encoder (LSTM)",
    summary="Learns by itself what tells users apart, by guessing what they will do next and when.",
    strengths="Sees order, timing, content and value at once, and long habits.",
    weaknesses="Takes a minute or more to train, and its numbers cannot be read one by one.",
    question="everything",
    learned=True,
    Options=LSTMOptions,
    fit=fit,
    transform=transform,
)
