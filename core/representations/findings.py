"""What can be said of the learned numbers once they are there, in words an analyst understands."""

from __future__ import annotations

import numpy as np

from core.artifacts import DoubleArray, FloatArray, LongArray, Metric
from core.geometry import doubles, effective_rank
from core.representations.ablation import order_share
from core.representations.encoder import EventEncoder
from core.representations.source import TrainingData
from core.representations.space import directions

COLLAPSED = 3.0
"""Directions below which what was learned counts as collapsed. Encoders that told planted segments
apart filled 3.4 and more; one that tells users apart by a single thing fills 1 or 2."""
_MUCH_LENGTH = 0.5
_FEWEST_USERS = 20
_MOST_USERS = 100_000


def findings_of(
    encoder: EventEncoder, data: TrainingData, values: FloatArray, asked: set[str], seed: int
) -> tuple[Metric, ...]:
    """What the points say of length, and what order carries.

    ``values`` (U, D) are the points of all users, ``asked`` what was guessed of the next event.
    """
    return (length_finding(values, data, seed), order_share(encoder, data, asked, seed))


def rank_finding(states: FloatArray) -> Metric:
    """Directions in which learned states (U, H) really spread, from 1 to H; 0 where all are equal.

    Looked at before faint directions are brought nearer to the strong ones (`space.place`), which
    would let rounding pass for behaviour. Users without events do not count.
    """
    rank = effective_rank(directions(states[states.any(axis=1)]))
    note = f"What was learned spreads in about {rank:.1f} of {states.shape[1]} directions."
    if rank < COLLAPSED:
        note += (
            f" Fewer than {COLLAPSED:.0f} count as collapsed: either users really differ in so "
            "few ways, or the encoder has given up telling more. Compare with a counted "
            "representation before trusting the segments."
        )
    return Metric(name="effective_rank", value=rank, note=note)


def length_finding(values: FloatArray, data: TrainingData, seed: int) -> Metric:
    """Share of the variance of log length that the points explain on unseen users, in [0, 1].

    R squared of a ridge regression, learned from the users fitted and judged on those watched; on
    halves of the users where nobody was watched. None where it cannot be told.
    """
    lengths = np.diff(data.sequences.offsets)
    fitted, held_out = _two_sides(data, np.random.default_rng([seed, 5]))
    name = "length_dependence"
    if min(len(fitted), len(held_out)) < _FEWEST_USERS:
        return Metric(name=name, value=None, note="There are too few users to tell.")
    log_length = np.log(lengths[fitted]), np.log(lengths[held_out])
    if not log_length[1].var() > 0:
        return Metric(name=name, value=None, note="All users have as many events.")
    guessed = _ridge(doubles(values[fitted]), log_length[0], doubles(values[held_out]))
    left = ((log_length[1] - guessed) ** 2).mean()
    share = float(np.clip(1.0 - left / log_length[1].var(), 0.0, 1.0))
    note = f"How many events a user has can be told from the points to {share:.0%}."
    if share > _MUCH_LENGTH:
        note += " Segments may be little more than how active people are."
    return Metric(name=name, value=share, note=note)


def _two_sides(data: TrainingData, rng: np.random.Generator) -> tuple[LongArray, LongArray]:
    """Users with events to learn from and to judge on, at most 100,000 of each, shuffled."""
    fitted, held_out = rng.permutation(data.fit_users), rng.permutation(data.validation_users)
    if not len(held_out):
        fitted, held_out = fitted[::2], fitted[1::2]
    return fitted[:_MOST_USERS], held_out[:_MOST_USERS]


def _ridge(x: DoubleArray, y: DoubleArray, new: DoubleArray) -> DoubleArray:
    """Guesses (n,) for ``new`` (n, D) by ridge regression of y (m,) on x (m, D).

    Columns keep their relation to one another (the mean variance is made 1) and the penalty is D
    events' worth, so faint directions say little.
    """
    centre, width = x.mean(axis=0), x.shape[1]
    scale = np.sqrt(x.var(axis=0).mean()) or 1.0
    x, new = (x - centre) / scale, (new - centre) / scale
    weights = np.linalg.solve(x.T @ x + width * np.eye(width), x.T @ (y - y.mean()))
    guessed: DoubleArray = y.mean() + new @ weights
    return guessed
