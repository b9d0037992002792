"""Users with chances of their own: the Pólya distribution and its kin, against hand computation."""

from itertools import product

import numpy as np
import pytest
from scipy.sparse import csr_array

from core.artifacts import FIT
from core.evaluation import worlds
from core.sequence_models.background import STRAYING, best_straying, likelihoods, own_likelihoods
from core.sequence_models.counts import KINDS_OF_CATEGORY, Block, Counts, Memory, count
from core.sequence_models.mixture import everyone_of
from core.sequence_models.outcomes import Coding, outcomes_of
from tests.worlds import sequences_of

MANY = 1e9
"""Events of everyone, so many that smoothing is nothing beside them."""


def counts_of(block, rows):
    """Counts of users in one block; ``rows`` holds each user's cells."""
    matrix = csr_array(np.asarray(rows, dtype=np.float32))
    return Counts(matrix=matrix, blocks=(block,), n_events=np.asarray(rows).sum(axis=1))


def block(name="action", levels=(), width=2, scales=()):
    return Block(name=name, start=0, levels=levels, width=width, scales=scales)


def own(of, rows, everyone):
    """Likelihoods (U, STRAYING) of one block, no logarithms; ``everyone`` are chances."""
    return np.exp(own_likelihoods(counts_of(of, rows), MANY * np.asarray(everyone))[:, 0])


def every_sequence(width, length, rows=1):
    """Counts of every sequence of so many outcomes, once for each sequence."""
    found = []
    for sequence in product(range(rows * width), repeat=length):
        found.append(np.bincount(sequence, minlength=rows * width))
    return found


@pytest.mark.parametrize(("place", "trust"), list(enumerate(STRAYING)))
def test_outcomes_are_drawn_as_from_an_urn_that_gets_back_two_for_one(place, trust):
    found = own(block(), [[1, 0], [1, 1], [2, 1], [0, 0]], [0.25, 0.75])[:, place]
    a, b = 0.25 * trust, 0.75 * trust
    one_one = a / trust * b / (trust + 1)
    two_one = a / trust * (a + 1) / (trust + 1) * b / (trust + 2)
    np.testing.assert_allclose(found, [0.25, one_one, two_one, 1.0], rtol=1e-5)


def test_the_chances_of_all_that_could_be_done_sum_to_one():
    rows = every_sequence(3, 3)
    np.testing.assert_allclose(own(block(width=3), rows, [0.2, 0.3, 0.5]).sum(axis=0), 1, rtol=1e-5)


def test_after_every_context_there_is_an_urn_of_its_own():
    of, everyone = block(levels=(2,)), [0.25, 0.75, 0.5, 0.5]
    together = own(of, [[1, 1, 2, 0]], everyone)
    apart = own(of, [[1, 1, 0, 0]], everyone) * own(of, [[0, 0, 2, 0]], everyone)
    np.testing.assert_allclose(together, apart, rtol=1e-5)


def test_the_chances_along_a_scale_sum_to_one_too():
    of = block(name="price", width=5, scales=((1, 5),))
    rows, everyone = every_sequence(5, 2), [0.2, 0.1, 0.2, 0.3, 0.2]
    np.testing.assert_allclose(own(of, rows, everyone).sum(axis=0), 1.0, rtol=1e-5)


def test_who_strays_along_no_scale_is_as_everyone():
    of = block(name="price", width=4, scales=((1, 4),))
    everyone = np.array([0.4, 0.1, 0.2, 0.3])
    rows = np.array([[1, 2, 0, 3], [0, 0, 5, 0]])
    found = own_likelihoods(counts_of(of, rows), MANY * everyone)[:, 0, -1]
    np.testing.assert_allclose(found, rows @ np.log(everyone), rtol=1e-5)


def test_who_always_pays_much_is_likelier_among_those_who_stray_and_who_pays_all_prices_is_not():
    of = block(name="price", width=4, scales=((1, 4),))
    dear, mixed = own(of, [[0, 0, 0, 12], [0, 4, 4, 4]], [0.1, 0.3, 0.3, 0.3])
    assert dear[0] > 10 * dear[-1] and mixed[0] < mixed[-1]


def test_who_goes_back_to_one_category_is_likelier_among_those_who_stray():
    of = block(name="staying", levels=(KINDS_OF_CATEGORY,), width=4)
    drawn = np.full(4, 0.25)
    everyone = np.concatenate([drawn, *[0.7 * drawn, 0.3 + 0.7 * drawn] * 2])
    one, every = np.zeros((2, 5, 4))
    one[0, 0] = one[1, 0] = 1  # the same category is drawn anew time and again
    one[1, 0] = 6
    every[0, 0], every[1] = 1, [1.5, 1.5, 1.5, 1.5]
    found = own(of, [one.ravel(), every.ravel()], everyone)
    assert (found[0] > found[1])[:4].all() and found[0, 0] / found[0, -1] > 100


def test_farther_contexts_than_the_nearest_are_not_looked_at():
    of = block(levels=(2, 2))
    near = np.zeros((2, 2, 2, 2))
    near[0, 0, 1], near[1, 1, 1] = [3, 1], [3, 1]  # the same after the nearest, another before
    found = own(of, near.reshape(2, -1), np.full(8, 0.5))
    np.testing.assert_allclose(found[0], found[1])


def test_how_far_people_stray_is_found_from_their_counts():
    rng = np.random.default_rng(0)
    everyone = np.array([0.2, 0.3, 0.5])
    for place, trust in ((1, 3.0), (3, 30.0)):
        people = rng.dirichlet(trust * everyone, 300)
        rows = np.stack([rng.multinomial(40, chances) for chances in people])
        found = own_likelihoods(counts_of(block(width=3), rows), MANY * everyone)
        assert best_straying(found, np.ones(300)).tolist() == [place]
        total = likelihoods(found, np.array([place]))
        np.testing.assert_allclose(total, found[:, 0, place], rtol=1e-6)
        assert best_straying(found, np.zeros(300)).tolist() == [0]


def test_blocks_are_independent():
    first, second = block(), Block(name="platform", start=2, levels=(), width=2)
    rows = np.array([[2, 1, 0, 3]])
    both = Counts(
        matrix=csr_array(rows.astype("f4")), blocks=(first, second), n_events=np.array([3])
    )
    found = own_likelihoods(both, MANY * np.array([0.5, 0.5, 0.25, 0.75]))
    assert found.shape == (1, 2, len(STRAYING))
    np.testing.assert_allclose(np.exp(found[:, 0]), own(first, rows[:, :2], [0.5, 0.5]), rtol=1e-5)
    total = likelihoods(found, np.array([0, 5]))
    np.testing.assert_allclose(total, found[:, 0, 0] + found[:, 1, 5], rtol=1e-6)


@pytest.mark.parametrize("actions", [1, 2])
@pytest.mark.parametrize("category", ["stay", "last", "action"])
def test_a_users_likelihood_is_its_own_whoever_else_is_looked_at(actions, category):
    sequences = sequences_of(worlds.draw("noisy", 90, 0))
    memory = Memory(actions=actions, visits=True, category=category)
    counts = count(outcomes_of(sequences, Coding.of(sequences)), memory)
    fitted = np.flatnonzero(sequences.split == FIT)
    everyone = everyone_of(counts.take(fitted))
    crowd = own_likelihoods(counts, everyone)
    alone = [own_likelihoods(counts.take(np.array([user])), everyone)[0] for user in range(90)]
    np.testing.assert_array_equal(crowd, alone)
