import numpy as np
from numpy.testing import assert_allclose

from core.representations._base import Work
from core.representations.ngram import BigramOptions, fit, transform


def raw_pairs(fitted, user, n_actions):
    raw = fitted.values[user] + fitted.state["centre"]
    return (raw[n_actions:] ** 2).reshape(n_actions, n_actions)


def test_pairs_are_counted_within_a_user_and_in_order(of_actions):
    fitted = fit(of_actions({"ann": "a b b", "bob": "b a"}), BigramOptions(), Work())
    unknown, a, b = 0, 1, 2
    ann = raw_pairs(fitted, 0, 3)
    assert_allclose(ann[[a, b]][:, [a, b]], [[0, 0.5], [0, 0.5]], atol=1e-6)
    assert_allclose(raw_pairs(fitted, 1, 3)[b, a], 1.0, atol=1e-6)
    assert ann[unknown].sum() < 1e-6


def test_order_alone_tells_users_apart(of_actions):
    values = fit(
        of_actions({"ann": "a b c a b c a", "bob": "c b a c b a a"}), BigramOptions(), Work()
    ).values
    assert_allclose(values[0, :4], values[1, :4], atol=0.2)
    assert np.linalg.norm(values[0] - values[1]) > 1.0


def test_a_user_with_one_event_stands_at_the_average_of_the_pairs(of_actions):
    sequences = of_actions({"ann": "a b", "bob": "b a", "cid": "a"})
    fitted = fit(sequences, BigramOptions(), Work())
    assert_allclose(fitted.values[2, 3:], 0)
    assert_allclose(fitted.values[:2, 3:].mean(axis=0), 0, atol=1e-6)


def test_rare_actions_are_taken_together(of_actions):
    sequences = of_actions({"ann": "a a a b c", "bob": "a b a c"})
    fitted = fit(sequences, BigramOptions(max_actions=2), Work())
    assert fitted.values.shape == (2, 2 + 4)
    a, rest = 0, 1
    assert_allclose(raw_pairs(fitted, 0, 2)[[a, rest], [rest, rest]], [0.25, 0.25], atol=1e-6)


def test_new_users_get_the_values_they_would_have_had(of_actions):
    sequences = of_actions({"ann": "a b c", "bob": "c c", "cid": "b"})
    fitted = fit(sequences, BigramOptions(), Work())
    assert_allclose(transform(fitted.state, sequences), fitted.values)
