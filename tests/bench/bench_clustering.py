"""Seconds for clustering, choosing K and evaluating at several sizes, 64 numbers per user.

scikit-learn's K-means runs beside ours, with as many starts, in the same process.
"""

import time
from collections.abc import Callable

import numpy as np
from sklearn.cluster import KMeans

from core.artifacts import Embeddings, FloatArray
from core.clustering import assign, cluster
from core.clustering.choose_k import KOptions, k_curve
from core.clustering.hdbscan import HDBSCANOptions
from core.clustering.kmeans import KMeansOptions
from core.evaluation._base import gathered
from core.evaluation.worlds import draw
from core.sequence_models.models import learn, members_of
from core.sequence_models.options import SequenceModelOptions
from tests.worlds import sequences_of

WIDTH, K, STARTS = 64, 10, 3


def users(n_users: int) -> FloatArray:
    """Ten round groups that overlap a little."""
    rng = np.random.default_rng(0)
    places = 0.5 * rng.normal(size=(K, WIDTH))
    values = rng.normal(size=(n_users, WIDTH)).astype(np.float32)
    values += places[rng.integers(K, size=n_users)]
    return values


def embedded(values: FloatArray) -> Embeddings:
    return Embeddings(
        user_ids=np.arange(len(values)).astype(str).astype(object),
        values=values,
        method="bench",
        learned=False,
        device="cpu",
        state={},
        history=(),
        fingerprint="bench",
    )


def timed(what: str, work: Callable[[], object]) -> None:
    begun = time.perf_counter()
    work()
    print(f"{what:58s} {time.perf_counter() - begun:8.2f} s", flush=True)


def models_of_behaviour() -> None:
    """Models come from 6,000 users at most; everyone is placed by them."""
    for n_users in (3_000, 30_000):
        sequences = sequences_of(draw("mixed", n_users, 0))
        size = f"{n_users:>9,} users, {sequences.n_events:,} events"
        models = learn(sequences, SequenceModelOptions(), 0)
        timed(f"{size}  models", lambda s=sequences: learn(s, SequenceModelOptions(), 0))
        timed(
            f"{size}  placing all",
            lambda s=sequences, m=models: members_of(m.state, s, m.suggested),
        )


def main() -> None:
    models_of_behaviour()
    options = KMeansOptions(n_init=STARTS)
    for n_users in (10_000, 100_000, 1_000_000):
        points = embedded(users(n_users))
        found = cluster(points, "kmeans", options, K, 0)
        size = f"{n_users:>9,} users"
        timed(f"{size}  kmeans", lambda p=points: cluster(p, "kmeans", options, K, 0))
        if n_users < 1_000_000:
            timed(
                f"{size}  scikit-learn's KMeans",
                lambda p=points: KMeans(K, n_init=STARTS, random_state=0).fit(p.values),
            )
        timed(f"{size}  assign", lambda p=points, f=found: assign("kmeans", f.state, p.values))
        timed(
            f"{size}  internal metrics",
            lambda p=points, f=found: gathered(p.values, f.values, 200, 0),
        )
        timed(f"{size}  choosing K from 2 to 10", lambda p=points: k_curve(p, KOptions(), 0))
    for n_users in (2_000, 20_000):
        points = embedded(users(n_users))
        timed(
            f"{n_users:>9,} users  hdbscan",
            lambda p=points: cluster(p, "hdbscan", HDBSCANOptions(), 1, 0),
        )
