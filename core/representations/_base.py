"""What every representation is made of, so that the catalogue can treat all of them alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.artifacts import EpochReport, FloatArray, Report, Sequences, State
from core.options import Options


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """One point per user, and all that is needed to place new users beside them."""

    values: FloatArray  # (U, D), finite
    state: State
    device: str
    """Where it was computed and why, e.g. "cpu (no GPU found)"."""
    history: tuple[EpochReport, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Representation:
    """One way to turn a user's behaviour into numbers, described in the analyst's words."""

    name: str
    label: str
    summary: str
    strengths: str
    weaknesses: str
    learned: bool
    """Whether it is trained (and takes minutes) or counted (and takes seconds)."""
    Options: type[Options]
    fit: Callable[[Sequences, Any, int, Report], Fitted]
    """(sequences, options, seed, report); options is an instance of ``Options``."""
    transform: Callable[[State, Sequences], FloatArray]
    """(state, sequences) -> (U, D); the sequences must be coded by the fitted vocabulary."""
