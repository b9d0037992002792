from types import SimpleNamespace

import numpy as np
import pytest

from core.representations.findings import length_finding, rank_finding
from tests.worlds import bare_sequences

RNG = np.random.default_rng(0)
LENGTHS = RNG.integers(1, 200, 400)


def watched(lengths=LENGTHS, n_watched=100):
    n = len(lengths)
    return SimpleNamespace(
        sequences=bare_sequences([f"{u:03d}" for u in range(n)], np.cumsum([0, *lengths])),
        fit_users=np.arange(n - n_watched),
        validation_users=np.arange(n - n_watched, n),
    )


def noise(n=400, width=8):
    return RNG.normal(size=(n, width)).astype(np.float32)


def test_points_on_a_line_count_as_collapsed_and_a_cloud_does_not():
    line = rank_finding(np.outer(np.arange(50.0), np.ones(8)).astype(np.float32))
    assert line.value == pytest.approx(1.0, abs=1e-3)
    assert "in about 1.0 of 8 directions" in line.note and "collapsed" in line.note
    cloud = rank_finding(noise())
    assert cloud.value > 7 and "collapsed" not in cloud.note
    assert rank_finding(np.ones((9, 8), np.float32)).value == 0.0


def test_points_that_hold_the_length_are_found_out():
    values = noise()
    values[:, 0] = np.log(LENGTHS)
    found = length_finding(values, watched(), 0)
    assert found.value > 0.9
    assert "little more than how active people are" in found.note


@pytest.mark.parametrize("n_watched", [100, 0])
def test_points_that_know_nothing_of_length_explain_none_of_it(n_watched):
    found = length_finding(noise(), watched(n_watched=n_watched), 0)
    assert found.value < 0.05
    assert "activ" not in found.note


def test_where_length_cannot_be_told_it_is_said_why():
    few = length_finding(noise(30), watched(LENGTHS[:30], 10), 0)
    assert (few.value, few.note) == (None, "There are too few users to tell.")
    alike = length_finding(noise(), watched(np.full(400, 7)), 0)
    assert (alike.value, alike.note) == (None, "All users have as many events.")
