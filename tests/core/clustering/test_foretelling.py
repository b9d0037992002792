"""Why so many segments are suggested, in words, and the figures beside the loss and silhouette."""

import numpy as np
import pytest

from core.artifacts import BehaviourModels
from core.clustering.choose_k import KOptions, k_curve
from core.clustering.foretelling import reason
from core.sequence_models.held_out import Foretold
from core.sequence_models.models import WORTH


def models(bits=(-7.0, -6.5, -6.3, -6.31), suggested=3, aside=0.0, sets_aside=False, error=0.01):
    return BehaviourModels(
        user_ids=np.array(["u0", "u1"], dtype=object),
        members=np.full((2, suggested), 1 / suggested, dtype=np.float32),
        state={},
        ks=tuple(range(1, len(bits) + 1)),
        bits=bits,
        errors=tuple(0.0 if one == max(bits) else error for one in bits),
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

    assert "best (" in told and "of 1 to 4 segments" in told and "not tried" not in told


def test_one_segment_is_suggested_where_no_number_foretells_better_than_chance_may():
    told = reason(models(bits=(-7.0, -7.01), suggested=1))
    assert told.startswith("1 segment is suggested: of 1 to 2 no number")
    assert "-7.000 bits per event" in told and "one standard error" in told


def test_where_the_last_number_tried_is_best_nothing_is_claimed_of_more():
    told = reason(models(bits=(-10.0, -9.5, -9.0)))
    assert "of 1 to 3 segments. More than 3 were not tried." in told and "do not" not in told


def test_the_smallest_number_within_one_standard_error_is_not_called_the_best():
    told = reason(models(bits=(-7.0, -6.5, -6.31, -6.305, -6.32)))
    assert "with 4 0.005 ± 0.010 bits better, which is within one standard error" in told
    assert "best" not in told and "surely" not in told and "not tried" not in told


def test_where_more_foretell_better_but_by_too_little_that_is_what_is_said():
    told = reason(models(bits=(-10.0, -9.0, -8.002, -8.0), error=0.0005))
    assert "with 4 0.002 ± 0.001 bits better, which is more than one standard error" in told
    assert "less than 0.3% of what segments gain" in told and "within one" not in told
    assert "best" not in told and "More than 4 were not tried." in told


def test_the_words_follow_the_rule_that_suggests():
    foretold = Foretold(
        bits=np.array([[-100.0, -90.0, -80.02, -80.0]] * 50), n_events=np.full(50, 10)
    )
    bits, (_, error) = tuple(foretold.per_event().tolist()), foretold.behind(3)
    k = foretold.simplest_of_the_best(least=WORTH) + 1
    assert k == 3 and error[2] == 0
    assert "more than one standard error" in reason(models(bits=bits, suggested=k, error=0.0))


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
