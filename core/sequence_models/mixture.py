"""The fast form: a mixture of Markov chains with categories, pauses and values, by EM.

After Cadez, Heckerman, Meek, Smyth and White (2003), "Model-based clustering and visualization of
navigation patterns on a Web site", with more told of every event, and deterministic annealing
(Ueda and Nakano, 1998) so that the end depends less on the start.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from core.artifacts import DoubleArray, FloatArray, LongArray
from core.sequence_models import background
from core.sequence_models.chances import chances
from core.sequence_models.counts import Counts

_HOT, _COOLING = 6.0, 0.75
"""Temperature at which EM begins, and what it is multiplied by in every round until it is 1."""
_STILL = 1e-5
"""EM ends where the log likelihood per event rises by less than this (nats)."""
_ASIDE = 0.1
"""Share of everybody that a background begins with."""
_NEARLY = 2e-3
"""A split that is so much less likely (nats per event) after a few rounds is not gone on with."""
_STARTS, _SPLIT = 2, 3
_MOST_ROUNDS, _SHORT_ROUNDS = 100, 10


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """K models of behaviour, and a background of users that follow none where there is one."""

    shares: DoubleArray  # (K,), with a background (K + 1,); they sum to 1
    logs: FloatArray  # (columns, K) natural logarithm of every chance
    everyone: DoubleArray  # (columns,) counts of all users fitted, from whom a background strays
    straying: LongArray  # (blocks,) how the background strays; empty where there is none
    likelihood: float
    """Mean log likelihood per event on the users fitted, in nats."""

    @property
    def k(self) -> int:
        """Models, without the background."""
        return int(self.logs.shape[1])

    @property
    def has_background(self) -> bool:
        return len(self.shares) > self.k

    def without_background(self) -> Mixture:
        """The same models for users of whom each follows one."""
        shares = self.shares[: self.k] / self.shares[: self.k].sum()
        return replace(self, shares=shares, straying=np.zeros(0, dtype=np.int64))

    def reordered(self, order: LongArray) -> Mixture:
        """The same models in another order; a background stays last."""
        shares = [*order, self.k] if self.has_background else order
        return replace(self, shares=self.shares[shares], logs=self.logs[:, order])


Path = dict[int, Mixture]
"""A mixture for every number of models."""


def log_likelihoods(mixture: Mixture, counts: Counts, own: FloatArray | None = None) -> DoubleArray:
    """Log likelihood of every user's events under every model, in nats.

    Shape (U, K), with a background (U, K + 1). ``own`` saves working out the background's
    `background.own_likelihoods` again where several mixtures were fitted to the same users.
    """
    if not mixture.has_background:
        return _likelihoods(counts, mixture.logs, None, mixture.straying)
    if own is None:
        own = background.own_likelihoods(counts, mixture.everyone)
    return _likelihoods(counts, mixture.logs, own, mixture.straying)


def posteriors(
    mixture: Mixture, counts: Counts, own: FloatArray | None = None
) -> tuple[DoubleArray, DoubleArray]:
    """Membership by Bayes' rule, as `log_likelihoods`; and every user's log likelihood, (U,)."""
    return bayes(log_likelihoods(mixture, counts, own) + np.log(mixture.shares))


def bayes(scores: DoubleArray) -> tuple[DoubleArray, DoubleArray]:
    """Rows of log joint likelihoods (U, K) as probabilities, and their log sums (U,)."""
    top = scores.max(axis=1, keepdims=True)
    raw = np.exp(scores - top)
    total = raw.sum(axis=1, keepdims=True)
    return np.asarray(raw / total), np.asarray((top + np.log(total))[:, 0])


def everyone_of(counts: Counts) -> DoubleArray:
    """Counts (columns,) of all users together."""
    return np.asarray(counts.matrix.sum(axis=0), dtype=np.float64)


def of_members(counts: Counts, members: DoubleArray) -> Mixture:
    """The models and shares that follow from memberships (U, K); nothing is iterated."""
    totals = counts.totals(members)
    return Mixture(
        shares=_shares(members),
        logs=np.log(chances(totals, counts.blocks)).T.astype(np.float32, order="C"),
        everyone=everyone_of(counts),
        straying=np.zeros(0, dtype=np.int64),
        likelihood=float("nan"),
    )


def fit(
    counts: Counts,
    start: DoubleArray,
    own: FloatArray | None = None,
    *,
    hot: float = _HOT,
    rounds: int = _MOST_ROUNDS,
) -> Mixture:
    """EM from first memberships ``start`` whose rows sum to 1.

    Shape (U, K); with a background (U, K + 1), and its `background.own_likelihoods` in ``own``.
    Memberships are blurred by a temperature that falls from ``hot`` to 1; with 1 a start that is
    good already (labels of another algorithm) is only refined.
    """
    members, temperature, before = start, hot, -np.inf
    n_events = max(1, int(counts.n_events.sum()))
    k = start.shape[1] - (own is not None)
    straying = np.zeros(0, dtype=np.int64)
    for _ in range(rounds):
        found = chances(counts.totals(members[:, :k]), counts.blocks)
        logs = np.log(found).T.astype(np.float32, order="C")
        shares = _shares(members)
        if own is not None:
            straying = background.best_straying(own, members[:, k])
        scores = _likelihoods(counts, logs, own, straying) + np.log(shares)
        members, each = bayes(scores / temperature)
        now = float(each.sum()) / n_events
        if temperature == 1.0 and now - before < _STILL:
            break
        before = now if temperature == 1.0 else -np.inf
        temperature = max(1.0, temperature * _COOLING)
    return Mixture(
        shares=shares, logs=logs, everyone=everyone_of(counts), straying=straying, likelihood=now
    )


def path(  # noqa: PLR0913
    counts: Counts,
    k_top: int,
    restarts: int,
    rng: np.random.Generator,
    own: FloatArray | None = None,
    *,
    up: bool = True,
) -> Path:
    """A mixture for every K from ``k_top`` down to 1, by leaving out one model after another.

    The best of some short EM runs with ``k_top`` models is the beginning; then the model that is
    missed least is left out and EM goes on, as in Figueiredo and Jain (2002). Every way down is
    followed by one ``up``, on which the largest segments are split, and down again: EM alone often
    ends in a poor place. Without it is quicker, for what is only compared. With ``own``
    (`background.own_likelihoods`) there is a background too.
    """
    found: Path = {}
    k_top = max(1, min(k_top, counts.n_users))
    for _ in range(restarts):
        members = _first_members(counts, k_top, rng)
        _go_down(counts, members if own is None else with_background(members), own, found)
        if up and k_top > 2:
            _go_up(counts, own, found, rng)
            _go_down(counts, _members(found[k_top - 1], counts, own), own, found)
    return found


def path_aside(
    counts: Counts, plain: Path, own: FloatArray, restarts: int, rng: np.random.Generator
) -> Path:
    """The same with a background, and from every mixture without one."""
    found = path(counts, max(plain), restarts, rng, own)
    for mixture in plain.values():
        members = with_background(_members(mixture, counts, None))
        _keep_better(found, fit(counts, members, own, hot=1.0))
    return found


def _go_up(counts: Counts, own: FloatArray | None, found: Path, rng: np.random.Generator) -> None:
    for k in range(1, max(found) - 1):
        begun = [
            fit(
                counts,
                _with_one_split(found[k], counts, own, int(model), rng),
                own,
                hot=1.0,
                rounds=_SHORT_ROUNDS,
            )
            for model in np.argsort(-found[k].shares[:k])[:_SPLIT]
        ]
        best = max(begun, key=lambda mixture: mixture.likelihood)
        if best.likelihood > found[k + 1].likelihood - _NEARLY:
            _keep_better(found, fit(counts, _members(best, counts, own), own, hot=1.0))


def _with_one_split(
    mixture: Mixture, counts: Counts, own: FloatArray | None, model: int, rng: np.random.Generator
) -> DoubleArray:
    """Memberships when one model is two, by EM with two models on its users."""
    members = _members(mixture, counts, own)
    users = np.flatnonzero(members.argmax(axis=1) == model)
    share = np.full(len(members), 0.5)
    if len(users):
        start = rng.dirichlet(np.ones(2), len(users))
        halves = fit(counts.take(users), start, rounds=_SHORT_ROUNDS)
        share[users] = _members(halves, counts.take(users), None)[:, 0]
    parts = members[:, model] * np.stack([share, 1 - share])
    return np.insert(np.delete(members, model, axis=1), 0, parts, axis=1)


def _go_down(counts: Counts, members: DoubleArray, own: FloatArray | None, found: Path) -> None:
    for k in range(members.shape[1] - (own is not None), 0, -1):
        mixture = fit(counts, members, own, hot=1.0)
        _keep_better(found, mixture)
        if k > 1:
            members = _without_one(mixture, counts, own)


def _keep_better(found: Path, mixture: Mixture) -> None:
    if mixture.k not in found or mixture.likelihood > found[mixture.k].likelihood:
        found[mixture.k] = mixture


def with_background(members: DoubleArray) -> DoubleArray:
    """Memberships with a column more, (U, K + 1): a little of everybody is aside at first."""
    return np.column_stack([members * (1 - _ASIDE), np.full(len(members), _ASIDE)])


def _first_members(counts: Counts, k: int, rng: np.random.Generator) -> DoubleArray:
    """Memberships after a few rounds from random ones, the best of some (em-EM: Biernacki,
    Celeux and Govaert, 2003).
    """
    begun = [
        fit(counts, rng.dirichlet(np.ones(k), counts.n_users), rounds=_SHORT_ROUNDS)
        for _ in range(_STARTS if k > 1 else 1)
    ]
    best = max(begun, key=lambda mixture: mixture.likelihood)
    return _members(best, counts, None)


def _without_one(mixture: Mixture, counts: Counts, own: FloatArray | None) -> DoubleArray:
    """Memberships when the model is gone whose users the others explain best."""
    members = _members(mixture, counts, own)
    others = np.maximum(1.0 - members[:, : mixture.k], np.finfo(float).tiny)
    gone = int(np.log(others).sum(axis=0).argmax())
    kept = np.delete(members, gone, axis=1)
    return np.asarray(kept / np.maximum(kept.sum(axis=1, keepdims=True), np.finfo(float).tiny))


def _members(mixture: Mixture, counts: Counts, own: FloatArray | None) -> DoubleArray:
    scores = _likelihoods(counts, mixture.logs, own, mixture.straying)
    return bayes(scores + np.log(mixture.shares))[0]


def _shares(members: DoubleArray) -> DoubleArray:
    """Share of every model, with one further user each, so that none is 0."""
    return np.asarray((members.sum(axis=0) + 1.0) / (len(members) + members.shape[1]))


def _likelihoods(
    counts: Counts, logs: FloatArray, own: FloatArray | None, straying: LongArray
) -> DoubleArray:
    models = np.asarray(counts.matrix @ logs, dtype=np.float64)
    if own is None:
        return models
    return np.column_stack([models, background.likelihoods(own, straying)])
