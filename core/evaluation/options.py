"""What an evaluation is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from core.options import Options, option


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(Options):
    """How carefully segments are measured, and what makes them usable."""

    silhouette_users: int = option(
        200,
        "Users scored per segment",
        "Silhouettes are measured on so many users of every segment",
        low=20,
        high=2000,
        unit="users",
        expert=True,
    )
    min_users: int = option(
        50,
        "Fewest users",
        "With fewer users nothing is concluded",
        low=10,
        unit="users",
        expert=True,
    )
    min_segment_users: int = option(
        50,
        "Smallest usable segment",
        "Segments need so many users, or 1% of them where that is more; 5% of them in logs of "
        "fewer than 20 times as many users",
        low=1,
        unit="users",
        expert=True,
    )
    max_share: float = option(
        0.8,
        "Largest share",
        "No segment may hold more of the users than this",
        low=0.1,
        high=1.0,
        expert=True,
    )
    max_noise: float = option(
        0.5,
        "Most users without a segment",
        "No more of the users than this may be in no segment",
        low=0.0,
        high=1.0,
        expert=True,
    )
    min_effective_rank: float = option(
        5.0,
        "Least directions of a learned representation",
        "A learned representation that spreads in fewer directions has collapsed",
        low=1.0,
        high=100.0,
        expert=True,
    )
    max_activity: float = option(
        0.3,
        "Most explained by activity",
        "Share of the differences in activity (log of the number of events) that segments may "
        "explain before they are called activity tiers",
        low=0.0,
        high=1.0,
        expert=True,
    )
