"""Categories that the log leaves open, filled from the items table; nothing else is touched."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from core.artifacts import EVENT_COLUMNS, Events, Items, Problem, fingerprint
from core.events import engine
from core.events.problems import counted, plural, shown, warning

VERSION = 1
_EXAMPLES = 3
"""Items named where many are meant."""


def with_items(events: Events, items: Items, folder: Path) -> Events:
    """Fill missing categories of events from the items table; every other cell stays as it is.

    ``folder`` gets ``filled.parquet``, in the order of the log. Problems are added that count
    the events filled, the items of the log that the table does not know, and the items that have
    another category in the log than in the table (the log's is kept).
    """
    out = folder / "filled.parquet"
    with engine.connect(folder) as db:
        engine.open_events(db, events.path)
        db.read_parquet(str(items.path)).select("item, category AS told").create_view("items")
        counts = _counts(db)
        example = db.execute("SELECT min(item) FROM items").fetchall()[0][0]
        log = db.read_parquet(str(events.path))
        kept = ", ".join(_filled(column) for column in log.columns)
        db.execute(
            f"COPY (SELECT {kept} FROM read_parquet($path, file_row_number = true) AS e "
            "LEFT JOIN items USING (item) ORDER BY file_row_number) TO $out (FORMAT parquet)",
            {"path": str(events.path), "out": str(out)},
        )
    present = {*events.present, *(["category"] if counts["filled"].events else [])}
    return replace(
        events,
        path=out,
        present=tuple(column for column in EVENT_COLUMNS if column in present),
        problems=(*events.problems, *_problems(items, example, counts)),
        fingerprint=fingerprint(events.fingerprint, "items", VERSION, {"items": items.fingerprint}),
    )


def _filled(column: str) -> str:
    return "coalesce(e.category, told) AS category" if column == "category" else f'e."{column}"'


@dataclass(frozen=True)
class _Met:
    """Events of one kind, and the items they are of."""

    events: int
    items: int
    examples: tuple[str, ...]


def _counts(db: duckdb.DuckDBPyConnection) -> dict[str, _Met]:
    """What the table does for the log, by kind; "named" are all events that name an item."""
    kinds = {
        "named": "true",
        "filled": "e.category IS NULL AND told IS NOT NULL",
        "unknown": "i.item IS NULL",
        "differing": "e.category <> told",
    }
    by_item = ", ".join(f"count(*) FILTER ({test}) AS {kind}" for kind, test in kinds.items())
    # by item first, since an item is met in many events
    wanted = ", ".join(
        f"CAST(sum({kind}) AS BIGINT), count(*) FILTER ({kind} > 0), "
        f"min(item, {_EXAMPLES}) FILTER ({kind} > 0)"
        for kind in kinds
    )
    found = db.execute(
        f"WITH met AS (SELECT e.item AS item, {by_item} FROM events AS e LEFT JOIN items AS i "
        f"ON e.item = i.item WHERE e.item IS NOT NULL GROUP BY e.item) SELECT {wanted} FROM met"
    ).fetchall()[0]
    return {
        kind: _Met(found[at] or 0, found[at + 1], tuple(found[at + 2] or ()))
        for kind, at in zip(kinds, range(0, len(found), 3), strict=True)
    }


def _problems(items: Items, known: str, counts: dict[str, _Met]) -> tuple[Problem, ...]:
    """Say in a problem for each kind how many events and items there are; nothing for none."""
    texts = {
        "filled": "The category of {events} without one comes from '{name}' ({items}, such as "
        "{examples}).",
        "unknown": "'{name}' does not list the item of {events} ({items}, such as {examples}).",
        "differing": "'{name}' gives the item of {events} another category than the log does "
        "({items}, such as {examples}); the log's stays.",
    }
    if counts["unknown"].items == counts["named"].items:
        texts["unknown"] = (
            "'{name}' lists none of the items of the log, so it is of no use. Are ids written "
            "alike? The log has {examples}, the table '{known}'."
        )
    found = []
    for kind, text in texts.items():
        met = counts[kind]
        message = text.format(
            events=plural(met.events, "event"),
            items=plural(met.items, "item"),
            examples=", ".join(f"'{shown(item)}'" for item in met.examples),
            known=shown(known),
            name=items.name,
        )
        if met.events:
            found.append(warning(f"items_{kind}", message, counted(None, met.events), "category"))
    return tuple(found)
