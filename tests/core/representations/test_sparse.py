import numpy as np
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array

from core.representations.sparse import counted_words, principal_axes, unit_rows


def test_words_are_counted_by_row():
    found = counted_words(np.array([0, 0, 0, 2]), np.array([1, 1, 3, 0]), (3, 4))
    assert_array_equal(found.toarray(), [[0, 2, 0, 1], [0, 0, 0, 0], [1, 0, 0, 0]])


def test_rows_become_one_long_and_empty_ones_stay_empty():
    matrix = csr_array(np.array([[3.0, 4.0], [0.0, 0.0]], np.float32))
    assert_allclose(unit_rows(matrix).toarray(), [[0.6, 0.8], [0, 0]], rtol=1e-6)
    assert_array_equal(matrix.toarray(), [[3, 4], [0, 0]])


def test_axes_are_those_of_the_exact_decomposition():
    rng = np.random.default_rng(0)
    dense = rng.normal(size=(200, 6)) @ rng.normal(size=(6, 30))
    axes, sizes = principal_axes(csr_array(dense), 4, 0)
    _, exact, right = np.linalg.svd(dense, full_matrices=False)
    assert_allclose(sizes, exact[:4], rtol=1e-4)
    assert_allclose(np.abs(np.sum(axes.T * right[:4], axis=1)), 1, atol=1e-3)
    assert_array_equal(principal_axes(csr_array(dense), 4, 0)[0], axes)


def test_there_are_no_more_axes_than_rows_or_columns_and_none_of_nothing():
    axes, sizes = principal_axes(csr_array(np.eye(3, 8)), 64, 0)
    assert axes.shape == (8, 3) and sizes.shape == (3,)
    axes, sizes = principal_axes(csr_array((5, 8)), 4, 0)
    assert_array_equal(axes, np.zeros((8, 4)))
