import numpy as np
import pytest

from core.segments import SUMMARY, SegmentOptions
from core.segments.users import user_figures, user_stories
from tests.worlds import tiny_sequences

DAY = 86_400
LOG = tiny_sequences(
    {
        "a": [
            ("view", "shoes", "s1", 0, 10.0),
            ("view", "shoes", "s1", 60, 10.0),
            ("purchase", "shoes", "s1", 120, 10.0),
            ("view", "bags", "b1", 2 * DAY, 30.0),
        ],
        "b": [("view", "bags", "b1", 4 * DAY, 30.0)],
    }
)


def test_figures_are_the_users_own_in_their_units():
    found = user_figures(LOG, SegmentOptions())
    assert found["events"] == pytest.approx([4, 1])
    assert found["purchases"] == pytest.approx([1, 0])
    assert found["spend"] == pytest.approx([10, 0])
    assert found["recency"] == pytest.approx([2, 0])
    assert found["gap"][0] == pytest.approx(60) and np.isnan(found["gap"][1])


def test_a_story_is_the_last_few_events_with_the_pauses_between_visits():
    told = user_stories(LOG, np.array([1, 0]), SegmentOptions())
    assert told.tolist() == [
        "view · bags",
        "view · shoes × 2 → purchase · shoes → (2 days later) view · bags",
    ]


def test_a_unit_is_not_said_twice():
    assert SUMMARY["purchases"].told(4.5) == "4.5"
    assert SUMMARY["recency"].told(4.5) == "4.5 days"
    assert SUMMARY["night"].told(0.25) == "25%"
