"""Segments as chains of behaviour: every user follows the one that foretells its events best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.artifacts import NOISE, FloatArray, State
from core.clustering._base import Assigned, Behaviour, Clusterer, Fitted, by_size
from core.options import Options
from core.sequence_models.models import members_of, mixture_for, state_of_one
from core.sequence_models.relabelling import hard


@dataclass(frozen=True, kw_only=True)
class MarkovMixtureOptions(Options):
    """Nothing to set: the models are those of the stage ``represent``."""


def fit(behaviour: Behaviour, options: MarkovMixtureOptions, n_clusters: int, seed: int) -> Fitted:
    """Every user in the segment whose model explains its events best, by Bayes' rule.

    Users that follow no model are NOISE where the models set such users aside.
    """
    models, sequences = behaviour.models, behaviour.sequences
    assert models is not None
    mixture = mixture_for(models, sequences, n_clusters, seed)
    state = state_of_one(models.state, mixture)
    members = members_of(state, sequences, mixture.k)
    if (hard(members, mixture.k) == NOISE).all():  # segments there must be
        state = state_of_one(models.state, mixture.without_background())
        members = members_of(state, sequences, mixture.k)
    return ordered(members, mixture.k, state)


def assign(state: State, behaviour: Behaviour) -> Assigned:
    """Segment and confidence (the probability by Bayes' rule) of new users, (U,) each."""
    members = members_of(state, behaviour.sequences, int(state["k"][0]))
    return segments_of(members, state)


def ordered(members: FloatArray, k: int, state: State) -> Fitted:
    """Segments by memberships in ``k`` models, the largest first, and the state that places so."""
    state = {**state, "order": by_size(hard(members, k), k), "k": np.array([k])}
    values, confidence = segments_of(members, state)
    return Fitted(values=values, confidence=confidence, state=state)


def segments_of(members: FloatArray, state: State) -> Assigned:
    """Rank of the likeliest model by size; NOISE where the background is likelier than all."""
    k, order = int(state["k"][0]), state["order"]
    rank = np.full(k + 1, NOISE, dtype=np.int32)
    rank[order] = np.arange(len(order))
    best = hard(members, k)
    # A model that was nobody's best has no rank: such users go to the best of those that have.
    lost = (best >= 0) & (rank[best] == NOISE)
    if lost.any():
        best[lost] = order[members[lost][:, order].argmax(axis=1)]
    values = np.where(best >= 0, rank[best], NOISE).astype(np.int32)
    confidence = np.where(values >= 0, members[np.arange(len(best)), best], 0.0)
    return values, confidence.astype(np.float32)


MARKOV_MIXTURE = Clusterer(
    name="markov_mixture",
    label="Chains of behaviour",
    summary=(
        "Describes every segment by what its users do next, given what they just did, when, on "
        "what and at which price, and puts each user where its events are least surprising."
    ),
    strengths=(
        "Sees order, timing, content and value at once, copes with segments of unequal size, says "
        "how sure it is if its models are right, sets aside users that follow nobody, and takes "
        "seconds."
    ),
    weaknesses=(
        "Sees no further back than two actions, and is too sure of segments where there are none."
    ),
    cost=(
        "Grows in line with events and segments. With more users than represent.models_users the "
        "models come from a random sample; everyone is placed."
    ),
    needs_n_clusters=True,
    reads="behaviour",
    Options=MarkovMixtureOptions,
    fit=fit,
    assign=assign,
)
