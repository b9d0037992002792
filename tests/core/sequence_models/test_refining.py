"""A network that corrects chains: at first it is the chains, and what it adds must be seen."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.artifacts import TEST, VALIDATE, Sequences
from core.device import repeatable
from core.errors import OptionRefused
from core.sequence_models import background, refining
from core.sequence_models.counts import Memory, count
from core.sequence_models.held_out import CATEGORIES
from core.sequence_models.mixture import everyone_of, path, path_aside, posteriors
from core.sequence_models.models import is_refined, learn
from core.sequence_models.neural import Corrections, Plan, foretold, memberships
from core.sequence_models.options import SequenceModelOptions
from core.sequence_models.outcomes import Coding, outcomes_of
from core.sequence_models.reading import Reader
from core.sequence_models.refining import judged, refine, refined_members
from tests.core.sequence_models.logs import acting
from tests.worlds import bare_sequences, vocabulary_of

QUICK = Plan(hidden=16, window=3, epochs=16, patience=16, learning_rate=2e-2)


def anything(seed: int = 0) -> Sequences:
    """40 users with 0 to 19 events of everything a log can have."""
    rng = np.random.default_rng(seed)
    lengths = np.arange(40) % 20
    offsets, n = np.concatenate([[0], np.cumsum(lengths)]), int(lengths.sum())
    gap = rng.choice([0.0, 40.0, 5_000.0], n)
    gap[offsets[:-1][lengths > 0]] = 0
    session = np.concatenate(
        [np.cumsum(gap[a:b] > 1_000) for a, b in np.stack([offsets[:-1], offsets[1:]], 1)]
    )
    return bare_sequences(
        [f"u{i:02d}" for i in range(40)],
        offsets,
        action=rng.integers(0, 4, n).astype(np.int32),
        category=rng.integers(0, 4, n).astype(np.int32),
        platform=rng.integers(0, 3, n).astype(np.int32),
        session=session.astype(np.int32),
        time=(1_767_571_200 + np.cumsum(gap)).astype(np.int64),
        gap=gap.astype(np.float32),
        price=np.where(rng.random(n) < 0.3, np.nan, rng.lognormal(3, 1, n)).astype(np.float32),
        vocabulary=vocabulary_of(
            actions=("buy", "cart", "view"), categories=("a", "b", "c"), platforms=("app", "web")
        ),
    )


def three_back(n_users: int = 300, length: int = 40, seed: int = 0) -> Sequences:
    """Users whose next action is mostly that of three events before: chains cannot know."""
    rng = np.random.default_rng(seed)
    users = {}
    for number in range(n_users):
        word = list(rng.choice(list("xyz"), 3))
        while len(word) < length:
            word.append(word[-3] if rng.random() < 0.9 else rng.choice(list("xyz")))
        users[f"u{number:03d}"] = "".join(word)
    sequences = acting(users)
    side = np.arange(n_users) % 5
    return replace(
        sequences, split=np.select([side == 0, side == 1], [VALIDATE, TEST], 0).astype(np.int8)
    )


@pytest.mark.parametrize("aside", [False, True])
@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize("visits", [False, True])
def test_before_it_learns_the_network_foretells_exactly_as_the_chains(category, visits, aside):
    sequences = anything()
    outcomes = outcomes_of(sequences, Coding.of(sequences))
    memory = Memory(actions=2, visits=visits, category=category)
    counts = count(outcomes, memory)
    mixtures = path(counts, 3, 1, np.random.default_rng(0))
    if aside:
        own = background.own_likelihoods(counts, everyone_of(counts))
        mixtures = path_aside(counts, mixtures, own, 1, np.random.default_rng(0))
    chains = mixtures[3]
    members, each = posteriors(chains, counts)
    net = Corrections(outcomes.sizes, outcomes.told, 3, QUICK)
    shares = torch.tensor(np.log(chains.shares), dtype=torch.float32)
    reader = Reader(outcomes, memory, chains, QUICK.window, "cpu")
    some = np.flatnonzero(outcomes.lengths() > 0)
    bits = foretold(net, shares, reader, some)
    np.testing.assert_allclose(bits, each[some] / np.log(2), rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(memberships(net, shares, reader), members, atol=2e-3)


def test_double_precision_is_not_asked_of_a_device_as_an_apple_gpu_has_none(monkeypatch):
    arrived = []
    cpu, double = torch.Tensor.cpu, torch.Tensor.double

    def to_cpu(tensor):
        arrived.append(cpu(tensor))
        return arrived[-1]

    def doubled(tensor):
        assert any(tensor is one for one in arrived)
        return double(tensor)

    monkeypatch.setattr(torch.Tensor, "cpu", to_cpu)
    monkeypatch.setattr(torch.Tensor, "double", doubled)
    sequences = anything()
    outcomes = outcomes_of(sequences, Coding.of(sequences))
    memory = Memory(actions=1, visits=False, category="stay")
    chains = path(count(outcomes, memory), 2, 1, np.random.default_rng(0))[2]
    net = Corrections(outcomes.sizes, outcomes.told, 2, QUICK)
    reader = Reader(outcomes, memory, chains, QUICK.window, "cpu")
    assert np.isfinite(foretold(net, torch.zeros(2), reader, np.arange(40))).all()
    assert np.isfinite(memberships(net, torch.zeros(2), reader)).all() and len(arrived) >= 2


def test_a_user_of_many_events_is_read_in_pieces_that_add_up():
    users = {"a": "xyz", "b": "xyzzy" * 300, "c": "", "d": "zzyx"}
    sequences = acting(users)
    outcomes = outcomes_of(sequences, Coding.of(sequences))
    memory = Memory(actions=2, visits=False, category="stay")
    chains = path(count(outcomes, memory), 2, 1, np.random.default_rng(0))[2]
    torch.manual_seed(0)
    net = Corrections(outcomes.sizes, outcomes.told, 2, QUICK)
    for weights in net.parameters():
        torch.nn.init.normal_(weights, 0, 0.3)
    seen = []
    net.register_forward_hook(lambda net, batch, found: seen.append(len(found)))
    whole, some = (Reader(outcomes, memory, chains, 3, "cpu", n) for n in (10_000, 64))
    shares, order = torch.tensor([0.2, -0.3]), np.array([3, 1, 2, 0])
    at_once = foretold(net, shares, whole, order), memberships(net, shares, whole)
    assert max(seen) == 1_507
    seen.clear()
    in_pieces = foretold(net, shares, some, order), memberships(net, shares, some)
    assert max(seen) == 64
    for one, other in zip(at_once, in_pieces, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_training_reads_stretches_of_long_histories_and_all_of_short_ones():
    sequences = acting({"a": "xyz", "b": "xyzzy" * 300, "c": "", "d": "zzyx"})
    outcomes = outcomes_of(sequences, Coding.of(sequences))
    memory = Memory(actions=1, visits=False, category="stay")
    chains = path(count(outcomes, memory), 1, 1, np.random.default_rng(0))[1]
    reader, rng = Reader(outcomes, memory, chains, 3, "cpu", 64), np.random.default_rng(0)
    begun = set()
    for _ in range(3):
        read = list(reader.batches(np.arange(4), rng))
        assert all((one.end - one.begin).sum() <= 2 * 64 for one in read)
        length = {
            int(user): int(n)
            for one in read
            for user, n in zip(one.users, one.end - one.begin, strict=True)
        }
        assert length == {0: 3, 1: 64, 2: 0, 3: 4}
        begun |= {int(one.begin[one.users == 1][0]) for one in read if 1 in one.users}
        batch = reader.read(next(one for one in read if 1 in one.users))
        assert len(batch.user) <= 128 and torch.isfinite(batch.rest).all()
    assert len(begun) == 3 and max(begun) <= 1_500 - 64


def test_users_are_placed_with_the_threads_they_were_trained_with(monkeypatch):
    sequences = three_back(60)
    models = learn(sequences, SequenceModelOptions(models_most=1), 0)
    plan = replace(QUICK, epochs=4)
    found = refine(models, sequences, np.ones((60, 1)), plan, np.arange(60), 0, threads=2)
    assert found.kept
    seen = []
    place = memberships

    def spy(*given):
        seen.append((torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()))
        return place(*given)

    monkeypatch.setattr(refining, "memberships", spy)
    with repeatable(1):
        refined_members(found.state, sequences, 1)
    assert seen == [(2, True)]


def test_what_takes_three_events_to_tell_is_learned_and_kept():
    sequences = three_back()
    models = learn(sequences, SequenceModelOptions(models_most=2), 0)
    start = np.ones((300, 1))
    found = refine(models, sequences, start, QUICK, np.arange(300), 0)
    assert found.kept and found.gain > 0.5 > 10 * found.error
    assert found.epochs[-1][1] > found.epochs[0][1] + 0.5
    assert is_refined(found.state)
    again = refine(models, sequences, start, QUICK, np.arange(300), 0)
    assert all(found.state[name].tobytes() == again.state[name].tobytes() for name in found.state)


def test_where_the_gpu_has_no_room_batches_are_halved_and_that_is_said(monkeypatch):
    sequences = three_back(60)
    models = learn(sequences, SequenceModelOptions(models_most=1), 0)
    forward, tried = Corrections.forward, []

    def small(net, batch):
        tried.append(len(batch.user))
        if tried[-1] > 1_000:
            raise torch.cuda.OutOfMemoryError("full")
        return forward(net, batch)

    monkeypatch.setattr(Corrections, "forward", small)
    plan = replace(QUICK, epochs=1)
    found = refine(models, sequences, np.ones((60, 1)), plan, np.arange(60), 0)
    assert max(tried) > 1_000 and len(found.epochs) == 2
    assert found.room == "The network read 768 events at a time: the GPU had no room for more."
    monkeypatch.setattr(Corrections, "forward", forward)
    assert not refine(models, sequences, np.ones((60, 1)), plan, np.arange(60), 0).room


def test_where_the_gpu_has_no_room_at_all_it_is_refused_with_a_way_out(monkeypatch):
    sequences = three_back(60)
    models = learn(sequences, SequenceModelOptions(models_most=1), 0)

    def full(net, batch):
        raise torch.cuda.OutOfMemoryError("full")

    monkeypatch.setattr(Corrections, "forward", full)
    with pytest.raises(OptionRefused, match="Set device to cpu"):
        refine(models, sequences, np.ones((60, 1)), QUICK, np.arange(60), 0)


def test_who_chooses_an_epoch_does_not_judge_it():
    chains = np.full(6, -10.0)
    for_even = chains + np.array([2.0, -1.0] * 3)
    for_odd = chains + np.array([-1.0, 2.0] * 3)
    found = judged([chains, for_even, for_odd], np.full(6, 5))
    # Taken all together each epoch is better than the chains; but by chance of who was looked at.
    np.testing.assert_array_equal(found.bits[:, 0], chains - 1)
    np.testing.assert_array_equal(found.bits[:, 1], chains)
    good = judged([chains, chains + 1, chains + 2], np.full(6, 5))
    np.testing.assert_array_equal(good.bits[:, 0], chains + 2)


def test_the_best_of_many_epochs_that_only_vary_by_chance_is_rarely_kept():
    rng, kept = np.random.default_rng(0), 0
    for _ in range(300):
        epochs = [np.zeros(100), *rng.normal(0, 1, (15, 100))]
        gains, errors = judged(epochs, np.full(100, 5)).behind(0)
        kept += gains[1] > 2 * errors[1]
    assert kept < 36  # the best epoch by all of them would be kept about 90 times


def test_nothing_is_kept_where_there_is_nothing_to_learn():
    rng = np.random.default_rng(1)
    users = {f"u{i:03d}": "".join(rng.choice(list("xyz"), 30)) for i in range(200)}
    sequences = acting(users)
    models = learn(sequences, SequenceModelOptions(models_most=2), 0)
    found = refine(models, sequences, np.ones((200, 1)), QUICK, np.arange(200), 0)
    assert not found.kept and not is_refined(found.state)
    assert found.bits == pytest.approx(found.epochs[0][1])


def test_test_users_teach_nothing():
    sequences = three_back()
    tests = np.flatnonzero(sequences.split == TEST)
    events = np.concatenate([np.arange(*sequences.offsets[u : u + 2]) for u in tests])
    changed = sequences.action.copy()
    changed[events] = 1
    models = learn(sequences, SequenceModelOptions(models_most=1), 0)
    states = [
        refine(models, log, np.ones((300, 1)), QUICK, np.arange(300), 0).state
        for log in (sequences, replace(sequences, action=changed))
    ]
    assert all(states[0][name].tobytes() == states[1][name].tobytes() for name in states[0])


def test_new_users_are_placed_by_what_was_kept_one_by_one_as_in_bulk():
    sequences = three_back()
    models = learn(sequences, SequenceModelOptions(models_most=2), 0)
    start = np.random.default_rng(0).dirichlet(np.ones(2), 300)
    state = refine(models, sequences, start, QUICK, np.arange(300), 0).state
    newcomers = three_back(20, seed=5)
    bulk = refined_members(state, newcomers, 2)
    assert bulk.shape == (20, 2)
    np.testing.assert_allclose(bulk.sum(axis=1), 1, atol=1e-5)
    single = refined_members(state, newcomers.of_users(np.array([7])), 2)
    np.testing.assert_allclose(single[0], bulk[7], atol=1e-5)
