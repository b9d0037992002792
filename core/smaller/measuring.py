"""What a smaller encoder gains and loses, measured side by side with the original.

Judged by users of whom none taught it (those to validate and to test). Nothing is told that was
not measured here: where there is nothing to compare segments by, there is no figure.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core import clustering, representations
from core.artifacts import FIT, FloatArray, IntArray, Labels, LongArray, Progress, Sequences, State
from core.device import pick
from core.errors import TooLittleData
from core.representations import Work
from core.smaller import STAGE, WAYS, check_encoder, make
from core.store import save_state
from core.wording import counted

ORIGINAL = "original"
_MOST_JUDGED = 20_000
"""Users by whom encoders are compared, of more at even distances."""
_MOST_TIMED_EVENTS = 200_000
_ROUNDS = 9
_MEASURING = 0.1
"""Share of the whole work that is left for measuring."""


@dataclass(frozen=True, kw_only=True)
class Original:
    """The encoder that is to be made smaller, and the segments formed of its points."""

    method: str
    state: State
    labels: Labels | None = None
    """None where there are no segments yet."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One model: its size, its speed, and how far it agrees with the original."""

    way: str
    """`ORIGINAL`, or a name of `WAYS`."""
    model_bytes: int
    """Of the model's file."""
    weights: int
    """Numbers other than 0 that were learned."""
    events_per_second: float
    """Placed, the opening of the model included; median of the rounds."""
    faster_in: int
    """Rounds in which it was faster than the original was in the same round."""
    cosine_mean: float
    """Of users' points with the original's; 1 is the very same direction."""
    cosine_low: float
    """Its first percentile: of a hundred users one is moved more."""
    same_segment: float | None
    """Share of the users that fall into the same segment; None without segments of points."""
    ari: float | None
    """Adjusted Rand index of the segments with the original's: 1 the same, 0 what chance gives."""
    seconds: float
    """That it took to make."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The original and smaller copies side by side."""

    method: str
    models: tuple[Measured, ...]
    """The original first."""
    n_judged: int
    """Users compared; none of them taught a smaller model."""
    n_unlearned: int
    """Users there are of that kind."""
    n_timed_events: int
    """Events placed per round, of as many of those users as have these."""
    rounds: int
    device: str
    """Where users were placed, on one thread."""
    seed: int
    note: str
    """What could not be measured, in a sentence; empty where all was."""

    @property
    def original(self) -> Measured:
        """The model that the others were made of."""
        return self.models[0]


def compare(
    original: Original, sequences: Sequences, ways: Sequence[str], work: Work, folder: Path
) -> tuple[Comparison, dict[str, State]]:
    """Make smaller copies, write them as ``folder/WAY.safetensors``, and measure them.

    Sizes, points and segments are the same for the same seed (CPU); times are those of this
    machine at this moment. Raises OptionRefused where there is no encoder or way, TooLittleData
    where nobody is left to judge by.
    """
    check_encoder(original.method)
    unlearned = np.flatnonzero((sequences.split != FIT) & (np.diff(sequences.offsets) > 0))
    judged = sequences.of_users(_judged(unlearned))
    timed = _timed(judged)
    made, seconds = _made(original, sequences, ways, work)
    work.report(Progress(stage=STAGE, done=1 - _MEASURING, text="Comparing the models"))
    alone = {name: {**state, "threads": np.array([1])} for name, state in made.items()}
    points = {n: representations.transform(original.method, s, judged) for n, s in alone.items()}
    took = _rounds(original.method, alone, timed)
    segments = {name: _segments(original.labels, found) for name, found in points.items()}
    models = []
    for name, state in made.items():
        nearness = cosines(points[ORIGINAL], points[name])
        models.append(
            Measured(
                way=name,
                model_bytes=_bytes(state, folder / f"{name}.safetensors"),
                weights=_weights(state),
                events_per_second=timed.n_events / float(np.median(took[name])),
                faster_in=int((took[name] < took[ORIGINAL]).sum()),
                cosine_mean=float(nearness.mean()),
                cosine_low=float(np.quantile(nearness, 0.01)),
                same_segment=_same(segments[ORIGINAL], segments[name]),
                ari=_ari(segments[ORIGINAL], segments[name]),
                seconds=seconds[name],
            )
        )
    found = Comparison(
        method=original.method,
        models=tuple(models),
        n_judged=judged.n_users,
        n_unlearned=len(unlearned),
        n_timed_events=timed.n_events,
        rounds=_ROUNDS,
        device=str(pick("auto")),
        seed=work.seed,
        note=_note(original.labels),
    )
    return found, made


