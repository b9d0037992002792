import numpy as np
import pyarrow as pa
import pytest

from core.sequences.arrays import GrowingArray
from core.sequences.stream import Rows, whole_users


def batch(moments, begins):
    moment = np.array(moments, dtype=np.int64)
    begins = np.array(begins, dtype=bool)
    return Rows(columns={"moment": moment}, begins=begins, ids=pa.array([], pa.string()))


def told(users):
    return [
        (
            part.columns["moment"].tolist(),
            part.kept.tolist(),
            part.in_window.tolist(),
            part.length.tolist(),
            part.first_moment.tolist(),
        )
        for part in users
    ]


def test_a_user_that_goes_on_in_the_next_batch_is_handed_on_when_it_ends():
    rows = iter([batch([1, 2, 1], [1, 0, 1]), batch([5, 9], [0, 0]), batch([3], [1])])
    assert told(whole_users(rows, 2, None)) == [
        ([1, 2], [2], [2], [2], [1]),
        ([5, 9], [2], [3], [3], [1]),
        ([3], [1], [1], [1], [3]),
    ]


def test_what_is_too_old_is_counted_over_all_batches_and_not_kept():
    rows = iter([batch([1, 2], [1, 0]), batch([3, 4], [0, 0]), batch([1, 8], [1, 1])])
    assert told(whole_users(rows, 2, 1)) == [
        ([3, 4], [2, 0], [3, 0], [4, 1], [1, 1]),
        ([8], [1], [1], [1], [8]),
    ]


def test_a_user_that_owns_the_whole_log_is_held_by_its_last_events_only():
    held = []

    def rows():
        for first in range(0, 100_000, 1000):
            yield batch(range(first, first + 1000), [first == 0, *[0] * 999])
            held.append(sum(a.nbytes for a in arrays_held(users)))

    users = whole_users(rows(), 10, None)
    (found,) = told(users)
    assert found == (list(range(99_990, 100_000)), [10], [100_000], [100_000], [0])
    assert max(held) == 80


def arrays_held(generator):
    return generator.gi_frame.f_locals["tail"].columns.values()


@pytest.mark.parametrize("in_folder", [True, False])
def test_an_array_grows_by_appending(tmp_path, in_folder):
    growing = GrowingArray("n", np.int32, tmp_path if in_folder else None)
    for part in ([1, 2], [], np.arange(3, 100_000)):
        growing.append(np.array(part))
    array = growing.array()
    assert array.dtype == np.int32
    np.testing.assert_array_equal(array, np.arange(1, 100_000))
    if in_folder:
        np.testing.assert_array_equal(np.load(tmp_path / "n.npy"), array)
