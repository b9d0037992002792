"""The number of segments that foretells unseen users best, in words."""

from __future__ import annotations

from core.artifacts import BehaviourModels
from core.sequence_models.models import MOST_ASIDE


def reason(models: BehaviourModels) -> str:
    """Why so many segments are suggested, and how sure that is."""
    k, bits = models.suggested, models.bits
    if k == 1:
        told = (
            "1 segment is suggested: with no number of segments are users that were left out "
            "foretold surely better than with one model for everyone "
            f"({bits[0]:.3f} bits per event)."
        )
    else:
        told = (
            f"{k} segments are suggested: with them users that were left out are foretold "
            f"best ({bits[k - 1]:.3f} bits per event, nearer to 0 is better; with one segment "
            f"{bits[0]:.3f}), and more do not foretell them surely better."
        )
    sure = f"Resampling the users suggests {k} in {models.confidence:.0%} of cases."
    return f"{told} {sure} {_of_aside(models)}".strip()


def _of_aside(models: BehaviourModels) -> str:
    if models.sets_aside:
        return (
            f"By the chains of behaviour about {models.share_aside:.0%} of the users follow none "
            "of the segments and are set aside."
        )
    if models.share_aside > MOST_ASIDE:
        return (
            f"But {models.share_aside:.0%} of the users are foretold better by habits of their own "
            "than by any segment: people differ by degrees here, so take segments as a convenient "
            "cut, not as kinds of people."
        )
    return ""
