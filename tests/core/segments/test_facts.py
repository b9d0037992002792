import numpy as np
import pytest

from core.segments import SegmentOptions
from core.segments._base import groups_of
from core.segments.facts import CAVEAT, compare, facts, findings
from core.segments.features import measure
from core.segments.flows import transition_counts
from tests.worlds import tiny_labels, tiny_sequences

HOUR = 3600


def user(views, buys):
    words = ["view"] * views + ["buy"] * buys
    return [(word, None, None, HOUR * t, None) for t, word in enumerate(words)]


def measured(log, labels, options=None):
    groups = groups_of(labels)
    moves = transition_counts(log, groups)
    return groups, moves, measure(log, groups, moves.sum(axis=0), options or SegmentOptions())


def found_in(users, segment_of, **options):
    log = tiny_sequences(users)
    settings = SegmentOptions(**options)
    groups, moves, measures = measured(log, tiny_labels(log, segment_of), settings)
    return findings(measures, groups.sizes, moves, settings)


def test_the_effect_is_the_difference_of_means_over_the_pooled_spread():
    log = tiny_sequences({"a": user(4, 4), "b": user(8, 0), "c": user(1, 7), "d": user(4, 4)})
    _, _, measures = measured(log, tiny_labels(log, {"a": 0, "b": 0, "c": 1, "d": 1}))
    column = next(i for i, f in enumerate(measures.features) if f.words == ("view",))
    inside, outside, effect = (x[:, column] for x in compare(measures))
    assert inside.tolist() == [0.75, 0.3125]
    assert outside.tolist() == [0.3125, 0.75]
    pooled = np.sqrt((2 * 0.25**2 + 2 * 0.1875**2) / 2)
    assert effect == pytest.approx([0.4375 / pooled, -0.4375 / pooled])


def test_where_nobody_varies_the_spread_has_a_floor():
    log = tiny_sequences({"a": user(4, 0), "b": user(4, 0), "c": user(2, 2), "d": user(2, 2)})
    _, _, measures = measured(log, tiny_labels(log, {"a": 0, "b": 0, "c": 1, "d": 1}))
    column = next(i for i, f in enumerate(measures.features) if f.words == ("view",))
    assert compare(measures)[2][0, column] == pytest.approx(0.5 / 0.05)


def test_a_difference_of_too_few_users_is_not_told():
    users = {f"u{i}": user(5 + i % 2, 5 - i % 2) for i in range(40)} | {"x": user(6, 4)}
    alone = found_in(users, {u: int(u == "x") for u in users})
    assert alone[1] == ()


def test_a_difference_without_practical_size_is_not_told():
    users = {f"a{i}": user(500, 500) for i in range(30)}
    users |= {f"b{i}": user(505, 495) for i in range(30)}
    found = found_in(users, {u: int(u[0] == "b") for u in users}, min_effect=0.0)
    assert "action" not in {finding.feature.kind for finding in found[0]}


def test_a_move_is_shown_as_a_share_of_all_moves_from_there():
    users = {f"a{i}": user(3, 1) for i in range(20)}  # view view view buy
    users |= {f"b{i}": user(2, 2) for i in range(20)}  # view view buy buy
    found = found_in(users, {u: int(u[0] == "b") for u in users})
    move = next(f for f in found[0] if f.feature.words == ("view", "buy"))
    assert move.inside == pytest.approx(1 / 3) and move.outside == pytest.approx(1 / 2)


def test_moves_that_few_users_of_a_segment_make_are_not_told():
    """Two of twenty shared something; what they did next says nothing of the segment."""
    share = [("share", None, None, 0, None), ("buy", None, None, 1, None)]
    users = {f"a{i}": user(4, 0) + (share if i < 2 else []) for i in range(20)}
    users |= {f"b{i}": user(4, 0) + share[:1] + user(1, 0) for i in range(20)}
    found = found_in(users, {u: int(u[0] == "b") for u in users})
    assert all(
        f.feature.words[:1] != ("share",) for f in found[0] if f.feature.kind == "transition"
    )


def test_facts_that_tell_the_same_are_told_once():
    users = {
        f"a{i}": [("view", None, None, 22 * HOUR + t, None) for t in range(9)] for i in range(9)
    }
    users |= {
        f"b{i}": [("view", None, None, 8 * HOUR + t, None) for t in range(9)] for i in range(9)
    }
    found = found_in(users, {u: int(u[0] == "b") for u in users})
    assert {f.feature.name for f in found[0]} >= {"night", "morning"}
    told = facts(found[0], SegmentOptions())
    assert len({fact.subject for fact in told} & {"night", "morning"}) == 1


def test_max_facts_is_kept():
    users = {f"a{i}": user(6, 1) for i in range(20)} | {f"b{i}": user(1, 6) for i in range(20)}
    found = found_in(users, {u: int(u[0] == "b") for u in users})
    assert len(facts(found[0], SegmentOptions(max_facts=1))) == 1


def test_the_caveat_names_its_source():
    assert "Gao, Bien and Witten" in CAVEAT
