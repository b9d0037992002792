from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from core.artifacts import TEST, VALIDATE
from core.errors import OptionRefused, TooLittleData
from core.representations._base import Work
from core.representations.bag import BagOptions
from core.representations.bag import fit as count
from core.representations.checkpoint import Checkpoints
from core.representations.encoder import EventEncoder
from core.representations.encoder_options import EncoderOptions
from core.representations.inputs import Scales
from core.representations.learning import fit, training_plan
from core.representations.source import TrainingData, split_users
from core.representations.trained import transform
from core.representations.training import train

QUICK = EncoderOptions(hidden=16, epochs=3, batch_users=16, threads=1)
N_USERS = 150


@pytest.fixture(scope="module")
def orders():
    """Actions of users that do all things equally often, in one of three orders."""
    rng = np.random.default_rng(0)
    forward, backward, repeat = (
        np.roll(np.eye(4), 1, axis=1),
        np.roll(np.eye(4), -1, axis=1),
        np.eye(4),
    )
    kinds = np.arange(N_USERS) % 3
    lines = {}
    for user, kind in enumerate(kinds):
        chain = 0.7 * (forward, backward, repeat)[kind] + 0.075
        now, line = rng.integers(4), []
        for _ in range(rng.integers(15, 60)):
            line.append("abcd"[now])
            now = rng.choice(4, p=chain[now])
        lines[f"{user:03d}"] = " ".join(line)
    return lines, kinds


def every_seventh(users):
    return dict.fromkeys(list(users)[::7], VALIDATE)


def found(values, kinds):
    return adjusted_rand_score(
        kinds, KMeans(3, n_init=10, random_state=0).fit_predict(np.asarray(values))
    )


def test_users_that_differ_in_order_alone_are_told_apart(of_actions, orders):
    lines, kinds = orders
    sequences = of_actions(lines, every_seventh(lines))
    learned = fit(
        sequences, EncoderOptions(epochs=80, hidden=32, batch_users=16, slice_users=48), Work()
    )
    assert found(count(sequences, BagOptions(), Work()).values, kinds) < 0.1
    assert found(learned.values, kinds) > 0.8
    first, last = learned.history[0], learned.history[-1]
    assert last.losses["action"] < 1.1 < first.losses["action"]  # ln 4 is guessing
    assert last.validation_losses["action"] < 1.1


def test_pauses_alone_tell_users_apart(sequences_of):
    rng = np.random.default_rng(0)
    kinds = np.arange(90) % 3
    sequences = sequences_of(
        {
            f"{user:03d}": [{"gap": round(g)} for g in rng.lognormal(2 + 2 * kind, 1.2, 30)]
            for user, kind in enumerate(kinds)
        }
    )
    learned = fit(sequences, EncoderOptions(epochs=30, hidden=16, threads=1), Work())
    assert found(learned.values, kinds) > 0.8


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(of_actions, orders):
    sequences = of_actions(orders[0])
    first, again = (fit(sequences, QUICK, Work(seed=7)) for _ in range(2))
    assert first.values.tobytes() == again.values.tobytes()
    assert not np.array_equal(first.values, fit(sequences, QUICK, Work(seed=8)).values)


def test_training_is_a_plain_loop_that_stops_when_one_stops(of_actions, orders):
    sequences = of_actions(orders[0])
    scales = Scales.of(sequences, time_of_day=True)
    users = np.arange(N_USERS)
    data = TrainingData(
        sequences=sequences,
        scales=scales,
        fit_users=users[:100],
        validation_users=users[100:],
        device="cpu",
    )
    encoder, ticks = EventEncoder(scales, 8), []
    plan = training_plan(EncoderOptions(epochs=50, hidden=8), 100)
    reports = list(islice(train(encoder, data, plan, Checkpoints(None), ticks.append), 2))
    assert [r.epoch for r in reports] == [1, 2]
    assert ticks[-1] == 1.0 and len(ticks) == 14  # 100 users by 16, twice
    for report in reports:
        assert report.n_epochs == 50
        assert report.losses.keys() == report.validation_losses.keys()
        assert {"total", "next_event", "contrastive", "action", "gap"} <= report.losses.keys()
        assert_allclose(
            report.losses["total"], report.losses["next_event"] + report.losses["contrastive"]
        )
        assert report.events_per_second > 0


def test_training_ends_early_when_nothing_improves(of_actions):
    rng = np.random.default_rng(0)
    lines = {f"{u:02d}": " ".join(rng.choice(list("abc"), 12)) for u in range(40)}
    noise = of_actions(lines, every_seventh(lines))
    options = EncoderOptions(hidden=16, epochs=200, learning_rate=0.03, patience=3, threads=1)
    history = fit(noise, options, Work()).history
    losses = [r.validation_losses["next_event"] for r in history]
    assert len(history) < 200
    assert min(losses) == losses[-4]


def test_every_epoch_is_reported_and_progress_only_rises(of_actions, orders):
    heard = []
    fitted = fit(of_actions(orders[0]), QUICK, Work(report=heard.append))
    assert [p.epoch for p in heard if p.epoch] == list(fitted.history)
    assert heard[0].text == f"Learning on {fitted.device}"
    assert [p.done for p in heard] == sorted(p.done for p in heard)
    assert {p.stage for p in heard} == {"represent"}


def test_users_that_all_behave_the_same_stand_on_one_point(of_actions):
    sequences = of_actions({f"{u:02d}": "a b c a b" for u in range(30)})
    values = fit(sequences, QUICK, Work()).values
    assert (values == 0).all()


