"""Counts of people as they may be passed on: none so small that it tells of a person."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def count_text(count: int, min_cell: int = 0) -> str:
    """A count with thousands separators; "<5" where it is from 1 to below ``min_cell`` (5)."""
    return f"<{min_cell}" if 0 < count < min_cell else f"{count:,}"


def published(counts: Sequence[int], min_cell: int = 0) -> tuple[int | None, ...]:
    """Counts of which none is small: None stands for those from 1 to below ``min_cell``.

    Where one is hidden the others are rounded to multiples of ``min_cell``; otherwise the hidden
    one would be what is missing from a total that is known elsewhere.
    """
    values = np.asarray(counts, dtype=np.int64)
    hidden = (values > 0) & (values < min_cell)
    if not hidden.any():
        return tuple(values.tolist())
    rounded = (values + min_cell // 2) // min_cell * min_cell
    return tuple(
        None if small else count
        for small, count in zip(hidden.tolist(), rounded.tolist(), strict=True)
    )


def published_text(count: int | None, min_cell: int) -> str:
    """One count out of `published`, as text."""
    return f"<{min_cell}" if count is None else f"{count:,}"
