"""Flat arrays that grow while a log is read: in memory, or as files that take none."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt


class GrowingArray:
    """A one-dimensional array, written from front to back.

    With a folder it is ``NAME.npy`` there, and what `array` returns is that file, mapped.
    """

    def __init__(self, name: str, dtype: npt.DTypeLike, folder: Path | None) -> None:
        self._dtype = np.dtype(dtype)
        self._path = None if folder is None else folder / f"{name}.npy"
        self._file: BinaryIO = BytesIO() if self._path is None else self._path.open("wb")
        self._write_header(0)
        self._header_size = self._file.tell()
        self._length = 0

    def append(self, values: npt.NDArray[Any]) -> None:
        """Write values after those that stand there."""
        self._file.write(np.ascontiguousarray(values, dtype=self._dtype).data)
        self._length += len(values)

    def array(self) -> npt.NDArray[Any]:
        """All that was written; nothing can be appended any more. A mapped file is writable."""
        self._file.seek(0)
        self._write_header(self._length)
        if isinstance(self._file, BytesIO):
            return np.frombuffer(self._file.getbuffer(), self._dtype, offset=self._header_size)
        self._file.close()
        assert self._path is not None
        array: npt.NDArray[Any] = np.load(self._path, mmap_mode="r+", allow_pickle=False)
        return array

    def _write_header(self, length: int) -> None:
        """NumPy leaves room in the header, so that it has the same size for every length."""
        np.lib.format.write_array_header_1_0(
            self._file,
            {"descr": self._dtype.str, "fortran_order": False, "shape": (length,)},
        )
