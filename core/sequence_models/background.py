"""Users that follow nobody: each with chances of its own, of which only the family is known.

The chances of such a user are drawn from a Dirichlet distribution around everyone's, one per
context; integrated out, its counts follow a Dirichlet-multinomial (Pólya) distribution. How far
people of this kind stray from everyone is one number per block, taken from `STRAYING`. Everyone are
the users that were fitted, so that a user's likelihood is its own, whoever else is looked at.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from core.artifacts import DoubleArray, FloatArray, LongArray
from core.sequence_models.chances import chances, smoothed
from core.sequence_models.counts import KINDS_OF_CATEGORY, Block, Counts

if TYPE_CHECKING:
    from scipy.sparse import coo_array, csr_array

STRAYING = np.array([1.0, 3.0, 10.0, 30.0, 100.0, 300.0])
"""Events' worth of trust in everyone's chances: the fewer, the more every user is its own."""
_TILTS = np.array([2.0, 1.5, 1.0, 0.5, 0.2, 0.0])
"""For pauses and amounts instead: how far users differ in being slow or fast, cheap or dear, as the
standard deviation of a tilt of everyone's chances; the scale from the least to the most is 2."""
_NORMAL = np.polynomial.hermite_e.hermegauss(9)


def own_likelihoods(counts: Counts, everyone: DoubleArray) -> FloatArray:
    """Log likelihood of every user with chances of its own, (U, blocks, STRAYING), in nats.

    ``everyone`` (columns,) are the counts of all users fitted (`mixture.everyone_of`).
    """
    from scipy.sparse import coo_array, csr_array

    found = np.zeros((counts.n_users, len(counts.blocks), len(STRAYING)))
    for i, block in enumerate(counts.blocks):
        part = coo_array(counts.matrix[:, block.columns])
        totals = everyone[block.columns]
        if block.stays:
            found[:, i] = _stays(part, totals, block)
        elif block.scales:
            found[:, i] = _tilted(csr_array(part), _usual(totals, block), block.scales)
        else:
            found[:, i] = _by_last(part, totals, block)
    return found.astype(np.float32)


def best_straying(own: FloatArray, members: DoubleArray) -> LongArray:
    """Place in STRAYING of every block, given how far each user is of this kind (U,)."""
    total = np.einsum("u,uba->ba", members, own, dtype=np.float64)
    return np.asarray(total.argmax(axis=1))


def likelihoods(own: FloatArray, straying: LongArray) -> DoubleArray:
    """Log likelihood of every user, (U,), with one straying per block."""
    picked = own[:, np.arange(len(straying)), straying]
    return np.asarray(picked.sum(axis=1, dtype=np.float64))


def _usual(totals: DoubleArray, block: Block) -> DoubleArray:
    """Chances (rows, width) of one model for all, by the counts of one block."""
    found = chances(totals[None], (replace(block, start=0),))
    return np.asarray(found.reshape(block.rows, block.width))


def _by_last(part: coo_array, totals: DoubleArray, block: Block) -> DoubleArray:
    """A row per nearest context; farther ones are too many for one user to show."""
    nearest = replace(block, levels=block.levels[-1:])
    n_cells = nearest.rows * nearest.width
    mean = _usual(totals.reshape(-1, n_cells).sum(axis=0), nearest)
    return _polya(part.row, part.col % n_cells, part.data, mean, part.shape[0])


def _tilted(
    part: csr_array, usual: DoubleArray, scales: tuple[tuple[int, int], ...]
) -> DoubleArray:
    """Log likelihood (U, STRAYING) where every user is a little above or below everyone on a scale.

    Classes [first, last) of a scale have everyone's chances times exp(tilt x place on the scale);
    how often each scale is met, and what is on none, is as with everyone. The tilt of a user is
    normal; it is integrated out by Gauss-Hermite quadrature.
    """
    from scipy.special import logsumexp

    nodes, weights = _NORMAL
    flat = np.log(usual).ravel()
    found = np.repeat((part @ flat)[:, None], len(STRAYING), axis=1)
    for first, last in scales:
        inside = np.arange(first, last)
        place = np.linspace(-1, 1, len(inside))
        among = np.zeros((part.shape[1], len(_TILTS), len(nodes)))
        rows = among.reshape(*usual.shape, len(_TILTS), len(nodes))
        tilts = _TILTS[:, None] * nodes
        raw = usual[:, inside, None, None] * np.exp(place[:, None, None] * tilts)
        share = (
            raw
            / raw.sum(axis=1, keepdims=True)
            * usual[:, inside, None, None].sum(1, keepdims=True)
        )
        rows[:, inside] = np.log(share) - np.log(usual[:, inside, None, None])
        gains = (part @ among.reshape(part.shape[1], -1)).reshape(-1, len(_TILTS), len(nodes))
        found += logsumexp(gains, axis=2, b=weights / weights.sum())
    return found


def _stays(part: coo_array, totals: DoubleArray, block: Block) -> DoubleArray:
    """Own chances of what is drawn, and of staying within a visit and over its border."""
    n_users, width, drawn = part.shape[0], block.width, _usual(totals, block)[0]
    kind, category = part.col // width, part.col % width
    anew = (kind == 0) | (kind % 2 == 1)
    found = _polya(part.row[anew], category[anew], part.data[anew], drawn[None], n_users)
    # What is drawn anew and seen as another is never the same; by how much, on average.
    others = np.bincount(part.row, part.data * (kind % 2 == 1), minlength=n_users)
    found -= (others * np.log1p(-(drawn**2).sum()))[:, None]
    by_kind = totals.reshape(block.rows, width).sum(axis=1)
    for other in range(1, KINDS_OF_CATEGORY, 2):
        among = (kind == other) | (kind == other + 1)
        mean = smoothed(by_kind[None, other : other + 2], np.array(0.5), 1.0)
        found += _polya(part.row[among], kind[among] - other, part.data[among], mean, n_users)
    return found


def _polya(
    users: LongArray, cells: LongArray, values: FloatArray, mean: DoubleArray, n_users: int
) -> DoubleArray:
    """Log likelihood (U, STRAYING) of counts by user and cell, each row of cells a Dirichlet."""
    from scipy.sparse import coo_array, csr_array
    from scipy.special import gammaln

    n_rows, width = mean.shape
    counts = csr_array((values, (users, cells)), shape=(n_users, n_rows * width))
    counts.sum_duplicates()
    each = coo_array(counts)
    rows = csr_array((each.data, (each.row, each.col // width)), shape=(n_users, n_rows))
    rows.sum_duplicates()
    whole, share = coo_array(rows), np.maximum(mean.ravel()[each.col], 1e-12)
    found = np.empty((n_users, len(STRAYING)))
    for i, trust in enumerate(STRAYING):
        cell = gammaln(trust * share + each.data) - gammaln(trust * share)
        row = gammaln(trust) - gammaln(trust + whole.data)
        found[:, i] = np.bincount(each.row, cell, minlength=n_users)
        found[:, i] += np.bincount(whole.row, row, minlength=n_users)
    return found
