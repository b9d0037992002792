import numpy as np
import pytest
from numpy.testing import assert_allclose

from core.sequences import SequenceOptions, build, suggest_session_gap
from core.sequences.stream import BY_PAUSE, NEW_VISIT, SAME_VISIT
from core.sequences.visits import GapCounts, number_visits, suggestion

SECOND, MINUTE, DAY = 1_000_000, 60_000_000, 86_400_000_000


def counts_of(*pauses):
    counts = GapCounts()
    for some in pauses:
        counts.add(np.asarray(some, dtype=np.int64))
    return counts


def lognormal(centre, n, spread=0.7, seed=0):
    draws = np.random.default_rng(seed).normal(np.log(centre), spread, n)
    return np.exp(draws).astype(np.int64)


def test_a_visit_ends_where_the_log_says_so_else_at_a_long_pause():
    marks = [NEW_VISIT, SAME_VISIT, NEW_VISIT, BY_PAUSE, BY_PAUSE, SAME_VISIT, BY_PAUSE]
    gaps = [0, 9e9, 1, 1800, 1801, 9e9, 5]
    found = number_visits(
        np.array(marks, np.int32), np.array(gaps, np.float32), np.array([0, 7]), 30.0
    )
    assert found.tolist() == [0, 0, 1, 1, 2, 2, 2]
    assert found.dtype == np.int32


def test_every_user_begins_with_visit_0_and_some_have_no_events():
    marks = np.full(5, NEW_VISIT, np.int32)
    found = number_visits(marks, np.zeros(5, np.float32), np.array([0, 0, 2, 2, 5, 5]), 30.0)
    assert found.tolist() == [0, 1, 0, 1, 2]


def test_a_log_that_names_its_visits_is_believed_and_the_rest_goes_by_the_pause(cleaned):
    log = cleaned(
        {"user": "a", "time": 0, "session": "s"},
        {"user": "a", "time": 9000, "session": "s"},
        {"user": "a", "time": 9001, "session": "t"},
        {"user": "a", "time": 9002, "session": None},
        {"user": "a", "time": 12000, "session": "t"},
        {"user": "b", "time": 12001, "session": "t"},
        {"user": "b", "time": 12002, "session": "s"},
        {"user": "b", "time": 12003, "session": "t"},
    )
    built = build(log, SequenceOptions(session_gap=30))
    assert built.session.tolist() == [0, 0, 1, 1, 2, 0, 1, 2]
    assert build(log, SequenceOptions(session_gap=60)).session.tolist()[4] == 1


def test_visits_are_counted_over_the_events_that_are_kept(cleaned):
    log = cleaned(*[{"user": "a", "time": day * 86_400} for day in range(5)])
    assert build(log, SequenceOptions(last_n=2)).session.tolist() == [0, 1]


def test_later_logs_are_cut_into_visits_by_the_pause_of_the_first(cleaned):
    rows = [{"user": "a", "time": n * 600} for n in range(3)]
    first = build(cleaned(*rows), SequenceOptions(session_gap=5))
    assert first.session.tolist() == [0, 1, 2]
    later = build(cleaned(*rows), SequenceOptions(), first.vocabulary)
    assert later.session.tolist() == [0, 1, 2]
    asked = build(cleaned(*rows), SequenceOptions(session_gap=15), first.vocabulary)
    assert asked.session.tolist() == [0, 0, 0]


def test_two_kinds_of_pauses_are_parted_between_them():
    gap = suggestion(counts_of(lognormal(20 * SECOND, 8000), lognormal(2 * DAY, 2000)))
    assert gap.found
    assert 20 <= gap.minutes <= 120  # e^3.5 deviations above 20 s, and as many below 2 days
    assert gap.reason.startswith("Pauses are of two kinds: around 20 s within a visit, around 2 d")
    assert sum(gap.counts) == 10_000
    assert len(gap.edges) == len(gap.counts) + 1
    assert_allclose(np.diff(np.log2(gap.edges)), 0.25)


def test_the_crossing_of_two_equal_kinds_lies_half_way():
    gap = suggestion(counts_of(lognormal(30 * SECOND, 50_000), lognormal(4 * 30 * MINUTE, 50_000)))
    assert_allclose(np.log(gap.minutes), (np.log(0.5) + np.log(120)) / 2, atol=0.15)


@pytest.mark.parametrize(
    ("pauses", "reason"),
    [
        ([5 * SECOND] * 20, "Only 20 pauses between events (few events), so"),
        ([0] * 500 + [DAY] * 30, "Only 30 pauses between events (most events of a user share"),
        ([DAY, 2 * DAY, 9 * DAY] * 100, "Times are whole days"),
        (lognormal(MINUTE, 5000), "cannot be told apart"),
        ([MINUTE] * 5000, "cannot be told apart"),
        (
            np.concatenate([lognormal(5 * DAY, 900, 0.2), lognormal(200 * DAY, 900, 0.2)]),
            "two kinds at 31 days, which is no pause within a visit",
        ),
    ],
)
def test_where_the_pauses_say_nothing_the_customary_half_hour_is_taken(pauses, reason):
    gap = suggestion(counts_of(pauses))
    assert (gap.minutes, gap.found) == (30.0, False)
    assert reason in gap.reason


def test_no_pauses_at_all_give_an_empty_histogram():
    gap = suggestion(GapCounts())
    assert (gap.minutes, gap.edges, gap.counts, gap.ties) == (30.0, (), (), 0)


def test_pauses_of_any_length_have_a_place():
    gap = suggestion(counts_of([1, 2**61, 0]))
    assert (sum(gap.counts), gap.ties) == (2, 1)


def test_it_does_not_matter_in_which_batches_pauses_come_nor_whether_the_log_is_clean(
    log_of, cleaned, monkeypatch
):
    rng = np.random.default_rng(0)
    rows = [
        {"user": f"u{rng.integers(5)}", "time": int(60 * rng.integers(0, 500))} for _ in range(400)
    ]
    rows += [{"user": None, "time": 7}, {"user": "u1", "time": None}]
    before, log = suggest_session_gap(log_of(*rows)), cleaned(*rows)
    monkeypatch.setattr("core.sequences.batches._ROWS", 3)
    assert suggest_session_gap(log) == before
    assert sum(before.counts) + before.ties == 400 - 5


def test_the_suggestion_is_what_sequences_are_built_with(cleaned):
    rng = np.random.default_rng(1)
    rows = []
    for user in range(20):
        pauses = np.where(rng.random(40) < 0.8, rng.lognormal(3, 0.5, 40), rng.lognormal(12, 1, 40))
        rows += [{"user": f"u{user}", "time": float(t)} for t in np.cumsum(pauses)]
    log = cleaned(*rows)
    gap = suggest_session_gap(log)
    assert gap.found
    built = build(log, SequenceOptions())
    assert built.vocabulary.session_gap == gap.minutes
    given = build(log, SequenceOptions(session_gap=gap.minutes))
    assert given.session.tolist() == built.session.tolist()
    assert 0 < built.session.max() < 39
