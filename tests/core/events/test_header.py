"""A first row of data is no header, in whatever form its times are written."""

import pytest

from core.events.gate.header import check_header

NO_NAMES = [
    "12-May-2024 10:00",
    "2024年1月5日",
    "20240105T101010",
    "May 5, 2024",
    "Mon, 5 May 2024 10:00:00 GMT",
    "10:05 AM",
    "23:59:59.5",
    "05-12 10:00",
    "2024-01-05T10:00:00Z",
    "13/02/24",
    "1700000000",
    "12.5%",
]
NAMES = [
    "time",
    "May",
    "may_2024",
    "utc",
    "am",
    "item-2",
    "t 10:05",
    "step 1",
    "2nd view",
    "+1 day",
]


def codes(cells):
    return [problem.code for problem in check_header(cells, 1, 10).problems]


@pytest.mark.parametrize("cell", NO_NAMES)
def test_a_time_or_a_number_in_the_first_row_is_data(cell):
    assert codes(["u1", cell, "view"]) == ["no_header"]


@pytest.mark.parametrize("cell", NAMES)
def test_words_that_only_hold_a_time_or_a_number_are_names(cell):
    assert codes(["user", cell, "action"]) == []
