import numpy as np

from core.segments import SegmentOptions
from core.segments._base import groups_of
from core.segments.flows import shares_of_next, stories, transition_counts
from tests.worlds import tiny_labels, tiny_sequences

DAY = 86_400


def walk(*actions):
    return [(action, None, None, t, None) for t, action in enumerate(actions)]


def test_transitions_are_counted_within_users_and_never_across():
    log = tiny_sequences(
        {"a": walk("view", "view", "buy"), "b": walk("view", "buy"), "c": walk("buy", "view")}
    )
    counts = transition_counts(log, groups_of(tiny_labels(log, {"a": 0, "b": 0, "c": 1})))
    assert log.vocabulary.actions == ("view", "buy")
    assert counts.tolist() == [[[1, 2], [0, 0]], [[0, 0], [1, 0]]]


def test_shares_of_next_add_up_to_one_or_are_all_zero():
    shares = shares_of_next(np.array([[[1, 3], [0, 0]]]))
    assert shares.tolist() == [[[0.25, 0.75], [0.0, 0.0]]]


def test_a_missing_action_breaks_the_chain():
    log = tiny_sequences({"a": walk("view", None, "buy"), "b": walk("buy", "view")})
    counts = transition_counts(log, groups_of(tiny_labels(log, {"a": 0, "b": 0})))
    assert counts.sum() == 1


def test_a_story_tells_pauses_and_tells_repeats_once():
    log = tiny_sequences(
        {
            "a": [
                ("view", "shoes", None, 0, None),
                ("view", "shoes", None, 10, None),
                ("view", "shoes", None, 20, None),
                ("cart", None, None, 30, None),
                ("cart", None, None, 30 + 2 * DAY, None),
                ("cart", None, None, 31 + 2 * DAY, None),
                (None, "bags", None, 40 + 2 * DAY, None),
            ]
        }
    )
    (story,) = stories(log, tiny_labels(log, {"a": 0}), np.array([0]), SegmentOptions())
    assert story.user_id == "a"
    assert story.steps == ("view · shoes × 3", "cart", "(2 days later) cart × 2", "bags")


def test_a_story_begins_without_a_pause_and_has_the_last_twelve_events():
    log = tiny_sequences({"a": [(f"act{i:02d}", None, None, i * DAY, None) for i in range(20)]})
    (story,) = stories(log, tiny_labels(log, {"a": 0}), np.array([0]), SegmentOptions())
    assert len(story.steps) == 12
    assert (story.steps[0], story.steps[-1]) == ("act08", "(1 day later) act19")


def test_the_surest_users_tell_their_story_first_ties_in_the_order_of_ids():
    log = tiny_sequences({name: walk("view") for name in "abcde"})
    labels = tiny_labels(log, dict.fromkeys("abcde", 0))
    labels.confidence[:] = [0.2, 0.9, 0.5, 0.9, 0.1]
    told = stories(log, labels, np.array([0, 1, 3, 4]), SegmentOptions(n_stories=3))
    assert [story.user_id for story in told] == ["b", "d", "a"]
