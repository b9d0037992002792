import numpy as np
import pytest
from numpy.testing import assert_allclose

from core.artifacts import TEST, VALIDATE
from core.representations._base import Work
from core.representations.markov import MarkovOptions, fit, transform

ONE_STEP = MarkovOptions(after_next=False, prior=1.0)
UNKNOWN, A, B = 0, 1, 2


def raw(fitted, user):
    return (fitted.values[user] + fitted.state["centre"]) ** 2


def moves(fitted, user, n_actions=3):
    return raw(fitted, user)[: n_actions**2].reshape(n_actions, n_actions)


def test_chances_are_drawn_toward_everyones_and_weigh_as_much_as_their_action(of_actions):
    fitted = fit(of_actions({"ann": "a b b", "bob": "b a"}), ONE_STEP, Work())
    # everyone: a to b once, b to a once, b to b once, and half an event spread over each row
    assert_allclose(fitted.state["next_chances"][A], [1 / 9, 1 / 9, 7 / 9], atol=1e-6)
    assert_allclose(fitted.state["next_weight"][:, 0], [1 / 9, 3 / 9, 5 / 9], atol=1e-6)
    ann = moves(fitted, 0)
    assert_allclose(ann[A, B], (1 + 7 / 9) / 2 * 3 / 9, atol=1e-6)
    assert_allclose(ann[B, B], (1 + 7 / 15) / 2 * 5 / 9, atol=1e-6)
    assert_allclose(ann[B, A], (7 / 15) / 2 * 5 / 9, atol=1e-6)


def test_every_user_has_as_much_weight_in_all_and_a_stranger_has_everyones_chances(of_actions):
    fitted = fit(of_actions({"ann": "a b b a", "bob": "b", "cid": ""}), ONE_STEP, Work())
    everyone = fitted.state["next_chances"] * fitted.state["next_weight"]
    assert_allclose([moves(fitted, user).sum() for user in range(3)], 1, atol=1e-5)
    assert_allclose(moves(fitted, 1), everyone, atol=1e-6)
    assert_allclose(moves(fitted, 2), everyone, atol=1e-6)


def test_few_events_leave_a_user_near_the_middle(of_actions):
    users = {"ann": "a b a", "bob": "a b " * 20, "cid": "b b a a " * 10, "dan": "a a b b " * 10}
    values = fit(of_actions(users), MarkovOptions(after_next=False), Work()).values
    middle = values[2:].mean(axis=0)
    away = np.linalg.norm(values - middle, axis=1)
    assert away[0] < 0.6 * away[1]


def test_order_that_skips_an_event_is_seen_where_it_is_asked_for(of_actions):
    def apart(after_next):
        # any action may follow any other, but ann repeats the one before it and bob does not
        users = {"ann": "a a b b " * 25, "bob": "a b b a b a a b " * 12}
        sequences = of_actions(users)
        values = fit(sequences, MarkovOptions(after_next=after_next, prior=0.1), Work()).values
        return np.linalg.norm(values[0] - values[1])

    assert apart(True) > apart(False) + 0.2


def test_borders_of_visits_are_chances_of_their_own(of_actions, with_arrays):
    sequences = of_actions({"ann": "a b a b", "bob": "b b a a"})
    sequences = with_arrays(sequences, session=np.array([0, 0, 1, 1, 0, 0, 0, 1], np.int32))
    fitted = fit(sequences, ONE_STEP, Work())
    assert fitted.values.shape == (2, 9 + 3 + 6)
    begin, end = raw(fitted, 0)[9:12], raw(fitted, 0)[12:].reshape(3, 2)
    # visits began with a, a (ann), b, a (bob): 4 of 6 moves; ann: twice a
    assert_allclose(fitted.state["begin_chances"][0], [1 / 27, 19 / 27, 7 / 27], atol=1e-6)
    assert_allclose(begin[A], (2 + 19 / 27) / 3 * 4.5 / 6.5, atol=1e-6)
    # after ann's a the visit went on twice, after her b it ended once; weights as among 6 moves
    assert_allclose(end[B, 1], (1 + 1.25 / 3.5) / 2 * 3.5 / 7.5, atol=1e-6)
    assert_allclose(end[A, 0] / end[A].sum(), (2 + 2.25 / 3.5) / 3, atol=1e-6)


def test_a_history_that_was_cut_does_not_begin_with_a_visit(of_actions, with_arrays):
    sequences = of_actions({"ann": "a b", "bob": "b a"})
    sequences = with_arrays(sequences, session=np.array([0, 1, 0, 1], np.int32))
    cut = with_arrays(sequences, length=np.array([2, 50]))
    whole, less = (fit(s, ONE_STEP, Work()).state["begin_chances"] for s in (sequences, cut))
    assert_allclose(whole[0], [0.5 / 13.5, 6.5 / 13.5, 6.5 / 13.5], atol=1e-6)
    assert_allclose(less[0], [0.5 / 10.5, 6.5 / 10.5, 3.5 / 10.5], atol=1e-6)  # bob's b is not


def test_what_is_common_is_learned_of_the_users_to_fit(of_actions):
    users = {"ann": "a b a b", "bob": "b b b b", "cid": "a a a a"}
    alone = fit(of_actions({"ann": users["ann"]}), ONE_STEP, Work()).state
    with_others = fit(of_actions(users, {"bob": VALIDATE, "cid": TEST}), ONE_STEP, Work()).state
    assert_allclose(with_others["next_chances"], alone["next_chances"])
    assert_allclose(with_others["centre"], alone["centre"], atol=1e-6)


def test_actions_that_were_not_fitted_count_as_unknown(of_actions, with_arrays):
    fitted = fit(of_actions({"ann": "a b", "bob": "b b"}), ONE_STEP, Work())
    new = with_arrays(of_actions({"cid": "a b"}), action=np.array([99, 1], np.int32))
    placed = (transform(fitted.state, new)[0] + fitted.state["centre"]) ** 2
    chance = fitted.state["next_chances"][UNKNOWN, A]
    weight = fitted.state["next_weight"][UNKNOWN, 0]
    assert_allclose(placed.reshape(3, 3)[UNKNOWN, A], (1 + chance) / 2 * weight, atol=1e-6)


@pytest.mark.parametrize("after_next", [True, False])
def test_new_users_get_the_values_they_would_have_had(of_actions, after_next):
    sequences = of_actions({"ann": "a b c", "bob": "c c", "cid": "b"})
    fitted = fit(sequences, MarkovOptions(after_next=after_next), Work())
    assert_allclose(transform(fitted.state, sequences), fitted.values)
