"""What models of behaviour take: real rounds of EM, of as many users as will be modelled."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np

from core.artifacts import TEST, BehaviourModels, Sequences
from core.forecast.measuring import Cost, Gauge, peak_bytes
from core.forecast.samples import sample_of, share_of
from core.sequence_models.counts import Counts, Memory, count
from core.sequence_models.held_out import (
    CATEGORIES,
    EXTRA,
    MEMORIES,
    MOST_TRIED,
    N_FOLDS,
    RESTARTS,
)
from core.sequence_models.mixture import fit, of_members, path
from core.sequence_models.models import (
    ASIDE_RESTARTS,
    EVENTS_AT_ONCE,
    USERS_AT_ONCE,
    members_of,
    state_of_all,
)
from core.sequence_models.options import SequenceModelOptions
from core.sequence_models.outcomes import MOST_CODED, Coding, outcomes_of

_FEW = 800
"""Users with whom a way down and up is gone for real."""
_ROUNDS, _MODELS = 3, 6
"""Rounds of EM that are timed at the real size, and with how many models."""
_SPREAD = 1.5
"""How much more or fewer rounds EM may take with many users than with few."""
_RESULT = 12
"""Bytes of every membership: in double precision as it is read, and in single as it is kept."""
_MEMORY = Memory(actions=1, visits=True, category="stay")
_KEPT = 4
"""Numbers of segments that foretell about alike, of the models that nobody fitted."""


def stand_in(sequences: Sequences, most: int, seed: int = 0) -> BehaviourModels:
    """Models that nobody fitted, as large as fitted ones: what reads such models can be timed.

    Memberships are drawn by chance.
    """
    coding = Coding.of(sequences)
    counts = count(outcomes_of(sequences, coding), _MEMORY)
    rng = np.random.default_rng([seed, 31])
    ks = tuple(range(1, most + 1))
    members = {k: rng.dirichlet(np.ones(k), sequences.n_users) for k in ks}
    mixtures = {k: of_members(counts, members[k]) for k in ks}
    suggested = min(5, most)
    return BehaviourModels(
        user_ids=sequences.user_ids,
        members=members[suggested].astype(np.float32),
        state=state_of_all(coding, _MEMORY, mixtures),
        ks=ks,
        bits=tuple(0.0 if k > most - _KEPT else -1.0 for k in ks),
        errors=tuple(0.01 for _ in ks),
        suggested=suggested,
        confidence=0.0,
        sets_aside=False,
        share_aside=0.0,
        memory=str(_MEMORY),
        n_fitted=sequences.n_users,
        fingerprint=sequences.fingerprint,
    )


def models_cost(
    sequences: Sequences, options: SequenceModelOptions, models: BehaviourModels, gauge: Gauge
) -> Cost:
    """Fitting and comparing models, and placing everyone by them (timed with ``models``)."""
    sample = sample_of(sequences, options.models_users)
    looking = _Looking(sample, options, gauge)
    placing = placing_cost(sequences, models, gauge)
    return looking.cost(sequences.n_events).then(placing)


def placing_cost(sequences: Sequences, models: BehaviourModels, gauge: Gauge) -> Cost:
    """Memberships of everyone, read so many users at once that memory follows the result."""
    sample = sample_of(sequences, USERS_AT_ONCE)

    def place(n_users: int) -> None:
        members_of(models.state, share_of(sample, n_users), models.suggested)

    growth, n_users = gauge.growth(place, sample.n_users), sequences.n_users
    of_events = EVENTS_AT_ONCE * n_users // max(1, sequences.n_events)
    at_once = growth.at(min(n_users, USERS_AT_ONCE, max(1, of_events))).memory
    result = _RESULT * n_users * (models.suggested + 1)
    return replace(growth.at(n_users), memory=at_once + result)


def further_cost(sequences: Sequences, models_users: int, k: int, gauge: Gauge) -> Cost:
    """Fitting models for a number of segments that was not kept: one way down and up."""
    looking = _Looking(sample_of(sequences, models_users), SequenceModelOptions(), gauge)
    return looking.one_way(k + EXTRA)


class _Looking:
    """The search for models, of which one way with few users is gone for real."""

    def __init__(self, sample: Sequences, options: SequenceModelOptions, gauge: Gauge) -> None:
        self.sample, self.options, self.gauge = sample, options, gauge
        self.most = max(1, min(options.models_most, sample.n_users // 10))
        self.compared = float((np.asarray(sample.split) != TEST).mean()) * (N_FOLDS - 1) / N_FOLDS
        """Share of the users modelled on whom models are fitted to be compared."""

    @cached_property
    def counts(self) -> Counts:
        return count(outcomes_of(self.sample, Coding.of(self.sample)), _MEMORY)

    def cost(self, n_events: int) -> Cost:
        read = min(n_events, MOST_CODED) / max(1, self.sample.n_events)
        reading = self.gauge.seconds(lambda: self.counts) * read
        held, few = self._held(), self._few()
        way, short = (
            self._way(few, self.most + EXTRA, up=True),
            self._way(few, MOST_TRIED, up=False),
        )
        n_users = self.counts.n_users
        one = self._round(few)
        compared = self._round(self._of(max(1, int(self.compared * n_users)))) / one
        everyone = self._round(self.counts) / one
        ways = N_FOLDS * RESTARTS * compared * (2 if self.options.background == "auto" else 1)
        n_tried = len(MEMORIES) + len(CATEGORIES) * ("category" in self.sample.present)
        seconds = way * (ways + RESTARTS * everyone) + short * n_tried * compared
        found = Cost.about(seconds, 3 * held, _SPREAD).then(Cost.about(reading))
        if self.options.background != "auto":
            return found
        return found.perhaps(Cost.about(way * ASIDE_RESTARTS * everyone, 3 * held, _SPREAD))

    def one_way(self, k_top: int) -> Cost:
        """One way from so many models down, up and down again, with all users modelled."""
        reading, few = self.gauge.seconds(lambda: self.counts), self._few()
        way = self._way(few, k_top, up=True) * self._round(self.counts) / self._round(few)
        return Cost.about(way, 3 * self._held(), _SPREAD).then(Cost.about(reading))

    def _few(self) -> Counts:
        return self._of(min(_FEW, self.counts.n_users))

    def _held(self) -> float:
        return peak_bytes(lambda: count(outcomes_of(self.sample, Coding.of(self.sample)), _MEMORY))

    def _of(self, n_users: int) -> Counts:
        return self.counts.take(np.arange(n_users))

    def _way(self, few: Counts, k_top: int, *, up: bool) -> float:
        rng = np.random.default_rng(0)
        return self.gauge.seconds(lambda: path(few, k_top, 1, rng, up=up))

    def _round(self, counts: Counts) -> float:
        """Seconds of a few rounds of EM."""
        start = np.random.default_rng(0).dirichlet(np.ones(_MODELS), counts.n_users)
        fit(counts, start, rounds=1)  # turns the counts round, once for all rounds
        return max(1e-9, self.gauge.seconds(lambda: fit(counts, start, rounds=_ROUNDS)))
