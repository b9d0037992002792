"""New users into the segments of a recorded run, without fitting anything again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core import clustering, item_features, representations, sequences
from core.artifacts import (
    NO_VECTORS,
    CleaningReport,
    ColumnMapping,
    Events,
    FloatArray,
    Labels,
    RawLog,
    Sequences,
    fingerprint,
)
from core.errors import OptionRefused, did_you_mean
from core.events import clean, item_categories
from core.events.guess import platforms_of_file
from core.events.problems import shown, warning
from core.events.read import ReadOptions, read_all, read_with_sources
from core.runs import Run

VERSION = 3
UNKNOWN = "unknown"
"""What is told as the platform of files that are of none that the run knows."""


def read_log(
    run: Run, paths: Sequence[Path], folder: Path, options: ReadOptions, platform: str | None = None
) -> tuple[RawLog, ColumnMapping]:
    """Read a new log, and say which column plays which role in it: as in the run's own log.

    Where the files of the run's log were its platforms, each new file is of the one its name
    tells, or all are of ``platform``. Raises OptionRefused where neither settles it.
    """
    source = run.manifest.source
    mapping, names = replace(source.mapping, label=None), [path.name for path in paths]
    if source.platforms:
        words = [_platform(name, source.platforms, platform) for name in names]
        raw = read_with_sources(paths, folder, options, names=names, sources=words)
        return _told(raw, words), replace(mapping, platform=raw.columns[-1])
    if platform is not None:
        raise OptionRefused(
            f"--platform is '{platform}', but the files of this run's log are not its platforms. "
            "Leave it out."
        )
    return read_all(paths, folder, options, names=names), mapping


def _told(raw: RawLog, platforms: Sequence[str]) -> RawLog:
    """The log with a note for every file that says which platform it was taken for."""
    notes = [
        warning("platform", f"'{shown(part.name)}' was taken as of the platform '{shown(name)}'.")
        for part, name in zip(raw.parts, platforms, strict=True)
    ]
    return replace(raw, problems=(*raw.problems, *notes))


def _platform(file: str, known: Sequence[str], told: str | None) -> str:
    """The platform of a file, one of the run's."""
    choices = ", ".join(f"'{shown(name)}'" for name in dict.fromkeys(known))
    if told is not None:
        if told in (*known, UNKNOWN):
            return told
        raise OptionRefused(
            f"--platform is '{told}'. Allowed: {choices}, or {UNKNOWN} for one the run has not "
            f"seen.{did_you_mean(told, known)}"
        )
    found = platforms_of_file(file, known)
    if len(found) == 1:
        return found[0]
    says = "fits several" if found else "fits none"
    raise OptionRefused(
        f"The files of this run's log were its platforms ({choices}), and the name of the file "
        f"'{shown(file)}' {says} of them. Give the platform with --platform NAME ({UNKNOWN} for "
        "one the run has not seen), for the files of each platform by themselves."
    )


def assign(run: Run, events: Events, folder: Path) -> tuple[Labels, CleaningReport]:
    """The segment of every user of a new log, by the run's cleaning, encoder and segments.

    Outliers are told and blanks filled by the run's bounds and values, not by those of the new log.
    Words the run has not seen count as unknown. Users that the run's cleaning rules drop (too
    few events, say) get no segment; the report counts them. ``folder`` takes the cleaned log.
    """
    arrived, report = as_in_run(run, events, folder)
    space, fitted = run.embeddings(), run.labels()
    points: FloatArray = NO_VECTORS
    if clustering.placed_by(fitted.method, fitted.state).reads == "points":
        points = representations.transform(space.method, space.state, arrived)
    values, confidence = clustering.assign(
        fitted.method, fitted.state, points, clustering.Behaviour(sequences=arrived)
    )
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
    return labels, report


def as_in_run(run: Run, events: Events, folder: Path) -> tuple[Sequences, CleaningReport]:
    """A new log cleaned and coded as the run's own was, and the report of its cleaning."""
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
    return arrived, cleaned.report
