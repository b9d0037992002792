"""The algorithm taken where the choice is left to the tool."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from core.errors import OptionRefused, did_you_mean
from core.options import Options, option


@dataclass(frozen=True, kw_only=True)
class AutoOptions(Options):
    """Between which algorithms the tool chooses."""

    candidates: tuple[str, ...] = option(
        ("markov_mixture", "kmeans"),
        "Algorithms to compare",
        "The one whose segments foretell users that were not looked at best is taken",
        expert=True,
    )

    def names(self, known: Collection[str]) -> tuple[str, ...]:
        """The candidates. Raises OptionRefused where one is not known, or there is none."""
        for name in self.candidates:
            if name not in known:
                raise OptionRefused(
                    f"cluster.candidates names '{name}'. Allowed: {', '.join(known)}."
                    f"{did_you_mean(name, known)}"
                )
        if not self.candidates:
            raise OptionRefused(
                f"cluster.candidates is empty. Name one or more of {', '.join(known)}."
            )
        return tuple(dict.fromkeys(self.candidates))
