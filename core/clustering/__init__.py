"""Segments from points: the catalogue of algorithms and the two things done with it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.artifacts import Embeddings, FloatArray, Labels, State, fingerprint
from core.clustering._base import Assigned, Clusterer, count_distinct
from core.clustering._base import Behaviour as Behaviour
from core.clustering.auto import AutoOptions
from core.clustering.hdbscan import HDBSCAN
from core.clustering.kmeans import KMEANS
from core.clustering.markov_mixture import MARKOV_MIXTURE
from core.errors import OptionRefused, TooLittleData, did_you_mean
from core.geometry import all_alike
from core.options import Options
from core.sequence_models.labels import bits_of_labels
from core.wording import counted

VERSION = 2

CLUSTERERS: dict[str, Clusterer] = {c.name: c for c in (MARKOV_MIXTURE, KMEANS, HDBSCAN)}
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
    users did, and by "auto", which takes the candidate that foretells unseen users best. The same
    seed gives the same labels. Raises OptionRefused for an unknown method, TooLittleData for more
    segments than there are different users.
    """
    if method == "auto":
        assert isinstance(options, AutoOptions) and behaviour is not None
        return _best(embeddings, options, n_clusters, seed, behaviour)
    chosen = _chosen(method)
    if chosen.needs_n_clusters:
        _check_enough(embeddings.values, n_clusters)
    read = behaviour if chosen.reads == "behaviour" else embeddings.values
    fitted = chosen.fit(read, options, n_clusters, seed)
    made_by = {"method": method, "n_clusters": n_clusters, "seed": seed, **options.to_dict()}
    return Labels(
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


def assign(
    method: str, state: State, points: FloatArray, behaviour: Behaviour | None = None
) -> Assigned:
    """Segment and confidence of new users, (U,) each, without fitting anything again."""
    chosen = _chosen(method)
    return chosen.assign(state, behaviour if chosen.reads == "behaviour" else points)


def _best(
    embeddings: Embeddings, options: AutoOptions, n_clusters: int, seed: int, behaviour: Behaviour
) -> Labels:
    """The labels of the candidate whose segments foretell unseen users best, and why."""
    names = options.names(CLUSTERERS)
    found = [
        cluster(embeddings, name, CLUSTERERS[name].Options(), n_clusters, seed, behaviour)
        for name in names
    ]
    if len(found) == 1 or n_clusters == 1:
        return found[0]
    assert behaviour.models is not None
    foretold = bits_of_labels(
        behaviour.models, behaviour.sequences, [labels.values for labels in found], seed
    )
    bits = foretold.per_event()
    best = foretold.simplest_of_the_best()
    told = ", ".join(
        f"{CLUSTERERS[name].label} {value:.3f}" for name, value in zip(names, bits, strict=True)
    )
    why = (
        f"{CLUSTERERS[names[best]].label} was taken: no other algorithm's segments foretell users "
        f"that were not looked at surely better (bits per event, nearer to 0 is better: {told})."
    )
    return replace(found[best], note=f"{why} {found[best].note}".strip())


def _chosen(method: str) -> Clusterer:
    if method not in CLUSTERERS:
        raise OptionRefused(
            f"cluster.method is '{method}'. Allowed: {', '.join(CLUSTERERS)}."
            f"{did_you_mean(method, CLUSTERERS)}"
        )
    return CLUSTERERS[method]


def _check_enough(points: FloatArray, n_clusters: int) -> None:
    n_users = len(points)
    distinct = 1 if all_alike(points) else count_distinct(points, n_clusters)
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
