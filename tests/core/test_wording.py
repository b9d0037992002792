import pytest

from core.wording import counted, duration, figure, percent, quoted


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.342, "34%"), (0.0342, "3.4%"), (0.0996, "10%"), (0.0, "0%"), (1.0, "100%")],
)
def test_shares_are_written_as_percent(share, text):
    assert percent(share) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(2.345, "2.3"), (0.0456, "0.046"), (45.4, "45"), (12300.4, "12,300"), (9.96, "10"), (0, "0")],
)
def test_figures_keep_as_many_digits_as_are_read(value, text):
    assert figure(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (40, "40 s"),
        (59.9, "1 min"),
        (210, "3.5 min"),
        (3600 * 5, "5 h"),
        (86_400, "1 day"),
        (172_800, "2 days"),
        (0.5, "0.5 s"),
    ],
)
def test_time_spans_are_written_in_the_unit_that_fits(seconds, text):
    assert duration(seconds) == text


def test_names_are_quoted_as_they_came():
    assert quoted('=1+1<b>"x"') == '“=1+1<b>"x"”'


def test_nouns_follow_their_number():
    assert (counted(1, "user", "users"), counted(1200, "user", "users")) == (
        "1 user",
        "1,200 users",
    )
