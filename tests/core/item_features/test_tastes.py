"""Users who differ in nothing but what their items are called, look like or are found by."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from core.item_features import ItemFeatureOptions, attach
from core.representations import REPRESENTATIONS, represent
from tests.worlds import bare_sequences, vocabulary_of

N_USERS, N_ITEMS = 100, 80
MONDAY = 1_767_571_200
STYLES = (
    ("oak", "walnut", "rustic", "linen", "natural"),
    ("neon", "chrome", "gloss", "vivid", "steel"),
)
NOUNS = ("lamp", "chair", "shelf", "mirror")
METHODS = {
    "bag": REPRESENTATIONS["bag"].Options(),
    "lstm": REPRESENTATIONS["lstm"].Options(hidden=32, epochs=20),
}


@pytest.fixture(scope="module")
def world():
    """A log by code, the style of every user and a title for every code."""
    rng = np.random.default_rng(0)
    style = np.arange(N_USERS) % 2
    lengths = rng.integers(15, 40, N_USERS)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    n = offsets[-1]
    gap = rng.exponential(60, n).round().astype(np.float32)
    gap[offsets[:-1]] = 0
    met = np.where(rng.random(n) < 0.85, np.repeat(style, lengths), 1 - np.repeat(style, lengths))
    since = np.cumsum(gap) - np.repeat(np.cumsum(gap)[offsets[:-1]], lengths)
    log = bare_sequences(
        [f"u{user:03d}" for user in range(N_USERS)],
        offsets,
        action=rng.integers(1, 4, n).astype(np.int32),
        category=rng.integers(1, 4, n).astype(np.int32),
        gap=gap,
        time=(MONDAY + since).astype(np.int64),
        vocabulary=vocabulary_of(actions=("a", "b", "c"), categories=("x", "y", "z")),
    )
    codes = (1 + met + 2 * rng.integers(0, N_ITEMS // 2, n)).astype(np.int32)
    titles = [
        f"{' '.join(rng.choice(STYLES[item % 2], 2, replace=False))} {rng.choice(NOUNS)} {item}"
        for item in range(N_ITEMS)
    ]
    return log, codes, style, titles


def by_title(log, codes, titles, items_of, vectors_of):
    ids = tuple(f"i{item}" for item in range(N_ITEMS))
    log = replace(log, item=codes, vocabulary=replace(log.vocabulary, items=ids))
    return log, (items_of(dict(zip(ids, titles, strict=True))), None)


def by_vector(log, codes, titles, items_of, vectors_of):
    ids = tuple(f"i{item}" for item in range(N_ITEMS))
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(N_ITEMS, 64))
    vectors[:, :4] += np.where(np.arange(N_ITEMS) % 2, 1.0, -1.0)[:, None]
    vectors *= rng.lognormal(0, 3, 64)  # columns in units of their own
    log = replace(log, item=codes, vocabulary=replace(log.vocabulary, items=ids))
    return log, (None, vectors_of(dict(zip(ids, vectors, strict=True))))


def by_query(log, codes, titles, items_of, vectors_of):
    return replace(log, query=codes, vocabulary=replace(log.vocabulary, queries=tuple(titles))), (
        None,
        None,
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("known_by", [by_title, by_vector, by_query])
def test_what_is_known_of_items_tells_users_apart_and_without_it_nothing_does(
    world, items_of: Callable, vectors_of: Callable, known_by: Callable, method: str
):
    log, codes, style, titles = world
    plain, files = known_by(log, codes, titles, items_of, vectors_of)
    rich, _ = attach(plain, *files, ItemFeatureOptions(), 0)

    def found(sequences):
        points = represent(sequences, method, METHODS[method]).values
        groups = KMeans(2, n_init=10, random_state=0).fit_predict(np.asarray(points))
        return adjusted_rand_score(style, groups)

    assert found(rich) > 0.9
    assert found(plain) < 0.2
