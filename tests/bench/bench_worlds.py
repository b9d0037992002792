"""What is found of planted segments: ARI at the true K, and the K that foretells best.

Every representation with K-means, both sequence models, and what the defaults choose, on worlds of
which the truth and the best possible ARI (Bayes with every true parameter) are known. Each log goes
the whole way from a CSV file. Users that follow no segment are left out of the ARI.

``BENCH_SEEDS`` (3) and ``BENCH_WORLDS`` (all) and ``BENCH_METHODS`` (all) set the size;
``BENCH_K_SEEDS`` (0) is how many seeds to look on for the number of segments alone, and
``BENCH_NEURAL_SEEDS`` (0) the same for the network of the sequence models in place of the chains.
"""

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from core import clustering, representations
from core.artifacts import FIT, Embeddings
from core.clustering import CLUSTERERS, Behaviour, latent_class
from core.errors import AnalystError
from core.evaluation import worlds
from core.events.mapping import complete, map_events
from core.events.read import ReadOptions, read
from core.pipeline import Journey
from core.representations import REPRESENTATIONS, Work
from core.run_options import RunOptions
from core.sequence_models.held_out import Foretold
from core.sequence_models.models import WORTH, fitted_to, members_of
from core.sequence_models.refining import refine
from core.store import Store


@contextmanager
def journey(world: worlds.World, seed: int) -> Iterator[Journey]:
    """The journey of a world's log under the defaults with the true K."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "log.csv"
        worlds.write(world, path, seed)
        raw = read(path, folder, ReadOptions(), name=path.name)
        events = map_events(raw, complete(raw, {}), folder)
        options = RunOptions.from_dict({"cluster": {"n_clusters": world.k}, "seed": seed})
        yield Journey(Store(folder / "store"), events, options)


def main() -> None:
    """Print the tables."""
    seeds = range(int(os.environ.get("BENCH_SEEDS", "3")))
    named = os.environ.get("BENCH_WORLDS", ",".join((*worlds.PLANTED, *worlds.WITHOUT))).split(",")
    methods = os.environ.get("BENCH_METHODS", ",".join(REPRESENTATIONS)).split(",")
    rows: dict[str, list[str]] = {}
    for name in named if seeds else ():
        found = [_one(name, seed, methods) for seed in seeds]
        for row in found[0]:
            values = [one[row] for one in found]
            rows.setdefault(row, []).append(_shown(values))
        _print(rows, named[: len(next(iter(rows.values())))])
    for variable, look in (("BENCH_K_SEEDS", _k), ("BENCH_NEURAL_SEEDS", _k_by_network)):
        for seed in range(int(os.environ.get(variable, "0"))):
            print(f"{variable}, {seed}:", *(f"{n} {look(n, seed)}" for n in named), flush=True)


def _one(name: str, seed: int, methods: Sequence[str]) -> dict[str, float | str]:
    world = worlds.draw(name, seed=seed)
    found: dict[str, float | str] = {
        "Bayes (ceiling)": worlds.agreement(world, worlds.bayes(world))
    }
    began = time.perf_counter()
    with journey(world, seed) as ours:
        sequences, models = ours.inputs(), ours.models()
        found["K that foretells best"] = f"{models.suggested}/{world.k}"
        behaviour = Behaviour(sequences=sequences, models=models)
        work = Work(seed=seed, models=models)
        auto = ours.embeddings()
        for method in methods:
            try:
                points = representations.represent(
                    sequences, method, REPRESENTATIONS[method].Options(), work
                )
            except AnalystError:
                found[f"{method} + K-means"] = float("nan")
                continue
            found[f"{method} + K-means"] = _ari(world, points, "kmeans", seed, behaviour)
        for method in ("markov_mixture", "latent_class"):
            found[method] = _ari(world, auto, method, seed, behaviour)
        found["represent.method=auto + K-means"] = _ari(world, auto, "kmeans", seed, behaviour)
        found["auto took"] = auto.method
        labels = ours.labels()
        found["all defaults"] = _agreement(world, labels.user_ids, labels.values)
        found["all defaults took"] = labels.method
    print(f"{name} {seed}: {time.perf_counter() - began:.0f} s", flush=True)
    return found


def _k(name: str, seed: int) -> str:
    world = worlds.draw(name, seed=seed)
    with journey(world, seed) as ours:
        return f"{ours.models().suggested}/{world.k}"


def _k_by_network(name: str, seed: int) -> str:
    """The number of segments with which the network foretells the validation users best."""
    world = worlds.draw(name, seed=seed)
    with journey(world, seed) as ours:
        sequences, models = ours.inputs(), ours.models()
        fitted = fitted_to(models, sequences.of_users(np.flatnonzero(sequences.split == FIT)), seed)
        found = [
            refine(
                fitted,
                sequences,
                members_of(fitted.state, sequences, k).astype(float),
                latent_class.plan_of(latent_class.LatentClassOptions()),
                np.arange(sequences.n_users),
                seed,
            ).foretold
            for k in fitted.ks
        ]
    network = np.stack([one.bits[:, 0] for one in found], axis=1)
    foretold = Foretold(bits=network, n_events=found[0].n_events)
    return f"{foretold.simplest_of_the_best(least=WORTH) + 1}/{world.k}"


def _ari(
    world: worlds.World, points: Embeddings, method: str, seed: int, behaviour: Behaviour
) -> float:
    labels = clustering.cluster(
        points, method, CLUSTERERS[method].Options(), world.k, seed, behaviour
    )
    return _agreement(world, labels.user_ids, labels.values)


def _agreement(world: worlds.World, users: np.ndarray, values: np.ndarray) -> float:
    segment_of = dict(zip(users, values, strict=True))
    return worlds.agreement(
        world, np.array([segment_of.get(user, worlds.NOBODY) for user in world.user_ids()])
    )


def _shown(values: Sequence[float | str]) -> str:
    if all(isinstance(value, float) for value in values):
        return f"{np.mean([float(v) for v in values]):.3f}"
    return " ".join(str(value) for value in values)


def _print(rows: dict[str, list[str]], names: Sequence[str]) -> None:
    print("| |", " | ".join(names), "|")
    print("|---" * (len(names) + 1) + "|")
    for row, cells in rows.items():
        print(f"| {row} |", " | ".join(cells), "|", flush=True)
