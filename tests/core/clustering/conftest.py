"""Points whose segments are known."""

from collections.abc import Callable

import numpy as np
import pytest

from core.artifacts import Embeddings

Cloud = Callable[..., Embeddings]


def embedded(values) -> Embeddings:
    return Embeddings(
        user_ids=np.array([f"u{i:05d}" for i in range(len(values))], dtype=object),
        values=np.asarray(values, dtype=np.float32),
        method="bag",
        learned=False,
        device="cpu",
        state={},
        history=(),
        fingerprint="f" * 64,
    )


@pytest.fixture
def points_of() -> Cloud:
    return embedded


@pytest.fixture
def blobs() -> Cloud:
    """``blobs(sizes, width, spread)``: round groups at random places, in shuffled order."""

    def make(sizes, width=8, spread=1.0, seed=0):
        rng = np.random.default_rng(seed)
        places = rng.uniform(-10, 10, size=(len(sizes), width))
        of = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
        return embedded(places[of] + rng.normal(scale=spread, size=(len(of), width))), of

    return make