def _made(
    original: Original, sequences: Sequences, ways: Sequence[str], work: Work
) -> tuple[dict[str, State], dict[str, float]]:
    """The original and a smaller state for each way, and the seconds each took to make."""
    states, seconds = {ORIGINAL: original.state}, {ORIGINAL: 0.0}
    pick("auto")  # loads PyTorch, which is no part of making the first
    for place, way in enumerate(ways):
        began = time.perf_counter()
        states[way] = make(original.state, sequences, way, _part(work, way, place, len(ways)))
        seconds[way] = time.perf_counter() - began
    return states, seconds


def _part(work: Work, way: str, place: int, n_ways: int) -> Work:
    """Work on one way, whose progress is a part of the whole."""

    def tell(progress: Progress) -> None:
        done = (1 - _MEASURING) * (place + progress.done) / n_ways
        work.report(replace(progress, done=done))

    tell(Progress(stage=STAGE, done=0.0, text=f"Making a smaller model: {WAYS[way].label}"))
    return replace(work, report=tell)


def _judged(users: LongArray) -> LongArray:
    """Users that taught nothing, of many some at even distances; rising."""
    if len(users) < 2:
        raise TooLittleData(
            f"{counted(len(users), 'user of this log is', 'users of this log are')} left to "
            "validate and to test. A smaller model is taught by all others, and judged by those, "
            "so two are needed at least. Make the run again with a larger "
            "sequence.validate_share or sequence.test_share, or with more users."
        )
    if len(users) > _MOST_JUDGED:
        users = users[np.arange(_MOST_JUDGED) * len(users) // _MOST_JUDGED]
    return users


def _timed(judged: Sequences) -> Sequences:
    """Users whose placing is timed: so many as have some 200,000 events, at even distances."""
    step = -(-judged.n_events // _MOST_TIMED_EVENTS)
    return judged.of_users(np.arange(0, judged.n_users, step)) if step > 1 else judged


def _rounds(
    method: str, states: Mapping[str, State], timed: Sequences
) -> dict[str, npt.NDArray[np.float64]]:
    """Seconds that every model takes to place the users, round by round.

    In turns, and each round begins with another, so that a busy moment meets all alike.
    """
    from threadpoolctl import threadpool_limits

    names = list(states)
    took = {name: np.zeros(_ROUNDS) for name in names}
    with threadpool_limits(limits=1):
        for round_ in range(_ROUNDS):
            for place in range(len(names)):
                name = names[(place + round_) % len(names)]
                began = time.perf_counter()
                representations.transform(method, states[name], timed)
                took[name][round_] = time.perf_counter() - began
    return took


def _bytes(state: State, path: Path) -> int:
    save_state(state, path)
    return path.stat().st_size


def _weights(state: State) -> int:
    from core.representations.packed import unpacked

    learned = (v for k, v in unpacked(state).items() if k.startswith("weight."))
    return sum(int(np.count_nonzero(values)) for values in learned)


def cosines(original: FloatArray, other: FloatArray) -> FloatArray:
    """Cosine of users' points, (U,); 1 where both are at the centre, 0 where only one is."""
    lengths = np.linalg.norm(original, axis=1) * np.linalg.norm(other, axis=1)
    products = (original * other).sum(axis=1)
    both = ~original.any(axis=1) & ~other.any(axis=1)
    return np.where(both, 1.0, products / np.where(lengths > 0, lengths, 1.0))


def _segments(labels: Labels | None, points: FloatArray) -> IntArray | None:
    """The segment of every user by its point, where segments are of points."""
    if labels is None or clustering.placed_by(labels.method, labels.state).reads != "points":
        return None
    return clustering.assign(labels.method, labels.state, points)[0]


def _same(original: IntArray | None, other: IntArray | None) -> float | None:
    if original is None or other is None:
        return None
    return float(np.mean(original == other))


def _ari(original: IntArray | None, other: IntArray | None) -> float | None:
    if original is None or other is None:
        return None
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(original, other))


def _note(labels: Labels | None) -> str:
    if labels is None:
        return "There are no segments yet, so it was not compared how many users change theirs."
    if clustering.placed_by(labels.method, labels.state).reads != "points":
        return (
            "The segments were formed of what users do, not of the encoder's points: they stay "
            "the same whichever model is taken."
        )
    return ""
