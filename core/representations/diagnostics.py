"""What can be said of an embedding before it is clustered."""

from __future__ import annotations

import numpy as np

from core.artifacts import FloatArray


def effective_rank(values: FloatArray) -> float:
    """How many directions the points really spread in, from 1 to D; 0 where all are equal.

    Exponential of the entropy of the shares of variance by direction, so a few strong
    directions beside many faint ones count as a few. Near 1 means the encoder has collapsed.
    Source: Roy and Vetterli, 2007, "The effective rank".
    """
    centred = np.asarray(values, dtype=np.float64) - values.mean(axis=0, dtype=np.float64)
    variances = np.clip(np.linalg.eigvalsh(centred.T @ centred), 0.0, None)
    total = variances.sum()
    if total <= 0.0:
        return 0.0
    shares = variances[variances > 0.0] / total
    return float(np.exp(-(shares * np.log(shares)).sum()))
