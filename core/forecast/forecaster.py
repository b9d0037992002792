"""What each heavy step of a journey takes; what several of them need is made once."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np

from core.artifacts import BehaviourModels, FloatArray, Sequences
from core.forecast.clusterings import Ground, k_curve_cost, labels_cost
from core.forecast.drawing import projection_cost
from core.forecast.measuring import Cost, Gauge
from core.forecast.modelling import models_cost, stand_in
from core.forecast.representing import Representing
from core.forecast.samples import sample_of
from core.geometry import drawn_users
from core.pipeline import Journey
from core.representations import REPRESENTATIONS
from core.representations.encoder_options import EncoderOptions
from core.representations.ladder import AutoOptions
from core.run_options import RunOptions

_POINTS = 4_000
"""Users whose points algorithms are tried on."""
_MODELLED = 2_000
"""Users from whom models that nobody fitted are made."""
_K = 5
"""Segments that are counted with where nobody knows how many there will be."""


class Forecaster:
    """The costs of the steps of one journey under its options."""

    def __init__(self, journey: Journey, gauge: Gauge) -> None:
        self.journey, self.gauge = journey, gauge

    def under(self, options: RunOptions) -> Forecaster:
        """The same under other options, of which the sequences do not change."""
        held = self.journey
        changed = Journey(held.store, held.events, options, beside=held.beside)
        return Forecaster(changed, self.gauge)

    def cost(self, step: str) -> Cost:
        """What a step takes by itself, without those before it."""
        options = self.journey.options
        if step == "models":
            return models_cost(self._sequences, options.models, self._models, self.gauge)
        if step == "embeddings":
            return self._representing.cost(options.represent.method, options.represent_params)
        if step == "labels":
            cluster = options.cluster
            return labels_cost(
                self._ground, cluster.method, options.cluster_params, refine=cluster.refine
            )
        of_points = self._k_curve if step == "k_curve" else self._projection
        narrow, wide = self._points[0], self._points[-1]
        found = of_points(wide)
        return found if narrow is wide else found.either(of_points(narrow))

    def _k_curve(self, points: FloatArray) -> Cost:
        ground = replace(self._ground, points=points)
        return k_curve_cost(ground, self.journey.options.choose_k)

    def _projection(self, points: FloatArray) -> Cost:
        n_users = self._sequences.n_users
        return projection_cost(points, self.journey.options.project, n_users, self.gauge)

    @property
    def epochs(self) -> int | None:
        """Epochs an encoder is trained for, where one is trained."""
        params = self.journey.options.represent_params
        if not isinstance(params, EncoderOptions):
            return None
        from core.representations.learning import training_plan
        from core.representations.source import split_users

        return training_plan(params, len(split_users(self._sequences)[0])).epochs

    @cached_property
    def _sequences(self) -> Sequences:
        return self.journey.inputs()

    @cached_property
    def _models(self) -> BehaviourModels:
        """The models of behaviour; such as nobody fitted, while there are none."""
        if self.journey.ready("models"):
            return self.journey.models()
        sample = sample_of(self._sequences, _MODELLED)
        most = max(1, min(self.journey.options.models.models_most, sample.n_users // 10))
        return stand_in(sample, most)

    @cached_property
    def _representing(self) -> Representing:
        return Representing(self._sequences, self._models, self.gauge)

    @cached_property
    def _points(self) -> tuple[FloatArray, ...]:
        """Points of some users: the real ones where they are there.

        Two kinds, the narrow first, where nobody knows which representation will be taken.
        """
        if self.journey.ready("embeddings"):
            values = self.journey.embeddings().values
            drawn = drawn_users(len(values), _POINTS, 0)
            return (np.asarray(values if drawn is None else values[drawn]),)
        options = self.journey.options
        params = options.represent_params
        if not isinstance(params, AutoOptions):
            return (self._representing.points(options.represent.method, params, _POINTS),)
        taken = [name for name in params.candidates if name in REPRESENTATIONS]
        return tuple(
            sorted(
                (
                    self._representing.points(name, REPRESENTATIONS[name].Options(), _POINTS)
                    for name in taken[:1] + [n for n in taken if REPRESENTATIONS[n].learned][:1]
                ),
                key=lambda points: points.shape[1],
            )
        )

    @cached_property
    def _ground(self) -> Ground:
        sequences = self._sequences
        return Ground(
            sequences=sequences,
            sample=sample_of(sequences, _POINTS),
            points=self._points[-1],
            models=self._models,
            k=self._k(),
            models_users=self.journey.options.models.models_users,
            ways=self._ways(),
            gauge=self.gauge,
        )

    def _ways(self) -> tuple[int, int]:
        """Least and most ways on which models are looked for: one more with a background."""
        if self.journey.ready("models"):
            ways = 1 + self._models.sets_aside
            return ways, ways
        return 1, 1 + (self.journey.options.models.background == "auto")

    def _k(self) -> int:
        wanted = self.journey.options.cluster.n_clusters
        if wanted != "auto":
            return wanted
        if self.journey.ready("models"):
            return self._models.suggested
        return min(_K, self._models.ks[-1])
