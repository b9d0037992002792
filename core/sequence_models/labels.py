"""Any segmentation as models of behaviour: how well its segments foretell users not seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from core.artifacts import NOISE, TEST, VALIDATE, BehaviourModels, DoubleArray, Sequences
from core.sequence_models import background
from core.sequence_models.counts import Counts
from core.sequence_models.held_out import Foretold, foretell
from core.sequence_models.mixture import Mixture, everyone_of, fit, of_members
from core.sequence_models.models import counts_of

SURELY = 2.0
"""Standard errors by which a later candidate must be better than an earlier one to be taken."""
_MOST_USERS = 20_000


def bits_of_labels(
    models: BehaviourModels,
    sequences: Sequences,
    labels: Sequence[npt.NDArray[np.integer[Any]]],
    seed: int,
) -> Foretold:
    """Bits per event by which the validation users are foretold by each of several labels (U,).

    Models and shares of the segments come from the labels of the users to fit (noise is the
    background: users with habits of their own). The validation users are left out and their own
    labels are not looked at, though whatever made the labels may have seen these users. All labels
    are compared on the same events, told in the same detail; of many users, on a random sample.
    """
    fitted, watched = sides(np.asarray(sequences.split), seed)
    known = counts_of(models.state, sequences, fitted)
    unseen = counts_of(models.state, sequences, watched)
    return bits_by([values[fitted] for values in labels], known, unseen)


def bits_by(
    labels: Sequence[npt.NDArray[np.integer[Any]]], known: Counts, unseen: Counts
) -> Foretold:
    """Bits per event of unseen users by each of several labels (U,) of the users in ``known``."""
    bits = [foretell(mixture_of_labels(known, values), unseen) for values in labels]
    return Foretold(bits=np.stack(bits, axis=1), n_events=unseen.n_events)


def mixture_of_labels(counts: Counts, labels: npt.NDArray[np.integer[Any]]) -> Mixture:
    """One model for every segment that occurs, fitted to its users; NOISE is the background."""
    found, codes = np.unique(labels, return_inverse=True)
    members: DoubleArray = np.eye(len(found))[codes]
    if found[0] != NOISE or len(found) == 1:
        return of_members(counts, members)
    own = background.own_likelihoods(counts, everyone_of(counts))
    return fit(counts, np.roll(members, -1, axis=1), own, hot=1.0, rounds=1)  # noise comes last


def sides(
    split: npt.NDArray[np.int8], seed: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Users to fit and users to foretell. Where nobody is to be watched, every fourth is."""
    order = np.random.default_rng([seed, 3]).permutation(len(split))[:_MOST_USERS]
    order = order[split[order] != TEST] if (split != TEST).any() else order
    watched = split[order] == VALIDATE
    if not 1 < watched.sum() < len(order) - 1:
        watched = np.arange(len(order)) % 4 == 0
    return np.sort(order[~watched]), np.sort(order[watched])
