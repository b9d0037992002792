import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

import core.item_features.precomputed as precomputed
from core.item_features.precomputed import fit_vectors, place_vectors


def placed(values, dimensions=32, rows=None):
    values = np.asarray(values, dtype=np.float32)
    rows = np.arange(len(values)) if rows is None else np.array(rows)
    axes = fit_vectors(values, rows, dimensions)
    return place_vectors(values, np.arange(len(values)), axes)


def test_no_column_dominates_by_its_unit_and_still_ones_are_left_out():
    found = placed([[1e6, 0.001, 7], [3e6, 0.003, 7], [3e6, 0.001, 7], [1e6, 0.003, 7]])
    assert_allclose(found, [[-1, -1], [1, 1], [1, -1], [-1, 1]], atol=1e-5)


def test_wide_vectors_become_their_main_directions():
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=(500, 2))
    wide = hidden @ rng.normal(size=(2, 40)) * rng.lognormal(0, 1, 40) + 10
    found = placed(wide, 4)
    assert found.shape == (500, 2)  # the other directions hold nothing but rounding
    assert_allclose((found**2).mean(), 1, rtol=1e-4)
    hidden -= hidden.mean(axis=0)
    recovered = hidden @ np.linalg.lstsq(hidden, found, rcond=None)[0]
    assert_allclose(recovered, found, atol=1e-2)
    assert_allclose(np.corrcoef(found.T)[0, 1], 0, atol=1e-4)


def test_axes_are_learned_from_the_rows_of_the_log_only():
    found = placed([[0.0], [2.0], [1e9]], rows=[0, 1])
    assert_allclose(found[:2], [[-1], [1]])


def test_blocks_and_samples_change_little(monkeypatch):
    values = np.random.default_rng(0).normal(size=(300, 6)) * [9, 1, 1, 1, 1, 1]
    whole = placed(values, 3)
    monkeypatch.setattr(precomputed, "_AT_ONCE", 7)
    assert_allclose(placed(values, 3), whole, atol=1e-4)


def test_vectors_that_tell_nothing_have_no_axes():
    same = np.ones((5, 3), dtype=np.float32)
    assert fit_vectors(same, np.arange(5), 2) is None
    assert fit_vectors(same, np.arange(0), 2) is None


def test_the_same_vectors_give_the_same_bytes():
    values = np.random.default_rng(0).normal(size=(100, 50))
    assert_array_equal(placed(values, 8), placed(values, 8))
