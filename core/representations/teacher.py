"""What a mixture of sequence models says of every user, as soft labels the encoder learns from."""

from __future__ import annotations

from core.artifacts import FloatArray, Sequences
from core.representations._base import Work
from core.representations.encoder_options import EncoderOptions


def targets_of(sequences: Sequences, options: EncoderOptions, work: Work) -> FloatArray | None:
    """Soft labels (U, K), each row summing to 1; None where no model teaches the encoder.

    The memberships by the number of segments that foretells unseen users best (`Work.models`), so
    that what K-means sees in the encoder's space, and on its map, are the same segments.
    """
    models = work.models
    if models is None or options.teacher_weight == 0 or models.members.shape[1] < 2:
        return None
    return models.members
