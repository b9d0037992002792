import numpy as np
import pytest

from core.artifacts import Embeddings
from core.projection import ProjectionOptions, project


def embedded(values):
    return Embeddings(
        user_ids=np.array([f"u{i}" for i in range(len(values))], dtype=object),
        values=np.asarray(values, dtype=np.float32),
        method="bag",
        learned=False,
        device="cpu",
        state={},
        history=(),
        fingerprint="f" * 64,
    )


def two_groups(n_users):
    rng = np.random.default_rng(0)
    of = np.arange(n_users) % 2
    return embedded(of[:, None] * 50.0 + rng.normal(size=(n_users, 6))), of


def nearest_is_of_the_same_group(points, of):
    apart = np.square(points[:, None, :] - points).sum(axis=2)
    np.fill_diagonal(apart, np.inf)
    return (of[apart.argmin(axis=1)] == of).mean()


def test_umap_keeps_groups_apart_and_the_same_seed_draws_the_same_map():
    points, of = two_groups(60)
    before = points.values.copy()
    first = project(points, ProjectionOptions(), 3)
    assert first.method == "umap"
    assert first.points.shape == (60, 2)
    assert nearest_is_of_the_same_group(first.points, of) == 1.0
    np.testing.assert_array_equal(first.points, project(points, ProjectionOptions(), 3).points)
    np.testing.assert_array_equal(before, points.values)


def test_a_large_log_is_fitted_on_a_sample_and_the_rest_stand_among_their_neighbours():
    points, of = two_groups(240)
    heard = []
    found = project(points, ProjectionOptions(max_fitted_users=100), 0, heard.append)
    assert found.n_fitted == 100
    assert "100 of 240 users" in found.note
    assert nearest_is_of_the_same_group(found.points, of) == 1.0
    assert len(np.unique(found.points, axis=0)) > 200
    assert heard[-1].done == 1.0


def test_pca_shows_the_direction_of_most_variance_and_says_how_much():
    line = embedded([[0, 0, 0], [0, 3, 0], [0, -3, 0], [1, 0, 0], [-1, 0, 0]])
    found = project(line, ProjectionOptions(method="pca"), 0)
    expected = [[0, 0], [3, 0], [-3, 0], [0, 1], [0, -1]]
    np.testing.assert_allclose(found.points, expected, atol=1e-6)
    assert found.note == "The axes show 90% and 10% of the differences between users."


@pytest.mark.parametrize("n_users", [1, 2, 9])
def test_fewer_than_ten_users_get_a_pca_and_the_note_says_why(n_users):
    points = embedded(np.random.default_rng(0).normal(size=(n_users, 4)))
    found = project(points, ProjectionOptions(), 0)
    assert found.method == "pca"
    assert found.note.startswith(f"UMAP needs 10 users, there are {n_users}; this is a PCA.")
    assert np.isfinite(found.points).all()


def test_users_who_are_alike_stand_on_one_spot():
    found = project(embedded(np.ones((30, 4))), ProjectionOptions(), 0)
    assert found.method == "pca"
    assert "All users are alike" in found.note
    assert not found.points.any()


def test_a_space_of_one_number_gets_a_map_too():
    found = project(embedded([[1.0], [2.0], [4.0]]), ProjectionOptions(method="pca"), 0)
    np.testing.assert_allclose(found.points[:, 0], [-4 / 3, -1 / 3, 5 / 3], rtol=1e-6)
    assert not found.points[:, 1].any()
