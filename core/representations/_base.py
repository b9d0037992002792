"""What every representation is made of, so that the catalogue can treat all of them alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from core.artifacts import (
    BehaviourModels,
    EpochReport,
    FloatArray,
    Metric,
    Report,
    Sequences,
    State,
    silent,
)
from core.options import Options

VERSION = 7
"""Of all that is made here: another one makes stored results and kept work anew."""

Question = Literal["content", "order", "time", "value", "everything"]
"""What an analyst wants to know of users: what they look at, in which order, when, how much they
spend, or all of it."""

QUESTIONS: dict[Question, str] = {
    "content": "What they look at",
    "order": "In which order",
    "time": "When",
    "value": "How much they spend",
    "everything": "All of it",
}
"""The questions in the analyst's words, in the order in which they are offered."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """How a representation is to be made, beside what its options say."""

    seed: int = 0
    report: Report = silent
    keep: Path | None = None
    """Where unfinished work is kept and found again; None keeps nothing. Whoever stops the work by
    raising JobStopped in ``report`` finds it kept there."""
    models: BehaviourModels | None = None
    """Models of the same users' behaviour, where there are some already."""


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """One point per user, and all that is needed to place new users beside them."""

    values: FloatArray  # (U, D), finite
    state: State
    device: str
    """Where it was computed and why, e.g. "cpu (no GPU found)"."""
    history: tuple[EpochReport, ...] = ()
    findings: tuple[Metric, ...] = ()
    """What was found out about the numbers after they were learned."""


@dataclass(frozen=True, kw_only=True)
class Representation:
    """One way to turn a user's behaviour into numbers, described in the analyst's words."""

    name: str
    label: str
    summary: str
    strengths: str
    weaknesses: str
    question: Question
    """What it tells of users first of all."""
    learned: bool
    """Whether it is trained (and takes minutes) or counted (and takes seconds)."""
    uses_models: bool = False
    """Whether it needs models of behaviour (`Work.models`), which it fits where there are none."""
    most_users: int | None = None
    """Users past which only placing takes longer, since learning is done on so many; None where
    every user is learned from."""
    most_events: int | None = None
    """The same for events."""
    Options: type[Options]
    fit: Callable[[Sequences, Any, Work], Fitted]
    """(sequences, options, work); options is an instance of ``Options``."""
    transform: Callable[[State, Sequences], FloatArray]
    """(state, sequences) -> (U, D); the sequences must be coded by the fitted vocabulary."""
