"""Settings under which a step takes less: those that change little of what comes out first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from core.clustering import CLUSTERERS
from core.clustering.latent_class import LatentClassOptions
from core.options import option_types
from core.representations import REPRESENTATIONS
from core.representations.encoder_options import EncoderOptions
from core.representations.ladder import AutoOptions
from core.run_options import ClusterOptions, RepresentOptions, RunOptions

Setting = tuple[str, RunOptions]
"""What is changed, in words, and all settings with that change."""

_WINDOWS, _WIDTHS = (64, 32), (32, 16)
_FITTED, _NETTED = (50_000, 20_000, 10_000, 5_000, 2_000), (1_000, 500)
_MODELLED, _COMPARED, _MAPPED = (3_000, 1_500), (2_000, 1_000), (10_000, 5_000)
_COUNTED = ("markov_mixture", "bag")
"""Representations that take less than others, the one that sees more first."""
_SIMPLER = ("markov_mixture", "kmeans")


def cheaper_settings(step: str, options: RunOptions, epochs: int | None) -> Iterator[Setting]:
    """Ever cheaper settings for a step. ``epochs`` are those an encoder would be trained for."""
    return _WAYS[step](options, epochs)


def _models(options: RunOptions, _: int | None) -> Iterator[Setting]:
    for n_users in _below(options.models.models_users, _MODELLED):
        options = options.changed(models=replace(options.models, models_users=n_users))
        yield f"model behaviour on {n_users:,} users", options


def _embeddings(options: RunOptions, epochs: int | None) -> Iterator[Setting]:
    params = options.represent_params
    if isinstance(params, AutoOptions):
        counted = tuple(
            name
            for name in params.candidates
            if name in REPRESENTATIONS and not REPRESENTATIONS[name].learned
        )
        if counted and counted != params.candidates:
            told = "compare only representations that are counted, without training an encoder"
            yield told, options.changed(represent_params=replace(params, candidates=counted))
    if isinstance(params, EncoderOptions):
        yield from _smaller_encoder(options, params, epochs or 1)
    for name in _COUNTED:
        if options.represent.method != name:
            told = f"take the representation “{REPRESENTATIONS[name].label}”"
            yield told, options.changed(represent=RepresentOptions(method=name))


def _smaller_encoder(options: RunOptions, params: EncoderOptions, epochs: int) -> Iterator[Setting]:
    """Fewer epochs, then shorter stretches, then a narrower encoder; each on top of the last."""
    told = list[str]()
    for fewer in dict.fromkeys(max(1, epochs // part) for part in (2, 4)):
        if fewer < epochs:
            params, told = replace(params, epochs=fewer), [_of_epochs(fewer)]
            yield told[0], options.changed(represent_params=params)
    for name, sizes, words in (
        ("window", _WINDOWS, "stretches of at most {} events"),
        ("hidden", _WIDTHS, "a width of {}"),
    ):
        before = told
        for size in _below(getattr(params, name), sizes):
            changed: dict[str, Any] = {name: size}
            params, told = replace(params, **changed), [*before, words.format(size)]
            yield ", ".join(told), options.changed(represent_params=params)


def _of_epochs(n: int) -> str:
    return f"train for {n} epoch{'' if n == 1 else 's'}"


def _k_curve(options: RunOptions, _: int | None) -> Iterator[Setting]:
    for n_users in _below(options.choose_k.k_max_users, _COMPARED):
        options = options.changed(choose_k=replace(options.choose_k, k_max_users=n_users))
        yield f"compare numbers of segments on {n_users:,} users", options


def _labels(options: RunOptions, _: int | None) -> Iterator[Setting]:
    params = options.cluster_params
    if isinstance(params, LatentClassOptions):
        for n_users in _below(params.net_users, _NETTED):
            params = replace(params, net_users=n_users)
            told = f"train the network on {n_users:,} users"
            yield told, options.changed(cluster_params=params)
    if "max_fitted_users" in option_types(type(params)):
        for n_users in _below(params.to_dict()["max_fitted_users"], _FITTED):
            params = replace(params, **{"max_fitted_users": n_users})
            yield f"fit on {n_users:,} users", options.changed(cluster_params=params)
    for name in _SIMPLER:
        if options.cluster.method != name:
            simpler = ClusterOptions(method=name, n_clusters=options.cluster.n_clusters)
            told = f"take the algorithm “{CLUSTERERS[name].label}”"
            yield told, options.changed(cluster=simpler)


def _projection(options: RunOptions, _: int | None) -> Iterator[Setting]:
    project = options.project
    if project.method == "pca":
        return
    for n_users in _below(project.max_fitted_users, _MAPPED):
        project = replace(project, max_fitted_users=n_users)
        yield f"fit the map on {n_users:,} users", options.changed(project=project)
    yield "draw the map as a PCA", options.changed(project=replace(project, method="pca"))


def _below(now: int, sizes: tuple[int, ...]) -> list[int]:
    return [size for size in sizes if size < now]


_WAYS: dict[str, Callable[[RunOptions, int | None], Iterator[Setting]]] = {
    "models": _models,
    "embeddings": _embeddings,
    "k_curve": _k_curve,
    "labels": _labels,
    "projection": _projection,
}
