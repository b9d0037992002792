"""What sets a segment apart, in plain sentences; "others" are all users outside the segment."""

from __future__ import annotations

from core.segments.scalars import Feature
from core.wording import duration, figure, percent, quoted

_SCALARS: dict[str, tuple[str, str]] = {
    "gap": (
        "Takes longer between events: typically {inside}, others {outside}",
        "Moves faster: typically {inside} between events, others {outside}",
    ),
    "visit_events": (
        "Stays longer: typically {inside} per visit, others {outside}",
        "Makes short visits: typically {inside} per visit, others {outside}",
    ),
    "day_events": (
        "Does more on a day: typically {inside} per active day, others {outside}",
        "Does less on a day: typically {inside} per active day, others {outside}",
    ),
    "morning": ("Comes more in the morning (6–12 h)", "Comes less in the morning (6–12 h)"),
    "afternoon": ("Comes more after noon (12–18 h)", "Comes less after noon (12–18 h)"),
    "evening": ("Comes more in the evening (18–22 h)", "Comes less in the evening (18–22 h)"),
    "night": ("Comes more at night (22–6 h)", "Comes less at night (22–6 h)"),
    "weekend": ("Comes more at weekends", "Comes less at weekends"),
    "price": (
        "Turns to dearer things: typically at {inside}, others at {outside}",
        "Turns to cheaper things: typically at {inside}, others at {outside}",
    ),
    "paid": (
        "Buys dearer things: typically at {inside}, others at {outside}",
        "Buys cheaper things: typically at {inside}, others at {outside}",
    ),
    "spend": (
        "Spends more: {inside} per user, others {outside}",
        "Spends less: {inside} per user, others {outside}",
    ),
    "purchases": (
        "Buys more: {inside} per user, others {outside}",
        "Buys less: {inside} per user, others {outside}",
    ),
    "events": (
        "Is more active: typically {inside}, others {outside}",
        "Is less active: typically {inside}, others {outside}",
    ),
    "active_days": (
        "Comes on more days: typically {inside}, others {outside}",
        "Comes on fewer days: typically {inside}, others {outside}",
    ),
    "tenure": (
        "Has been coming for longer: typically {inside}, others {outside}",
        "Has been coming for less time: typically {inside}, others {outside}",
    ),
    "recency": (
        "Was last seen longer ago: typically {inside} before the log ends, others {outside}",
        "Was seen more recently: typically {inside} before the log ends, others {outside}",
    ),
}
"""Where a segment has more, and where it has less; shares get their figures by `_shares`."""

_NEVER = 0.0005
"""Shares below are written as 0%."""


def sentence(feature: Feature, inside: float, outside: float) -> str:
    """One difference in words, with both figures. Names out of the data stand as they came."""
    if feature.kind in ("action", "category"):
        return _share_of_events(feature, inside, outside)
    if feature.kind == "transition":
        return _move(feature, inside, outside)
    more, less = _SCALARS[feature.name]
    text = more if inside > outside else less
    if feature.scale == "share":
        return f"{text}: {percent(inside)} of its events, others {percent(outside)}"
    return text.format(inside=shown(feature.unit, inside), outside=shown(feature.unit, outside))


def shown(unit: str, value: float) -> str:
    """A figure with its unit, as a person reads it."""
    if unit == "share":
        return percent(value)
    if unit in ("seconds", "days"):
        return duration(value * (86_400 if unit == "days" else 1))
    return figure(value) if unit == "currency units" else f"{figure(value)} {unit}"


def _share_of_events(feature: Feature, inside: float, outside: float) -> str:
    verb, whole = {
        "action": ("does", "of its events"),
        "category": ("turns to", "of its events with a category"),
    }[feature.kind]
    never, often = _how_often(inside, outside)
    text = f"{never}{verb} {quoted(feature.words[0])}{often} ({_against(inside, outside)} {whole})"
    return text[:1].upper() + text[1:]


def _move(feature: Feature, inside: float, outside: float) -> str:
    came, goes = feature.words
    never, often = _how_often(inside, outside)
    verb = "does it again" if came == goes else f"goes on to {quoted(goes)}"
    figures = f"{_against(inside, outside)} of its next steps"
    return f"After {quoted(came)}, {never}{verb}{often} ({figures})"


def _against(inside: float, outside: float) -> str:
    return f"{percent(inside)} against {percent(outside)}"


def _how_often(inside: float, outside: float) -> tuple[str, str]:
    """What stands before the verb and what after its object."""
    if min(inside, outside) < _NEVER:
        return ("never " if inside < outside else ""), ", unlike others"
    ratio = inside / outside
    if 1.15 <= ratio < 20:
        return "", f" {figure(ratio)} times as often as others"
    return (
        "",
        f" {'less' if ratio < 1 else 'far more' if ratio >= 20 else 'more'} often than others",
    )
