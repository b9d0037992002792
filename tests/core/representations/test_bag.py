import numpy as np
import pytest
from numpy.testing import assert_allclose

from core.representations._base import Work
from core.representations.bag import BagOptions, fit, transform


def test_a_user_is_the_roots_of_the_shares_of_what_it_did(of_actions):
    sequences = of_actions({"ann": "buy view view view", "bob": "view view view buy"})
    fitted = fit(sequences, BagOptions(), Work())
    raw = fitted.values + fitted.state["centre"]
    assert_allclose(raw[0], [0.0, np.sqrt(1 / 4), np.sqrt(3 / 4)], atol=1e-6)
    assert_allclose(raw[0], raw[1], atol=1e-6)  # order is not seen


def test_points_are_centred(of_actions):
    sequences = of_actions({"ann": "buy", "bob": "view", "cid": "view"})
    fitted = fit(sequences, BagOptions(), Work())
    assert_allclose(fitted.values.mean(axis=0), 0, atol=1e-6)
    assert_allclose(np.linalg.norm(fitted.values[0] - fitted.values[1]), np.sqrt(2), atol=1e-6)


def test_categories_are_a_block_of_their_own_and_can_be_left_out(sequences_of):
    shoes, bags = {"category": "shoes"}, {"category": "bags"}
    sequences = sequences_of({"ann": [shoes, shoes], "bob": [bags, shoes]})
    both = fit(sequences, BagOptions(), Work())
    assert both.values.shape == (2, 2 + 3)
    assert_allclose(
        both.values[0] - both.values[1], [0, 0, 0, -np.sqrt(0.5), 1 - np.sqrt(0.5)], atol=1e-6
    )
    assert fit(sequences, BagOptions(categories=False), Work()).values.shape == (2, 2)


def test_rare_words_share_a_column_when_there_are_too_many(of_actions):
    sequences = of_actions({"ann": "a a a b b b c d", "bob": "a b"})
    fitted = fit(sequences, BagOptions(max_columns=3), Work())
    raw = fitted.values + fitted.state["centre"]
    assert_allclose(raw[0] ** 2, [3 / 8, 3 / 8, 2 / 8], atol=1e-6)


def test_words_that_were_not_fitted_count_as_unknown(of_actions, with_arrays):
    fitted = fit(of_actions({"ann": "a b", "bob": "b b"}), BagOptions(), Work())
    new = of_actions({"cid": "a b"})
    new = with_arrays(new, action=np.array([1, 99], np.int32))
    raw = transform(fitted.state, new) + fitted.state["centre"]
    assert_allclose(raw[0] ** 2, [0.5, 0.5, 0.0], atol=1e-6)


@pytest.mark.filterwarnings("error")
def test_a_user_without_events_has_no_shares_and_no_warning(of_actions):
    sequences = of_actions({"ann": "a b", "bob": ""})
    fitted = fit(sequences, BagOptions(), Work())
    assert_allclose(fitted.values[1] + fitted.state["centre"], 0, atol=1e-6)
