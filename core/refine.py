"""Labels from anywhere made better by models of behaviour, on the log that they belong to."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.artifacts import NOISE, KnownLabels, LongArray, TextArray
from core.clustering.latent_class import LatentClassOptions
from core.clustering.refining import how_to
from core.errors import FileRefused
from core.events.problems import shown
from core.pipeline import Journey
from core.sequence_models.relabelling import UNLABELLED, Relabelled, hard, relabel
from core.wording import counted

NOBODYS = str(NOISE)
"""The label of users that belong to no segment, as in the assignments of a run."""


@dataclass(frozen=True, kw_only=True)
class RefinedLabels:
    """The label of every user that has one, by the words of the file it came from."""

    user_ids: TextArray  # (L,) sorted
    before: TextArray  # (L,) as it came; empty where the user had none
    after: TextArray  # (L,)
    confidence: tuple[float | None, ...]  # (L,) by Bayes' rule; None where nothing was refined
    kept: bool
    told: str
    """What became of the labels, in sentences."""
    notes: tuple[str, ...]
    """What must be said of users and labels that were passed over."""


def refine(journey: Journey, known: KnownLabels) -> RefinedLabels:
    """Refine the labels of users of a log; as they came where that foretells nobody better.

    The label -1 is nobody's. Users without a label get one where the refined labels are kept.
    Raises FileRefused where no labelled user is in the log, TooLittleData where fewer than two
    labels have enough users.
    """
    sequences, options = journey.inputs(), journey.options
    words, values = _coded(sequences.user_ids, known)
    if (values == UNLABELLED).all():
        example = shown(str(known.user_ids[0])) if len(known.user_ids) else ""
        raise FileRefused(
            f"None of the {counted(len(known.user_ids), 'user', 'users')} with a label is in the "
            f"cleaned log{f' (the first is {example!r})' if example else ''}. The first column of "
            "the labels must hold user ids as they stand in the log, the second the labels."
        )
    own = options.cluster_params
    how = how_to(own if isinstance(own, LatentClassOptions) else LatentClassOptions())
    found = relabel(journey.models(), sequences, values, how, options.seed)
    before = _in_words(words, values)
    notes = _notes(sequences.user_ids, known, values, found)
    if not found.kept:
        has = np.flatnonzero(values != UNLABELLED)
        return RefinedLabels(
            user_ids=sequences.user_ids[has],
            before=before[has],
            after=before[has],
            confidence=(None,) * len(has),
            kept=False,
            told=found.told(),
            notes=notes,
        )
    best = hard(found.members, len(found.codes))
    surest = np.where(best == NOISE, 0.0, found.members.max(axis=1))
    return RefinedLabels(
        user_ids=sequences.user_ids,
        before=before,
        after=_in_words(words, np.where(best == NOISE, NOISE, found.codes[best])),
        confidence=tuple(np.round(surest.astype(np.float64), 4).tolist()),
        kept=True,
        told=found.told(),
        notes=notes,
    )


def write_refined(path: Path, found: RefinedLabels) -> None:
    """Write ``user_id,segment,confidence,label_before`` for programs, in the order of users."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("user_id", "segment", "confidence", "label_before"))
        columns = (found.user_ids, found.after, found.confidence, found.before)
        writer.writerows(zip(*columns, strict=True))


def _coded(users: TextArray, known: KnownLabels) -> tuple[TextArray, LongArray]:
    """The words that are labels, and the code of every user's (U,); both sides are sorted."""
    words = np.unique(known.values[known.values != NOBODYS])
    codes = np.where(known.values == NOBODYS, NOISE, np.searchsorted(words, known.values))
    values = np.full(len(users), UNLABELLED, dtype=np.int64)
    order = np.argsort(users)
    place = np.searchsorted(users, known.user_ids, sorter=order)
    row = order[np.minimum(place, len(users) - 1)]
    there = users[row] == known.user_ids
    values[row[there]] = codes[there]
    return words, values


def _in_words(words: TextArray, values: LongArray) -> TextArray:
    """Codes as the words that they stand for, nobody's as NOBODYS, no label as no text."""
    return np.array([*words, "", NOBODYS], dtype=object)[values]


def _notes(
    users: TextArray, known: KnownLabels, values: LongArray, found: Relabelled
) -> tuple[str, ...]:
    there = int((values != UNLABELLED).sum())
    without, unknown = len(users) - there, len(known.user_ids) - there
    placed = "they are placed by the refined labels" if found.kept else "they stay without"
    notes = []
    if without:
        bare = counted(without, "user has", "users have")
        notes.append(f"{bare} no label in the cleaned log; {placed}.")
    if unknown:
        away = counted(unknown, "user with a label is", "users with a label are")
        notes.append(f"{away} not in the cleaned log, and passed over.")
    if known.n_conflicting:
        torn = counted(known.n_conflicting, "user has", "users have")
        notes.append(f"{torn} more than one label, which counts as none.")
    return tuple(notes)
