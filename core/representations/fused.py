"""Several representations side by side, each brought to a like size and weighted.

Either as it stands, or only what lasts of each (see `core.representations.lasting`): then a part
of which the earlier half of a history tells nothing about the later does not count at all, instead
of drowning the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.artifacts import DoubleArray, FloatArray, Metric, Progress, Sequences, State
from core.device import COUNTED_ON
from core.errors import OptionRefused, TooLittleData, did_you_mean
from core.geometry import blocks
from core.options import Options, option
from core.representations._base import Fitted, Representation, Work
from core.representations.bag import BAG
from core.representations.counts import users_to_fit
from core.representations.event2vec import EVENT2VEC
from core.representations.lasting import FEWEST_USERS, halves, lasting_directions
from core.representations.markov import MARKOV
from core.representations.ngram import BIGRAM
from core.representations.ngrams_with_skips import NGRAM
from core.representations.rfm import RFM
from core.representations.tfidf import TFIDF
from core.representations.timing import TIME

PARTS: dict[str, tuple[Representation, dict[str, Any]]] = {
    BAG.name: (BAG, {}),
    TFIDF.name: (TFIDF, {}),
    EVENT2VEC.name: (EVENT2VEC, {}),
    BIGRAM.name: (BIGRAM, {}),
    NGRAM.name: (NGRAM, {}),
    MARKOV.name: (MARKOV, {}),
    TIME.name: (TIME, {"recency": False}),
    RFM.name: (RFM, {"standing": False}),
}
"""What can be fused, and the options it is fused with. How long a user has been around is left
out: it lasts by its kind, and would come before how a user behaves."""

_STAGE = "represent"
_CENTRE, _AXES = "fused_centre", "fused_axes"
_STILL = 1e-6
"""Mean squared distance under which a part is without differences."""
_USERS = 50_000
"""Users of whom everything is learned, at even distances."""
_AT_ONCE = 8_192
"""Users that are placed at once."""


@dataclass(frozen=True, kw_only=True)
class FusedOptions(Options):
    """What is put side by side, and how much each question counts."""

    blocks: tuple[str, ...] = option(
        ("bag", "markov", "ngram", "time", "rfm"),
        "Put together",
        f"Representations that are put side by side, of: {', '.join(PARTS)}",
    )
    lasting: bool = option(
        True,
        "Only what lasts",
        "Keep of each part only the directions in which the earlier half of users' histories "
        "agrees with the later more than by chance; else every part counts whole, chance included",
    )
    content_weight: float = option(
        1.0,
        "Weight: content",
        "How much it counts what users do and look at",
        low=0,
        high=10,
    )
    order_weight: float = option(
        1.0, "Weight: order", "How much it counts what follows what", low=0, high=10
    )
    time_weight: float = option(
        1.0, "Weight: time", "How much it counts when and how fast things happen", low=0, high=10
    )
    value_weight: float = option(
        1.0, "Weight: value", "How much prices and baskets count", low=0, high=10
    )
    width: int = option(
        64,
        "Most numbers",
        "More than so many are turned into that many principal components",
        low=2,
        high=1024,
        expert=True,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in self.blocks:
            if name not in PARTS:
                raise OptionRefused(
                    f"blocks names '{name}', which cannot be fused. Allowed: {', '.join(PARTS)}."
                    f"{did_you_mean(name, PARTS)}"
                )
        if not any(self.weight(name) for name in self.blocks):
            raise OptionRefused(
                f"blocks is '{','.join(self.blocks)}', and no weight of these is above 0, so "
                "there is nothing to compare. Name a block and set its weight above 0."
            )

    def weight(self, block: str) -> float:
        """How much the question that a block answers counts."""
        weight: float = getattr(self, f"{PARTS[block][0].question}_weight")
        return weight


@dataclass(frozen=True, kw_only=True)
class _Part:
    """One representation, fitted."""

    name: str
    state: State
    sample: FloatArray  # (S, C) of some users to fit

    @property
    def label(self) -> str:
        return f"'{self.name}' ({PARTS[self.name][0].question})"


Axes = dict[str, DoubleArray]
"""By part that counts, (C, k): what its numbers less their mean become."""


def fit(sequences: Sequences, options: FusedOptions, work: Work) -> Fitted:
    """One point per user, shape (U, D): the parts side by side, weighted by question.

    Whole parts have a mean squared distance of 1, so that none outweighs another by its size or
    its number of columns; of what lasts, each direction varies as much as its reliability to the
    fourth. Parts that answer the same question share its weight. Where nothing lasts, or fewer
    than 200 users can tell, parts count whole, and it is said. The seed only draws what chance
    alone would show. Raises TooLittleData where no user has an event, or the log can tell none
    of the parts.
    """
    parts, told = _fit_parts(sequences, options, work)
    axes: Axes = {}
    if options.lasting:
        axes, more = _lasting(parts, sequences, work.seed)
        told += more
    if not axes:
        axes, more = _whole(parts)
        told += more
    axes = _reduced(parts, _weighted(axes, options), options.width)
    state: dict[str, npt.NDArray[Any]] = {}
    for part in parts:
        if part.name in axes:
            centre = part.sample.mean(axis=0, dtype=np.float64)
            own = {**part.state, _CENTRE: centre, _AXES: axes[part.name]}
            state |= {f"{part.name}.{key}": value for key, value in own.items()}
    values = transform(state, sequences)
    return Fitted(values=values, state=state, device=COUNTED_ON, findings=tuple(told))


def transform(state: State, sequences: Sequences) -> FloatArray:
    """Place users in the space that was fitted, shape (U, D).

    Some users at a time, as all numbers of all parts together may be many times as wide.
    """
    parts = {name: _own(name, state) for name in PARTS if f"{name}.{_AXES}" in state}
    width = next(iter(parts.values()))[_AXES].shape[1]
    values = np.zeros((sequences.n_users, width), dtype=np.float32)
    for first in range(0, sequences.n_users, _AT_ONCE):
        users = np.arange(first, min(first + _AT_ONCE, sequences.n_users))
        some = sequences.of_users(users)
        for name, own in parts.items():
            found = PARTS[name][0].transform(own, some)
            values[users] += (found - own[_CENTRE]) @ own[_AXES]
    return values


def _own(name: str, state: State) -> State:
    """What a part has learned, and how its numbers are fused."""
    own = {
        key.removeprefix(f"{name}."): value
        for key, value in state.items()
        if key.startswith(f"{name}.")
    }
    return own | {key: own[key].astype(np.float32) for key in (_CENTRE, _AXES)}


def _fit_parts(
    sequences: Sequences, options: FusedOptions, work: Work
) -> tuple[list[_Part], list[Metric]]:
    """Every part that counts and that the log can tell, by the users to fit; else why not."""
    some = sequences.of_users(users_to_fit(sequences, _USERS))
    if not some.n_users:
        raise TooLittleData(
            "No user has an event, so there is nothing to compare. Keep more of the log when "
            "cleaning."
        )
    wanted = [name for name in PARTS if name in options.blocks and options.weight(name)]
    parts, told = [], []
    for place, name in enumerate(wanted):
        entry, changed = PARTS[name]
        work.report(Progress(stage=_STAGE, done=place / (len(wanted) + 1), text=entry.label))
        try:
            fitted = entry.fit(some, entry.Options(**changed), work)
        except TooLittleData as refused:
            told.append(_left_out(name, str(refused)))
            continue
        told += fitted.findings
        parts.append(_Part(name=name, state=fitted.state, sample=fitted.values))
    if not parts:
        raise TooLittleData(" ".join(left.note for left in told))
    return parts, told


def _lasting(parts: list[_Part], sequences: Sequences, seed: int) -> tuple[Axes, list[Metric]]:
    """The directions of every part in which users stay themselves; none where nobody can tell."""
    users = halves(sequences)
    if users.n_users < 2 * FEWEST_USERS:
        return {}, [
            Metric(
                name="lasting",
                value=None,
                note=f"Only {users.n_users // 2} users have four events or more, too few to tell "
                "what lasts of a user from chance, so every part counts whole.",
            )
        ]
    axes: Axes = {}
    told = []
    for part in parts:
        values = PARTS[part.name][0].transform(part.state, users)
        found = lasting_directions(values, np.diff(users.offsets), seed)
        n_found, n = found.axes.shape[1], part.sample.shape[1]
        note = (
            f"{n_found} of {n} directions of {part.label} last from the earlier half of users' "
            "histories to the later more than by chance"
        )
        if n_found:
            spread = (part.sample.astype(np.float64) @ found.axes).std(axis=0)
            axes[part.name] = found.axes / np.maximum(spread, _STILL) * found.reliability**2
            note += f", the best with a reliability of {found.reliability[0]:.2f}."
        else:
            note += ", so it does not count."
        told.append(Metric(name=f"lasting {part.name}", value=float(n_found), note=note))
    if not axes:
        note = "Nothing in users lasts more than by chance, so every part counts whole."
        told.append(Metric(name="lasting", value=0.0, note=note))
    return axes, told


def _whole(parts: list[_Part]) -> tuple[Axes, list[Metric]]:
    """Every part with a mean squared distance of 1; those without differences are left out."""
    axes: Axes = {}
    told = []
    for part in parts:
        n = part.sample.shape[1]
        distance = 2.0 * float(part.sample.var(axis=0, dtype=np.float64).sum())
        if distance > _STILL:
            axes[part.name] = np.eye(n) / np.sqrt(distance)
        else:
            told.append(_left_out(part.name, f"Users do not differ in {part.label}."))
    if not axes:  # everyone is alike, so everyone stands on one point
        axes[parts[0].name] = np.zeros((parts[0].sample.shape[1], 1))
    return axes, told


def _left_out(name: str, why: str) -> Metric:
    return Metric(name=f"left out {name}", value=None, note=why)


def _weighted(axes: Axes, options: FusedOptions) -> Axes:
    """Each part by the weight of its question, which it shares with those of the same question."""
    questions = [PARTS[name][0].question for name in axes]
    sharing = {name: questions.count(PARTS[name][0].question) for name in axes}
    return {name: a * options.weight(name) / np.sqrt(sharing[name]) for name, a in axes.items()}


def _reduced(parts: list[_Part], axes: Axes, width: int) -> Axes:
    """The parts side by side, (C, D) each; turned into ``width`` principal components if more."""
    ends = np.cumsum([a.shape[1] for a in axes.values()])
    total = int(ends[-1])
    side_by_side = {}
    for (name, own), end in zip(axes.items(), ends, strict=True):
        side_by_side[name] = np.zeros((len(own), total))
        side_by_side[name][:, end - own.shape[1] : end] = own
    if total <= width:
        return side_by_side
    _, turned = np.linalg.eigh(_scatter(parts, axes))
    turned = turned[:, : -width - 1 : -1]
    largest = turned[np.abs(turned).argmax(axis=0), np.arange(width)]
    turned = turned * np.where(largest < 0, -1.0, 1.0)  # either sign would do
    return {name: own @ turned for name, own in side_by_side.items()}


def _scatter(parts: list[_Part], axes: Axes) -> DoubleArray:
    """Products of the sample's points less their mean, (D, D), a block of users at a time."""
    counted = [part for part in parts if part.name in axes]
    centres = [part.sample.mean(axis=0, dtype=np.float64) for part in counted]
    total = np.zeros((sum(a.shape[1] for a in axes.values()),) * 2)
    for rows in blocks(len(counted[0].sample)):
        points = np.concatenate(
            [
                (part.sample[rows] - centre) @ axes[part.name]
                for part, centre in zip(counted, centres, strict=True)
            ],
            axis=1,
        )
        total += points.T @ points
    return total


FUSED = Representation(
    name="fused",
    label="All counts together",
    summary="Compares users by what, in which order, when and at which prices, all at once, and "
    "keeps what lasts of it.",
    strengths="Finds which of these tells users apart, and says so; takes seconds to minutes.",
    weaknesses="Its numbers are mixtures that cannot be read one by one; needs users with several "
    "events.",
    question="everything",
    learned=False,
    most_users=_USERS,
    Options=FusedOptions,
    fit=fit,
    transform=transform,
)