@pytest.mark.parametrize(
    "users",
    [
        {"ann": "a b a b a b a b", "bob": "b b b a"},
        {"ann": "a a a a a a", "bob": "a a a", "cid": "a"},
        {"ann": "a b"},
        {"ann": "a b", "bob": "", "cid": "b"},
        {"ann": "a b a"} | {f"user {n}": "a" for n in range(40)},
    ],
)
def test_the_smallest_logs_give_finite_points(of_actions, users):
    fitted = fit(of_actions(users), QUICK, Work())
    assert fitted.values.shape == (len(users), 16)
    assert np.isfinite(fitted.values).all()
    assert len(fitted.history) == 3


def test_one_event_per_user_is_refused_with_a_way_out(of_actions):
    with pytest.raises(TooLittleData, match=r"No user has two events .* 'bag'"):
        fit(of_actions({"ann": "a", "bob": "b"}), QUICK, Work())


ASKED_FOR_NOTHING = {
    f"{name}_weight": 0 for name in ("action", "category", "gap", "value", "contrastive")
}


@pytest.mark.parametrize(
    ("asked", "missing"),
    [
        ({"category_weight": 1.0}, "category_weight needs categories"),
        ({"item_weight": 0.5}, "item_weight needs items"),
        (
            {"value_weight": 1.0, "contrastive_weight": 1.0},
            "value_weight needs durations or prices; contrastive_weight needs two users to fit",
        ),
    ],
)
def test_an_encoder_that_could_learn_nothing_is_refused_with_what_is_missing(
    of_actions, asked, missing
):
    options = EncoderOptions(hidden=8, epochs=3, **ASKED_FOR_NOTHING | asked)
    with pytest.raises(TooLittleData, match=f"{missing}.*Map such a column"):
        fit(of_actions({"ann": "a b a b a b", "bob": "b b a", "cid": "a b"}), options, Work())


def test_where_one_weight_of_several_can_be_learned_it_is(of_actions):
    options = EncoderOptions(hidden=8, epochs=3, **ASKED_FOR_NOTHING | {"action_weight": 1.0})
    options = replace(options, item_weight=1.0)
    history = fit(of_actions({"ann": "a b a b", "bob": "b b a"}), options, Work()).history
    assert all(report.losses.keys() == {"total", "next_event", "action"} for report in history)


def test_a_pause_of_zero_throughout_trains_without_trouble(sequences_of):
    users = {f"{u}": [{"gap": 0, "action": "ab"[u % 2]}] * 10 for u in range(8)}
    fitted = fit(sequences_of(users), QUICK, Work())
    assert np.isfinite(fitted.values).all()
    assert np.linalg.norm(fitted.values[0] - fitted.values[1]) > 0.1


def test_new_users_are_placed_as_if_they_had_been_there(of_actions, orders):
    sequences = of_actions(orders[0])
    fitted = fit(sequences, QUICK, Work())
    assert_allclose(transform(fitted.state, sequences), fitted.values)
    few = of_actions(dict(list(orders[0].items())[:5]))
    assert_allclose(transform(fitted.state, few), fitted.values[:5], atol=1e-5)


def test_every_learned_number_is_an_array(of_actions, orders):
    state = fit(of_actions(orders[0]), QUICK, Work()).state
    assert all(type(value) is np.ndarray for value in state.values())
    assert state["weight.cell.net.weight_hh_l0"].shape == (64, 16)


def test_validation_users_are_watched_and_all_others_fitted(of_actions):
    lines = {"ann": "a b", "bob": "a b", "cid": "", "dan": "a", "eve": "a", "fay": "a"}
    sides = {"bob": VALIDATE, "cid": VALIDATE, "dan": TEST, "eve": VALIDATE}
    fitted, watched = split_users(of_actions(lines, sides))
    assert (fitted.tolist(), watched.tolist()) == ([0, 3, 5], [1, 4])


@pytest.mark.parametrize("watched", ["b", "abcd"])
def test_nobody_is_watched_where_that_would_be_one_user_or_leave_too_few(of_actions, watched):
    sequences = of_actions(dict.fromkeys("abcde", "x y"), dict.fromkeys(watched, VALIDATE))
    fitted, none = split_users(sequences)
    assert (fitted.tolist(), none.tolist()) == ([0, 1, 2, 3, 4], [])


def test_small_logs_are_read_more_often():
    assert (
        training_plan(EncoderOptions(), 100).epochs > training_plan(EncoderOptions(), 2000).epochs
    )
    assert training_plan(EncoderOptions(), 1_000_000).epochs == 3
    assert training_plan(EncoderOptions(epochs=7), 100).epochs == 7


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"slice_shortest": 30}, r"slice_shortest is 30, more than slice_longest, which is 24"),
        (
            ASKED_FOR_NOTHING,
            "nothing to learn",
        ),
        ({"hidden": 4}, r"hidden is 4\. Allowed: a whole number from 8 to 512"),
    ],
)
def test_settings_that_cannot_work_are_refused(values, words):
    with pytest.raises(OptionRefused, match=words):
        EncoderOptions(**values)


def test_pytorch_is_left_as_it_was(of_actions, orders):
    before = (torch.get_num_threads(), torch.get_rng_state().sum().item())
    fit(of_actions(orders[0]), QUICK, Work())
    assert before == (torch.get_num_threads(), torch.get_rng_state().sum().item())
