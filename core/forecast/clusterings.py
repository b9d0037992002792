"""What forming segments takes, by each algorithm, and comparing numbers of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from core.artifacts import BehaviourModels, Embeddings, FloatArray, Sequences
from core.clustering import CLUSTERERS
from core.clustering.auto import AutoOptions
from core.clustering.choose_k import KOptions, k_curve
from core.clustering.latent_class import LatentClassOptions, plan_of
from core.device import pick
from core.forecast.measuring import Cost, Gauge
from core.forecast.modelling import further_cost, placing_cost
from core.forecast.samples import sample_of, share_of
from core.options import Options
from core.sequence_models.labels import MOST_JUDGED, bits_of_labels
from core.sequence_models.models import has_mixture

if TYPE_CHECKING:
    from core.sequence_models.neural import Plan

_NET_USERS, _NET_EPOCHS = 400, 3
"""Users and epochs of the network that are timed."""
_ROUNDS_VARY = 1.5
"""How many times more, or fewer, rounds such an algorithm may take with more users."""
_FORWARD = 1 / 3
"""Of a training step, what only reading takes."""


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What the algorithms are tried on."""

    sequences: Sequences
    """The whole log."""
    sample: Sequences
    points: FloatArray  # (S, D) of users like those to come
    models: BehaviourModels
    k: int
    models_users: int
    """Most users that models are fitted to."""
    ways: tuple[int, int]
    """Least and most ways that models are looked for on: two where they have a background."""
    gauge: Gauge


def labels_cost(ground: Ground, method: str, options: Options, *, refine: bool = False) -> Cost:
    """Forming segments by one algorithm, or by all that "auto" compares, and refining them."""
    if not isinstance(options, AutoOptions):
        cost = _COSTS[method](ground, options)
        of_points = CLUSTERERS[method].reads == "points"
        return cost.then(_refining(ground)) if refine and of_points else cost
    cost, names = Cost(), options.names(CLUSTERERS)
    for name in names:
        cost = cost.then(_COSTS[name](ground, CLUSTERERS[name].Options()))
    cost = cost.then(judging_cost(ground.sequences, ground.models, len(names), ground.gauge))
    of_points = any(CLUSTERERS[name].reads == "points" for name in names)
    return cost.perhaps(_refining(ground)) if refine and of_points else cost


def judging_cost(
    sequences: Sequences, models: BehaviourModels, n_labels: int, gauge: Gauge
) -> Cost:
    """How well several labels foretell users that were left out."""
    sample = sample_of(sequences, MOST_JUDGED)

    def judge(n_users: int) -> None:
        some = share_of(sample, n_users)
        bits_of_labels(models, some, [np.arange(n_users) % 3] * n_labels, 0)

    return gauge.growth(judge, sample.n_users).at(sample.n_users)


def k_curve_cost(ground: Ground, options: KOptions) -> Cost:
    """Comparing numbers of segments, on a sample of the users."""
    most = min(ground.sequences.n_users, options.k_max_users)

    def compare(n_users: int) -> None:
        k_curve(as_embeddings(ground.points[:n_users]), options, 0)

    return ground.gauge.growth(compare, min(most, len(ground.points))).at(most)


def as_embeddings(points: FloatArray) -> Embeddings:
    """Points as the stage that made them gives them, of nobody in particular."""
    return Embeddings(
        user_ids=np.arange(len(points)).astype(str).astype(object),
        values=points,
        method="sample",
        learned=False,
        device="",
        state={},
        history=(),
        findings=(),
        fingerprint="0" * 64,
    )


def _in_rounds(method: str) -> Callable[[Ground, Any], Cost]:
    """An algorithm that goes over the users again and again until it stands still."""

    def cost(ground: Ground, options: Any) -> Cost:
        found = _fitted_and_placed(ground, method, options, options.max_fitted_users)
        return found.times(1.0 / _ROUNDS_VARY, _ROUNDS_VARY)

    return cost


def _of_pairs(method: str) -> Callable[[Ground, Any], Cost]:
    """An algorithm that looks at pairs of the users it is fitted on."""

    def cost(ground: Ground, options: Any) -> Cost:
        return _fitted_and_placed(ground, method, options, options.max_fitted_users, curved=True)

    return cost


