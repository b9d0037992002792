"""What is known of users from outside: a label column of the log, or a file of its own."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from core.artifacts import Events, KnownLabels, RawLog
from core.errors import FileRefused
from core.events import engine
from core.events.read import ReadOptions, read
from core.events.reading import quoted

_CONFLICTS_SHOWN = 20


def known_labels_in_log(events: Events, name: str = "label") -> KnownLabels | None:
    """The label of every user of a log, or None where the log has no label column or only blanks.

    ``name`` is what the label is called. Blank labels are passed over. A user whose rows name
    more than one label is left out and counted; users come in the order of their ids.
    """
    if "label" not in events.present:
        return None
    known = _labels(name, events.path, "user", "label")
    return known if len(known.user_ids) or known.n_conflicting else None


def read_known_labels(path: Path, name: str | None = None) -> KnownLabels:
    """Read a label file: user id in the first column, label in the second, named by its header.

    ``name`` is what the analyst calls the file, where it is stored under another one. The file
    goes through the same strict gate as a log. Raises FileRefused.
    """
    with tempfile.TemporaryDirectory(prefix="labels-") as scratch:
        raw = read(path, Path(scratch), ReadOptions(), name=name or path.name)
        _check_two_columns(raw)
        user, label = raw.columns[:2]
        return _labels(label, raw.path, user, label)


def _check_two_columns(raw: RawLog) -> None:
    if len(raw.columns) < 2:
        raise FileRefused(
            f"'{raw.name}' has one column, '{raw.columns[0]}'. A label file has two: the user id "
            "first, the label second."
        )


def _labels(name: str, path: Path, user: str, label: str) -> KnownLabels:
    query = (
        f"SELECT {quoted(user)} AS who, min({quoted(label)}) AS label, "
        f"count(DISTINCT {quoted(label)}) AS n_labels "
        f"FROM read_parquet($path) WHERE {quoted(user)} IS NOT NULL "
        f"AND {quoted(label)} IS NOT NULL GROUP BY who ORDER BY who"
    )
    with engine.connect() as db:
        found = db.execute(query, {"path": str(path)}).fetchnumpy()
    users, labels = (np.asarray(found[column], dtype=object) for column in ("who", "label"))
    alone = np.asarray(found["n_labels"]) == 1
    return KnownLabels(
        name=name,
        user_ids=users[alone],
        values=labels[alone],
        conflicting=tuple(users[~alone][:_CONFLICTS_SHOWN]),
        n_conflicting=int((~alone).sum()),
    )
