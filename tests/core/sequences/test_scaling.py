import numpy as np
import pytest
from numpy.testing import assert_allclose

from core.sequences.scaling import METHODS, Scaling, fit_scaling, scaled

VALUES = np.array([0.0, 1.0, 2.0, 3.0, 14.0, np.nan], dtype=np.float32)
E = np.e


@pytest.mark.parametrize(
    ("method", "centre", "spread"),
    [
        ("standard", 4.0, np.sqrt(26)),  # squares 16 9 4 1 100
        ("robust", 2.0, 2 / 1.349),
        ("min_max", 0.0, 14.0),
        ("none", 0.0, 1.0),
        ("log", np.log(3), np.log(2) / 1.349),  # of ln 1, ln 2, ln 3, ln 4, ln 15
    ],
)
def test_centre_and_spread_are_those_of_the_values_that_are_there(method, centre, spread):
    scaling = fit_scaling(VALUES, method)
    assert scaling.method == method
    assert_allclose((scaling.centre, scaling.spread), (centre, spread), rtol=1e-6)
    found = scaled(VALUES, scaling)
    assert found.dtype == np.float32
    assert np.isnan(found[5])
    x = np.log1p(VALUES) if method == "log" else VALUES
    assert_allclose(found[1], (x[1] - centre) / spread, rtol=1e-5)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("values", [[7.0, 7.0, 7.0], [], [np.nan, np.inf]])
def test_a_column_that_does_not_vary_or_is_empty_divides_nothing_by_nothing(method, values):
    scaling = fit_scaling(np.array(values), method)
    assert scaling.spread > 0
    new = scaled(np.array([7.0]), scaling)
    assert np.isfinite(new).all()
    if method != "none" and values == [7.0, 7.0, 7.0]:
        assert new.tolist() == [0.0]


def test_half_of_the_values_being_the_same_leaves_a_spread():
    values = np.array([5.0] * 8 + [0.0, 10.0])
    assert_allclose(fit_scaling(values, "robust").spread, np.sqrt(5), rtol=1e-6)


@pytest.mark.parametrize(
    ("method", "new", "expected"),
    [
        ("min_max", [-7.0, 7.0, 70.0], [0.0, 0.5, 1.0]),
        ("standard", [1e9, -1e9], [4.0, -4.0]),
        ("robust", [1e9, -1e9], [4.0, -4.0]),
        ("log", [1e30, -1e30], [4.0, -4.0]),
        ("none", [1e9, -3.0], [1e9, -3.0]),
    ],
)
def test_a_value_farther_out_than_any_seen_counts_as_far_and_no_farther(method, new, expected):
    assert_allclose(scaled(np.array(new), fit_scaling(VALUES, method)), expected)


def test_negative_numbers_have_a_logarithm_too():
    scaling = Scaling(method="log", centre=0.0, spread=1.0)
    assert_allclose(scaled(np.array([1 - E, 0.0, E - 1]), scaling), [-1, 0, 1], rtol=1e-6)


def test_places_of_methods_never_change_for_stored_states_know_them_by_place():
    assert METHODS == ("log", "standard", "robust", "min_max", "none")
