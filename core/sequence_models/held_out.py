"""How well models foretell users they have not seen, and what follows: the memory, and K.

The figure is bits per event, higher (nearer to 0) is better: the mean of log2 sum_k pi_k
prod_t p(event_t | what came before, k). A scored user's own label is never used: labelling users
from the events that are then scored shows a gain on pure noise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.artifacts import TEST, DoubleArray, FloatArray, LongArray, SideArray
from core.sequence_models import background
from core.sequence_models.counts import CategoryMemory, Counts, Memory
from core.sequence_models.mixture import Mixture, Path, everyone_of, path, path_aside, posteriors

_NATS_PER_BIT = float(np.log(2))
MEMORIES = (
    Memory(actions=1, visits=False, category="stay"),
    Memory(actions=1, visits=True, category="stay"),
    Memory(actions=2, visits=False, category="stay"),
    Memory(actions=2, visits=True, category="stay"),
)
"""What is tried for actions, the simplest first."""
CATEGORIES: tuple[CategoryMemory, ...] = ("stay", "last", "action")
MOST_TRIED = 8
"""Most segments with which memories are compared."""
SURELY = 2.0
"""Standard errors by which something must be better to be taken."""
ROUNDING = 1e-6
"""Bits per event below which a difference is none, however alike users are."""
EXTRA = 2
"""How many models more than segments wanted the way down begins with."""
RESTARTS, N_FOLDS = 2, 3
Tell = Callable[[float], None]


@dataclass(frozen=True, kw_only=True)
class Foretold:
    """Log likelihoods of unseen users under several candidates, in bits."""

    bits: DoubleArray  # (V, C) of the whole user
    n_events: LongArray  # (V,)

    def of(self, users: LongArray) -> Foretold:
        """The same of some users, who may come more than once."""
        return Foretold(bits=self.bits[users], n_events=self.n_events[users])

    def per_event(self) -> DoubleArray:
        """Bits per event of every candidate, (C,)."""
        return np.asarray(self.bits.sum(axis=0) / max(1, self.n_events.sum()))

    def behind(self, candidate: int) -> tuple[DoubleArray, DoubleArray]:
        """How far every candidate lies behind one, and the standard error of that, (C,) each.

        Bits per event; users are the sample, and each is compared with itself (paired). One user
        alone tells nothing: the error is infinite.
        """
        apart = self.bits[:, [candidate]] - self.bits
        n_users, n_events = len(apart), max(1, int(self.n_events.sum()))
        behind = apart.sum(axis=0) / n_events
        if n_users < 2:
            return behind, np.full_like(behind, np.inf)
        return behind, apart.std(axis=0, ddof=1) * np.sqrt(n_users) / n_events

    def simplest_of_the_best(self, errors: float = 1.0, least: float = 0.0) -> int:
        """The first candidate within so many standard errors of the best (Breiman et al., 1984).

        Nor are differences counted below ``least``, a share of what the best gains on the first.
        """
        bits = self.per_event()
        best = int(bits.argmax())
        behind, error = self.behind(best)
        little = least * float(bits[best] - bits[0]) + ROUNDING
        return int(np.flatnonzero(behind <= np.maximum(errors * error, little))[0])


def folds(split: SideArray, n_folds: int, seed: int) -> Iterator[tuple[LongArray, LongArray]]:
    """(users to fit, users to foretell), of all that are not test users; each is foretold once."""
    users = np.flatnonzero(np.asarray(split) != TEST)
    dealt = np.random.default_rng([seed, 7]).permutation(len(users)) % n_folds
    for fold in range(n_folds):
        yield users[dealt != fold], users[dealt == fold]


def foretell(mixture: Mixture, counts: Counts, own: FloatArray | None = None) -> DoubleArray:
    """Log likelihood of every user under a mixture, (U,), in bits."""
    return posteriors(mixture, counts, own)[1] / _NATS_PER_BIT


def compare_k(  # noqa: PLR0913
    counts: Counts,
    split: SideArray,
    k_most: int,
    seed: int,
    *,
    tries_aside: bool = True,
    tell: Tell = lambda share: None,
) -> tuple[Foretold, Foretold | None]:
    """Unseen users foretold with 1 to ``k_most`` segments, each by models of other users.

    Without, and with, a background of users that follow none; None where that is not tried.
    """
    plain, aside, n_events = [], [], []
    for fold, (fitted, watched) in enumerate(folds(split, N_FOLDS, seed)):
        known, unseen = counts.take(fitted), counts.take(watched)
        rng = np.random.default_rng([seed, fold])
        found = path(known, k_most + EXTRA, RESTARTS, rng)
        plain.append(_foretold(found, unseen, k_most))
        tell((2 * fold + 1) / (2 * N_FOLDS))
        n_events.append(unseen.n_events)
        if tries_aside:
            everyone = everyone_of(known)
            own = background.own_likelihoods(known, everyone)
            found = path_aside(known, found, own, RESTARTS, rng)
            theirs = background.own_likelihoods(unseen, everyone)
            aside.append(_foretold(found, unseen, k_most, theirs))
        tell((2 * fold + 2) / (2 * N_FOLDS))
    together = np.concatenate(n_events)
    without = Foretold(bits=np.concatenate(plain), n_events=together)
    if not tries_aside:
        return without, None
    return without, Foretold(bits=np.concatenate(aside), n_events=together)


def _foretold(
    mixtures: Path, unseen: Counts, k_most: int, own: FloatArray | None = None
) -> DoubleArray:
    """Bits of every user (V,) with 1 to ``k_most`` segments; where there are no more, with all."""
    ks = range(1, k_most + 1)
    return np.stack([foretell(mixtures[min(k, max(mixtures))], unseen, own) for k in ks], axis=1)


def choose_memory(
    count: Callable[[Memory], Counts], split: SideArray, *, categories: bool, seed: int
) -> Memory:
    """The memory that foretells unseen users best; a longer one only where it is surely better."""
    chosen = _best_memory(count, split, MEMORIES, seed)
    if not categories:
        return chosen
    others = [replace(chosen, category=category) for category in CATEGORIES]
    return _best_memory(count, split, others, seed)


def _best_memory(
    count: Callable[[Memory], Counts], split: SideArray, memories: Sequence[Memory], seed: int
) -> Memory:
    fitted, watched = next(folds(split, N_FOLDS, seed))
    bits = []
    for memory in memories:
        counts = count(memory)
        known, unseen = counts.take(fitted), counts.take(watched)
        found = path(known, MOST_TRIED, 1, np.random.default_rng([seed, 11]), up=False)
        tried = [foretell(found[k], unseen) for k in sorted(found)]
        bits.append(max(tried, key=lambda of_users: float(of_users.sum())))
    foretold = Foretold(bits=np.stack(bits, axis=1), n_events=unseen.n_events)
    return memories[foretold.simplest_of_the_best()]
