"""How often each outcome followed each context."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from core.sequence_models.counts import Memory, count
from core.sequence_models.outcomes import Coding, outcomes_of
from tests.core.sequence_models.logs import PLAIN, acting, counted, log

EVERY = [
    Memory(actions=actions, visits=visits, category=category)
    for actions, visits, category in product((1, 2), (False, True), ("stay", "last", "action"))
]


def many():
    """Users with 0 to 11 events of everything, some of it missing."""
    rng = np.random.default_rng(0)
    steps, visits = {}, {}
    for user in range(12):
        times = np.cumsum(rng.choice([0, 5, 4_000, 90_000], user))
        steps[f"u{user:02d}"] = [
            (f"a{rng.integers(4)}", f"c{rng.integers(3)}", float(t), rng.choice([None, 1.0, 9.0]))
            for t in times
        ]
        visits[f"u{user:02d}"] = np.cumsum(rng.random(user) < 0.3).tolist()
    return log(steps, visits)


def block_of(counts, name):
    """The counts of a block, (U, *levels, width)."""
    block = next(block for block in counts.blocks if block.name == name)
    dense = counts.matrix[:, block.columns].toarray()
    return dense.reshape(counts.n_users, *block.levels, block.width)


@pytest.mark.parametrize("memory", EVERY, ids=str)
def test_every_event_is_counted_once_in_every_block_that_it_belongs_to(memory):
    sequences = many()
    outcomes = outcomes_of(sequences, Coding.of(sequences))
    counts = count(outcomes, memory)
    lengths = np.arange(12)
    visits = np.bincount(outcomes.user, outcomes.breaks, minlength=12)
    category = "staying" if memory.category == "stay" else "category"
    expected = {
        "action": lengths,
        category: lengths,
        "pause": np.maximum(lengths - 1, 0),
        "price": lengths,
        "daypart": visits,
    }
    assert {block.name for block in counts.blocks} == set(expected)
    assert counts.n_events.tolist() == lengths.tolist()
    for block in counts.blocks:
        found = counts.matrix[:, block.columns].sum(axis=1)
        assert found.tolist() == expected[block.name].tolist(), block.name
    assert counts.blocks[-1].columns.stop == counts.matrix.shape[1]


def test_an_action_is_counted_after_the_one_before_and_the_first_after_none():
    found = block_of(counted(acting({"a": "vcvv"})), "action")[0]
    v, c = 1, 2  # by frequency; in a context, one more, as 0 is before the first event
    assert found[0, v] == found[v + 1, c] == found[c + 1, v] == found[v + 1, v] == 1
    assert found.sum() == 4


def test_two_actions_back_are_the_far_one_and_the_near_one():
    found = block_of(
        counted(acting({"a": "vcvv"}), Memory(actions=2, visits=False, category="stay")), "action"
    )[0]
    v, c = 1, 2
    assert found[0, 0, v] == found[0, v + 1, c] == 1
    assert found[v + 1, c + 1, v] == found[c + 1, v + 1, v] == 1 and found.sum() == 4


def visiting(actions):
    """One user who goes away after two events: what is remembered over the border."""
    steps = [(action, None, 0.0, None) for action in "xyzxx"]
    sequences = log({"a": steps}, {"a": [0, 0, 1, 1, 1]})
    return block_of(
        counted(sequences, Memory(actions=actions, visits=True, category="stay")), "action"
    )[0]


def test_the_beginning_of_a_visit_hides_the_action_before():
    found, border = visiting(1), 5
    x, y, z = 1, 2, 3
    assert found.shape == (6, 4)
    assert found[0, x] == found[x + 1, y] == 1  # the first visit of all begins after nothing
    assert found[border, z] == found[z + 1, x] == found[x + 1, x] == 1 and found.sum() == 5


def test_the_first_two_events_of_a_visit_do_not_see_over_its_border():
    found, border = visiting(2), 5
    x, y, z = 1, 2, 3
    assert found.shape == (6, 6, 4)
    assert found[0, 0, x] == found[0, x + 1, y] == 1
    assert found[border, border, z] == found[border, z + 1, x] == found[z + 1, x + 1, x] == 1
    assert found.sum() == 5


def test_a_category_stays_or_goes_within_a_visit_or_over_its_border():
    steps = [("x", c, 0.0, None) for c in "aabbba"]
    sequences = log({"a": steps}, {"a": [0, 0, 0, 1, 1, 2]})
    found = block_of(counted(sequences, PLAIN), "staying")[0]
    first, other, same, other_away, same_away = found
    a, b = 1, 2
    assert first[a] == 1 and other[b] == 1 and same[a] == same[b] == 1
    assert same_away[b] == 1 and other_away[a] == 1 and found.sum() == 6


def test_a_category_may_follow_the_one_before_or_the_action():
    steps = [("x", "a", 0.0, None), ("y", "b", 0.0, None), ("x", "a", 0.0, None)]
    sequences = log({"u": steps})
    by_last = block_of(
        counted(sequences, Memory(actions=1, visits=False, category="last")), "category"
    )[0]
    by_action = block_of(
        counted(sequences, Memory(actions=1, visits=False, category="action")), "category"
    )[0]
    a, b = 1, 2
    assert by_last[0, a] == by_last[a + 1, b] == by_last[b + 1, a] == 1
    assert by_action[1, a] == 2 and by_action[2, b] == 1


def test_a_kind_of_item_is_counted_within_its_category_and_not_for_the_same_item_again():
    steps = [("x", c, 0.0, None) for c in "aabb"]
    sequences = replace(
        log({"u": steps}),
        item=np.array([1, 1, 2, 3], dtype=np.int32),
        item_vectors=np.array([[0.0], [1.0], [8.0], [1.0]], dtype=np.float32),
    )
    found = block_of(counted(sequences), "item")[0]
    near, far = counted_kind(sequences, 0), counted_kind(sequences, 2)
    assert found[1, near] == 1 and found[2, far] == found[2, near] == 1 and found.sum() == 3


def counted_kind(sequences, event):
    return outcomes_of(sequences, Coding.of(sequences)).item[event]


def test_a_log_in_which_all_is_the_same_has_no_block_and_users_without_counts():
    counts = counted(acting({"a": "xxx", "b": "x"}))
    assert counts.blocks == () and counts.matrix.shape == (2, 0)
    assert counts.n_events.tolist() == [3, 1]


def test_some_users_are_taken_by_place_or_by_mask():
    counts = counted(acting({"a": "xyx", "b": "yy", "c": "x"}))
    some, masked = counts.take(np.array([2, 0])), counts.take(np.array([True, False, True]))
    assert some.n_events.tolist() == [1, 3] and masked.n_events.tolist() == [3, 1]
    np.testing.assert_array_equal(some.matrix.toarray(), masked.matrix.toarray()[::-1])


def test_a_memory_is_told_in_words():
    assert str(PLAIN) == "1 action back, categories staying"
    far = Memory(actions=2, visits=True, category="action")
    assert str(far) == "2 actions back, visits apart, categories by action"
