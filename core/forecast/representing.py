"""What turning users into points takes, by each representation and by the choice among them."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.artifacts import TEST, BehaviourModels, FloatArray, Sequences
from core.clustering.kmeans import KMeansOptions
from core.clustering.kmeans import fit as form_segments
from core.forecast.clusterings import judging_cost
from core.forecast.measuring import Cost, Gauge, Growth
from core.forecast.samples import sample_of, share_of
from core.options import Options, option_types
from core.representations import REPRESENTATIONS, Work
from core.representations._base import Representation
from core.representations.encoder_options import EncoderOptions
from core.representations.ladder import AutoOptions

_STARTS, _K = 5, 5
_PLAIN = "bag"
"""The representation whose points stand in where the real ones are not there."""


class Representing:
    """Costs of representations of one log; what was measured once is kept."""

    def __init__(self, sequences: Sequences, models: BehaviourModels, gauge: Gauge) -> None:
        self.sequences, self.models, self.gauge = sequences, models, gauge
        self.sample = sample_of(sequences, 16_000)
        self._known: dict[tuple[str, str], tuple[Growth, Growth]] = {}

    def cost(self, method: str, options: Options) -> Cost:
        """Points of everyone."""
        if isinstance(options, AutoOptions):
            return self._ladder(options)
        entry = REPRESENTATIONS[method]
        if entry.learned:
            return self._encoder(self.sequences, method, options)
        return self._counted(entry, options, self.sequences.n_users)

    def points(self, method: str, options: Options, n_users: int) -> FloatArray:
        """Points of some users, as wide as those to come: counted, or where they are not yet
        learned those of plain counts, turned by chance.
        """
        entry = REPRESENTATIONS.get(method, REPRESENTATIONS["markov_mixture"])
        some, work = share_of(self.sample, n_users), Work(models=self.models)
        if not entry.learned:
            own = options if isinstance(options, entry.Options) else entry.Options()
            return entry.fit(some, own, work).values
        plain = REPRESENTATIONS[_PLAIN]
        found = plain.fit(some, plain.Options(), work).values
        width = options.hidden if isinstance(options, EncoderOptions) else found.shape[1]
        turned = np.random.default_rng(0).normal(size=(found.shape[1], width))
        return (found @ turned).astype(np.float32)

    def _ladder(self, options: AutoOptions) -> Cost:
        """All candidates on a sample, and then one of them with everyone."""
        n_drawn = int((np.asarray(self.sequences.split) != TEST).sum())
        drawn = sample_of(self.sequences, min(options.ladder_users, n_drawn))
        names = options.names(REPRESENTATIONS)
        tried, taken = Cost(), list[Cost]()
        for name in names:
            entry = REPRESENTATIONS[name]
            brief: dict[str, Any] = {"epochs": options.ladder_epochs}
            brief = {n: v for n, v in brief.items() if n in option_types(entry.Options)}
            if entry.learned:
                one = self._encoder(drawn, name, entry.Options(**brief))
            else:
                one = self._counted(entry, entry.Options(), drawn.n_users)
            tried = tried.then(one)
            taken.append(self.cost(name, entry.Options()))
        tried = tried.then(self._segments(drawn.n_users).times(len(names)))
        tried = tried.then(judging_cost(drawn, self.models, len(names), self.gauge))
        return tried.then(_one_of(taken))

    def _segments(self, n_users: int) -> Cost:
        points = self.points("markov_mixture", Options(), n_users)
        starts = KMeansOptions(n_init=_STARTS)
        return Cost.about(self.gauge.seconds(lambda: form_segments(points, starts, _K, 0)))

    def _encoder(self, sequences: Sequences, method: str, options: Any) -> Cost:
        from core.forecast.encoding import encoder_cost

        return encoder_cost(sequences, options, method, self.gauge)

    def _counted(self, entry: Representation, options: Options, n_users: int) -> Cost:
        """Learned from all users or from as many as it takes, and the others placed."""
        fitted, placed = self._grown(entry, options)
        learns_from = min(n_users, entry.most_users or n_users)
        if entry.most_events is not None:
            per_user = self.sequences.n_events / max(1, self.sequences.n_users)
            learns_from = min(learns_from, round(entry.most_events / max(1.0, per_user)))
        cost = fitted.at(learns_from)
        if learns_from < n_users:
            whole = placed.at(n_users)
            cost = cost.then(whole.times(1.0 - learns_from / n_users))
        return cost

    def _grown(self, entry: Representation, options: Options) -> tuple[Growth, Growth]:
        known = (entry.name, repr(options))
        if known not in self._known:
            self._known[known] = self._measured(entry, options)
        return self._known[known]

    def _measured(self, entry: Representation, options: Options) -> tuple[Growth, Growth]:
        work = Work(models=self.models)

        def fit(n_users: int) -> None:
            entry.fit(share_of(self.sample, n_users), options, work)

        fitted = self.gauge.growth(fit, self.sample.n_users)
        state = entry.fit(share_of(self.sample, fitted.sizes[1]), options, work).state

        def place(n_users: int) -> None:
            entry.transform(state, share_of(self.sample, n_users))

        return fitted, self.gauge.growth(place, self.sample.n_users)


def _one_of(costs: list[Cost]) -> Cost:
    found = costs[0]
    for cost in costs[1:]:
        found = found.either(cost)
    return found
