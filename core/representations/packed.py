"""Matrices of a state in fewer bytes, and how they are read again: numbers as codes, or left out.

A state stays a flat mapping of arrays. Where it holds ``packed.FORMAT.PART.NAME`` instead of the
array NAME, `unpacked` puts the array back, and refuses what does not fit together. Nothing is
unpickled, and what is unpacked is at most 32 times as large as what was packed.

========  ======================================================  ==============================
int8      whole numbers from -127 to 127, a scale per row or      error up to half a scale
          column
shared    a codebook of up to 256 numbers, and a code of 4 or 8   error up to half the distance
          bits per number                                         between neighbours in the book
sparse    one bit per number (is it there?), and those that are   the numbers that stay are exact
========  ======================================================  ==============================
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.artifacts import FloatArray, State
from core.errors import FileRefused

_PACKED = "packed."
_MOST_CODES = 256
_HALF_A_BYTE = 16
"""Up to so many numbers in a codebook, two codes share a byte."""

Array = npt.NDArray[Any]
Parts = dict[str, Array]


class _Unfit(Exception):
    """Parts that do not belong together; says why."""


@dataclass(frozen=True, kw_only=True)
class Format:
    """One way of writing a matrix: the parts it has, and how they become the matrix again."""

    parts: frozenset[str]
    read: Callable[[Parts], FloatArray]


def int8(values: FloatArray, axis: int = 0) -> Parts:
    """A matrix (R, C) as 8-bit whole numbers with a scale per row (axis 0) or column (1).

    Symmetric: 0 stays 0. No number is off by more than half of its scale, which is the largest
    size in the row or column over 127.
    """
    largest = np.abs(values).max(axis=1 - axis, keepdims=True)
    scales = (largest / np.float32(127.0)).astype(np.float32)
    codes = np.rint(values / np.where(scales > 0, scales, np.float32(1.0)))
    return {"codes": np.clip(codes, -127, 127).astype(np.int8), "scales": scales}


def shared(values: FloatArray, codes: npt.NDArray[np.uint8], book: FloatArray) -> Parts:
    """A matrix as the code (same shape) of a number in ``book``, (B,) with B up to 256, for each.

    Two codes share a byte where B is 16 or less.
    """
    flat: Array = codes.ravel()
    if len(book) <= _HALF_A_BYTE:
        even = np.append(flat, np.zeros(len(flat) % 2, np.uint8))
        flat = even[::2] | (even[1::2] << 4)
    return {"codes": flat, "book": book.astype(np.float32), "shape": _shape(values)}


def sparse(values: FloatArray) -> Parts:
    """A matrix as a bit per number that tells whether it is other than 0, and those that are."""
    there = values.ravel() != 0
    return {"there": np.packbits(there), "values": values.ravel()[there], "shape": _shape(values)}


def packed(state: State, made: Mapping[str, tuple[str, Parts]]) -> dict[str, Array]:
    """A state in which some arrays stand packed: by name, the format and its parts."""
    kept = {name: values for name, values in state.items() if name not in made}
    return kept | {
        f"{_PACKED}{kind}.{part}.{name}": values
        for name, (kind, parts) in made.items()
        for part, values in parts.items()
    }


def unpacked(state: State) -> State:
    """The state with every packed array put back; one without any as it is.

    Raises FileRefused where parts are missing, unknown, or do not belong together.
    """
    found: dict[tuple[str, str], Parts] = {}
    for key, values in state.items():
        if key.startswith(_PACKED):
            kind, part, name = _split(key)
            found.setdefault((name, kind), {})[part] = values
    if not found:
        return state
    plain: dict[str, Array] = {k: v for k, v in state.items() if not k.startswith(_PACKED)}
    for (name, kind), parts in found.items():
        if name in plain:
            raise _damaged(name, kind, "it is there twice")
        plain[name] = _read(name, kind, parts)
    return plain


def _split(key: str) -> tuple[str, str, str]:
    kind, _, rest = key.removeprefix(_PACKED).partition(".")
    part, _, name = rest.partition(".")
    if kind not in FORMATS:
        raise FileRefused(
            f"The model holds '{key}', packed as '{kind}'. This version reads: "
            f"{', '.join(FORMATS)}. Make the smaller model again with this version."
        )
    return kind, part, name


def _read(name: str, kind: str, parts: Parts) -> FloatArray:
    expected = FORMATS[kind].parts
    if parts.keys() != expected:
        has, wants = (", ".join(sorted(names)) or "none" for names in (parts, expected))
        raise _damaged(name, kind, f"its parts are {has}, and must be {wants}")
    try:
        return FORMATS[kind].read(parts)
    except _Unfit as why:
        raise _damaged(name, kind, str(why)) from None


def _damaged(name: str, kind: str, why: str) -> FileRefused:
    return FileRefused(
        f"The model is damaged: '{name}', packed as {kind}, cannot be read, as {why}. Make the "
        "smaller model again."
    )


def _read_int8(parts: Parts) -> FloatArray:
    codes, scales = parts["codes"], _finite(parts["scales"], "scales")
    if codes.dtype != np.int8 or codes.ndim != 2:
        raise _Unfit(f"its codes are {codes.dtype} of shape {codes.shape}, not int8 in two axes")
    rows, columns = codes.shape
    if scales.shape not in ((rows, 1), (1, columns)):
        raise _Unfit(f"its scales have shape {scales.shape} and its codes {codes.shape}")
    if (scales < 0).any():
        raise _Unfit("a scale is below 0")
    return np.asarray(codes * scales, dtype=np.float32)


def _read_shared(parts: Parts) -> FloatArray:
    codes, book, shape = parts["codes"], _finite(parts["book"], "codebook"), _told(parts["shape"])
    if codes.dtype != np.uint8 or codes.ndim != 1:
        raise _Unfit(f"its codes are {codes.dtype} of shape {codes.shape}, not a row of bytes")
    if book.ndim != 1 or not 1 <= len(book) <= _MOST_CODES:
        raise _Unfit(f"its codebook has shape {book.shape}, and may have 1 to {_MOST_CODES}")
    n = math.prod(shape)
    if len(book) <= _HALF_A_BYTE:
        _same_size(codes, -(-n // 2))
        codes = np.stack([codes & 15, codes >> 4], axis=1).ravel()[:n]
    _same_size(codes, n)
    if len(codes) and int(codes.max()) >= len(book):
        raise _Unfit(f"code {int(codes.max())} is past its codebook of {len(book)}")
    return np.asarray(book[codes].reshape(shape), dtype=np.float32)


def _read_sparse(parts: Parts) -> FloatArray:
    bits, values, shape = parts["there"], _finite(parts["values"], "values"), _told(parts["shape"])
    if bits.dtype != np.uint8 or bits.ndim != 1 or values.ndim != 1:
        raise _Unfit("its bits and values are not rows of bytes and numbers")
    n = math.prod(shape)
    _same_size(bits, -(-n // 8))
    there = np.unpackbits(bits).astype(np.bool_)
    if there[n:].any() or int(there.sum()) != len(values):
        raise _Unfit(f"its bits tell of {int(there.sum())} numbers, and there are {len(values)}")
    full = np.zeros(n, dtype=np.float32)
    full[there[:n]] = values
    return full.reshape(shape)


def _finite(values: Array, what: str) -> FloatArray:
    if values.dtype != np.float32 or not np.isfinite(values).all():
        raise _Unfit(f"its {what} are {values.dtype} or not all finite, and must be float32")
    return values


def _told(shape: Array) -> tuple[int, ...]:
    if shape.dtype != np.int64 or shape.ndim != 1 or (shape < 0).any() or not 1 <= len(shape) <= 4:
        raise _Unfit("its shape is not one to four whole numbers from 0 up")
    return tuple(int(n) for n in shape)


def _same_size(values: Array, expected: int) -> None:
    if len(values) != expected:
        raise _Unfit(f"{len(values)} bytes are there, and its shape asks for {expected}")


def _shape(values: Array) -> Array:
    return np.array(values.shape, dtype=np.int64)


FORMATS: dict[str, Format] = {
    "int8": Format(parts=frozenset({"codes", "scales"}), read=_read_int8),
    "shared": Format(parts=frozenset({"codes", "book", "shape"}), read=_read_shared),
    "sparse": Format(parts=frozenset({"there", "values", "shape"}), read=_read_sparse),
}
"""Every format by the word that stands in a state."""
