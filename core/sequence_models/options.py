"""How segments are looked for as models of behaviour, in the analyst's words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.options import Options, option


@dataclass(frozen=True, kw_only=True)
class SequenceModelOptions(Options):
    """How models of behaviour are fitted and compared."""

    models_most: int = option(
        10,
        "Most segments foretold with",
        "Up to so many segments are compared by how well they foretell users not seen",
        low=1,
        high=30,
        expert=True,
    )
    models_users: int = option(
        6_000,
        "Users to model",
        "With more users, models of behaviour come from a random sample of so many; everyone is "
        "placed by them",
        low=100,
        unit="users",
        expert=True,
    )
    background: Literal["auto", "never"] = option(
        "auto",
        "Users that follow nobody",
        "Auto sets users aside who fit no segment, where that foretells users not seen surely "
        "better and leaves most users in segments",
        expert=True,
    )
