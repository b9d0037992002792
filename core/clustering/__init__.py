"""Segments of users: the catalogue of algorithms and the two things done with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from core.artifacts import Embeddings, FloatArray, Labels, State, fingerprint
from core.clustering import refining
from core.clustering._base import Assigned, Clusterer, count_distinct
from core.clustering._base import Behaviour as Behaviour
from core.clustering.auto import AutoOptions
from core.clustering.dbscan import DBSCAN
from core.clustering.gaussian_mixture import GAUSSIAN_MIXTURE
from core.clustering.hdbscan import HDBSCAN
from core.clustering.hierarchical import HIERARCHICAL
from core.clustering.kmeans import KMEANS
from core.clustering.latent_class import LATENT_CLASS
from core.clustering.markov_mixture import MARKOV_MIXTURE
from core.clustering.spectral import SPECTRAL
from core.errors import OptionRefused, TooLittleData, did_you_mean
from core.geometry import all_alike
from core.options import Options
from core.sequence_models.held_out import SURELY
from core.sequence_models.labels import bits_of_labels
from core.sequence_models.models import count_distinct as count_behaviours
from core.wording import counted

VERSION = 3

CLUSTERERS: dict[str, Clusterer] = {
    c.name: c
    for c in (
        MARKOV_MIXTURE,
        LATENT_CLASS,
        KMEANS,
        GAUSSIAN_MIXTURE,
        HIERARCHICAL,
        SPECTRAL,
        HDBSCAN,
        DBSCAN,
    )
}
"""Every algorithm the analyst can pick, by name."""


def cluster(  # noqa: PLR0913
    embeddings: Embeddings,
    method: str,
    options: Options,
    n_clusters: int,
    seed: int,
    behaviour: Behaviour | None = None,
) -> Labels:
    """Put every user into a segment, largest first; NOISE for users in none.

    ``n_clusters`` is not used by methods that find it; ``behaviour`` only by those that read what
    users did, and by "auto", which takes the candidate that foretells unseen users best. Where
    nobody falls into one of the segments, there are fewer. The same seed gives the same labels.
    Raises OptionRefused for an unknown method, TooLittleData for more segments than there are
    different users.
    """
    if method == "auto":
        assert isinstance(options, AutoOptions) and behaviour is not None
        return _best(embeddings, options, n_clusters, seed, behaviour)
    chosen = _chosen(method)
    read: FloatArray | Behaviour = embeddings.values
    if chosen.reads == "behaviour":
        assert behaviour is not None
        read = behaviour
    if chosen.needs_n_clusters:
        _check_enough(read, n_clusters)
    fitted = chosen.fit(read, options, n_clusters, seed)
    made_by = {"method": method, "n_clusters": n_clusters, "seed": seed, **options.to_dict()}
    labels = Labels(
        user_ids=embeddings.user_ids,
        values=fitted.values,
        confidence=fitted.confidence,
        n_clusters=int(np.max(fitted.values, initial=-1)) + 1,
        method=method,
        loss_trace=fitted.loss_trace,
        best_restart=fitted.best_restart,
        state=fitted.state,
        note=fitted.note,
        fingerprint=fingerprint(embeddings.fingerprint, "labels", VERSION, made_by),
    )
    if not _falls_short(labels, n_clusters):
        return labels
    fewer = f"Nobody falls into more than {labels.n_clusters} of the {n_clusters} segments."
    return replace(labels, note=f"{fewer} {labels.note}".strip())


def _falls_short(labels: Labels, n_clusters: int) -> bool:
    """Whether fewer segments have users than were asked for."""
    return CLUSTERERS[labels.method].needs_n_clusters and labels.n_clusters < n_clusters


def refine(labels: Labels, behaviour: Behaviour, seed: int) -> Labels:
    """Make segments of points better by models of behaviour, which ``behaviour`` holds.

    Kept where users left out are foretold surely better; the note tells.
    """
    return refining.refined(labels, behaviour, seed, CLUSTERERS[labels.method].reads)


def assign(
    method: str, state: State, points: FloatArray, behaviour: Behaviour | None = None
) -> Assigned:
    """Segment and confidence of new users, (U,) each, without fitting anything again."""
    chosen = placed_by(method, state)
    return chosen.assign(state, behaviour if chosen.reads == "behaviour" else points)


def placed_by(method: str, state: State) -> Clusterer:
    """The algorithm that places new users: the one that formed the segments, or refined them."""
    return LATENT_CLASS if refining.REFINED in state else _chosen(method)


def _best(
    embeddings: Embeddings, options: AutoOptions, n_clusters: int, seed: int, behaviour: Behaviour
) -> Labels:
    """The labels of the candidate whose segments foretell unseen users best, and why.

    Candidates that do not form as many segments as were asked for are left out where others do;
    raises the reason of the first where none can form any.
    """
    found, refused = dict[str, Labels](), list[TooLittleData]()
    for name in options.names(CLUSTERERS):
        try:
            its_own = CLUSTERERS[name].Options()
            found[name] = cluster(embeddings, name, its_own, n_clusters, seed, behaviour)
        except TooLittleData as problem:
            refused.append(problem)
    if not found:
        raise refused[0]
    full = {name: labels for name, labels in found.items() if not _falls_short(labels, n_clusters)}
    found = full or found
    if len(found) == 1 or n_clusters == 1:
        return next(iter(found.values()))
    return _judged(found, seed, behaviour)


def _judged(found: Mapping[str, Labels], seed: int, behaviour: Behaviour) -> Labels:
    """The labels that foretell unseen users best, with the reason in their note."""
    assert behaviour.models is not None
    foretold = bits_of_labels(
        behaviour.models, behaviour.sequences, [labels.values for labels in found.values()], seed
    )
    best = list(found)[foretold.simplest_of_the_best(SURELY)]
    told = ", ".join(
        f"{CLUSTERERS[name].label} {value:.3f}"
        for name, value in zip(found, foretold.per_event(), strict=True)
    )
    why = (
        f"The choice is {CLUSTERERS[best].label}: no other algorithm's segments foretell users "
        f"that were left out surely better (bits per event, nearer to 0 is better: {told})."
    )
    return replace(found[best], note=f"{why} {found[best].note}".strip())


def _chosen(method: str) -> Clusterer:
    if method not in CLUSTERERS:
        raise OptionRefused(
            f"cluster.method is '{method}'. Allowed: {', '.join(CLUSTERERS)}."
            f"{did_you_mean(method, CLUSTERERS)}"
        )
    return CLUSTERERS[method]


def _check_enough(read: FloatArray | Behaviour, n_clusters: int) -> None:
    n_users, distinct = _how_many_differ(read, n_clusters)
    if distinct >= n_clusters:
        return
    segments = counted(n_clusters, "segment", "segments")
    users = counted(n_users, "user", "users")
    alike = f", of whom only {distinct} differ in their behaviour" if distinct > 1 else ""
    alike = " who all behave alike" if distinct == 1 < n_users else alike
    fewer = f"{distinct} or fewer segments" if distinct > 1 else "1 segment"
    raise TooLittleData(
        f"{segments} cannot be formed of {users}{'' if distinct == n_users else alike}. Choose "
        f"{fewer} (cluster.n_clusters), or bring more users."
    )


def _how_many_differ(read: FloatArray | Behaviour, enough: int) -> tuple[int, int]:
    """Users, and how many different ones; counting may stop at ``enough``."""
    if isinstance(read, Behaviour):
        assert read.models is not None
        n_users = read.sequences.n_users
        return n_users, count_behaviours(read.models.state, read.sequences, enough)
    return len(read), 1 if all_alike(read) else count_distinct(read, enough)
