"""Packed matrices: read again within what the format allows, and refused where they do not fit."""

import numpy as np
import pytest

from core.errors import FileRefused
from core.representations.packed import int8, packed, shared, sparse, unpacked

NAME = "weight.cell.net.weight_ih_l0"


@pytest.fixture
def values():
    made = np.random.default_rng(3).normal(size=(37, 21)).astype(np.float32)
    made[5] = 0.0  # a row that says nothing
    made[7] *= 1000
    return made


def again(kind, parts):
    state = packed({NAME: np.zeros(1), "centre": np.ones(2)}, {NAME: (kind, parts)})
    assert NAME not in state
    found = unpacked(state)
    assert found.keys() == {NAME, "centre"}
    assert found[NAME].dtype == np.float32
    return found[NAME]


@pytest.mark.parametrize("axis", [0, 1])
def test_eight_bit_numbers_are_off_by_at_most_half_a_step_of_their_row_or_column(values, axis):
    step = np.abs(values).max(axis=1 - axis, keepdims=True) / 127
    off = np.abs(again("int8", int8(values, axis)) - values)
    assert (off <= step * 0.5001 + 1e-12).all()
    assert off.max() > 0
    assert not again("int8", int8(values))[5].any()


def test_eight_bit_numbers_take_a_quarter_of_the_bytes_and_a_scale_per_row(values):
    parts = int8(values)
    assert parts["codes"].nbytes == values.size
    assert sum(part.nbytes for part in parts.values()) == values.size + 4 * 37


@pytest.mark.parametrize(("n_values", "n_bytes"), [(16, 389), (17, 777), (256, 777), (1, 389)])
def test_shared_values_take_half_a_byte_or_a_byte_each(values, n_values, n_bytes):
    book = np.arange(n_values, dtype=np.float32)
    codes = (np.arange(values.size) % n_values).astype(np.uint8).reshape(values.shape)
    parts = shared(values, codes, book)
    assert parts["codes"].nbytes == n_bytes
    np.testing.assert_array_equal(again("shared", parts), book[codes])


def test_numbers_that_are_left_are_exact_and_the_others_are_zero(values):
    thin = np.where(np.abs(values) > 1, values, 0).astype(np.float32)
    parts = sparse(thin)
    np.testing.assert_array_equal(again("sparse", parts), thin)
    n_left = np.count_nonzero(thin)
    assert 0 < n_left < values.size
    assert parts["values"].nbytes == 4 * n_left and parts["there"].nbytes == 98


def test_a_state_without_anything_packed_is_the_very_same():
    state = {"centre": np.ones(2)}
    assert unpacked(state) is state


def broken(kind, matrix, **changes):
    thin = np.where(np.abs(matrix) > 1, matrix, 0).astype(np.float32)
    codes = (np.arange(matrix.size) % 5).astype(np.uint8).reshape(matrix.shape)
    book = np.arange(5, dtype=np.float32)
    made = {"int8": int8(matrix), "shared": shared(matrix, codes, book), "sparse": sparse(thin)}
    parts = {**made[kind], **changes}
    return packed({}, {NAME: (kind, {k: v for k, v in parts.items() if v is not None})})


WRONG = [
    ("int8", {"scales": np.ones((36, 1), np.float32)}, "scales have shape"),
    ("int8", {"scales": np.full((37, 1), np.nan, np.float32)}, "not all finite"),
    ("int8", {"scales": -np.ones((37, 1), np.float32)}, "below 0"),
    ("int8", {"codes": np.ones((37, 21), np.int16)}, "not int8"),
    ("int8", {"scales": None}, "its parts are codes"),
    ("int8", {"book": np.ones(2)}, "its parts are"),
    ("shared", {"book": np.arange(4, dtype=np.float32)}, "past its codebook of 4"),
    ("shared", {"book": np.zeros(0, np.float32)}, "codebook has shape"),
    ("shared", {"book": np.zeros(257, np.float32)}, "codebook has shape"),
    ("shared", {"shape": np.array([37, 22])}, "its shape asks for 407"),
    ("shared", {"shape": np.array([-37, -21])}, "its shape is not"),
    ("shared", {"shape": np.array([10**9, 10**9])}, "its shape asks for"),
    ("shared", {"codes": np.zeros((5, 5), np.uint8)}, "not a row of bytes"),
    ("sparse", {"values": np.ones(3, np.float32)}, "and there are 3"),
    ("sparse", {"there": np.zeros(3, np.uint8)}, "3 bytes are there"),
    ("sparse", {"shape": np.array([37.0, 21.0])}, "its shape is not"),
]


@pytest.mark.parametrize(("kind", "changes", "told"), WRONG)
def test_parts_that_do_not_belong_together_are_refused_by_name(values, kind, changes, told):
    with pytest.raises(FileRefused, match="is damaged") as refused:
        unpacked(broken(kind, values, **changes))
    assert told in str(refused.value) and NAME in str(refused.value)


def test_a_bit_past_the_last_number_is_refused(values):
    state = broken("sparse", values)
    key = next(k for k in state if ".there." in k)
    bits = state[key].copy()
    bits[-1] |= 1  # 777 numbers leave 7 bits over
    with pytest.raises(FileRefused, match="its bits tell of"):
        unpacked({**state, key: bits})


def test_an_unknown_format_is_refused_with_those_there_are():
    with pytest.raises(FileRefused, match=r"packed as 'int4'.*int8, shared, sparse"):
        unpacked({f"packed.int4.codes.{NAME}": np.zeros(3, np.uint8)})


def test_what_stands_both_packed_and_plain_is_refused(values):
    with pytest.raises(FileRefused, match="there twice"):
        unpacked({**broken("int8", values), NAME: values})
