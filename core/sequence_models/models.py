"""From sequences to models of behaviour for every number of segments, and the number suggested."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from core.artifacts import (
    TEST,
    BehaviourModels,
    DoubleArray,
    FloatArray,
    LongArray,
    Progress,
    Report,
    Sequences,
    SideArray,
    State,
    fingerprint,
    silent,
)
from core.geometry import drawn_users
from core.sequence_models import background, held_out
from core.sequence_models.counts import CategoryMemory, Counts, Memory, count
from core.sequence_models.held_out import EXTRA, RESTARTS, Foretold
from core.sequence_models.mixture import Mixture, Path, everyone_of, path, path_aside, posteriors
from core.sequence_models.options import SequenceModelOptions
from core.sequence_models.outcomes import Coding, Outcomes, outcomes_of

VERSION = 2
_STAGE = "models"
_FEWEST_ASIDE, MOST_ASIDE = 0.01, 0.5
"""Where more users than this follow nobody, setting them aside would leave no segmentation."""
_WORTH = 0.003
"""Share of all that segments gain which one more must add to be suggested."""
_SURELY = 2.0
"""Standard errors by which a background must be better."""
USERS_AT_ONCE = 20_000
NET_SHAPE = "net_shape"
"""Where a state says what network corrects the chains; it is there where one was kept."""
_BOOTSTRAPS = 100
_ASIDE_RESTARTS = 3
_CATEGORY: tuple[CategoryMemory, ...] = ("stay", "last", "action")


def learn(
    sequences: Sequences, options: SequenceModelOptions, seed: int, report: Report = silent
) -> BehaviourModels:
    """Fit a mixture for every number of segments, and say which number foretells best.

    The memory of the models and the number of segments are chosen by users that were not fitted
    (never by the test users); the models that are kept are fitted to everyone. On a random sample
    where there are more users than ``models_users``. The same seed gives the same models.
    """
    users = _modelled_users(sequences, options.models_users, seed)
    coding = Coding.of(sequences)
    split = np.asarray(sequences.split)[users]
    if (split != TEST).sum() < 2 * held_out.N_FOLDS:
        split = np.zeros_like(split)  # too few to leave anybody out of the choice
    memory, counts = _remembered(outcomes_of(sequences, coding, users), split, seed, report)
    most = max(1, min(options.models_most, len(users) // 10))
    chosen = _chosen(counts, split, most, options, seed, report)
    kept = {k: _largest_first(chosen.mixtures[k]) for k in range(1, most + 1)}
    foretold = chosen.foretold
    suggested = _suggested(foretold)
    state = state_of_all(coding, memory, kept)
    _, error = foretold.behind(int(foretold.per_event().argmax()))
    return BehaviourModels(
        user_ids=sequences.user_ids,
        members=members_of(state, sequences, suggested),
        state=state,
        ks=tuple(range(1, most + 1)),
        bits=tuple(foretold.per_event().tolist()),
        errors=tuple(error.tolist()),
        suggested=suggested,
        confidence=_confidence(foretold, suggested, seed),
        sets_aside=chosen.sets_aside,
        share_aside=chosen.share_aside,
        memory=str(memory),
        n_fitted=len(users),
        fingerprint=fingerprint(
            sequences.fingerprint, _STAGE, VERSION, options.to_dict() | {"seed": seed}
        ),
    )


def _remembered(
    outcomes: Outcomes, split: SideArray, seed: int, report: Report
) -> tuple[Memory, Counts]:
    """The memory that foretells best, and the counts by it."""
    report(Progress(stage=_STAGE, done=0.0, text="Finding how much of the past matters"))
    memory = held_out.choose_memory(
        lambda tried: count(outcomes, tried),
        split,
        categories="category" in outcomes.told,
        seed=seed,
    )
    return memory, count(outcomes, memory)


@dataclass(frozen=True, kw_only=True)
class _Chosen:
    """Mixtures fitted to everyone, and how well their like foretell users that were not fitted."""

    mixtures: Path
    foretold: Foretold
    sets_aside: bool
    share_aside: float


def _chosen(  # noqa: PLR0913
    counts: Counts,
    split: SideArray,
    most: int,
    options: SequenceModelOptions,
    seed: int,
    report: Report,
) -> _Chosen:
    """Mixtures of 1 to ``most`` models and more, with a background only where it surely helps."""

    def tell(share: float) -> None:
        text = "Foretelling users not seen with 1, 2, 3 … segments"
        report(Progress(stage=_STAGE, done=0.2 + 0.6 * share, text=text))

    tries_aside = options.background == "auto"
    plain, aside = held_out.compare_k(counts, split, most, seed, tries_aside=tries_aside, tell=tell)
    report(Progress(stage=_STAGE, done=0.8, text="Fitting models to everyone"))
    mixtures = path(counts, most + EXTRA, RESTARTS, np.random.default_rng([seed, 99]))
    alone = _Chosen(mixtures=mixtures, foretold=plain, sets_aside=False, share_aside=0.0)
    if aside is None or not _surely_better(aside, plain):
        return alone
    own = background.own_likelihoods(counts, everyone_of(counts))
    rng = np.random.default_rng([seed, 98])
    with_aside = path_aside(counts, mixtures, own, _ASIDE_RESTARTS, rng)
    share = float(with_aside[_suggested(aside)].shares[-1])
    if not _FEWEST_ASIDE <= share <= MOST_ASIDE:
        return replace(alone, share_aside=share)
    return _Chosen(mixtures=with_aside, foretold=aside, sets_aside=True, share_aside=share)


def fitted_to(models: BehaviourModels, sequences: Sequences, seed: int) -> BehaviourModels:
    """The same kind of models fitted to these users alone, so that others can judge them.

    Memory, background and the numbers of segments stay as they were chosen (of few users there
    are fewer segments); all that is learned from events is learned anew from the users given.
    """
    coding, memory = Coding.of(sequences), memory_of(models.state)
    users = np.flatnonzero(np.diff(sequences.offsets) > 0)
    counts = count(outcomes_of(sequences, coding, users), memory)
    most = max(1, min(max(models.ks), len(users) // 10))
    mixtures = path(counts, most + EXTRA, RESTARTS, np.random.default_rng([seed, 99]))
    if models.sets_aside:
        own = background.own_likelihoods(counts, everyone_of(counts))
        rng = np.random.default_rng([seed, 98])
        mixtures = path_aside(counts, mixtures, own, _ASIDE_RESTARTS, rng)
    ks = range(1, most + 1)
    state = state_of_all(coding, memory, {k: _largest_first(mixtures[k]) for k in ks})
    suggested = min(models.suggested, most)
    return replace(
        models,
        user_ids=sequences.user_ids,
        members=members_of(state, sequences, suggested),
        state=state,
        ks=tuple(ks),
        bits=models.bits[:most],
        errors=models.errors[:most],
        suggested=suggested,
        n_fitted=len(users),
    )


def mixture_for(models: BehaviourModels, sequences: Sequences, k: int, seed: int) -> Mixture:
    """The mixture of ``k`` models, fitted now where it was not kept."""
    if has_mixture(models.state, k):
        return mixture_of(models.state, k)
    users = _modelled_users(sequences, models.n_fitted, seed)
    counts = counts_of(models.state, sequences, users)
    mixtures = path(counts, k + EXTRA, 1, np.random.default_rng([seed, 99]))
    if models.sets_aside:
        own = background.own_likelihoods(counts, everyone_of(counts))
        mixtures = path_aside(counts, mixtures, own, 1, np.random.default_rng([seed, 98]))
    return _largest_first(mixtures[min(k, max(mixtures))])


def state_of_one(state: State, mixture: Mixture) -> State:
    """What placing users by one mixture needs."""
    ways = {name: state[name] for name in state if not name.startswith("mixture.")}
    return {**ways, **{f"mixture.{mixture.k}.{name}": getattr(mixture, name) for name in _ARRAYS}}


def members_of(state: State, sequences: Sequences, k: int) -> FloatArray:
    """Membership of every user in ``k`` segments, (U, k), or (U, k + 1) with a background last.

    New users are placed as those that were fitted, by Bayes' rule; codes that were not seen count
    as unknown. Memory follows the result, not the log.
    """
    mixture = mixture_of(state, k)
    parts = [posteriors(mixture, counts)[0] for _, counts in in_blocks(state, sequences)]
    width = len(mixture.shares)
    found = np.concatenate(parts) if parts else np.zeros((0, width))
    return found.astype(np.float32)


def counts_of(state: State, sequences: Sequences, users: LongArray) -> Counts:
    """The counts of some users, as the models read them."""
    outcomes = outcomes_of(sequences, Coding.from_state(state), users)
    return count(outcomes, memory_of(state))


def in_blocks(state: State, sequences: Sequences) -> Iterator[tuple[LongArray, Counts]]:
    """Users and their counts, block by block."""
    for first in range(0, sequences.n_users, USERS_AT_ONCE):
        users = np.arange(first, min(first + USERS_AT_ONCE, sequences.n_users))
        yield users, counts_of(state, sequences, users)


def count_distinct(state: State, sequences: Sequences, enough: int) -> int:
    """Number of users whose events differ as the models count them; may stop at ``enough``."""
    found: DoubleArray = np.zeros(0)
    for _, counts in in_blocks(state, sequences):
        # Users that are counted alike have the same sum under any weights, others never have.
        weights = np.random.default_rng(0).normal(size=counts.matrix.shape[1])
        found = np.unique(np.concatenate([found, counts.matrix @ weights]))
        if len(found) >= enough:
            break
    return len(found)


def memory_of(state: State) -> Memory:
    """The memory of the models that were kept."""
    actions, visits, category = (int(value) for value in state["memory"])
    return Memory(actions=actions, visits=bool(visits), category=_CATEGORY[category])


def mixture_of(state: State, k: int) -> Mixture:
    """The mixture of ``k`` models. Raises KeyError where none was kept."""
    parts = {name: np.asarray(state[f"mixture.{k}.{name}"]) for name in _ARRAYS}
    return Mixture(**parts, likelihood=float("nan"))


def has_mixture(state: State, k: int) -> bool:
    """Whether a mixture of ``k`` models was kept."""
    return f"mixture.{k}.logs" in state


_ARRAYS = ("shares", "logs", "everyone", "straying")


def is_refined(state: State) -> bool:
    """Whether a network corrects the chains of a state (`core.sequence_models.refining`)."""
    return NET_SHAPE in state


def state_of_all(coding: Coding, memory: Memory, mixtures: Path) -> State:
    """What placing users by any of several mixtures needs."""
    words = [memory.actions, memory.visits, _CATEGORY.index(memory.category)]
    arrays = {
        f"mixture.{k}.{name}": getattr(mixture, name)
        for k, mixture in mixtures.items()
        for name in _ARRAYS
    }
    return {**coding.to_state(), "memory": np.array(words, dtype=np.int64), **arrays}


def _modelled_users(sequences: Sequences, most: int, seed: int) -> LongArray:
    users = np.flatnonzero(np.diff(sequences.offsets) > 0)
    drawn = drawn_users(len(users), most, seed)
    return users if drawn is None else users[drawn]


def _largest_first(mixture: Mixture) -> Mixture:
    return mixture.reordered(np.argsort(-mixture.shares[: mixture.k], kind="stable"))


def _suggested(foretold: Foretold) -> int:
    return foretold.simplest_of_the_best(least=_WORTH) + 1


def _surely_better(aside: Foretold, plain: Foretold) -> bool:
    pair = [found.bits[:, found.simplest_of_the_best()] for found in (aside, plain)]
    both = Foretold(bits=np.stack(pair, axis=1), n_events=plain.n_events)
    behind, error = both.behind(0)
    return bool(behind[1] > _SURELY * error[1] + held_out.ROUNDING)


def _confidence(foretold: Foretold, suggested: int, seed: int) -> float:
    """Share of bootstraps over users that suggest the same number."""
    rng = np.random.default_rng([seed, 5])
    n = len(foretold.n_events)
    draws = [rng.integers(0, n, n) for _ in range(_BOOTSTRAPS)]
    same = [_suggested(foretold.of(draw)) == suggested for draw in draws]
    return float(np.mean(same))
