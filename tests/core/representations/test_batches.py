import numpy as np
import pytest

from core.representations.batches import (
    Portions,
    Stretches,
    epoch_batches,
    plan_slices,
    similar_batches,
    slice_pairs,
    windows,
)


@pytest.fixture
def lengths_3_40_200(of_actions):
    return of_actions({"ann": "a " * 3, "bob": "a " * 40, "cid": "a " * 200})


def rng():
    return np.random.default_rng(0)


def test_padding_repeats_the_last_event_and_is_not_real():
    index, real = Stretches(start=np.array([5, 9]), length=np.array([3, 1])).padded()
    assert index.tolist() == [[5, 6, 7], [9, 9, 9]]
    assert real.tolist() == [[True, True, True], [True, False, False]]


def test_a_window_never_leaves_its_user_and_never_exceeds_its_size(lengths_3_40_200):
    offsets = lengths_3_40_200.offsets
    for seed in range(50):
        found = windows(lengths_3_40_200, np.arange(3), 64, np.random.default_rng(seed))
        assert found.length.tolist() == [3, 40, 64]
        assert (found.start >= offsets[:-1]).all()
        assert (found.start + found.length <= offsets[1:]).all()


def test_users_without_events_get_no_window(of_actions):
    found = windows(of_actions({"ann": "", "bob": "a a"}), np.arange(2), 8, rng())
    assert found.length.tolist() == [2]


def test_every_stretch_comes_once_beside_others_of_similar_length():
    lengths = rng().integers(1, 200, 640)
    stretches = Stretches(start=np.arange(640), length=lengths)
    batches = list(similar_batches(stretches, 40, rng()))
    assert sorted(np.concatenate([b.start for b in batches]).tolist()) == list(range(640))
    padded = sum(len(b.length) * b.length.max() for b in batches)
    assert lengths.sum() / padded > 0.9


def an_epoch(sequences, skip=0):
    portions = Portions(batch_users=4, window=30)
    dice = lambda number: np.random.default_rng([7, number])  # noqa: E731
    users = np.arange(sequences.n_users)
    return list(epoch_batches(sequences, users, portions, dice, skip)), portions


@pytest.fixture
def three_hundred(of_actions):
    return of_actions({f"{user:03d}": "a " * (1 + user % 50) for user in range(300)})


def test_an_epoch_reads_every_user_once_in_as_many_batches_as_foretold(three_hundred):
    batches, portions = an_epoch(three_hundred)
    assert len(batches) == portions.n_batches(300) == 75
    starts = np.concatenate([batch.start for batch in batches])
    owner = np.searchsorted(three_hundred.offsets, starts, side="right") - 1
    assert sorted(owner.tolist()) == list(range(300))
    assert max(int(batch.length.max()) for batch in batches) == 30


@pytest.mark.parametrize("skip", [0, 1, 31, 32, 33, 63, 64, 74, 75])
def test_the_rest_of_an_epoch_is_the_same_without_what_went_before(three_hundred, skip):
    whole, _ = an_epoch(three_hundred)
    rest, _ = an_epoch(three_hundred, skip)
    assert len(rest) == 75 - skip
    for one, other in zip(rest, whole[skip:], strict=True):
        assert (one.start == other.start).all() and (one.length == other.length).all()


def test_slices_of_a_pair_are_equally_long_apart_and_of_one_user(lengths_3_40_200):
    plan = plan_slices(lengths_3_40_200, np.arange(3), 6, 24)
    for seed in range(50):
        first, second = slice_pairs(plan, 10, np.random.default_rng(seed))
        assert len(set(first.length.tolist()) | set(second.length.tolist())) == 1
        assert 6 <= first.length[0] <= 20  # half of the typical user
        assert (first.start + first.length <= second.start).all()
        whose = np.searchsorted(lengths_3_40_200.offsets, [first.start, second.start], "right") - 1
        assert (whose[0] == whose[1]).all()
        last = np.searchsorted(lengths_3_40_200.offsets, second.start + second.length - 1, "right")
        assert (last - 1 == whose[1]).all()
        assert 0 not in whose  # three events give no two slices


def test_short_logs_get_shorter_slices(of_actions):
    short = of_actions({"ann": "a a a a", "bob": "a a a a a", "cid": "a"})
    plan = plan_slices(short, np.arange(3), 6, 24)
    assert plan.possible
    assert (plan.shortest, plan.longest) == (2, 2)


def test_one_user_cannot_be_told_from_others(of_actions):
    assert not plan_slices(of_actions({"ann": "a " * 50}), np.arange(1), 6, 24).possible
