"""Behaviour learned by reading it: encoders trained to expect what a user does next.

The part that needs no PyTorch, so that the catalogue loads at once. The entries share their
options and all code but the cell that reads the events.
"""

from __future__ import annotations

from collections.abc import Callable

from core.artifacts import FloatArray, Sequences, State
from core.representations._base import Fitted, Representation, Work
from core.representations.encoder_options import EncoderOptions


def _fit(cell: str) -> Callable[[Sequences, EncoderOptions, Work], Fitted]:
    """Train an encoder of that cell and place every user; loads PyTorch only when called."""

    def fit(sequences: Sequences, options: EncoderOptions, work: Work) -> Fitted:
        from core.representations import learning

        return learning.fit(sequences, options, work, cell)

    return fit


def _transform(cell: str) -> Callable[[State, Sequences], FloatArray]:
    """Place users by an encoder of that cell, shape (U, D); loads PyTorch only when called."""

    def transform(state: State, sequences: Sequences) -> FloatArray:
        from core.representations import trained

        return trained.transform(state, sequences, cell)

    return transform


LSTM = Representation(
    name="lstm",
    label="Sequence encoder (LSTM)",
    summary="Learns by itself what tells users apart, by guessing what they will do next and when.",
    strengths="Sees order, timing, content and value at once, and long habits.",
    weaknesses="Takes a minute or more to train, and its numbers cannot be read one by one.",
    question="everything",
    learned=True,
    uses_models=True,
    Options=EncoderOptions,
    fit=_fit("lstm"),
    transform=_transform("lstm"),
)

GRU = Representation(
    name="gru",
    label="Sequence encoder (GRU)",
    summary="The same learning as the LSTM with a simpler memory: three quarters of its weights.",
    strengths="Often as good as the LSTM, and it makes a smaller model.",
    weaknesses="Holds long habits a little less well; its numbers cannot be read one by one.",
    question="everything",
    learned=True,
    uses_models=True,
    Options=EncoderOptions,
    fit=_fit("gru"),
    transform=_transform("gru"),
)

RNN = Representation(
    name="rnn",
    label="Sequence encoder (plain RNN)",
    summary="The same learning with the simplest memory there is: a yardstick for the others.",
    strengths="Trains fastest and has a quarter of the LSTM's weights.",
    weaknesses="Forgets within some events, and its training is less steady.",
    question="everything",
    learned=True,
    uses_models=True,
    Options=EncoderOptions,
    fit=_fit("rnn"),
    transform=_transform("rnn"),
)

CNN = Representation(
    name="cnn",
    label="Sequence encoder (1-D CNN)",
    summary="The same learning by convolutions, which see each event with the 30 before it.",
    strengths="Sees order and timing nearby at once, without a memory that fades.",
    weaknesses="Blind to how events hang together over more than 31 events (61 with two layers, 91 "
    "with three).",
    question="everything",
    learned=True,
    uses_models=True,
    Options=EncoderOptions,
    fit=_fit("cnn"),
    transform=_transform("cnn"),
)
