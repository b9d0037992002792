from dataclasses import replace

import numpy as np
from numpy.testing import assert_allclose

from core.representations._base import Work
from core.representations.event2vec import (
    Event2VecOptions,
    _met_together,
    _vectors,
    fit,
    transform,
)
from tests.worlds import tiny_sequences


def looks(line):
    return [("view", None, word, i, None) for i, word in enumerate(line.split())]


def state_of(sequences, *items):
    """A state in which these items have words, after those of actions without a category."""
    word = np.full(len(sequences.vocabulary.items) + 1, -1, np.int32)
    for place, item in enumerate(items):
        word[sequences.vocabulary.items.index(item) + 1] = 2 + place
    return {
        "n_actions": np.array([2]),
        "n_categories": np.array([1]),
        "pairs": np.array([-1, 1]),
        "item_word": word,
    }


def test_words_are_met_together_within_the_window_of_one_user():
    sequences = tiny_sequences({"ann": looks("a b c"), "bob": looks("c a")})
    state = state_of(sequences, "a", "b", "c")
    together, counts = _met_together(state, sequences, np.arange(2), 1)
    view, a, b, c = 1, 2, 3, 4
    found = together.toarray()
    assert counts[[view, a, b, c]].tolist() == [5, 2, 1, 2]
    assert found[a, b] == found[b, a] == 1
    assert found[c, a] == 1  # bob's; ann's are two apart, and his c does not follow hers
    assert found[view, view] == 6  # three neighbours, from both sides
    assert found[view, b] == 1 + 2  # at its own event, before and after
    wide, _ = _met_together(state, sequences, np.arange(2), 2)
    assert wide.toarray()[a, c] == 2


def test_words_that_are_met_together_have_vectors_alike():
    sequences = tiny_sequences({"ann": looks("a b a b a"), "bob": looks("c d c d c")})
    state = state_of(sequences, "a", "b", "c", "d")
    together, _ = _met_together(state, sequences, np.arange(2), 1)
    vectors = _vectors(together, Event2VecOptions(width=6, negatives=1.0), 0)
    a, b, c = vectors[2:5] / np.linalg.norm(vectors[2:5], axis=1, keepdims=True)
    assert a @ b > 0.95
    assert abs(a @ c) < 0.2


def test_pairs_that_are_met_less_often_than_asked_for_do_not_count():
    sequences = tiny_sequences({"ann": looks("a b a b a"), "bob": looks("c d c d c")})
    state = state_of(sequences, "a", "b", "c", "d")
    together, _ = _met_together(state, sequences, np.arange(2), 1)
    met, of_word = together.toarray()[1:, 1:], together.toarray()[1:, 1:].sum(axis=1)
    share = of_word**0.75 / (of_word**0.75).sum()
    most = float((met / of_word[:, None] / share).max())  # times as often as by chance
    kept = _vectors(together, Event2VecOptions(width=2, negatives=most * 0.99), 0)
    gone = _vectors(together, Event2VecOptions(width=2, negatives=most * 1.01), 0)
    assert np.any(kept)
    assert not np.any(gone)


def test_users_of_items_that_are_met_together_are_alike_though_they_share_none():
    rng = np.random.default_rng(0)
    kinds = [[f"{kind}{i}" for i in range(8)] for kind in "ab"]
    users = {
        f"u{i:03d}": looks(" ".join(rng.choice(kinds[i % 2], 10, replace=True))) for i in range(200)
    }
    users |= {"x1": looks("a0 a1 a0 a1"), "x2": looks("a6 a7 a6"), "x3": looks("b6 b7 b6 b7")}
    found = fit(tiny_sequences(users), Event2VecOptions(width=4), Work()).values[-3:]
    assert np.linalg.norm(found[0] - found[1]) < 0.5 * np.linalg.norm(found[0] - found[2])


def test_rare_and_new_items_are_known_by_their_action_and_category():
    users = {"ann": looks("a a b a a"), "bob": looks("a c a a")}
    sequences = tiny_sequences(users)
    fitted = fit(sequences, Event2VecOptions(), Work())
    words = fitted.state["item_word"]
    rare = [sequences.vocabulary.items.index(item) + 1 for item in "bc"]
    assert words[rare].tolist() == [-1, -1]
    new = replace(sequences, item=np.full(9, 777, np.int32), action=np.full(9, 55, np.int32))
    placed = transform(fitted.state, new)
    assert np.isfinite(placed).all()
    assert_allclose(placed[0], placed[1], atol=1e-6)


def test_a_user_without_events_stands_at_the_centre_of_all(of_actions):
    fitted = fit(
        of_actions({"ann": "a b c", "bob": "a a b", "cid": ""}), Event2VecOptions(), Work()
    )
    assert_allclose(fitted.values[2], 0)
    assert_allclose(fitted.values[:2].mean(axis=0), 0, atol=1e-6)


def test_what_all_users_share_is_taken_out():
    users = {f"u{i}": looks("x y x y " + ("a b " if i % 2 else "c d ") * 2) for i in range(20)}
    shared = fit(tiny_sequences(users), Event2VecOptions(common=False), Work())
    taken = fit(tiny_sequences(users), Event2VecOptions(), Work())
    raw = shared.values + shared.state["centre"]
    axis = np.linalg.svd(raw, full_matrices=False)[2][0]
    assert np.abs(raw @ axis).min() > 0.1
    assert_allclose((taken.values + taken.state["centre"]) @ axis, 0, atol=1e-5)
