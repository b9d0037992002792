"""Segments of points made better by models of behaviour, and kept only where that is seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from core.artifacts import Labels, Progress, fingerprint
from core.clustering._base import Behaviour
from core.clustering.latent_class import LatentClassOptions, plan_of
from core.clustering.markov_mixture import ordered
from core.device import pick
from core.errors import TooLittleData
from core.sequence_models.relabelling import HowToRefine, Relabelled, relabel

REFINED = "refined"
"""Where a state says that models of behaviour place users, whatever formed the segments."""
VERSION = 1
_STAGE = "labels"


def refined(
    labels: Labels, behaviour: Behaviour, seed: int, reads: Literal["points", "behaviour"]
) -> Labels:
    """The labels after refining, or as they were; the note tells which, and why.

    Noise is nobody's: such users follow a background, and may find a segment, as others may lose
    theirs; where there is no noise, everyone stays in some segment. Segments keep what they mean
    but are ordered by size anew. Those that ``reads`` behaviour are such models already.
    """
    if reads == "behaviour":
        return _noted(labels, "Refining does not apply: these segments are models of behaviour.")
    assert behaviour.models is not None
    options = LatentClassOptions()

    def tell(epoch: int) -> None:
        text = f"Refining segments: epoch {epoch} of at most {options.net_epochs}"
        share = epoch / options.net_epochs
        behaviour.report(Progress(stage=_STAGE, done=share, text=text))

    try:
        found = relabel(
            behaviour.models, behaviour.sequences, labels.values, how_to(options), seed, tell
        )
    except TooLittleData as problem:
        return _noted(labels, str(problem))
    if not found.kept:
        return _noted(labels, found.told())
    return _noted(_relabelled(labels, found), found.told())


def how_to(options: LatentClassOptions) -> HowToRefine:
    """The network of the sequence models, as they train it."""
    return HowToRefine(
        plan=plan_of(options),
        most_users=options.net_users,
        device=pick(options.net_device).name,
        threads=options.net_threads,
    )


def _relabelled(labels: Labels, found: Relabelled) -> Labels:
    made = ordered(found.members, len(found.codes), {**found.state, REFINED: np.array([1])})
    return replace(
        labels,
        values=made.values,
        confidence=made.confidence,
        n_clusters=int(made.values.max()) + 1,
        state=made.state,
        fingerprint=fingerprint(labels.fingerprint, REFINED, VERSION, {}),
    )


def _noted(labels: Labels, told: str) -> Labels:
    return replace(labels, note=f"{labels.note} {told}".strip())
