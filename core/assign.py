"""New users into the segments of a recorded run, without fitting anything again."""

from __future__ import annotations

from pathlib import Path

from core import clustering, item_features, representations, sequences
from core.artifacts import CleaningReport, Events, Labels, fingerprint
from core.events import clean, item_categories
from core.runs import Run

VERSION = 3


def assign(run: Run, events: Events, folder: Path) -> tuple[Labels, CleaningReport]:
    """The segment of every user of a new log, by the run's cleaning, encoder and segments.

    Outliers are told and blanks filled by the run's bounds and values, not by those of the new log.
    Words the run has not seen count as unknown. Users that the run's cleaning rules drop (too
    few events, say) get no segment; the report counts them. ``folder`` takes the cleaned log.
    """
    options = run.options()
    items, features = run.items(), run.item_features()
    if items is not None and options.item_features.category_from_items:
        events = item_categories.with_items(events, items, folder)
    cleaned = clean.clean(events, options.clean, folder, run.limits())
    vocabulary = run.vocabulary()
    if features is not None:  # words of new searches find their place, codes or not
        vocabulary = sequences.with_new_words(cleaned, options.sequence, vocabulary)
    arrived = sequences.build(cleaned, options.sequence, vocabulary=vocabulary, seed=options.seed)
    if features is not None:
        arrived = item_features.attach_known(arrived, features, items, run.vectors())
    points = representations.transform(options.representation, run.embeddings().state, arrived)
    fitted = run.labels()
    values, confidence = clustering.assign(options.clusterer, fitted.state, points)
    labels = Labels(
        user_ids=arrived.user_ids,
        values=values,
        confidence=confidence,
        n_clusters=fitted.n_clusters,
        method=fitted.method,
        loss_trace=(),
        best_restart=0,
        state=fitted.state,
        fingerprint=fingerprint(run.manifest.id, "assign", VERSION, {"events": events.fingerprint}),
    )
    return labels, cleaned.report
