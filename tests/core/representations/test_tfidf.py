from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from core.artifacts import VALIDATE
from core.representations._base import Work
from core.representations.tfidf import TFIDFOptions, _weighed, fit, transform
from tests.worlds import bare_sequences, tiny_sequences, vocabulary_of

EVERYTHING = TFIDFOptions(fewest_users=1)


def looks(line):
    """Events at items; the letter of an item is its category."""
    return [("view", word[0], word, i, None) for i, word in enumerate(line.split())]


def code(sequences, item):
    return sequences.vocabulary.items.index(item) + 1


def test_rare_words_weigh_more_and_repeats_count_by_their_logarithm():
    sequences = tiny_sequences(
        {"ann": looks("s1 s1 s1 s2"), "bob": looks("s1 s1"), "cid": looks("s1 b1")}
    )
    state = fit(sequences, EVERYTHING, Work()).state
    column = state["item_column"]
    weight = dict(
        zip(
            ("s1", "s2"),
            state["item_weight"][column[[code(sequences, w) for w in ("s1", "s2")]]],
            strict=True,
        )
    )
    assert_allclose(weight["s1"], np.log(4 / 4) + 1)
    assert_allclose(weight["s2"], np.log(4 / 2) + 1, rtol=1e-6)
    ((_, words),) = _weighed(state, sequences)
    ann = words.toarray()[0, : len(state["item_weight"])]
    expected = np.array([(1 + np.log(3)) * 1, np.log(2) + 1])
    expected /= np.linalg.norm(expected) * np.sqrt(2)  # two kinds of words of the same length
    found = ann[column[[code(sequences, "s1"), code(sequences, "s2")]]]
    assert_allclose(found, expected, rtol=1e-5)


def test_users_of_the_same_things_stand_together_and_all_on_the_sphere():
    users = {f"s{i}": looks("s1 s2 s3 s2") for i in range(3)}
    users |= {f"t{i}": looks("b1 b2 b1") for i in range(3)} | {
        "nobody": [("view", None, None, 0, None)]
    }
    values = fit(tiny_sequences(users), TFIDFOptions(), Work()).values
    assert_allclose(np.linalg.norm(values, axis=1), [0, 1, 1, 1, 1, 1, 1], atol=1e-5)
    likeness = values[1:] @ values[1:].T
    assert_allclose(likeness[:3, :3], 1, atol=1e-4)
    assert_allclose(likeness[:3, 3:], 0, atol=1e-4)


def test_only_what_enough_users_met_counts_most_met_first():
    users = {"ann": looks("a1 b1 c1"), "bob": looks("a1 b1"), "cid": looks("a1 d1")}
    sequences = tiny_sequences(users)
    kept = fit(sequences, TFIDFOptions(fewest_users=2), Work()).state["item_column"]
    assert [w for w in ("a1", "b1", "c1", "d1") if kept[code(sequences, w)] >= 0] == ["a1", "b1"]
    capped = fit(sequences, TFIDFOptions(fewest_users=1, max_columns=2), Work()).state
    assert (capped["item_column"] >= 0).sum() == 2
    assert capped["item_column"][code(sequences, "a1")] >= 0
    assert capped["item_column"][0] == -1  # "unknown" is no word


def test_words_are_learned_of_the_users_to_fit_and_later_ones_not_read():
    users = {"ann": looks("a1 b1"), "bob": looks("a1 c1"), "cid": looks("d1 d2")}
    sequences = tiny_sequences(users)
    split = np.array([0, 0, VALIDATE], np.int8)
    fitted = fit(replace(sequences, split=split), EVERYTHING, Work())
    assert fitted.state["item_column"][code(sequences, "d1")] == -1
    assert_allclose(fitted.values[2], 0)
    later = replace(sequences, item=np.full(6, 999, np.int32), category=np.full(6, 99, np.int32))
    assert_allclose(transform(fitted.state, later), 0)


def test_where_nothing_is_looked_at_actions_are_compared_and_it_is_said(of_actions):
    fitted = fit(
        of_actions({"ann": "a a", "bob": "a a", "cid": "b b", "dan": "b"}), TFIDFOptions(), Work()
    )
    assert [told.name for told in fitted.findings] == ["words"]
    assert_allclose(fitted.values[0], fitted.values[1], atol=1e-6)
    assert_allclose(fitted.values[0] @ fitted.values[2], 0, atol=1e-6)


def test_what_titles_say_brings_users_of_other_items_together():
    users = {"ann": looks("a1 a2"), "bob": looks("a3 a4"), "cid": looks("a5 a6")}
    sequences = tiny_sequences(users)
    table = np.zeros((7, 2), np.float32)
    for item, vector in (
        ("a1", [1, 0]),
        ("a2", [1, 0]),
        ("a3", [1, 0]),
        ("a4", [1, 0]),
        ("a5", [0, 1]),
        ("a6", [0, 1]),
    ):
        table[code(sequences, item)] = vector
    known = replace(sequences, item_vectors=table)
    values = fit(known, EVERYTHING, Work()).values
    assert values[0] @ values[1] > values[0] @ values[2] + 0.3
    without = fit(known, TFIDFOptions(fewest_users=1, item_vectors=False), Work())
    assert_array_equal(without.values, fit(sequences, EVERYTHING, Work()).values)
    with pytest.raises(ValueError, match=r"Fitted with 2 numbers per item, .* have 0"):
        transform(fit(known, EVERYTHING, Work()).state, sequences)


def test_a_million_distinct_items_will_do():
    rng = np.random.default_rng(0)
    n_items, n_users = 1_000_000, 2_000
    sequences = bare_sequences(
        [f"u{i:04d}" for i in range(n_users)],
        np.arange(n_users + 1) * 20,
        item=np.where(
            rng.random(n_users * 20) < 0.5,
            rng.integers(1, n_items, n_users * 20),
            rng.integers(1, 40, n_users * 20),
        ).astype(np.int32),
        vocabulary=vocabulary_of(items=("",) * n_items),
    )
    fitted = fit(sequences, TFIDFOptions(max_columns=100), Work())
    assert fitted.values.shape == (n_users, 64)
    assert_allclose(np.linalg.norm(fitted.values, axis=1), 1, atol=1e-5)
    assert len(fitted.state["item_weight"]) == 100
