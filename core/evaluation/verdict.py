"""What the evaluation comes to, in plain words. Never a bare score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from core.artifacts import Gate, Metric
from core.evaluation.options import EvaluateOptions
from core.wording import counted

Code = Literal["segments", "continuum", "activity_tiers", "too_little_data"]

UNTESTED = (
    "Whether the segments are more than what chance gives has not been tested: nothing here was "
    "compared with a log that has no segments."
)


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


def verdict(found: Findings, options: EvaluateOptions) -> Verdict:
    """Judge by the gates; the first reason that settles the matter is the verdict."""
    if found.n_users < options.min_users:
        return Verdict(
            code="too_little_data",
            text=f"Too little data: {counted(found.n_users, 'user', 'users')}, and at least "
            f"{options.min_users} are needed to conclude anything. Bring a log with more users.",
            k_recommended=1,
        )
    if found.k_suggested <= 1:
        return Verdict(
            code="continuum",
            text="No segments: nothing sets groups of users apart, so everyone belongs in one.",
            k_recommended=1,
        )
    if found.k <= 1:
        where = "Everyone is in one segment" if found.k else "Nobody is in a segment"
        return Verdict(
            code=None,
            text=f"{where}, so there is nothing to compare; {found.k_suggested} are suggested.",
            k_recommended=found.k_suggested,
        )
    activity = next(gate for gate in found.gates if gate.name == "activity")
    if not activity.passed:
        return Verdict(
            code="activity_tiers",
            text=f"Activity tiers: {activity.text} {_failures(found, besides=activity)}{UNTESTED}",
            k_recommended=found.k_suggested,
        )
    return Verdict(code=None, text=_plain(found), k_recommended=found.k_suggested)


def _plain(found: Findings) -> str:
    suggested = "" if found.k_suggested == found.k else f" ({found.k_suggested} are suggested)"
    failures = _failures(found) or "All gates are passed. "
    return f"{found.k} segments{suggested}{_apart(found.internal)}. {failures}{UNTESTED}"


def _apart(internal: Sequence[Metric]) -> str:
    """How far segments lie apart; the bounds are Kaufman and Rousseeuw's (1990), rounded."""
    value = next(metric.value for metric in internal if metric.name == "macro_silhouette")
    if value is None:
        return ""
    how = "clearly apart" if value >= 0.5 else "apart" if value >= 0.25 else "close together"
    return f", {how} in this representation (silhouette {value:.2f})"


def _failures(found: Findings, besides: Gate | None = None) -> str:
    failed = [gate.text for gate in found.gates if not gate.passed and gate is not besides]
    return f"To be mended: {' '.join(failed)} " if failed else ""
