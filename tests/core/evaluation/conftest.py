"""Segmentations whose figures can be worked out by hand."""

import numpy as np
import pytest

from core.artifacts import Embeddings, KnownLabels, Labels
from tests.worlds import bare_sequences


def ids_of(n_users):
    return np.array([f"u{i:04d}" for i in range(n_users)], dtype=object)


def as_labels(values):
    values = np.asarray(values, dtype=np.int32)
    return Labels(
        user_ids=ids_of(len(values)),
        values=values,
        confidence=(values >= 0).astype(np.float32),
        n_clusters=int(values.max(initial=-1)) + 1,
        method="kmeans",
        loss_trace=(),
        best_restart=0,
        state={},
        fingerprint="a" * 64,
    )


def as_known(values, users=None, name="persona"):
    return KnownLabels(
        name=name,
        user_ids=ids_of(len(values)) if users is None else np.array(users, dtype=object),
        values=np.array(values, dtype=object),
    )


def as_embeddings(values, learned=False):
    return Embeddings(
        user_ids=ids_of(len(values)),
        values=np.asarray(values, dtype=np.float32),
        method="lstm" if learned else "bag",
        learned=learned,
        device="cpu",
        state={},
        history=(),
        fingerprint="e" * 64,
    )


def as_sequences(lengths):
    return bare_sequences(ids_of(len(lengths)), [0] * (len(lengths) + 1), length=lengths)


@pytest.fixture
def labels_of():
    return as_labels


@pytest.fixture
def known_of():
    return as_known


@pytest.fixture
def embeddings_of():
    return as_embeddings


@pytest.fixture
def sequences_of():
    return as_sequences


@pytest.fixture
def overlapping():
    """Points and labels of three groups of unequal size that run into one another."""
    rng = np.random.default_rng(0)
    of = rng.permutation(np.repeat([0, 1, 2], [90, 60, 30])).astype(np.int32)
    return rng.normal(size=(180, 5)) + 1.5 * np.eye(3, 5)[of], of
