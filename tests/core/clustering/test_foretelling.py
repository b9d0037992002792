"""Why so many segments are suggested, in words, and the figures beside the loss and silhouette."""

import numpy as np
import pytest

from core.artifacts import BehaviourModels
from core.clustering.choose_k import KOptions, k_curve
from core.clustering.foretelling import reason


def models(bits=(-7.0, -6.5, -6.3, -6.31), suggested=3, aside=0.0, sets_aside=False):
    return BehaviourModels(
        user_ids=np.array(["u0", "u1"], dtype=object),
        members=np.full((2, suggested), 1 / suggested, dtype=np.float32),
        state={},
        ks=tuple(range(1, len(bits) + 1)),
        bits=bits,
        errors=tuple(0.01 for _ in bits),
        suggested=suggested,
        confidence=0.87,
        sets_aside=sets_aside,
        share_aside=aside,
        memory="1 action back",
        n_fitted=2,
        fingerprint="m" * 64,
    )


def test_the_number_is_that_which_foretells_best_and_the_figures_stand_beside():
    told = reason(models())
    assert told.startswith("3 segments are suggested") and "-6.300 bits per event" in told
    assert "with one segment -7.000" in told and "suggests 3 in 87% of cases" in told
    assert "set aside" not in told


def test_one_segment_is_suggested_where_no_number_foretells_surely_better():
    told = reason(models(bits=(-7.0, -7.01), suggested=1))
    assert told.startswith("1 segment is suggested") and "-7.000 bits per event" in told


@pytest.mark.parametrize(
    ("aside", "sets_aside", "words"),
    [
        (0.31, True, "about 31% of the users follow none of the segments and are set aside."),
        (0.72, False, "72% of the users are foretold better by habits of their own"),
    ],
)
def test_users_that_follow_nobody_are_told(aside, sets_aside, words):
    assert words in reason(models(aside=aside, sets_aside=sets_aside))


def test_the_curve_holds_bits_for_the_numbers_that_were_modelled(blobs):
    points, _ = blobs([60, 40])
    plain, modelled = (
        k_curve(points, KOptions(), 0),
        k_curve(points, KOptions(), 0, models=models()),
    )
    assert np.isnan(plain.bits).all() and plain.confidence is None and plain.suggested == 2
    assert modelled.suggested == 3 and modelled.confidence == 0.87
    assert modelled.bits[:4] == (-7.0, -6.5, -6.3, -6.31) and np.isnan(modelled.bits[4:]).all()
    assert modelled.reason.startswith("3 segments are suggested: with them users")
    assert (modelled.inertia, modelled.silhouette[1:]) == (plain.inertia, plain.silhouette[1:])
