import numpy as np

from core.sequences.summary import Bin, PauseBin, summarise
from tests.worlds import bare_sequences


def test_lengths_visits_and_pauses_are_counted_in_bins_that_double():
    sequences = bare_sequences(
        ["a", "b", "c", "d"],
        [0, 4, 4, 5, 7],
        gap=np.array([9, 3, 0, 30, 9, 9, 4], dtype=np.float32),
        session=np.array([0, 0, 0, 1, 0, 0, 1], dtype=np.int32),
    )
    summary = summarise(sequences)
    assert (summary.n_users, summary.n_events, summary.session_gap) == (4, 7, 30.0)
    assert summary.lengths == (
        Bin(low=0, high=0, users=1),
        Bin(low=1, high=1, users=1),
        Bin(low=2, high=3, users=1),
        Bin(low=4, high=7, users=1),
    )
    assert summary.visits == (
        Bin(low=0, high=0, users=1),
        Bin(low=1, high=1, users=1),
        Bin(low=2, high=3, users=2),
    )
    # the 9 s before a user's first event are no pause between events that are looked at
    assert summary.pauses == (
        PauseBin(low=2, high=4, pauses=1),
        PauseBin(low=4, high=8, pauses=1),
        PauseBin(low=8, high=16, pauses=0),
        PauseBin(low=16, high=32, pauses=1),
    )
    assert summary.ties == 1


def test_a_log_of_single_events_has_no_pauses():
    summary = summarise(bare_sequences(["a"], [0, 1]))
    assert (summary.pauses, summary.ties) == ((), 0)
    assert summary.lengths == (Bin(low=1, high=1, users=1),)
