"""Which chains of behaviour a user follows, and faintly how far from their middle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.artifacts import DoubleArray, FloatArray, Sequences, State
from core.options import Options, option
from core.representations._base import Fitted, Representation, Work
from core.representations.device import COUNTED_ON
from core.sequence_models.mixture import bayes, log_likelihoods
from core.sequence_models.models import in_blocks, learn, mixture_of
from core.sequence_models.options import SequenceModelOptions

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
    """Square roots of softened memberships beside leanings to finer segments, centred.

    Shape (U, K + K'), K as suggested by `core.sequence_models`, K' the most models kept; distances
    between memberships are Hellinger's. The leanings are log likelihoods per event, of which the
    spread is ``shades`` times that of the memberships.
    """
    models = work.models or learn(sequences, SequenceModelOptions(), work.seed, work.report)
    finest = max(int(name.split(".")[1]) for name in models.state if name.endswith(".logs"))
    state = {**models.state, "numbers": np.array([models.suggested, finest])}
    members, leanings = _read(state, sequences)
    spread = float(members.var(axis=0).sum()), float(leanings.var(axis=0).sum())
    share = options.shades if spread[0] > 0 else 1.0
    scale = share * np.sqrt((spread[0] or 1.0) / spread[1]) if spread[1] > 0 else 0.0
    centre = np.concatenate([members.mean(axis=0), scale * leanings.mean(axis=0)])
    state |= {"scale": np.array([scale]), "centre": centre}
    return Fitted(values=_placed(members, leanings, state), state=state, device=COUNTED_ON)


def transform(state: State, sequences: Sequences) -> FloatArray:
    """Place users by the models that were fitted, shape (U, K + K')."""
    return _placed(*_read(state, sequences), state)


def _read(state: State, sequences: Sequences) -> tuple[DoubleArray, DoubleArray]:
    suggested, finest = (mixture_of(state, int(k)) for k in state["numbers"])
    shape = (sequences.n_users, len(suggested.shares)), (sequences.n_users, finest.k)
    members, leanings = (np.zeros(one) for one in shape)
    for users, counts in in_blocks(state, sequences):
        odds = log_likelihoods(suggested, counts) + np.log(suggested.shares)
        members[users] = np.sqrt(bayes(odds / _SOFT)[0])
        found = log_likelihoods(finest, counts)[:, : finest.k]
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
