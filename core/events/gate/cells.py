"""Columns of text as Arrow arrays: which cells are blank."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def blank_as_null(cells: Any) -> Any:
    """Make NULL of cells that hold nothing but white space; empty ones are left to the caller."""
    space = pc.utf8_is_space(cells)
    return null_where(space, cells) if pc.any(space).as_py() else cells


def null_where(mask: Any, cells: Any) -> Any:
    """Make NULL of the cells at which the mask is true."""
    return pc.if_else(mask, pa.scalar(None, pa.string()), cells)


def places(mask: Any) -> list[int]:
    """Where a mask is true; NULL is not."""
    return [int(at) for at in np.flatnonzero(as_truths(pc.fill_null(mask, False)))]


def as_truths(mask: Any) -> Any:
    """An Arrow mask without NULL as a NumPy one."""
    return mask.to_numpy(zero_copy_only=False)
