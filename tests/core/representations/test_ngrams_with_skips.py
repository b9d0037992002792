import numpy as np
import pytest
from numpy.testing import assert_allclose

from core.artifacts import VALIDATE
from core.representations._base import Work
from core.representations.ngrams_with_skips import NgramOptions, fit, transform
from tests.worlds import bare_sequences, vocabulary_of

A, B, C = 1, 2, 3


def shares(fitted, user, kind):
    """Share of every run of a kind in a user's runs, by its number; equal numbers share."""
    names = sorted(name for name in fitted.state if name.startswith("run_"))
    widths = [int(fitted.state[name].max()) + 1 for name in names]
    first = sum(widths[: names.index(kind)])
    raw = (fitted.values[user] + fitted.state["centre"])[first:][: widths[names.index(kind)]]
    return raw**2, fitted.state[kind]


def share(fitted, user, kind, *run):
    n = int(fitted.state["word"].max()) + 1
    found, column = shares(fitted, user, kind)
    number = 0
    for word in run:
        number = number * n + word
    return found[column[number]]


def test_runs_are_counted_within_a_user_in_order_and_with_skips(of_actions):
    fitted = fit(of_actions({"ann": "a b c a", "bob": "c b a c"}), NgramOptions(), Work())
    assert_allclose(share(fitted, 0, "run_0", A), 2 / 4, atol=1e-6)
    assert_allclose(share(fitted, 0, "run_0_1", C, A), 1 / 3, atol=1e-6)
    assert_allclose(share(fitted, 0, "run_0_1", A, C), 0, atol=1e-6)  # it would lead to bob
    assert_allclose(share(fitted, 0, "run_0_1_2", B, C, A), 1 / 2, atol=1e-6)
    assert_allclose(share(fitted, 0, "run_0_2", A, C), 1 / 2, atol=1e-6)
    assert_allclose(share(fitted, 0, "run_0_3", A, A), 1, atol=1e-6)
    assert_allclose(share(fitted, 1, "run_0_2", C, A), 1 / 2, atol=1e-6)


def test_order_that_only_shows_with_a_skip_tells_users_apart(of_actions):
    users = {"ann": "a a b b " * 10, "bob": "a b b a b a a b " * 5}
    only_pairs = fit(of_actions(users), NgramOptions(length=2, skips=0), Work()).values
    with_skips = fit(of_actions(users), NgramOptions(length=2, skips=1), Work()).values
    near = np.linalg.norm(only_pairs[0] - only_pairs[1])
    assert np.linalg.norm(with_skips[0] - with_skips[1]) > near + 0.3


def test_only_the_most_frequent_runs_have_columns_of_their_own(of_actions):
    sequences = of_actions({"ann": "a a a a a b c", "bob": "a a a a c b a"})
    fitted = fit(sequences, NgramOptions(length=2, skips=0, max_columns=8), Work())
    assert fitted.values.shape[1] <= 8 + 2
    everything = fit(sequences, NgramOptions(length=2, skips=0), Work())
    assert_allclose(share(everything, 0, "run_0_1", A, A), 4 / 6, atol=1e-6)
    found, _ = shares(fitted, 0, "run_0_1")
    assert_allclose(found.sum(), 1, atol=1e-5)  # nothing is lost, it only shares a column


def test_rare_runs_share_the_last_column_of_their_kind(of_actions):
    line = "a b " * 30 + "c d e f g h "
    sequences = of_actions({"ann": line, "bob": line + "h g f e"})
    fitted = fit(sequences, NgramOptions(length=2, skips=0, max_columns=8), Work())
    found, column = shares(fitted, 0, "run_0_1")
    n = int(fitted.state["word"].max()) + 1
    assert column[A * n + B] < found.size - 1
    assert column[7 * n + 8] == column[n * n - 2] == found.size - 1


def test_a_user_too_short_for_a_run_stands_at_the_average_there(of_actions):
    sequences = of_actions({"ann": "a b c", "bob": "c b a", "cid": "a", "dan": ""})
    fitted = fit(sequences, NgramOptions(length=2, skips=1), Work())
    n_single = int(fitted.state["run_0"].max()) + 1
    assert_allclose(fitted.values[2, n_single:], 0)
    assert_allclose(fitted.values[3], 0)
    assert_allclose(fitted.values[:2, n_single:].mean(axis=0), 0, atol=1e-6)


def test_actions_by_category_are_words_where_they_are_common(sequences_of):
    shoes = {"action": "view", "category": "shoes"}
    bags = {"action": "view", "category": "bags"}
    rare = {"action": "view", "category": "hats"}
    sequences = sequences_of(
        {"ann": [shoes, shoes, bags, bags], "bob": [bags, bags, bags, shoes, shoes, rare]}
    )
    options = NgramOptions(length=1, skips=0, words="action_category", max_words=4)
    fitted = fit(sequences, options, Work())
    view = 1
    words = fitted.state["word"][view]  # unknown, bags, hats, shoes
    assert words[0] == words[2] == view  # hats are too rare: the action alone
    assert len({int(words[1]), int(words[3]), view}) == 3
    assert_allclose(share(fitted, 0, "run_0", words[1]), 0.5, atol=1e-6)
    assert fit(sequences, NgramOptions(length=1, skips=0), Work()).state["word"].shape == (2, 1)


def test_what_is_common_is_learned_of_the_users_to_fit(of_actions):
    users = {"ann": "a b a b", "bob": "b b b a a"}
    alone = fit(of_actions({"ann": "a b a b"}), NgramOptions(), Work())
    both = fit(of_actions(users, {"bob": VALIDATE}), NgramOptions(), Work())
    for name, value in alone.state.items():
        np.testing.assert_array_equal(both.state[name], value)


def test_a_state_from_a_file_may_come_in_any_order(of_actions):
    sequences = of_actions({"ann": "a b c a", "bob": "c b a c"})
    fitted = fit(sequences, NgramOptions(), Work())
    turned = dict(reversed(list(fitted.state.items())))
    assert_allclose(transform(turned, sequences), fitted.values)


@pytest.mark.parametrize("skips", range(5))
@pytest.mark.parametrize("length", [1, 3])
def test_a_log_of_any_few_events_is_placed_as_among_others(of_actions, skips, length):
    lines = {"ann": "a b c a b c b", "bob": "c b a c c a b", "cid": "b b a c a b c"}
    fitted = fit(of_actions(lines), NgramOptions(skips=skips, length=length), Work())
    for n_events in range(1, 7):
        short = " ".join("abcabc"[:n_events])
        alone = transform(fitted.state, of_actions({"dan": short, "eve": "a b c"}))[:1]
        few = bare_sequences(
            ["dan"],
            [0, n_events],
            action=np.array([A, B, C, A, B, C][:n_events], np.int32),
            vocabulary=vocabulary_of(actions=("a", "b", "c")),
        )
        assert_allclose(transform(fitted.state, few), alone, atol=1e-6)
