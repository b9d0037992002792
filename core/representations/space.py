"""The space in which users are compared: learned states by their direction, centred and turned.

Only the direction of a state is kept, as in the contrastive objective that learned it. Faint
directions are then brought a little nearer to the strong ones, since strength also stems from
what was easy to learn; all the way (whitening) would blow up noise.
"""

from __future__ import annotations

import numpy as np

from core.artifacts import FloatArray, State

_STILL = 1e-5
"""Spread (directions have length 1) under which a difference is rounding, not behaviour."""
MOST_USERS = 200_000
"""Users from which the space is learned at most."""


def fit_space(states: FloatArray, evenness: float) -> dict[str, FloatArray]:
    """Centre (H,) and axes (H, H) by which `place` turns states into points, of users to fit.

    Every axis is a principal direction divided by its spread to the power ``evenness``
    (0: turned only, 1: whitened). Directions in which all users agree get an axis of zeros,
    so users that behave the same stand on the very same point.
    """
    centred = directions(states).astype(np.float64)
    centre = centred.mean(axis=0)
    centred -= centre
    variances, axes = np.linalg.eigh(centred.T @ centred / len(states))
    spread = np.sqrt(np.clip(variances[::-1], 0.0, None))
    alive = spread > _STILL
    gain = np.where(alive, np.where(alive, spread, 1.0) ** -evenness, 0.0)
    axes = axes[:, ::-1] * gain
    largest = axes[np.abs(axes).argmax(axis=0), np.arange(len(centre))]
    axes = axes * np.where(largest < 0, -1.0, 1.0)  # eigenvectors come with either sign
    return {"centre": centre.astype(np.float32), "axes": axes.astype(np.float32)}


def place(state: State, states: FloatArray) -> FloatArray:
    """Points in the fitted space, shape (U, H), strongest direction first, from states (U, H).

    A state of zeros (a user without events) has no direction and is placed at the centre.
    """
    points: FloatArray = (directions(states) - state["centre"]) @ state["axes"]
    points[~states.any(axis=1)] = 0.0
    return points


def directions(states: FloatArray) -> FloatArray:
    """The states (U, H) brought to length 1, those of zeros left as they are."""
    norms = np.linalg.norm(states, axis=1, keepdims=True)
    found: FloatArray = (states / np.where(norms > 0, norms, 1.0)).astype(np.float32)
    return found
