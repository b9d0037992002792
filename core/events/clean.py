"""Cleaning: a log in which every row is usable, and an account of every row that was touched.

Rules act in the order of `cleaning_sql.RULES` (further copies of a row go after the rules that
make a row unusable), then come the rules on users; each sees only what the rules before it left.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from core.artifacts import CleanEvents, CleaningLimits, Events, fingerprint
from core.errors import TooLittleData
from core.events.cleaning.clean_options import CleanOptions
from core.events.cleaning.cleaning_report import nothing_left
from core.events.cleaning.cleaning_sql import TEXTS, Cleaning, clean_rows_sql
from core.events.cleaning.judging import judged
from core.events.cleaning.user_rules import KEPT_USERS_SQL

__all__ = ["CleanOptions", "clean"]

VERSION = 4

FEW_WORDS = 50_000
"""Columns with at most about so many different words are sorted as codes, which are a fraction of
the size; every row group of the file holds all of a column's words, so they must not be more."""


def clean(
    events: Events, options: CleanOptions, folder: Path, limits: CleaningLimits | None = None
) -> CleanEvents:
    """The log without unusable rows, as Parquet in ``folder``, and what every rule did to it.

    Rows are ordered by user, time and line, so events of the same second keep their order in the
    file. Bounds are taken over the valid rows, fill values over the rows that the rules leave;
    both without the copies of a row where duplicates are dropped; or both are those of an earlier
    cleaning, where its ``limits`` are given. Nothing is random. The values
    of a label column change nothing but the fingerprint, which names the mapping of the log.

    Raises `TooLittleData` where no event stays.
    """
    path = folder / "clean.parquet"
    with judged(events, options, limits, folder) as log:
        if log.report.events_after == 0:
            raise TooLittleData(nothing_left(log.report))
        log.cleaning.connection.execute(KEPT_USERS_SQL)
        coded = _code_words(log.cleaning)
        log.cleaning.dropping().write(clean_rows_sql(coded), path)
    made_by = options.to_dict() | ({} if limits is None else {"limits": asdict(limits)})
    return CleanEvents(
        path=path,
        present=events.present,
        report=log.report,
        limits=log.limits,
        fingerprint=fingerprint(events.fingerprint, "clean", VERSION, made_by),
    )


def _code_words(cleaning: Cleaning) -> list[str]:
    """Make the types ``<column>_word`` for `clean_rows_sql`, of columns with few words; which."""
    connection = cleaning.connection
    counts = ", ".join(f"approx_count_distinct({column})" for column in TEXTS)
    (found,) = connection.execute(f"SELECT {counts} FROM events").fetchall()
    coded = [column for column, n in zip(TEXTS, found, strict=True) if n <= FEW_WORDS]
    for column in coded:
        fill = cleaning.parameters.get(f"{column}_fill")
        connection.execute(
            f"CREATE TEMP TABLE {column}_words AS SELECT DISTINCT word FROM "
            f"(SELECT {column} AS word FROM events UNION ALL SELECT $1) WHERE word IS NOT NULL",
            [fill],
        )
        connection.execute(
            f"CREATE TYPE {column}_word AS ENUM (SELECT word FROM {column}_words ORDER BY word)"
        )
    return coded
