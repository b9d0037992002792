"""What sets a segment apart: standardised differences that are large enough to matter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from core.artifacts import DoubleArray, Fact, LongArray
from core.segments._base import SegmentOptions
from core.segments.features import Measures
from core.segments.flows import shares_of_next
from core.segments.scalars import Feature
from core.segments.sentences import sentence

CAVEAT = (
    "These differences are measured on the same users that formed the segments, which makes them "
    "look larger and surer than they are (Gao, Bien and Witten, 2022): read them as a description "
    "of the segments, not as a test of whether the segments exist."
)
"""What every page that shows facts must say beside them."""

MOST_PER_KIND = 2
"""Facts of one kind that are listed, so that a segment is not told five times the same."""
_SPREAD_FLOOR = {"share": 0.05, "log": 0.2, "count": 0.1}
"""Smallest standard deviation reckoned with; of the overall mean for counts."""
_SMALLEST = {"share": 0.02, "log": float(np.log(1.15)), "count": 0.15}
"""Smallest difference worth telling; for counts as a share of the larger mean."""
_CHANCE = 0.05
"""Chance that pure noise would give any fact at all, over all features and segments."""
_COVERAGE = 1 / 3
"""What is defined for fewer users than this, inside or outside, says little of the segment."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One feature in which a segment differs from everyone else."""

    feature: Feature
    inside: float
    outside: float
    effect: float


def findings(
    measures: Measures, sizes: LongArray, moves: LongArray, options: SegmentOptions
) -> tuple[tuple[Finding, ...], ...]:
    """Per segment, all that sets it apart, the largest effect first, activity after the rest.

    The effect is Cohen's d: the difference of the users' means inside and outside the segment
    over their pooled standard deviation, with a floor under it. Told are effects of at least
    ``min_effect`` that noise would hardly give, where the difference is of practical size too.
    Where there is nobody outside, nothing is told; nor of what is undefined for most users.
    ``sizes`` are users per segment, (G,), ``moves`` transitions, (G, A, A).
    """
    inside, outside, effect = compare(measures)
    shown_in, shown_out = measures.shown(inside), measures.shown(outside)
    _pool_moves(measures.features, moves, shown_in, shown_out)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(1 / measures.n + 1 / (measures.n.sum(axis=0) - measures.n))
    beyond_chance = NormalDist().inv_cdf(1 - _CHANCE / 2 / effect.size)  # Bonferroni
    told = np.abs(effect) >= np.maximum(options.min_effect, beyond_chance * error)
    told &= _covers(measures, sizes) & _practical(measures.features, inside, outside)
    told &= np.sign(shown_in - shown_out) == np.sign(effect)
    return tuple(
        tuple(
            Finding(
                feature=measures.features[f],
                inside=float(shown_in[g, f]),
                outside=float(shown_out[g, f]),
                effect=float(effect[g, f]),
            )
            for f in _largest_first(measures.features, effect[g], told[g])
        )
        for g in range(len(effect))
    )


def facts(found: Sequence[Finding], options: SegmentOptions) -> tuple[Fact, ...]:
    """The findings worth a line: few of a kind, none that repeats another."""
    picked: list[Finding] = []
    told: set[str] = set()
    kinds: Counter[str] = Counter()
    for finding in found:
        feature = finding.feature
        if kinds[feature.kind] < MOST_PER_KIND and told.isdisjoint(feature.alike):
            picked.append(finding)
            kinds[feature.kind] += 1
            told |= set(feature.alike)
    return tuple(_fact(finding) for finding in picked[: options.max_facts])


def compare(measures: Measures) -> tuple[DoubleArray, DoubleArray, DoubleArray]:
    """Means inside and outside and Cohen's d, (G, F) each; NaN where a side has nobody."""
    n, total, squares = measures.n, measures.total, measures.squares
    all_n, all_total, all_squares = (x.sum(axis=0) for x in (n, total, squares))
    with np.errstate(divide="ignore", invalid="ignore"):
        inside, outside = total / n, (all_total - total) / (all_n - n)
        spread = squares - n * inside**2
        spread += all_squares - squares - (all_n - n) * outside**2
        deviation = np.sqrt(np.maximum(spread, 0.0) / np.maximum(all_n - 2, 1))
        floor = np.array([_SPREAD_FLOOR[f.scale] for f in measures.features])
        counts = np.array([f.scale == "count" for f in measures.features])
        floor[counts] *= (all_total / all_n)[counts]
        effect = (inside - outside) / np.maximum(deviation, floor)
    return inside, outside, effect


def _pool_moves(
    features: tuple[Feature, ...], moves: LongArray, inside: DoubleArray, outside: DoubleArray
) -> None:
    """Show transitions as shares of all moves of a segment, as its transition graph does."""
    own, others = shares_of_next(moves), shares_of_next(moves.sum(axis=0) - moves)
    columns = [i for i, feature in enumerate(features) if feature.kind == "transition"]
    came = [features[i].codes[0] for i in columns]
    goes = [features[i].codes[1] for i in columns]
    inside[:, columns], outside[:, columns] = own[:, came, goes], others[:, came, goes]


def _covers(measures: Measures, sizes: LongArray) -> npt.NDArray[np.bool_]:
    """Which features are defined for enough users on both sides, (G, F)."""
    inside, outside = measures.n, measures.n.sum(axis=0) - measures.n
    enough: npt.NDArray[np.bool_] = inside >= _COVERAGE * sizes[:, None]
    enough &= outside >= _COVERAGE * (sizes.sum() - sizes)[:, None]
    return enough


def _practical(
    features: tuple[Feature, ...], inside: DoubleArray, outside: DoubleArray
) -> npt.NDArray[np.bool_]:
    """Which differences are worth telling, (G, F); means on the scale of comparison."""
    smallest = np.array([_SMALLEST[f.scale] for f in features])
    counts = np.array([f.scale == "count" for f in features])
    larger = np.maximum(np.abs(inside), np.abs(outside))
    size = np.where(counts, larger, 1.0) * smallest
    worth: npt.NDArray[np.bool_] = np.abs(inside - outside) >= size
    return worth


def _largest_first(
    features: tuple[Feature, ...], effect: DoubleArray, told: npt.NDArray[np.bool_]
) -> list[int]:
    columns: list[int] = np.flatnonzero(told).tolist()
    return sorted(
        columns,
        key=lambda f: (
            features[f].kind == "activity",
            -round(abs(float(effect[f])), 6),
            effect[f] < 0,
        ),
    )


def _fact(finding: Finding) -> Fact:
    feature = finding.feature
    return Fact(
        kind=feature.kind,
        subject=" → ".join(feature.words) or feature.name,
        inside=finding.inside,
        outside=finding.outside,
        effect=finding.effect,
        unit=feature.unit,
        text=sentence(feature, finding.inside, finding.outside),
    )
