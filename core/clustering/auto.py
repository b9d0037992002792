"""The algorithm taken where the choice is left to the tool."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from core.options import Options, known_names, option


@dataclass(frozen=True, kw_only=True)
class AutoOptions(Options):
    """Between which algorithms the tool chooses."""

    candidates: tuple[str, ...] = option(
        ("latent_class", "kmeans"),
        "Algorithms to compare",
        "The one whose segments foretell users that were left out best is taken",
        expert=True,
    )

    def names(self, known: Iterable[str]) -> tuple[str, ...]:
        """The candidates. Raises OptionRefused where one is not known, or there is none."""
        return known_names(self.candidates, known, where="cluster.candidates")
