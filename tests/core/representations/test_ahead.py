import threading
import time
from contextlib import closing

import pytest

from core.representations.ahead import ahead


def threads():
    return [t for t in threading.enumerate() if t.name == "reading ahead"]


def test_the_items_come_in_their_order_and_the_thread_ends():
    assert list(ahead(iter(range(100)))) == list(range(100))
    assert not threads()


def test_an_empty_iterator_gives_nothing():
    assert list(ahead(iter(()))) == []


def test_no_more_than_two_are_made_before_they_are_wanted():
    made = []

    def items():
        for i in range(50):
            made.append(i)
            yield i

    with closing(ahead(items())) as found:
        assert next(found) == 0
        deadline = time.monotonic() + 5
        while len(made) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.3)  # time enough to run on, if it could
        assert made == [0, 1, 2]
    assert not threads()


def test_what_goes_wrong_is_raised_after_what_was_made():
    def items():
        yield 1
        raise OSError("disk gone")

    found = ahead(items())
    assert next(found) == 1
    with pytest.raises(OSError, match="disk gone"):
        next(found)
    assert not threads()


def test_stopping_in_the_middle_ends_the_thread():
    found = ahead(iter(range(1000)))
    next(found)
    assert threads()
    found.close()
    assert not threads()
