"""Which chains of behaviour a user follows, and faintly how far from their middle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.artifacts import BehaviourModels, DoubleArray, FloatArray, Sequences, State
from core.device import COUNTED_ON
from core.options import Options, option
from core.representations._base import Fitted, Representation, Work
from core.representations.counts import users_to_fit
from core.sequence_models.background import own_likelihoods
from core.sequence_models.mixture import bayes, log_likelihoods
from core.sequence_models.models import has_mixture, in_blocks, learn, mixture_of
from core.sequence_models.options import SequenceModelOptions

_LEAST = 0.05
"""Numbers of segments of which the memberships would weigh less do not count."""
_SOFT = 3.0
"""What log odds are divided by, so that users between two segments are seen between them."""


@dataclass(frozen=True, kw_only=True)
class MarkovMixtureOptions(Options):
    """How memberships become places."""

    shades: float = option(
        0.25,
        "Shades within segments",
        "How far users of one segment are told apart by how they lean to finer segments; 0 not",
        low=0,
        high=1,
        expert=True,
    )


def fit(sequences: Sequences, options: MarkovMixtureOptions, work: Work) -> Fitted:
    """Square roots of softened memberships beside leanings to finer segments, less their mean.

    Shape (U, sum of K + K'). Memberships stand there for every number of segments K that foretells
    about as well as the best, by how nearly it does; distances between them are Hellinger's.
    Leanings to the K' finest models are log likelihoods per event, of which the spread is
    ``shades`` times that of the memberships. Mean and spread are those of the users to fit.
    """
    models = work.models or learn(sequences, SequenceModelOptions(), work.seed, work.report)
    state: State = {**models.state, **_numbers(models)}
    members, leanings = _read(state, sequences)
    users = users_to_fit(sequences)
    spread = [_spread(read[users]) for read in (members, leanings)]
    share = options.shades if spread[0] > 0 else 1.0
    scale = share * np.sqrt((spread[0] or 1.0) / spread[1]) if spread[1] > 0 else 0.0
    points = np.concatenate([members, scale * leanings], axis=1)
    centre = points[users].mean(axis=0) if len(users) else np.zeros(points.shape[1])
    state = {**state, "scale": np.array([scale]), "centre": centre}
    return Fitted(values=_placed(members, leanings, state), state=state, device=COUNTED_ON)


def _spread(values: DoubleArray) -> float:
    """Sum of the variances of all columns."""
    return float(values.var(axis=0).sum()) if len(values) else 0.0


def transform(state: State, sequences: Sequences) -> FloatArray:
    """Place users by the models that were fitted, shape as in `fit`."""
    return _placed(*_read(state, sequences), state)


def _numbers(models: BehaviourModels) -> State:
    """Numbers of segments whose memberships count, their weights, and the finest number kept."""
    kept = [k for k in models.ks if has_mixture(models.state, k)]
    best = max(models.bits)
    weight = {k: _nearness(best - models.bits[k - 1], models.errors[k - 1]) for k in kept if k > 1}
    ks = [k for k, value in weight.items() if value >= _LEAST]
    return {
        "ks": np.array(ks, dtype=np.int64),
        "weights": np.array([weight[k] for k in ks]),
        "finest": np.array([kept[-1]]),
    }


def _nearness(behind: float, error: float) -> float:
    """1 for the best number of segments, less by how many standard errors another is behind."""
    return float(np.exp(-behind / error)) if error > 0 else float(behind == 0)


def _read(state: State, sequences: Sequences) -> tuple[DoubleArray, DoubleArray]:
    mixtures = [mixture_of(state, int(k)) for k in state["ks"]]
    finest = mixture_of(state, int(state["finest"][0]))
    members = np.zeros((sequences.n_users, sum(len(m.shares) for m in mixtures)))
    leanings = np.zeros((sequences.n_users, finest.k))
    for users, counts in in_blocks(state, sequences):
        parts = [np.zeros((len(users), 0))]
        own = own_likelihoods(counts, finest.everyone) if finest.has_background else None
        for mixture, weight in zip(mixtures, state["weights"], strict=True):
            odds = log_likelihoods(mixture, counts, own) + np.log(mixture.shares)
            parts.append(np.sqrt(weight * bayes(odds / _SOFT)[0]))
        members[users] = np.concatenate(parts, axis=1)
        found = log_likelihoods(finest, counts, own)[:, : finest.k]
        found -= found.mean(axis=1, keepdims=True)
        leanings[users] = found / np.maximum(counts.n_events, 1)[:, None]
    return members, leanings


def _placed(members: DoubleArray, leanings: DoubleArray, state: State) -> FloatArray:
    points = np.concatenate([members, leanings * state["scale"][0]], axis=1)
    return np.asarray(points - state["centre"], dtype=np.float32)


MARKOV_MIXTURE = Representation(
    name="markov_mixture",
    label="Chains of behaviour",
    summary=(
        "Places users by which of a few typical ways to behave their events follow: what comes "
        "next, when, on what and at which price."
    ),
    strengths="Sees order, timing, content and value at once, in seconds, and knows how surely.",
    weaknesses="Sees no further back than two actions, and within a segment only shades.",
    question="everything",
    learned=False,
    uses_models=True,
    Options=MarkovMixtureOptions,
    fit=fit,
    transform=transform,
)
