"""How large the steps of a training are, from its first to its last."""

from __future__ import annotations

import math

_WARM_UP = 0.05
"""Share of all steps in which the learning rate rises."""


def step_size(progress: float) -> float:
    """Share of the learning rate at a point of the training in [0, 1].

    Rises in the first steps, then falls as a cosine to zero (Loshchilov and Hutter, 2017, "SGDR").
    """
    if progress < _WARM_UP:
        return (progress + 0.001) / (_WARM_UP + 0.001)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - _WARM_UP) / (1 - _WARM_UP))))
