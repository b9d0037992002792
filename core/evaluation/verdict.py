"""What the evaluation comes to, in plain words. Never a bare score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from core.artifacts import Gate, Metric
from core.evaluation.options import EvaluateOptions
from core.wording import counted

Code = Literal["segments", "continuum", "activity_tiers", "too_little_data"]

UNTESTED = "whether they are more than chance gives has not been tested"
_ONE = "One segment was found; whether there are more has not been tested."
_NONE = "No segment was found; whether there are any has not been tested."


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The code (None where the tests that would settle it have not been run) and the words."""

    code: Code | None
    text: str
    k_recommended: int


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What a verdict is made of."""

    n_users: int
    k: int
    k_suggested: int
    internal: Sequence[Metric]
    gates: Sequence[Gate]
    all_alike: bool
    """Whether every user stands on the same point."""
    note: str
    """What the clustering says of its fit."""


def verdict(found: Findings, options: EvaluateOptions) -> Verdict:
    """Judge by the gates; the first reason that settles the matter is the verdict."""
    if found.n_users < options.min_users:
        return Verdict(
            code="too_little_data",
            text=f"Too little data: {counted(found.n_users, 'user', 'users')}, and at least "
            f"{options.min_users} are needed to conclude anything. Bring a log with more users.",
            k_recommended=1,
        )
    if found.all_alike:
        return Verdict(
            code="continuum",
            text="No segments: all users are alike, so everyone belongs in one.",
            k_recommended=1,
        )
    if max(found.k, found.k_suggested) <= 1:
        # Finding no group is no proof that there is none, so this is not yet a continuum.
        text = f"{_ONE if found.k else _NONE} {found.note}".rstrip()
        return Verdict(code=None, text=text, k_recommended=1)
    if found.k <= 1:
        where = "Everyone is in one segment" if found.k else "Nobody is in a segment"
        return Verdict(
            code=None,
            text=f"{where}, so there is nothing to compare; {found.k_suggested} are suggested.",
            k_recommended=found.k_suggested,
        )
    recommended = max(found.k_suggested, 1)
    activity = next(gate for gate in found.gates if gate.name == "activity")
    if not activity.passed:
        return Verdict(
            code="activity_tiers",
            text=f"Activity tiers: {activity.text} {UNTESTED.capitalize()}."
            f"{_failures(found, besides=activity)}",
            k_recommended=recommended,
        )
    return Verdict(code=None, text=_plain(found), k_recommended=recommended)


def _plain(found: Findings) -> str:
    """What was not tested beside the figure, since a high silhouette proves no segments."""
    failures = _failures(found) or " All conditions are met."
    return f"{found.k} segments{_suggested(found)}{_apart(found.internal)}; {UNTESTED}.{failures}"


def _suggested(found: Findings) -> str:
    if found.k_suggested == found.k:
        return ""
    return f" ({counted(found.k_suggested, 'is', 'are')} suggested)"


def _apart(internal: Sequence[Metric]) -> str:
    value = next(metric.value for metric in internal if metric.name == "macro_silhouette")
    return "" if value is None else f" with a silhouette of {value:.2f} (from -1 to 1)"


def _failures(found: Findings, besides: Gate | None = None) -> str:
    failed = [gate.text for gate in found.gates if not gate.passed and gate is not besides]
    return f" To be mended: {' '.join(failed)}" if failed else ""
