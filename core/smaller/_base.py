"""What every way to a smaller encoder is made of, so that the catalogue can treat all alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.artifacts import Sequences, State
from core.representations import Work

STAGE = "smaller"
"""What this work is called in its progress."""
_FEWEST = 512
"""Numbers of a matrix under which its codes' own parts would take what the codes save."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to make an encoder smaller, described in the analyst's words."""

    name: str
    label: str
    summary: str
    gained: str
    not_gained: str
    taught: bool
    """Whether the smaller encoder is taught by the original, which takes up to minutes."""
    make: Callable[[State, Sequences, Work], State]
    """(state, sequences, work) -> a state that `representations.transform` takes as it takes the
    original's. The state given has only what placing users needs, nothing packed; of the sequences
    only users to fit may teach."""


def matrices(state: State) -> tuple[str, ...]:
    """Names of the weights in which nearly all of a model's numbers are: matrices (R, C)."""
    return tuple(
        sorted(
            name
            for name, values in state.items()
            if name.startswith("weight.") and values.ndim == 2 and values.size >= _FEWEST
        )
    )
