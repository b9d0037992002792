"""The number of segments that foretells unseen users best, in words."""

from __future__ import annotations

from core.artifacts import BehaviourModels
from core.sequence_models.models import MOST_ASIDE, WORTH


def reason(models: BehaviourModels) -> str:
    """Why so many segments are suggested, and how sure that is."""
    k = models.suggested
    told = _of_one(models) if k == 1 else _of_several(models)
    sure = f"Resampling the users suggests {k} in {models.confidence:.0%} of cases."
    return f"{told} {sure} {_of_aside(models)}".strip()


def _of_one(models: BehaviourModels) -> str:
    return (
        f"1 segment is suggested: of 1 to {len(models.bits)} no number of segments foretells users "
        "that were left out better than one model for everyone by more than one standard error "
        f"({models.bits[0]:.3f} bits per event)."
    )


def _of_several(models: BehaviourModels) -> str:
    """Which of the three ways the number was found: best, as good as the best, or near enough."""
    k, bits, most = models.suggested, models.bits, len(models.bits)
    best = bits.index(max(bits)) + 1
    figures = (
        f"({bits[k - 1]:.3f} bits per event, nearer to 0 is better; with one segment {bits[0]:.3f})"
    )
    begun = f"{k} segments are suggested: with them users that were left out are foretold"
    edge = f" More than {most} were not tried." if best == most else ""
    if k == best:
        return f"{begun} best {figures} of 1 to {most} segments.{edge}"
    behind, error = bits[best - 1] - bits[k - 1], models.errors[k - 1]
    apart = f"{behind:.3f} ± {error:.3f} bits better"
    if behind <= error:
        why = f"with {best} {apart}, which is within one standard error"
    else:
        why = (
            f"with {best} {apart}, which is more than one standard error but less than "
            f"{WORTH:.1%} of what segments gain on one model for everyone"
        )
    return f"{begun} about as well as with any of 1 to {most} {figures}; {why}.{edge}"


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
