"""Item codes that look like no goods: postage, fees, manual entries.

Shops write such lines into the same column as their goods, as POST, M or BANK CHARGES. They are
offered to the analyst and never dropped unasked: words can be goods too.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.artifacts import Events, fingerprint
from core.events import engine

VERSION = 1

NEARLY_ALL = 0.95
"""Share of rows whose item holds a digit from which items are codes, and words stand out."""

MOST = 50
"""So many codes are offered, the most frequent ones."""


@dataclass(frozen=True, kw_only=True)
class OddItem:
    """An item code without a digit among codes that have one."""

    item: str
    rows: int
    users: int


@dataclass(frozen=True, kw_only=True)
class OddItems:
    """Such codes of a log, kept where looking for them takes a while."""

    items: tuple[OddItem, ...]


def looked_for_as(events: Events) -> str:
    """Fingerprint of the codes of a log that look like no goods."""
    return fingerprint(events.fingerprint, "odd_items", VERSION, {})


def suggest_non_goods(events: Events) -> tuple[OddItem, ...]:
    """Codes that hold no digit where nearly all others do, the most frequent first, ties by code.

    Empty where items are names rather than codes.
    """
    with engine.connect() as connection:
        engine.open_events(connection, events.path)
        connection.execute(
            "CREATE TEMP TABLE items AS SELECT item, regexp_matches(item, '[0-9]') AS coded, "
            'count(*) AS n, count(DISTINCT "user") AS users '
            "FROM events WHERE item IS NOT NULL GROUP BY item"
        )
        found = connection.execute(
            "SELECT item, n, users FROM items WHERE NOT coded AND (SELECT sum(n) FILTER (coded) "
            f">= {NEARLY_ALL} * sum(n) FROM items) ORDER BY n DESC, item LIMIT {MOST}"
        ).fetchall()
    return tuple(OddItem(item=item, rows=rows, users=users) for item, rows, users in found)
