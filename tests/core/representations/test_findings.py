from types import SimpleNamespace

import numpy as np
import pytest

from core.representations import Work, learning
from core.representations.encoder_options import EncoderOptions
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
    line = rank_finding(np.outer(np.arange(50.0), np.eye(8)[0]).astype(np.float32) + np.eye(8)[1])
    assert line.value == pytest.approx(1.0, abs=0.3)
    assert f"in about {line.value:.1f} of 8 directions" in line.note and "collapsed" in line.note
    cloud = rank_finding(noise())
    assert cloud.value > 7 and "collapsed" not in cloud.note
    assert rank_finding(np.ones((9, 8), np.float32)).value == 0.0


@pytest.mark.parametrize("evenness", [0.0, 1.0])
def test_two_directions_beside_rounding_are_two_however_evenly_they_are_placed(
    of_actions, monkeypatch, evenness
):
    real = RNG.normal(size=(40, 2)) @ RNG.normal(size=(2, 32)) * 0.3
    states = (1.0 + real + RNG.normal(size=(40, 32)) * 2e-3).astype(np.float32)
    monkeypatch.setattr(learning, "states", lambda *_: states)
    options = EncoderOptions(hidden=32, epochs=1, evenness=evenness)
    found = learning.fit(of_actions({f"{u:02d}": "a b a" for u in range(40)}), options, Work())
    rank = next(metric for metric in found.findings if metric.name == "effective_rank")
    assert rank.value == pytest.approx(2.0, abs=0.3) and "collapsed" in rank.note


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
