import pytest

from core.charts.small_cells import count_text, published, published_text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0"), (1, "<5"), (4, "<5"), (5, "5"), (12345, "12,345")]
)
def test_counts_below_five_are_shown_only_as_such_and_zero_is_zero(count, text):
    assert count_text(count, 5) == text


def test_without_a_limit_every_count_is_shown():
    assert count_text(1) == "1"
    assert published([1, 2]) == (1, 2)


def test_where_one_count_is_hidden_the_others_are_rounded_so_that_it_cannot_be_worked_out():
    assert published([612, 3, 0, 57], 5) == (610, None, 0, 55)
    assert published([613, 8], 5) == (613, 8)
    assert published_text(None, 5) == "<5"
