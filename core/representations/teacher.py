"""What a mixture of sequence models says of every user, as soft labels the encoder learns from."""

from __future__ import annotations

from core.artifacts import FloatArray, Sequences
from core.representations._base import Work
from core.representations.encoder_options import EncoderOptions


def targets_of(sequences: Sequences, options: EncoderOptions, work: Work) -> FloatArray | None:
    """Soft labels (U, K), each row summing to 1; None where no model teaches the encoder."""
    return None
