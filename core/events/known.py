"""What is known of users from outside: a label column of the log, or a file of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np

from core.artifacts import Events, KnownLabels, Problem, RawLog
from core.errors import FileRefused
from core.events import engine
from core.events.columns.reading import quoted
from core.events.problems import plural
from core.events.read import ReadOptions, read

_CONFLICTS_SHOWN = 20
_AS_IT_IS = ReadOptions()


@dataclass(frozen=True)
class LabelsFile:
    """The labels of a file of its own, and what must be said of it, in sentences."""

    labels: KnownLabels
    notes: tuple[str, ...]


def known_labels_in_log(events: Events, name: str = "label") -> KnownLabels | None:
    """The label of every user of a log, or None where the log has no label column or only blanks.

    ``name`` is what the label is called. Blank labels are passed over. A user whose rows name
    more than one label is left out and counted; users come in the order of their ids.
    """
    if "label" not in events.present:
        return None
    with engine.connect() as db:
        rows = 'SELECT "user", label FROM read_parquet($log)'
        known = _labels(db, name, rows, {"log": str(events.path)})
    return known if len(known.user_ids) or known.n_conflicting else None


def read_known_labels(
    path: Path,
    name: str | None = None,
    events: Events | None = None,
    options: ReadOptions = _AS_IT_IS,
) -> KnownLabels:
    """Read a label file; see `read_labels_file`, which has notes beside the labels."""
    return read_labels_file(path, name, events, options).labels


def read_labels_file(
    path: Path,
    name: str | None = None,
    events: Events | None = None,
    options: ReadOptions = _AS_IT_IS,
) -> LabelsFile:
    """Read a label file: user id in the first column, label in the second, named by its header.

    A file with one column is matched by line to the ``events`` of the log: row by row where it has
    as many rows, or user by user, in the order of their first rows, where it has as many as the
    log has users. ``name`` is what the analyst calls the file, where it is stored under another
    one. The file goes through the same strict gate as a log. Raises FileRefused.
    """
    with tempfile.TemporaryDirectory(prefix="labels-") as scratch, engine.connect() as db:
        raw = read(path, Path(scratch), options, name=name or path.name)
        if len(raw.columns) == 1:
            return _by_line(db, raw, events)
        user, label = raw.columns[:2]
        rows = f'SELECT {quoted(user)} AS "user", {quoted(label)} AS label FROM read_parquet($log)'
        places = {"log": str(raw.path)}
        known = _labels(db, label, rows, places)
        notes = () if events is None else _strangers(db, rows, places, events)
    return LabelsFile(known, notes)


def _by_line(db: duckdb.DuckDBPyConnection, raw: RawLog, events: Events | None) -> LabelsFile:
    """Match a file without ids to the rows, or to the users, of a log."""
    (label,) = raw.columns
    if events is None:
        raise FileRefused(
            f"'{raw.name}' has one column, '{label}'. A label file has two: the user id first, the "
            "label second; or it is given with its log, and matched line by line."
        )
    for read_so, log_or_labels in ((raw.problems, f"'{raw.name}'"), (events.problems, "the log")):
        if _is_told(read_so, "rows_set_aside"):
            raise _not_by_line(raw.name, f"rows of {log_or_labels} were set aside when it was read")
    places = _places(db, raw)
    if places.least <= events.n_events <= places.most:
        if places.least < places.most and _is_told(events.problems, "blank_rows"):
            raise _not_by_line(raw.name, "the log and the labels both have blank rows")
        each = "read_parquet($events)"
        note = "row by row, in the order of the file"
    elif places.least <= events.n_users <= places.most:
        each = (
            '(SELECT "user", min(line) AS line FROM read_parquet($events) '
            'WHERE "user" IS NOT NULL GROUP BY "user")'
        )
        note = "user by user, in the order of their first rows"
    else:
        raise FileRefused(
            f"'{raw.name}' has one column, '{label}', and {plural(places.least, 'row')}. To be "
            f"matched by line it must have as many as the log has rows, {events.n_events:,}, or as "
            f"many as it has users, {events.n_users:,}. Else put the user id into a first column."
        )
    log = f'SELECT "user", row_number() OVER (ORDER BY line) AS place FROM {each}'
    rows = (
        f'SELECT "user", label FROM ({log}) JOIN (SELECT {quoted(label)} AS label, {places.sql} AS '
        "place FROM read_parquet($log)) USING (place)"
    )
    known = _labels(db, label, rows, {"log": str(raw.path), "events": str(events.path)})
    return LabelsFile(
        known, (f"The labels in '{raw.name}' hold no ids; they were matched {note}.",)
    )


def _is_told(problems: Iterable[Problem], code: str) -> bool:
    return any(problem.code == code for problem in problems)


def _not_by_line(name: str, why: str) -> FileRefused:
    return FileRefused(
        f"'{name}' cannot be matched by line, as {why}: a label might meet another row. Put the "
        "user id into a first column."
    )


@dataclass(frozen=True)
class _Places:
    """On which place each label stands: SQL of it, from 1, and how many places there are."""

    sql: str
    least: int
    most: int
    """More than the least where blank lines at the end may be missing labels."""


def _places(db: duckdb.DuckDBPyConnection, raw: RawLog) -> _Places:
    """Count blank lines as places too: the gate leaves them out, but they are missing labels."""
    blank = next((problem for problem in raw.problems if problem.code == "blank_rows"), None)
    if blank is None:
        return _Places("row_number() OVER (ORDER BY __line__)", raw.n_rows, raw.n_rows)
    query = (
        "SELECT min(__line__), max(__line__), "
        f"bool_or(contains({quoted(raw.columns[0])}, chr(10))) FROM read_parquet($log)"
    )
    start, last, several_lines = db.execute(query, {"log": str(raw.path)}).fetchall()[0]
    while start - 1 in blank.lines:
        start -= 1
    if several_lines or (start == blank.lines[0] and blank.count > len(blank.lines)):
        raise FileRefused(
            f"'{raw.name}' cannot be matched by line, as {plural(blank.count, 'row')} in it are "
            "blank. Write a word such as 'unknown' there, or put the user id into a first column."
        )
    return _Places(f"__line__ - {start - 1}", last - start + 1, raw.n_rows + blank.count)


def _strangers(
    db: duckdb.DuckDBPyConnection, rows: str, places: dict[str, str], events: Events
) -> tuple[str, ...]:
    """Say how many users only the label file, or only the log, has."""
    query = (
        f'WITH labelled AS (SELECT DISTINCT "user" FROM ({rows}) WHERE label IS NOT NULL), '
        'logged AS (SELECT DISTINCT "user" FROM read_parquet($events)) SELECT '
        '(SELECT count("user") FROM labelled ANTI JOIN logged USING ("user")), '
        '(SELECT count("user") FROM logged ANTI JOIN labelled USING ("user"))'
    )
    unknown, bare = db.execute(query, {**places, "events": str(events.path)}).fetchall()[0]
    texts = (
        (unknown, "of the label file {} not in the log"),
        (bare, "of the log {} without a label"),
    )
    return tuple(
        f"{plural(count, 'user')} {text.format('is' if count == 1 else 'are')}."
        for count, text in texts
        if count
    )


def _labels(
    db: duckdb.DuckDBPyConnection, name: str, rows: str, places: dict[str, str]
) -> KnownLabels:
    """One label per user, from SQL of rows with ``user`` and ``label``."""
    query = (
        'SELECT "user" AS who, min(label) AS label, count(DISTINCT label) AS n_labels '
        f'FROM ({rows}) WHERE "user" IS NOT NULL AND label IS NOT NULL GROUP BY who ORDER BY who'
    )
    found = db.execute(query, places).fetchnumpy()
    users, labels = (np.asarray(found[column], dtype=object) for column in ("who", "label"))
    alone = np.asarray(found["n_labels"]) == 1
    return KnownLabels(
        name=name,
        user_ids=users[alone],
        values=labels[alone],
        conflicting=tuple(users[~alone][:_CONFLICTS_SHOWN]),
        n_conflicting=int((~alone).sum()),
    )
