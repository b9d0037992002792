"""The space in which users are compared: learned states, centred and turned, evened out a little.

Raw states spread far more in a few directions than in others for reasons that are no behaviour
(how the weights began), so distances in them listen to few directions. Full whitening does the
opposite and blows up noise. Half way (variance to the power 1/2) is a compromise.
"""

from __future__ import annotations

import numpy as np

from core.artifacts import FloatArray, State

_FAINT = 1e-4
"""Share of the strongest direction's spread under which a direction is rounding, not behaviour."""
_STILL = 1e-5
"""Spread (states lie in -1 .. 1) under which all users count as the same."""


def fit_space(states: FloatArray, evenness: float) -> dict[str, FloatArray]:
    """Centre (H,) and axes (H, H) by which `place` turns states into points.

    Every axis is a principal direction divided by its spread to the power ``evenness``
    (0: turned only, 1: whitened); directions without spread get an axis of zeros.
    """
    exact = states.astype(np.float64)
    centre = exact.mean(axis=0)
    centred = exact - centre
    variances, directions = np.linalg.eigh(centred.T @ centred / len(states))
    spread = np.sqrt(np.clip(variances[::-1], 0.0, None))
    alive = (spread > _STILL) & (spread > _FAINT * spread[0])
    gain = np.where(alive, np.where(alive, spread, 1.0) ** -evenness, 0.0)
    axes = directions[:, ::-1] * gain
    strongest = np.abs(axes).argmax(axis=0)
    axes *= np.where(axes[strongest, np.arange(len(centre))] < 0, -1.0, 1.0)
    return {"centre": centre.astype(np.float32), "axes": axes.astype(np.float32)}


def place(state: State, states: FloatArray) -> FloatArray:
    """Points in the fitted space, shape (U, D), from states (U, H)."""
    points: FloatArray = (states - state["centre"]) @ state["axes"]
    return points
