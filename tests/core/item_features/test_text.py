import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import core.item_features.text as text
from core.item_features.options import ItemFeatureOptions
from core.item_features.text import TextSpace, fit_text

SOFAS = ["red sofa seat", "grey sofa seat", "red couch seat", "grey couch seat"]
LAMPS = ["brass lamp bulb", "steel lamp bulb", "brass lantern bulb", "steel lantern bulb"]
OPTIONS = ItemFeatureOptions(text_dimensions=2)


def test_texts_that_share_no_word_are_near_when_their_words_keep_the_same_company():
    space = fit_text(SOFAS + LAMPS, ItemFeatureOptions(text_dimensions=1), 0)
    sofa, couch, lamp, lantern = space.place(["sofa", "couch", "lamp", "lantern"])
    assert_allclose(sofa, couch, rtol=1e-4)
    assert_allclose(lamp, lantern, rtol=1e-4)
    assert abs(sofa - lamp) > 1


def test_numbers_have_mean_0_and_spread_1_on_average_and_the_same_seed_gives_the_same():
    space = fit_text(SOFAS + LAMPS, ItemFeatureOptions(text_dimensions=4), 3)
    placed = space.place(SOFAS + LAMPS)
    assert placed.dtype == np.float32 and placed.shape == (8, 4)
    assert_allclose(placed.mean(axis=0), 0, atol=1e-6)
    assert_allclose((placed**2).mean(), 1, rtol=1e-5)
    again = fit_text(SOFAS + LAMPS, ItemFeatureOptions(text_dimensions=4), 3)
    assert again.place(SOFAS + LAMPS).tobytes() == placed.tobytes()


def test_directions_point_where_their_largest_word_is():
    directions = fit_text(SOFAS + LAMPS, OPTIONS, 0).axes.directions
    largest = directions[np.abs(directions).argmax(axis=0), np.arange(2)]
    assert (largest > 0).all()


def test_weights_are_tf_idf_of_length_1():
    space = fit_text(["a b", "a c", "a b"], ItemFeatureOptions(text_rarest=1), 0)
    assert space.words.tolist() == ["a", "b", "c"]
    idf = np.log(4 / np.array([4, 3, 2])) + 1  # scikit-learn's smooth form
    assert_allclose(space.idf, idf, rtol=1e-6)
    row = text._weights(["b a b"], space.words, space.idf).toarray()[0]
    expected = np.array([idf[0], 2 * idf[1], 0])
    assert_allclose(row, expected / np.linalg.norm(expected), rtol=1e-6)


def test_words_of_one_text_do_not_count_and_of_many_the_commonest_do():
    texts = ["a b", "a b", "a c", "c d"]
    assert fit_text(texts, ItemFeatureOptions(), 0).words.tolist() == ["a", "b", "c"]
    assert fit_text(texts, ItemFeatureOptions(text_words=2), 0).words.tolist() == ["a", "b"]


def test_a_text_without_a_word_that_counts_stands_at_zero():
    space = fit_text(SOFAS + LAMPS, OPTIONS, 0)
    assert_array_equal(space.place(["", "violin", "🎉"]), np.zeros((3, 2)))


@pytest.mark.parametrize("texts", [[], ["", ""], ["a", "b"], ["same words", "same words"]])
def test_texts_that_cannot_be_told_apart_have_no_space(texts):
    assert fit_text(texts, ItemFeatureOptions(), 0) is None


def test_a_large_table_is_learned_from_every_nth_text_and_placed_in_blocks(monkeypatch):
    texts = SOFAS + LAMPS
    whole = fit_text(texts, OPTIONS, 0).place(texts)
    monkeypatch.setattr(text, "_SAMPLE", 8)
    monkeypatch.setattr(text, "_AT_ONCE", 3)
    between = [title for pair in zip(texts, ["violin"] * 8, strict=True) for title in pair]
    assert_allclose(fit_text(between, OPTIONS, 0).place(texts), whole, atol=1e-6)


def test_a_space_is_taken_up_again_from_arrays():
    space = fit_text(SOFAS + LAMPS, OPTIONS, 0)
    state = space.to_state("title")
    assert all(type(array) is np.ndarray and array.dtype != object for array in state.values())
    again = TextSpace.from_state(space.words, state, "title")
    assert again.place(["red lamp"]).tobytes() == space.place(["red lamp"]).tobytes()
    assert TextSpace.from_state(np.array([], dtype=object), {}, "title") is None
