"""Chances out of counts: shares, drawn toward shorter contexts and toward everyone."""

import numpy as np
import pytest

from core.sequence_models.chances import _COMMON, _TRUST, chances
from core.sequence_models.counts import KINDS_OF_CATEGORY, Block

ACTIONS = Block(name="action", start=0, levels=(3,), width=2)
FAR = Block(name="action", start=0, levels=(3, 3), width=2)
PRICES = Block(name="price", start=0, levels=(2,), width=3)
STAYING = Block(name="staying", start=0, levels=(KINDS_OF_CATEGORY,), width=3)


def of(block, *counts):
    """Chances (K, *levels, width) of one block."""
    totals = np.stack([np.asarray(one, dtype=float).ravel() for one in counts])
    return chances(totals, (block,)).reshape(len(counts), *block.levels, block.width)


@pytest.mark.parametrize("block", [ACTIONS, FAR, PRICES], ids=lambda b: f"{b.name} {b.levels}")
def test_the_chances_after_every_context_sum_to_one_and_none_is_zero(block):
    rng = np.random.default_rng(0)
    shape = (*block.levels, block.width)
    found = of(block, rng.integers(0, 50, shape), np.zeros(shape), 1e6 * rng.random(shape))
    np.testing.assert_allclose(found.sum(axis=-1), 1.0)
    assert found.min() > 0


def test_the_chances_of_a_category_sum_to_one_whatever_the_one_before():
    found = of(STAYING, np.arange(15).reshape(5, 3), np.zeros((5, 3)))
    np.testing.assert_allclose(found[:, 0].sum(axis=-1), 1.0)
    for other, same in ((1, 2), (3, 4)):
        for last in range(3):
            total = found[:, same, last] + np.delete(found[:, other], last, axis=1).sum(axis=1)
            np.testing.assert_allclose(total, 1.0)


def test_a_context_that_was_never_met_takes_the_chances_after_a_shorter_one():
    found = of(ACTIONS, [[6, 2], [0, 0], [1, 1]])[0]
    overall = (7 + 0.5) / (10 + 1)
    assert found[1, 0] == pytest.approx(overall)
    assert found[0, 0] == pytest.approx((6 + _TRUST * overall) / (8 + _TRUST))


def test_the_nearer_action_counts_before_the_farther():
    counts = np.zeros((3, 3, 2))
    counts[0, 1] = [90, 0]
    counts[0, 2] = [0, 90]
    found = of(FAR, counts)[0]
    near = [(90 * one + _TRUST * 0.5) / (90 + _TRUST) for one in (1, 0)]
    assert found[2, 1, 0] == pytest.approx(near[0]) and found[2, 2, 0] == pytest.approx(near[1])


def test_with_many_events_chances_are_shares():
    found = of(PRICES, 1e7 * np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]]))[0]
    np.testing.assert_allclose(found, [[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]], atol=1e-4)


def test_a_segment_of_few_events_is_drawn_toward_everyones_prices():
    everyone = 1e6 * np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])
    one_event = np.zeros((2, 3))
    one_event[0, 0] = 1
    large, small = of(PRICES, everyone, one_event)
    # After the second context nothing is known of it: everyone's, and faintly its own elsewhere.
    assert np.abs(small[1] - large[1]).max() < 0.5 * _TRUST / (_TRUST + _COMMON)
    assert small[0, 0] > large[0, 0] and small[0, 0] < 0.35


def test_an_action_that_only_others_do_stays_a_surprise():
    often, never = of(ACTIONS, [[0, 0], [0, 500], [0, 0]], [[0, 0], [500, 0], [0, 0]])
    assert never[1, 1] < 0.01 < 0.99 < often[1, 1]


@pytest.mark.parametrize(("within", "away"), [(0.7, 0.2), (0.1, 0.9)])
def test_the_chance_to_stay_is_found_where_categories_were_kept_or_drawn_anew(within, away):
    drawn, n = np.array([0.5, 0.3, 0.2]), 1e6
    counts = [n * drawn]
    for stay in (within, away):
        last = drawn  # categories keep their shares, so any event before is of `drawn`
        counts.append(n * (1 - stay) * drawn * (1 - last))
        counts.append(n * last * (stay + (1 - stay) * drawn))
    found = of(STAYING, counts)[0]
    for kind, stay in ((1, within), (3, away)):
        np.testing.assert_allclose(found[kind + 1] - found[kind], stay, atol=0.02)
        np.testing.assert_allclose(found[kind], (1 - stay) * drawn, atol=0.02)
    np.testing.assert_allclose(found[0], drawn, atol=0.02)


def test_every_model_has_the_chances_it_would_have_beside_any_other_of_its_kind():
    counts = np.array([[30, 5], [4, 4], [0, 9]])
    np.testing.assert_allclose(of(ACTIONS, counts)[0], of(ACTIONS, counts, counts[::-1])[0])


def test_no_model_and_no_block_give_no_chances():
    assert chances(np.zeros((2, 0)), ()).shape == (2, 0)
