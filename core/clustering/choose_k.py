"""How many segments: what each number gives, and the one suggested."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.artifacts import (
    BehaviourModels,
    DoubleArray,
    Embeddings,
    IntArray,
    KCurve,
    Progress,
    Report,
    fingerprint,
    silent,
)
from core.clustering import foretelling, kmeans
from core.clustering._base import count_distinct, doubled
from core.clustering.gap import REFERENCES, Gap, gap
from core.clustering.sweep import sweep
from core.errors import OptionRefused
from core.geometry import all_alike, blocks, drawn_users, scores, silhouettes
from core.options import Options, option

VERSION = 3

Tell = Callable[[int, str], None]
SILENT_ON_NONE = (
    "No such figure can tell whether there are segments at all: a best number shows even where "
    "there are none."
)
_CROWD = (
    "but splitting a single crowd of the same spread lowers the loss J as much, so there may be no "
    "segments"
)
_SUBGROUPS = "and the finer groups found within them go on down to the last number tried"


@dataclass(frozen=True, kw_only=True)
class KOptions(Options):
    """Which numbers of segments are compared, and how carefully."""

    k_min: int = option(2, "Fewest segments", "Smallest number of segments to try", low=2, high=200)
    k_max: int = option(10, "Most segments", "Largest number of segments to try", low=2, high=200)
    k_restarts: int = option(
        5, "Restarts per number", "Starts for every number of segments", low=1, high=50, expert=True
    )
    k_max_users: int = option(
        5_000,
        "Users to compare on",
        "With more users, the numbers are compared on a random sample of so many",
        low=100,
        unit="users",
        expert=True,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.k_min > self.k_max:
            raise OptionRefused(
                f"k_min is {self.k_min}, more than k_max, which is {self.k_max}. "
                "Choose a k_min of at most k_max."
            )


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What one number of segments gave."""

    k: int
    inertia: float
    silhouette: float
    """Macro-silhouette; NaN where it is not defined."""
    error: float
    """Standard error of the silhouette, from scoring a sample of users."""


def k_curve(
    embeddings: Embeddings,
    options: KOptions,
    seed: int,
    report: Report = silent,
    *,
    models: BehaviourModels | None = None,
) -> KCurve:
    """Loss J and macro-silhouette for one segment and for k_min to k_max, with a suggestion.

    K-means on a seeded sample of users. See `suggest` for the rule; where the users are alike
    or too few to compare, one segment is suggested and the reason says so. With ``models`` (where
    segments are formed of behaviour) the number is that which foretells unseen users best.
    """
    rows = drawn_users(len(embeddings.values), options.k_max_users, seed)
    sample = doubled(embeddings.values, rows)
    sample -= sample.mean(axis=0)
    ks, cut = _numbers_to_try(sample, options)
    tried, suggested, knee, reason = [_alone(sample)], 1, None, ""
    if ks:
        tell = _teller(report, len(ks) + REFERENCES)
        tried += _compared(sample, ks, options, seed, tell)
        losses = [t.inertia for t in tried]
        knee = knee_of([1, *ks], losses)
        crowd = "a crowd without segments compared"
        gaps = gap(sample, losses, ks, seed, lambda done: tell(len(ks) + done, crowd))
        suggested, reason = suggest(tried[1:], gaps, knee)
    bits = np.full(len(tried), np.nan)
    if models is not None:
        foretold = dict(zip(models.ks, models.bits, strict=True))
        bits = np.array([foretold.get(t.k, np.nan) for t in tried])
        suggested, reason = models.suggested, foretelling.reason(models)
        if suggested not in (1, *ks):
            cut = f"{cut} {_beside(models, options)}".strip()
    sampled = "" if rows is None else f"Compared on a random sample of {len(sample):,} users."
    return KCurve(
        ks=tuple(t.k for t in tried),
        inertia=tuple(t.inertia for t in tried),
        silhouette=tuple(t.silhouette for t in tried),
        bits=tuple(bits.tolist()),
        confidence=models.confidence if models else None,
        knee=knee,
        suggested=suggested,
        reason=" ".join(part for part in (reason, cut, sampled) if part),
        fingerprint=fingerprint(
            embeddings.fingerprint, "k_curve", VERSION, options.to_dict() | {"seed": seed}
        ),
    )


def _beside(models: BehaviourModels, options: KOptions) -> str:
    """Why a number of segments is suggested that is not among those compared."""
    return (
        f"It was looked for among 1 to {max(models.ks)} (represent.models_most), while J and "
        f"silhouette are of {options.k_min} to {options.k_max} (choose_k.k_min, choose_k.k_max)."
    )


def _compared(
    sample: DoubleArray, ks: Sequence[int], options: KOptions, seed: int, tell: Tell
) -> list[Tried]:
    """What each number of segments gives, telling of each."""
    starts, found = kmeans.KMeansOptions(n_init=options.k_restarts), list[Tried]()
    for done, restart in enumerate(sweep(sample, ks, starts, seed)):
        found.append(_judged(sample, restart, seed))
        tell(done + 1, f"{ks[done]} segments compared")
    return found


