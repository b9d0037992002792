import numpy as np
import pytest

from core.artifacts import FIT, TEST, VALIDATE
from core.errors import OptionRefused
from core.sequences import SequenceOptions, build, split, take
from core.sequences.splits import sides

DAY = 86_400
START = 1_767_225_600
DEFAULT = SequenceOptions()


def ids(n):
    return np.array([f"u{i}" for i in range(n)], dtype=object)


def daily(n_users, n_days, every=1):
    return [
        {"user": f"u{u:02d}", "time": day * DAY}
        for u in range(n_users)
        for day in range(0, n_days + 1, every)
    ]


def test_users_are_dealt_out_by_the_shares():
    counts = np.bincount(sides(ids(20_000), DEFAULT, 0), minlength=3) / 20_000
    np.testing.assert_allclose(counts[[FIT, VALIDATE, TEST]], [0.7, 0.15, 0.15], atol=0.01)
    options = SequenceOptions(validate_share=0.4, test_share=0)
    counts = np.bincount(sides(ids(20_000), options, 0), minlength=3) / 20_000
    np.testing.assert_allclose(counts[[FIT, VALIDATE, TEST]], [0.6, 0.4, 0], atol=0.01)


def test_a_user_stays_on_its_side_whoever_else_is_there():
    everyone = dict(zip(ids(500), sides(ids(500), DEFAULT, 3), strict=True))
    some = ids(500)[[400, 7, 33]]
    assert sides(some, DEFAULT, 3).tolist() == [everyone[user] for user in some]


def test_a_known_user_is_on_the_side_it_has_always_been_on():
    assert sides(ids(12), DEFAULT, 0).tolist() == [1, 0, 1, 2, 0, 0, 0, 0, 0, 1, 1, 0]


def test_another_seed_deals_users_out_anew():
    one, other = (sides(ids(5000), DEFAULT, seed) for seed in (0, 1))
    assert 0.5 < (one == other).mean() < 0.6  # .7^2 + 2 x .15^2 = .535 by chance


def test_test_users_stay_when_the_share_of_validation_users_changes():
    more = sides(ids(1000), SequenceOptions(validate_share=0.3), 0)
    less = sides(ids(1000), SequenceOptions(validate_share=0.05), 0)
    assert ((more == TEST) == (less == TEST)).all()


def test_strange_ids_have_a_side_too():
    strange = np.array(["", "日本", "x" * 10_000, "😀", "null"], dtype=object)
    assert set(sides(strange, DEFAULT, 0).tolist()) <= {FIT, VALIDATE, TEST}


def test_shares_that_leave_too_few_to_fit_are_refused():
    with pytest.raises(OptionRefused, match=r"validate_share is 0\.4 and test_share 0\.35"):
        SequenceOptions(validate_share=0.4, test_share=0.35)


def test_the_future_is_the_last_quarter_and_the_inner_one_the_last_quarter_of_the_past(cleaned):
    log = cleaned(*daily(40, 16))
    found = split(build(log, DEFAULT), DEFAULT, 0)
    assert (found.cut, found.inner_cut) == (START + 12 * DAY, START + 9 * DAY)
    assert found.note == ""
    assert found.user.tolist() == sides(ids_of(40), DEFAULT, 0).tolist()
    half = SequenceOptions(future_share=0.5)
    assert split(build(log, half), half, 0).cut == START + 8 * DAY


def ids_of(n):
    return np.array([f"u{u:02d}" for u in range(n)], dtype=object)


def test_a_cleaned_log_and_its_sequences_are_split_alike(cleaned):
    log = cleaned(*daily(40, 16))
    of_log, of_sequences = split(log, DEFAULT, 5), split(build(log, DEFAULT, seed=5), DEFAULT, 5)
    assert (of_log.cut, of_log.inner_cut) == (of_sequences.cut, of_sequences.inner_cut)
    assert of_log.user.tolist() == of_sequences.user.tolist()
    assert of_log.fingerprint != split(log, DEFAULT, 6).fingerprint


def test_sequences_carry_the_sides_and_taking_users_keeps_them(cleaned):
    log = cleaned(*daily(30, 2))
    built = build(log, DEFAULT, seed=4)
    assert built.split.tolist() == sides(ids_of(30), DEFAULT, 4).tolist()
    some = np.array([29, 3, 3])
    assert take(built, some).split.tolist() == built.split[some].tolist()


def test_the_days_looked_at_are_the_ones_that_are_cut(cleaned):
    options = SequenceOptions(window_days=8)
    log = cleaned(*daily(40, 16))
    expected = (START + 14 * DAY, START + int(12.5 * DAY))
    for found in (split(build(log, options), options, 0), split(log, options, 0)):
        assert (found.cut, found.inner_cut) == expected


def test_a_user_whose_past_was_cut_off_counts_as_one_that_comes_back(cleaned):
    options = SequenceOptions(last_n=1)
    assert split(build(cleaned(*daily(40, 16)), options), options, 0).cut is not None


@pytest.mark.parametrize(
    ("rows", "cut", "inner_cut", "note"),
    [
        (
            daily(40, 3),
            None,
            None,
            "The log covers 3.0 days, too short for a future to judge by.",
        ),
        (
            daily(29, 16),
            None,
            None,
            "Only 29 users have events before and in the last part of the log; "
            "with fewer than 30 a future says nothing.",
        ),
        (
            daily(40, 16, every=12),
            12,
            None,
            "Only 0 users have events on both sides of the inner cut; "
            "with fewer than 30 a future says nothing.",
        ),
    ],
)
def test_a_log_that_has_no_future_says_so(cleaned, rows, cut, inner_cut, note):
    log = cleaned(*rows)
    for found in (split(log, DEFAULT, 0), split(build(log, DEFAULT), DEFAULT, 0)):
        assert (found.cut, found.inner_cut) == (cut and START + 9 * DAY, inner_cut)
        assert found.note == note


def test_a_past_that_is_too_short_has_no_inner_cut(cleaned):
    options = SequenceOptions(future_share=0.5)
    found = split(cleaned(*daily(40, 5)), options, 0)
    assert (found.cut, found.inner_cut) == (START + int(2.5 * DAY), None)
    assert found.note == (
        "The time before the future covers 2.5 days, too short for a future to judge by."
    )