def _fitted_and_placed(
    ground: Ground, method: str, options: Options, most: int, *, curved: bool = False
) -> Cost:
    """Fitted on so many users, and past that everyone placed beside them.

    ``curved`` where work grows faster than the users; then placing grows with those fitted, too.
    """
    entry, points, n_users = CLUSTERERS[method], ground.points, ground.sequences.n_users
    fitted_on = min(n_users, most)

    def fit(n: int) -> None:
        entry.fit(points[:n], options, ground.k, 0)

    cost = ground.gauge.growth(fit, min(most, len(points))).at(fitted_on, curved=curved)
    if n_users <= most:
        return cost
    state = entry.fit(points, options, ground.k, 0).state
    placing = ground.gauge.growth(lambda n: entry.assign(state, points[:n]), len(points))
    return cost.then(placing.at(n_users).times(most / len(points) if curved else 1.0))


def _chains(ground: Ground, options: Options) -> Cost:
    """Placing everyone; before that, fitting models of so many segments where none were kept."""
    placing = _placing(ground)
    if has_mixture(ground.models.state, ground.k):
        return placing
    further = further_cost(ground.sequences, ground.models_users, ground.k, ground.gauge)
    return further.times(*ground.ways).then(placing)


def _placing(ground: Ground) -> Cost:
    return placing_cost(ground.sequences, ground.models, ground.gauge)


def _network(ground: Ground, options: LatentClassOptions) -> Cost:
    """The chains, the network trained on some users, and perhaps everyone placed by it."""
    one, everyone = _learning(ground, options)
    begun = _chains(ground, options).then(_placing(ground))
    # Only where the network is kept everyone is read by it.
    return begun.then(one.times(len(options.starts))).perhaps(everyone)


def _refining(ground: Ground) -> Cost:
    """A network trained from labels, everyone placed by it or by chains, and both judged."""
    training, everyone = _learning(ground, LatentClassOptions())
    placing = _placing(ground).either(everyone)
    judging = judging_cost(ground.sequences, ground.models, 2, ground.gauge)
    return training.then(placing).then(judging)


def _learning(ground: Ground, options: LatentClassOptions) -> tuple[Cost, Cost]:
    """Training the network from one start, and placing everyone by it."""
    device, threads = pick(options.net_device).name, min(options.net_threads, os.cpu_count() or 1)
    plan = replace(plan_of(options), epochs=_NET_EPOCHS, patience=_NET_EPOCHS)
    begun, epoch, tried = _trained(ground, plan, device, threads)
    times = min(ground.sequences.n_users, options.net_users) / max(1, tried)
    fewest = min(options.net_epochs, options.net_patience)  # where the first is no better
    training = Cost.about(epoch).times(fewest, options.net_epochs).then(Cost.about(begun))
    everyone = _FORWARD * epoch * ground.sequences.n_users / max(1, tried)
    return training.times(times), Cost.about(everyone)


def _trained(ground: Ground, plan: Plan, device: str, threads: int) -> tuple[float, float, int]:
    """Seconds before the first epoch and of each, with so many users."""
    from core.sequence_models.refining import refine

    some = share_of(ground.sample, _NET_USERS)
    start = np.random.default_rng(0).dirichlet(np.ones(ground.k), some.n_users)
    gauge = ground.gauge.on(device, threads)
    marks = [gauge.clock()]
    refine(
        ground.models,
        some,
        start,
        plan,
        np.arange(some.n_users),
        0,
        device=device,
        threads=threads,
        tell=lambda _: marks.append(gauge.clock()),
    )
    epoch = float(np.diff(marks[1:]).mean())  # the first warms up
    return max(0.0, marks[1] - marks[0] - epoch), epoch, some.n_users


_COSTS: dict[str, Callable[[Ground, Options], Cost]] = {
    "markov_mixture": _chains,
    "latent_class": _network,  # type: ignore[dict-item]
    **{name: _in_rounds(name) for name in ("kmeans", "gaussian_mixture")},
    **{name: _of_pairs(name) for name in ("hierarchical", "spectral", "hdbscan", "dbscan")},
}
