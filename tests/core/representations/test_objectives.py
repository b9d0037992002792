"""What the encoder is asked: each objective with an answer that can be worked out."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from core.representations import learning
from core.representations._base import Work
from core.representations.encoder import EventEncoder, Shape
from core.representations.encoder_options import EncoderOptions
from core.representations.heads import ItemHead, Rebuilder, taught_loss
from core.representations.inputs import Scales
from core.representations.objectives import Objectives
from core.representations.training import TrainingData
from tests.worlds import bare_sequences, vocabulary_of

NO_WEIGHTS = dict.fromkeys(
    ("action", "category", "gap", "duration", "price", "item", "autoencoder", "contrastive"), 0.0
)
ONLY = {f"{name}_weight": 0.0 for name in ("action", "category", "gap", "value", "contrastive")}


def items_log(n_users=60, length=20, n_items=9):
    """Everyone does the same; half of the users walk up the items, half down."""
    rng = np.random.default_rng(0)
    step = np.where(np.arange(n_users) % 2, 1, -1)
    item = (rng.integers(n_items, size=(n_users, 1)) + step[:, None] * np.arange(length)) % n_items
    return bare_sequences(
        [f"u{u:03d}" for u in range(n_users)],
        np.arange(n_users + 1) * length,
        action=np.ones(n_users * length, np.int32),
        item=(item.ravel() + 1).astype(np.int32),
        vocabulary=vocabulary_of(actions=("view",), items=tuple("abcdefghi")[:n_items]),
    )


def losses(encoder, sequences, weights, targets=None, users=(0, 1)):
    data = TrainingData(
        sequences=sequences,
        scales=Scales.of(sequences, time_of_day=True, max_items=9),
        fit_users=np.arange(sequences.n_users),
        validation_users=np.arange(0),
        device="cpu",
        targets=targets,
    )
    rng = np.random.default_rng(0)
    stretches = learning.windows(sequences, np.array(users), 128, rng)
    made = Objectives(weights={**NO_WEIGHTS, **weights}, temperature=0.2)
    return made.losses(encoder, data.tensors(stretches), None, rng)


def test_what_weighs_nothing_is_not_asked(of_actions):
    sequences = of_actions({"ann": "a b c", "bob": "b c a"})
    encoder = EventEncoder(Scales.of(sequences, time_of_day=True), 8)
    assert losses(encoder, sequences, {"action": 1.0}).keys() == {"action"}
    assert losses(encoder, sequences, {"contrastive": 1.0}) == {}


def test_the_next_item_is_learned_and_the_items_are_read():
    sequences = items_log()
    options = EncoderOptions(hidden=16, epochs=40, item_weight=1, **ONLY)
    history = learning.fit(sequences, options, Work()).history
    assert history[-1].losses.keys() == {"total", "next_event", "item"}
    # by the corrected sample a guess among 9 costs ln 9; knowing the direction costs nothing
    assert history[-1].losses["item"] < 0.4 < 1.8 < history[0].losses["item"]


def test_a_sampled_loss_stands_for_the_whole_softmax():
    torch.manual_seed(0)
    head = ItemHead(50, 8)
    seen, target = torch.randn(400, 8), torch.randint(1, 51, (400,))
    with torch.no_grad():
        logits = head.ask(seen) @ head.table.weight[1:].T + head.bias.weight[1:, 0]
        whole = torch.nn.functional.cross_entropy(logits, target - 1)
        rng = np.random.default_rng(0)
        sampled = [float(head.loss(seen, target, head.wrong(rng))) for _ in range(40)]
    assert_allclose(np.mean(sampled), float(whole), rtol=0.02)


def test_common_items_are_drawn_as_wrong_answers_more_often():
    drawn = np.concatenate(
        [ItemHead(100, 8).wrong(np.random.default_rng(s)).numpy() for s in range(40)]
    )
    assert drawn.min() == 1 and drawn.max() <= 100
    chance = np.log1p(1 / np.array([1, 10])) / np.log(101)
    assert_allclose([(drawn == 1).mean(), (drawn == 10).mean()], chance, rtol=0.2)


def test_events_of_unknown_items_are_passed_over():
    head = ItemHead(5, 8)
    loss = head.loss(torch.randn(3, 8), torch.zeros(3, dtype=torch.long), torch.tensor([1, 2]))
    assert loss.item() == 0.0


def test_of_a_million_items_only_the_commonest_have_a_place():
    sequences = items_log()
    many = replace(
        sequences,
        item=(sequences.item * 100_000).astype(np.int32),
        vocabulary=vocabulary_of(actions=("view",), items=tuple(map(str, range(1_000_000)))),
    )
    options = EncoderOptions(hidden=8, epochs=1, item_weight=1, max_items=300_000, **ONLY)
    state = learning.fit(many, options, Work()).state
    assert state["weight.items.table.weight"].shape == (300_001, 32)
    assert state["scales.shared_item"].shape == (1_000_001,)
    few = learning.fit(many, replace(options, max_items=2), Work())
    assert few.state["weight.items.table.weight"].shape == (3, 32)
    assert np.isfinite(few.values).all()


def test_a_stretch_is_rebuilt_at_its_places_from_one_state():
    torch.manual_seed(0)
    rebuilder = Rebuilder(4, {"action": 3, "category": 1})
    assert set(rebuilder.heads) == {"action"}
    pooled = torch.eye(4)[:2]
    classes = torch.tensor([[[1, 0], [2, 0], [1, 0]], [[2, 0], [0, 0], [0, 0]]])
    real = torch.tensor([[True, True, True], [True, False, False]])
    optimizer = torch.optim.Adam(rebuilder.parameters(), lr=0.05)
    first = rebuilder.loss(pooled, classes, real).item()
    for _ in range(200):
        optimizer.zero_grad()
        loss = rebuilder.loss(pooled, classes, real)
        loss.backward()
        optimizer.step()
    assert 0.7 < first < 1.7  # ln 3 is guessing
    assert loss.item() < 0.01  # the place and the state tell everything
    other = classes.clone()
    other[1, 1:, 0] = 2  # padding is never asked for
    with torch.no_grad():
        same = rebuilder.loss(pooled, other, real), rebuilder.loss(pooled, classes, real)
    assert_allclose(*same)


def test_an_autoencoder_alone_learns_without_guessing_ahead(of_actions):
    rng = np.random.default_rng(0)
    lines = {f"{u:02d}": " ".join(rng.permutation(list("abcd"))) for u in range(60)}
    options = EncoderOptions(hidden=32, epochs=150, autoencoder_weight=1, **ONLY)
    history = learning.fit(of_actions(lines), options, Work()).history
    assert history[-1].losses.keys() == {"total", "next_event", "autoencoder"}
    assert history[-1].losses["autoencoder"] < 0.7 < 1.2 < history[0].losses["autoencoder"]


def test_soft_labels_cost_their_entropy_at_best():
    target = torch.tensor([[0.5, 0.5], [1.0, 0.0]])
    perfect = torch.tensor([[0.0, 0.0], [50.0, 0.0]])
    assert_allclose(float(taught_loss(perfect, target)), np.log(2) / 2, rtol=1e-5)


def test_a_teacher_is_heard_for_the_user_whose_stretch_it_is(of_actions):
    sequences = of_actions({"ann": "a b", "bob": "", "cid": "b c a"})
    targets = np.array([[1, 0], [0.5, 0.5], [0, 1]], np.float32)
    encoder = EventEncoder(Scales.of(sequences, time_of_day=True), 8, shape=Shape(n_targets=2))
    torch.nn.init.zeros_(encoder.taught.weight)
    encoder.taught.bias.data = torch.tensor([0.0, 20.0])  # says "the second" whoever it is
    for user, expected in ((0, 20.0), (2, 0.0)):
        found = losses(encoder, sequences, {"teacher": 1.0}, targets, users=(user,))
        assert_allclose(float(found["teacher"].detach()), expected, atol=1e-4)


def test_what_a_teacher_says_is_learned_and_watched(of_actions, monkeypatch):
    lines = {f"{u:02d}": ("a a b " if u % 2 else "b b a ") * 4 for u in range(40)}
    sequences = of_actions(lines, dict.fromkeys(list(lines)[::5], 1))
    labels = np.eye(3, dtype=np.float32)[np.arange(40) % 2]
    heard = []
    monkeypatch.setattr(learning, "targets_of", lambda *told: heard.append(told) or labels)
    options = EncoderOptions(hidden=16, epochs=60, batch_users=8, **{**ONLY, "action_weight": 0.1})
    history = learning.fit(sequences, options, Work()).history
    assert heard == [(sequences, options, Work())]
    assert history[-1].validation_losses["teacher"] < 0.2 < history[0].losses["teacher"]
    deaf = learning.fit(sequences, replace(options, teacher_weight=0), Work())
    assert "teacher" not in deaf.history[-1].losses
    assert not [name for name in deaf.state if "taught" in name]


def test_a_teacher_alone_is_no_reason_to_learn():
    from core.errors import OptionRefused

    with pytest.raises(OptionRefused, match="nothing to learn"):
        EncoderOptions(**ONLY)