def suggest(tried: Sequence[Tried], gaps: Gap, knee: int | None) -> tuple[int, str]:
    """The number of segments to begin with, and why, in plain words.

    The K at which J lies farthest below that of one cloud of the same spread. Of several within
    one standard error, the knee of J, or else the smallest. Where the last K tried is as good as
    any there is no such peak (finer and finer groups go on to be found, down to single users),
    and where no K beats one segment there is none either: then the macro-silhouette decides.
    (Silhouette is not asked first: it favours two segments wherever segments lie in two regions.)
    """
    best = max(tried, key=lambda t: t.silhouette)
    if gaps.beats_one and gaps.has_peak:
        candidates = _leading(gaps)
        k = knee if knee in candidates else candidates[0]
        why = (
            "with them users stand nearer to their centres (loss J) than a single crowd of the "
            "same spread would, by the widest margin"
        )
        if len(candidates) > 1:
            why += f" ({_listed(candidates, k)} nearly as well)"
    else:
        as_good = [t.k for t in tried if t.silhouette >= best.silhouette - best.error]
        k = knee if knee in as_good else as_good[0]
        why = f"they stand apart best by silhouette, {_SUBGROUPS if gaps.beats_one else _CROWD}"
    chosen = next(t for t in tried if t.k == k)
    figure = f"Macro-silhouette {chosen.silhouette:.2f}"
    if best is not chosen:
        figure += f", best {best.silhouette:.2f} at {best.k}"
    return k, f"{k} segments are suggested: {why}. {figure}; {_of_knee(k, knee)} {SILENT_ON_NONE}"


def _listed(candidates: Sequence[int], chosen: int) -> str:
    others = [str(k) for k in candidates if k != chosen]
    return f"{', '.join(others)} do" if len(others) > 1 else f"{others[0]} does"


def _leading(gaps: Gap) -> list[int]:
    """The numbers (two or more) whose gap is as good as the best, rising."""
    top = gaps.values[gaps.peak]
    return [
        k
        for position, k in enumerate(gaps.ks)
        if k > 1 and top - gaps.values[position] <= gaps.error(position)
    ]


def _teller(report: Report, n_steps: int) -> Tell:
    def tell(done: int, text: str) -> None:
        report(Progress(stage="k_curve", done=done / n_steps, text=text))

    return tell


def knee_of(ks: Sequence[int], inertia: Sequence[float]) -> int | None:
    """The K after which more segments lower J only little; None where the fall has no bend.

    After Satopää et al., 2011 (Kneedle): both axes scaled to [0, 1], the K farthest below the
    straight line from the first point to the last, if that is farther than one step of K.
    """
    if len(ks) < 3 or inertia[0] <= inertia[-1]:
        return None
    across = (np.array(ks) - ks[0]) / (ks[-1] - ks[0])
    fallen = (inertia[0] - np.array(inertia)) / (inertia[0] - inertia[-1])
    above = fallen - across
    farthest = int(above.argmax())
    return int(ks[farthest]) if above[farthest] > np.diff(across).mean() else None


def _numbers_to_try(sample: DoubleArray, options: KOptions) -> tuple[list[int], str]:
    """The numbers of segments that the users allow, and what to say where that is fewer."""
    n_users = len(sample)
    if all_alike(sample):
        alike = "There is one user" if n_users == 1 else f"All {n_users:,} users are alike"
        return [], f"{alike}: 1 segment, everyone in it."
    distinct = count_distinct(sample, options.k_max)
    # Five users per segment; and with a segment per user no neighbour is left to compare with.
    most = min(options.k_max, distinct, max(n_users // 5, 2), n_users - 1)
    ks = list(range(options.k_min, most + 1))
    found = f"there are {n_users} users with {distinct} different behaviours"
    if distinct >= options.k_max:
        found = f"there are only {n_users} users"
    if not ks:
        return [], f"Nothing to compare from {options.k_min} segments on, for {found}: 1 segment."
    if most < options.k_max:
        return ks, f"Tried up to {most} segments instead of {options.k_max}, for {found}."
    return ks, ""


def _alone(sample: DoubleArray) -> Tried:
    """Everyone in one segment."""
    loss = float(np.einsum("nd,nd->", sample, sample))
    return Tried(k=1, inertia=loss, silhouette=float("nan"), error=float("nan"))


def _judged(sample: DoubleArray, found: kmeans.Restart, seed: int) -> Tried:
    values = _nearest(sample, found.centres)
    macro, error = silhouettes(sample, values, 200, seed).macro()
    return Tried(k=len(found.centres), inertia=found.trace[-1], silhouette=macro, error=error)


def _nearest(points: DoubleArray, centres: DoubleArray) -> IntArray:
    """Rank of the nearest centre among those that have users, shape (n,)."""
    found = [scores(points[rows], centres).argmin(axis=0) for rows in blocks(len(points))]
    _, values = np.unique(np.concatenate(found), return_inverse=True)
    return values.astype(np.int32)


def _of_knee(chosen: int, knee: int | None) -> str:
    if knee is None:
        return "the loss J falls without a bend."
    if knee == chosen:
        return "the loss J bends there too."
    return f"the loss J bends at {knee}."
