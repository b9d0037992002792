"""The choice left to the tool: representations tried on a sample, by what they are good for.

Every candidate is fitted to some users of a sample, K-means forms segments of them in its space,
and the segments are judged by how well they foretell the other users of the sample (bits per
event, the same events for all): a yardstick that does not depend on the space, as a silhouette
does. Nothing that made the segments, models of behaviour included, has seen who judges them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from core.artifacts import (
    TEST,
    DoubleArray,
    FloatArray,
    IntArray,
    LongArray,
    Progress,
    Report,
    Rung,
    Sequences,
)
from core.errors import AnalystError, JobStopped
from core.geometry import drawn_users
from core.options import Options, known_names, option, option_types
from core.representations._base import Representation, Work
from core.sequence_models.held_out import ROUNDING, Foretold
from core.sequence_models.labels import SURELY, bits_by, sides
from core.sequence_models.models import counts_of, fitted_to, learn
from core.sequence_models.options import SequenceModelOptions

_STAGE = "represent"
_MAPPED = 400
_FEWEST = 4
"""With fewer users that are no test users, all are compared on."""
_STARTS = 5
_LITTLE = 0.05
"""Share of what the best gains on one segment for all, below which a difference is no reason."""


@dataclass(frozen=True, kw_only=True)
class AutoOptions(Options):
    """Between which representations the tool chooses, and on how many users."""

    candidates: tuple[str, ...] = option(
        ("markov_mixture", "lstm", "fused", "bag", "markov", "time"),
        "Representations to compare",
        "The one whose segments foretell users that were left out best is taken",
        expert=True,
    )
    ladder_users: int = option(
        2_000,
        "Users to compare on",
        "With more users, representations are compared on a random sample of so many",
        low=50,
        high=100_000,
        unit="users",
        expert=True,
    )
    ladder_epochs: int = option(
        6,
        "Epochs to compare with",
        "How often an encoder reads the sample before it is compared",
        low=1,
        high=200,
        expert=True,
    )

    def names(self, known: Iterable[str]) -> tuple[str, ...]:
        """The candidates. Raises OptionRefused where one is not known, or there is none."""
        return known_names(self.candidates, known, where="represent.candidates")


@dataclass(frozen=True, kw_only=True)
class Climbed:
    """What was tried, the best first, and what was taken."""

    method: str
    rungs: tuple[Rung, ...]
    why: str


def climb(
    sequences: Sequences,
    catalogue: Mapping[str, Representation],
    options: AutoOptions,
    work: Work,
) -> Climbed:
    """Try every candidate on a sample and take the one whose segments are worth most.

    The sample holds none of the test users, where there are others.

    Of those within two standard errors of the best, or behind it by less than a twentieth of what
    it gains on one segment for all, the first named is taken. Candidates that cannot be made of
    this log are named with the reason. Raises OptionRefused for an unknown candidate, and the
    reason of the first where none can be made.
    """
    names = options.names(catalogue)
    sample = sequences.of_users(_drawn(sequences, options.ladder_users, work.seed))
    fitted, watched = sides(np.asarray(sample.split), work.seed)
    seen, unseen = sample.of_users(fitted), sample.of_users(watched)
    models = work.models or learn(sequences, SequenceModelOptions(), work.seed, work.report)
    known = fitted_to(models, seen, work.seed)
    brief = replace(work, keep=None, models=known, report=_without_epochs(work.report))
    tried, refused = list[_Tried](), dict[str, AnalystError]()
    for done, name in enumerate(names):
        text = f"Trying {catalogue[name].label} on {seen.n_users:,} users"
        work.report(Progress(stage=_STAGE, done=0.5 * done / len(names), text=text))
        try:
            k = max(2, models.suggested)
            tried.append(_try(name, catalogue[name], seen, k, options, brief))
        except JobStopped:
            raise
        except AnalystError as problem:
            refused[name] = problem
    if not tried:
        raise next(iter(refused.values()))
    counts = [counts_of(known.state, of, np.arange(of.n_users)) for of in (seen, unseen)]
    all_alike = np.zeros(seen.n_users, dtype=np.int32)
    foretold = bits_by([all_alike, *(one.labels for one in tried)], *counts)
    return _judged(tried, refused, foretold, catalogue, options, work.seed)


def _without_epochs(report: Report) -> Report:
    """A listener that does not hear of epochs: those of a trial are not those of the training."""
    return lambda progress: report(replace(progress, epoch=None))


@dataclass(frozen=True, kw_only=True)
class _Tried:
    name: str
    points: FloatArray
    labels: IntArray
    seconds: float


def _try(  # noqa: PLR0913
    name: str,
    entry: Representation,
    sample: Sequences,
    k: int,
    options: AutoOptions,
    work: Work,
) -> _Tried:
    brief = {"epochs": options.ladder_epochs} if entry.learned else {}
    known = {n: v for n, v in brief.items() if n in option_types(entry.Options)}
    began = time.perf_counter()
    points = entry.fit(sample, entry.Options(**known), work).values
    seconds = time.perf_counter() - began
    return _Tried(name=name, points=points, labels=_segments(points, k, work.seed), seconds=seconds)


def _segments(points: FloatArray, k: int, seed: int) -> IntArray:
    from sklearn.cluster import KMeans

    distinct = len(np.unique(points, axis=0))
    means = KMeans(min(k, distinct), n_init=_STARTS, random_state=seed).fit(points)
    return np.asarray(means.labels_, dtype=np.int32)


def _judged(  # noqa: PLR0913
    tried: list[_Tried],
    refused: Mapping[str, AnalystError],
    foretold: Foretold,
    catalogue: Mapping[str, Representation],
    options: AutoOptions,
    seed: int,
) -> Climbed:
    """What was tried, judged by ``foretold``, which begins with one segment for all."""
    from sklearn.metrics import adjusted_rand_score

    taken = max(0, foretold.simplest_of_the_best(SURELY, _LITTLE) - 1)
    foretold = replace(foretold, bits=foretold.bits[:, 1:])
    bits = foretold.per_event()
    behind, error = foretold.behind(int(bits.argmax()))
    rungs = [
        Rung(
            method=one.name,
            bits=float(bits[i]),
            behind=float(behind[i]),
            error=float(error[i]),
            agreement=float(adjusted_rand_score(tried[taken].labels, one.labels)),
            seconds=one.seconds,
            width=one.points.shape[1],
            points=_small_map(one, seed),
        )
        for i, one in enumerate(tried)
    ]
    rungs.sort(key=lambda rung: -rung.bits)
    rungs += [_not_tried(name, problem) for name, problem in refused.items()]
    briefly = [
        f"Encoders were trained for {options.ladder_epochs} epochs only to be compared."
        for one in tried
        if catalogue[one.name].learned
    ][:1]
    return Climbed(
        method=tried[taken].name,
        rungs=tuple(rungs),
        why=" ".join([_why(tried[taken].name, rungs, foretold, catalogue), *briefly]),
    )


def _why(
    name: str, rungs: list[Rung], foretold: Foretold, catalogue: Mapping[str, Representation]
) -> str:
    taken = next(rung for rung in rungs if rung.method == name)
    others = [rung for rung in rungs if rung.method != name and not rung.problem]
    label, n_users = catalogue[name].label, len(foretold.n_events)
    words = (
        f"The choice is {label}: of {n_users:,} users that were left out of all this, its segments "
        "foretell what they do "
    )
    if not others:
        return f"{words}({taken.bits:.3f} bits per event); nothing else could be compared."
    next_best = others[0]
    label = catalogue[next_best.method].label
    if next_best.bits > taken.bits - ROUNDING:
        return (
            f"{words}as well as any ({taken.bits:.3f} bits per event, {label} "
            f"{next_best.bits:.3f}: by chance, or too little to matter), and it was named first."
        )
    return f"{words}best ({taken.bits:.3f} bits per event; next is {label}, {next_best.bits:.3f})."


def _not_tried(name: str, problem: AnalystError) -> Rung:
    nan = float("nan")
    return Rung(
        method=name,
        bits=nan,
        behind=nan,
        error=nan,
        agreement=nan,
        seconds=nan,
        width=0,
        points=(),
        problem=str(problem),
    )


def _small_map(tried: _Tried, seed: int) -> tuple[tuple[float, float, int], ...]:
    drawn = drawn_users(len(tried.points), _MAPPED, seed)
    rows = np.arange(len(tried.points)) if drawn is None else drawn
    centred: DoubleArray = tried.points - tried.points.mean(axis=0, dtype=np.float64)
    _, _, axes = np.linalg.svd(centred[rows], full_matrices=False)
    flat = centred[rows] @ axes[:2].T
    flat = np.pad(flat, ((0, 0), (0, 2 - flat.shape[1])))
    return tuple(
        (round(float(x), 4), round(float(y), 4), int(segment))
        for (x, y), segment in zip(flat, tried.labels[rows], strict=True)
    )


def _drawn(sequences: Sequences, most: int, seed: int) -> LongArray:
    """Users to compare on, at random where there are more than ``most``; never the test users."""
    users = np.flatnonzero(np.asarray(sequences.split) != TEST)
    if len(users) < _FEWEST:
        users = np.arange(sequences.n_users)
    drawn = drawn_users(len(users), most, seed)
    return users if drawn is None else users[drawn]
