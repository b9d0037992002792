"""The whole journey, headless: the same object serves the pages, the worker and the command line.

journey = Journey(store, events, RunOptions(), beside=Beside(labels=labels))
journey.segments()  # makes every step before it, unless the store has it already
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from core import (
    clustering,
    evaluation,
    item_features,
    projection,
    recommend,
    representations,
    segments,
    sequences,
)
from core.artifacts import (
    BehaviourModels,
    Beside,
    CleanEvents,
    CleaningReport,
    Embeddings,
    Evaluation,
    Events,
    ItemFeatures,
    Items,
    ItemVectors,
    KCurve,
    KnownLabels,
    Labels,
    Problem,
    Progress,
    Projection,
    RawLog,
    Recommendations,
    Report,
    Segments,
    Sequences,
    Splits,
    fingerprint,
    silent,
)
from core.clustering import CLUSTERERS, Behaviour, choose_k, refining
from core.events import clean, item_categories, overview
from core.events.overview import Overview
from core.events.set_aside import SetAside, set_aside_batches
from core.report.set_aside_table import write_safe_set_aside
from core.representations import REPRESENTATIONS
from core.run_options import RunOptions
from core.sequence_models import models as sequence_models
from core.sequence_models import relabelling
from core.sequences.summary import SequenceDescription, describe
from core.store import Store

T = TypeVar("T")

STEPS: dict[str, str] = {
    "filled": "Looking up categories",
    "clean": "Cleaning the log",
    "sequences": "Building sequences",
    "item_features": "Reading titles and searches",
    "models": "Modelling behaviour",
    "embeddings": "Learning behaviour",
    "k_curve": "Comparing numbers of segments",
    "labels": "Forming segments",
    "projection": "Drawing the map",
    "evaluation": "Evaluating",
    "segments": "Describing segments",
    "recommendations": "Finding recommendations",
}
"""Every step in order, with what the analyst reads while it runs."""


class Journey:
    """One log under one set of options; every step is found in the store or made."""

    def __init__(
        self,
        store: Store,
        events: Events,
        options: RunOptions,
        *,
        beside: Beside = Beside(),
        listen: Report = silent,
    ) -> None:
        self.store = store
        self.events = events
        self.options = options
        self.beside = beside
        self._listen = listen
        self._known_as = _identity_of_labels(beside.labels)
        self._loaded: dict[str, Any] = {}

    def filled(self) -> Events:
        """The log with the categories that only the items table knows."""
        items = self.beside.items
        if items is None or not self._fills_categories():
            return self.events
        return self._step(
            "filled",
            Events,
            lambda folder: item_categories.with_items(self.events, items, folder),
        )

    def clean(self) -> CleanEvents:
        """The log after cleaning, with the report of every row touched."""
        return self._step(
            "clean",
            CleanEvents,
            lambda folder: clean.clean(self.filled(), self.options.clean, folder),
        )

    def sequences(self) -> Sequences:
        """Every user's events in time order."""
        return self._step(
            "sequences",
            Sequences,
            lambda folder: sequences.build(
                self.clean(), self.options.sequence, seed=self.options.seed, folder=folder
            ),
        )

    def item_features(self) -> ItemFeatures | None:
        """How titles, searches and item vectors became numbers; None where there are none."""
        if not self._has_features():
            return None
        options, beside = self.options, self.beside
        return self._step(
            "item_features",
            ItemFeatures,
            lambda _: item_features.learn(
                self.sequences(), beside.items, beside.vectors, options.item_features, options.seed
            ),
        )

    def item_problems(self) -> tuple[Problem, ...]:
        """What must be said of how the items table, vectors and searches fit the log."""
        filled = self.filled().problems[len(self.events.problems) :]
        features = self.item_features()
        return (*filled, *(features.problems if features else ()))

    def inputs(self) -> Sequences:
        """The sequences as a representation reads them: with what is known of their items."""
        features = self.item_features()
        plain = self.sequences()
        return plain if features is None else item_features.attach_known(plain, features)

    def cleaning_report(self) -> CleaningReport:
        """Every row touched by cleaning, and what is left out of the sequences."""

        def make(_: Path) -> CleaningReport:
            report = self.clean().report
            cuts = sequences.truncation(self.sequences(), self.options.sequence)
            return replace(report, steps=(*report.steps, *cuts))

        return self.store.get_or_make(CleaningReport, self._beside_sequences("report"), make)

    def splits(self) -> Splits:
        """Who is fitted, watched and judged, and where the future begins."""
        return self.store.get_or_make(
            Splits,
            self._beside_sequences("splits"),
            lambda _: sequences.split(self.sequences(), self.options.sequence, self.options.seed),
        )

    def description(self) -> SequenceDescription:
        """What is told of the sequences: visits, pauses, and the parts of the users."""
        return self.store.get_or_make(
            SequenceDescription,
            self._beside_sequences("description"),
            lambda _: describe(self.clean(), self.sequences(), self.splits()),
        )

    def _beside_sequences(self, what: str) -> str:
        return fingerprint(self.fingerprint("sequences"), what, sequences.VERSION, {})

    def overview(self) -> Overview:
        """What the cleaned log looks like; made once and kept."""
        made_from = fingerprint(self.fingerprint("clean"), "overview", overview.VERSION, {})
        return self.store.get_or_make(
            Overview, made_from, lambda _: overview.overview(self.clean())
        )

    def set_aside(self, raw: RawLog) -> SetAside:
        """The list of every row that is not in the cleaned log, safe for spreadsheets."""
        made_from = self.set_aside_as()

        def make(folder: Path) -> SetAside:
            path = folder / "set_aside.csv"
            with set_aside_batches(raw, self.filled(), self.options.clean, None) as batches:
                n_rows = write_safe_set_aside(batches, path)
            return SetAside(path=path, n_rows=n_rows, fingerprint=made_from)

        return self.store.get_or_make(SetAside, made_from, make)

    def set_aside_as(self) -> str:
        """Fingerprint of the list of rows set aside."""
        return fingerprint(self.fingerprint("clean"), "set_aside", clean.VERSION, {})

    def models(self) -> BehaviourModels:
        """Models of behaviour for every number of segments, and the number that foretells best."""
        options = self.options
        return self._step(
            "models",
            BehaviourModels,
            lambda _: sequence_models.learn(
                self.inputs(), options.models, options.seed, self._listen
            ),
        )

    def embeddings(self) -> Embeddings:
        """One point per user."""
        options = self.options

        def make(_: Path) -> Embeddings:
            work = representations.Work(
                seed=options.seed,
                report=self._listen,
                keep=self.store.unfinished(self.fingerprint("embeddings")),
                models=self.models() if self._represents_by_models() else None,
            )
            method, params = options.represent.method, options.represent_params
            return representations.represent(self.inputs(), method, params, work)

        return self._step("embeddings", Embeddings, make)

    def k_curve(self) -> KCurve:
        """What each number of segments gives, and the one suggested."""
        options = self.options
        return self._step(
            "k_curve",
            KCurve,
            lambda _: choose_k.k_curve(
                self.embeddings(),
                options.choose_k,
                options.seed,
                self._listen,
                models=self.models() if self._clusters_behaviour() else None,
            ),
        )

    def labels(self) -> Labels:
        """The segment of every user."""
        return self._step("labels", Labels, lambda _: self.refit(self.embeddings()))

    def refit(self, embeddings: Embeddings) -> Labels:
        """Cluster other points under the same options (for nulls, bootstraps and the like)."""
        options = self.options
        n_clusters = options.cluster.n_clusters
        if n_clusters == "auto":
            n_clusters = self.k_curve().suggested if self._needs_k() else 1
        behaviour = None
        if self._labels_by_models():
            behaviour = Behaviour(
                sequences=self.inputs(),
                models=self.models(),
                points=embeddings.values,
                report=self._listen,
            )
        labels = clustering.cluster(
            embeddings,
            options.cluster.method,
            options.cluster_params,
            n_clusters,
            options.seed,
            behaviour,
        )
        if options.cluster.refine and behaviour is not None:
            return clustering.refine(labels, behaviour, options.seed)
        return labels

    def projection(self) -> Projection:
        """The map of all users."""
        options = self.options
        return self._step(
            "projection",
            Projection,
            lambda _: projection.project(
                self.embeddings(), options.project, options.seed, self._listen
            ),
        )

    def evaluation(self) -> Evaluation:
        """What can be said of the segments."""
        return self._step("evaluation", Evaluation, lambda _: self._evaluate())

    def segments(self) -> Segments:
        """All segments, described and named."""
        options = self.options
        return self._step(
            "segments",
            Segments,
            lambda _: segments.profile(
                self.sequences(), self.labels(), options.segment, options.seed
            ),
        )

    def recommendations(self) -> Recommendations:
        """What to offer and what to do, per segment."""
        return self._step(
            "recommendations",
            Recommendations,
            lambda _: recommend.recommend(
                self.sequences(), self.labels(), self.segments(), self.options.recommend
            ),
        )

    def make(self, step: str) -> Any:
        """Make a step by its name, and all it needs."""
        return getattr(self, step)()

    def ready(self, step: str) -> bool:
        """Whether a step is there already, without making it."""
        return self.store.has(self.fingerprint(step))

    def missing(self, *steps: str) -> tuple[str, ...]:
        """What is still to be made for some steps, themselves included, in order."""
        found = set[str]()
        for step in steps:
            if not self.ready(step):
                found |= {step, *self.missing(*self._parents(step))}
        return tuple(step for step in STEPS if step in found)

    def learns(self, step: str) -> bool:
        """Whether something is left to be trained on the way to a step; "run" is the whole way."""
        return any(not self.ready(name) for name in trained_before(step, self.options))

    def seconds(self) -> dict[str, float]:
        """How long each step took when it was made, for the steps that are there."""
        return {
            step: self.store.seconds(self.fingerprint(step)) for step in STEPS if self.ready(step)
        }

    def fingerprint(self, step: str) -> str:
        """Identity of a step under these options; known before the step is made."""
        parent, version, made_by = self._recipe(step)
        above = self.fingerprint(parent) if parent else self.events.fingerprint
        return fingerprint(above, step, version, made_by)

    def _recipe(self, step: str) -> tuple[str | None, int, dict[str, Any]]:
        """The step above, the version of the code and the options a step is made by."""
        o, seed = self.options, {"seed": self.options.seed}
        models_by = {"models": sequence_models.VERSION, **o.models.to_dict(), **seed}
        represent_by = {
            "method": o.represent.method,
            **o.represent_params.to_dict(),
            **(models_by if self._represents_by_models() else seed),
        }
        k_by = o.choose_k.to_dict() | (models_by if self._clusters_behaviour() else seed)
        cluster_by = {
            "method": o.cluster.method,
            "n_clusters": o.cluster.n_clusters,
            "refine": o.cluster.refine
            and {**models_by, "how": [refining.VERSION, relabelling.VERSION]},
            **o.cluster_params.to_dict(),
            **k_by,
            "choose_k": choose_k.VERSION,
        }
        features_by = {
            "items": _identity(self.beside.items),
            "vectors": _identity(self.beside.vectors),
            **o.item_features.to_dict(),
            **seed,
        }
        inputs = "item_features" if self._has_features() else "sequences"
        recipes: dict[str, tuple[str | None, int, dict[str, Any]]] = {
            "filled": (None, item_categories.VERSION, {"items": _identity(self.beside.items)}),
            "clean": (
                "filled" if self._fills_categories() else None,
                clean.VERSION,
                o.clean.to_dict(),
            ),
            "sequences": ("clean", sequences.VERSION, o.sequence.to_dict() | seed),
            "item_features": ("sequences", item_features.VERSION, features_by),
            "models": (inputs, sequence_models.VERSION, models_by),
            "embeddings": (inputs, representations.VERSION, represent_by),
            "k_curve": ("embeddings", choose_k.VERSION, k_by),
            "labels": ("embeddings", clustering.VERSION, cluster_by),
            "projection": ("embeddings", projection.VERSION, o.project.to_dict() | seed),
            "evaluation": (
                "labels",
                evaluation.VERSION,
                o.evaluate.to_dict() | seed | {"known": self._known_as},
            ),
            "segments": ("labels", segments.VERSION, o.segment.to_dict() | seed),
            "recommendations": ("segments", recommend.VERSION, o.recommend.to_dict()),
        }
        return recipes[step]

    def _step(self, step: str, kind: type[T], make: Callable[[Path], T]) -> T:
        if step not in self._loaded:
            if not self.ready(step):
                for parent in self._parents(step):
                    self.make(parent)  # first, so that each step's seconds are its own
            self._loaded[step] = self.store.get_or_make(
                kind, self.fingerprint(step), lambda folder: self._make(step, make, folder)
            )
        loaded: T = self._loaded[step]
        return loaded

    def _make(self, step: str, make: Callable[[Path], T], folder: Path) -> T:
        from threadpoolctl import threadpool_limits

        self._listen(Progress(stage=step, done=0.0, text=STEPS[step]))
        # Sums split over threads differ by machine, and on a busy one threads wait for each other.
        with threadpool_limits(limits=1, user_api="blas"):
            made = make(folder)
        # One identity for all: the one by which it will be found again.
        return replace(made, fingerprint=self.fingerprint(step))  # type: ignore[type-var]

    def _parents(self, step: str) -> list[str]:
        parent = self._recipe(step)[0]
        chosen_k = step == "labels" and self.options.cluster.n_clusters == "auto"
        compares_k = (chosen_k or step == "evaluation") and self._needs_k()
        by_models = (step == "embeddings" and self._represents_by_models()) or (
            (step == "k_curve" and self._clusters_behaviour())
            or (step == "labels" and self._labels_by_models())
        )
        others = {"models": by_models, "k_curve": compares_k}
        return [*([parent] if parent else []), *(name for name, needed in others.items() if needed)]

    def _represents_by_models(self) -> bool:
        """Whether points are made with the help of models of behaviour."""
        method = self.options.represent.method
        return method == "auto" or REPRESENTATIONS[method].uses_models

    def _clusters_behaviour(self) -> bool:
        """Whether segments are formed of what users did, not (only) of the points they became."""
        method = self.options.cluster.method
        return method == "auto" or CLUSTERERS[method].reads == "behaviour"

    def _labels_by_models(self) -> bool:
        """Whether segments are formed, or made better, by models of behaviour."""
        return self._clusters_behaviour() or self.options.cluster.refine

    def _fills_categories(self) -> bool:
        items = self.beside.items
        wanted = self.options.item_features.category_from_items
        return wanted and items is not None and "category" in items.present

    def _has_features(self) -> bool:
        """Whether anything is known of items or searches beside their codes."""
        options, beside = self.options.item_features, self.beside
        titles = options.item_text and beside.items is not None
        searches = options.query_text and "query" in self.events.present
        return titles or searches or beside.vectors is not None

    def _needs_k(self) -> bool:
        """Whether the algorithm is told the number of segments (or finds it itself)."""
        method = self.options.cluster.method
        return method == "auto" or CLUSTERERS[method].needs_n_clusters

    def _evaluate(self) -> Evaluation:
        labels = self.labels()
        suggested = self.k_curve().suggested if self._needs_k() else labels.n_clusters
        return evaluation.evaluate(
            self.embeddings(),
            labels,
            self.sequences(),
            self.beside.labels,
            self.options.evaluate,
            self.options.seed,
            k_suggested=suggested,
        )


def _identity(brought: Items | ItemVectors | None) -> str | None:
    return None if brought is None else brought.fingerprint


def trained_before(step: str, options: RunOptions) -> set[str]:
    """The steps up to this one ("run": all) in which something is trained, not only counted.

    Empty for a step that is none of the journey's.
    """
    represent, cluster = options.represent.method, options.cluster.method
    trained = {
        "embeddings": represent == "auto" or REPRESENTATIONS[represent].learned,
        "labels": cluster == "auto" or CLUSTERERS[cluster].learned or options.cluster.refine,
    }
    way = list(STEPS)
    reached = way if step == "run" else way[: way.index(step) + 1] if step in STEPS else []
    return {name for name in reached if trained.get(name)}


def _identity_of_labels(known: KnownLabels | None) -> str | None:
    """Fingerprint of the known labels themselves, so that other labels are judged anew."""
    if known is None:
        return None
    pairs = dict(zip(known.user_ids.tolist(), known.values.tolist(), strict=True))
    return fingerprint(known.name, "known", 1, pairs)
