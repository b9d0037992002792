"""The fitted users nearest to others, for algorithms that place users beside those they fitted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from core.artifacts import DoubleArray, LongArray
from core.geometry import blocks


def nearest(
    fitted: DoubleArray, points: npt.NDArray[Any], how_many: int
) -> Iterator[tuple[slice, LongArray, DoubleArray]]:
    """Per block of users: the nearest fitted users (n, m) and exact distances, rising.

    m is ``how_many``, or all that were fitted where they are fewer.
    """
    from sklearn.neighbors import NearestNeighbors

    index = NearestNeighbors(n_neighbors=min(how_many, len(fitted)), algorithm="brute").fit(fitted)
    for rows in blocks(len(points)):
        block = np.asarray(points[rows], dtype=np.float64)
        found = index.kneighbors(block, return_distance=False)
        # The index rounds; the difference itself makes a fitted user its own neighbour at 0.
        distances = np.sqrt(np.square(fitted[found] - block[:, None, :]).sum(axis=2))
        order = distances.argsort(axis=1, kind="stable")
        yield (
            rows,
            np.take_along_axis(found, order, axis=1),
            np.take_along_axis(distances, order, axis=1),
        )
