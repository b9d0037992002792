"""Categories that the log leaves open, filled from the items table; nothing else is touched."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from core.artifacts import EVENT_COLUMNS, Events, Items, Problem, fingerprint
from core.events import engine
from core.events.problems import LINES_SHOWN, counted, plural, shown, spell_lines, warning

VERSION = 1


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
        log = db.read_parquet(str(events.path))
        kept = ", ".join(_filled(column) for column in log.columns)
        db.execute(
            f"COPY (SELECT {kept} FROM read_parquet($path, file_row_number = true) AS e "
            "LEFT JOIN items USING (item) ORDER BY file_row_number) TO $out (FORMAT parquet)",
            {"path": str(events.path), "out": str(out)},
        )
    present = {*events.present, *(["category"] if counts["filled"] else [])}
    return replace(
        events,
        path=out,
        present=tuple(column for column in EVENT_COLUMNS if column in present),
        problems=(*events.problems, *_problems(items, counts)),
        fingerprint=fingerprint(events.fingerprint, "items", VERSION, {"items": items.fingerprint}),
    )


def _filled(column: str) -> str:
    return "coalesce(e.category, told) AS category" if column == "category" else f'e."{column}"'


def _counts(db: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """What the table does for the log: rows, items and first lines, by kind."""
    kinds = {
        "filled": "e.category IS NULL AND told IS NOT NULL",
        "unknown": "i.item IS NULL",
        "differing": "e.category <> told",
    }
    wanted = ", ".join(
        f"count(*) FILTER ({test}) AS {kind}, "
        f"count(DISTINCT e.item) FILTER ({test}) AS {kind}_items, "
        f"min(line, {LINES_SHOWN}) FILTER ({test}) AS {kind}_lines, "
        f"arg_min(e.item, line) FILTER ({test}) AS {kind}_example"
        for kind, test in kinds.items()
    )
    found = db.execute(
        f"SELECT {wanted}, count(DISTINCT e.item) AS items, (SELECT min(item) FROM items) AS known "
        "FROM events AS e LEFT JOIN items AS i ON e.item = i.item WHERE e.item IS NOT NULL"
    )
    names = [column[0] for column in found.description or ()]
    return dict(zip(names, found.fetchall()[0], strict=True))


def _problems(items: Items, counts: dict[str, Any]) -> tuple[Problem, ...]:
    texts = {
        "filled": "{rows} without a category got that of {item} in '{name}'",
        "unknown": "{rows} ({items}, such as '{example}') are of items that '{name}' does not list",
        "differing": "{rows} ({items}, such as '{example}') have another category than '{name}' "
        "gives the item; they keep it",
    }
    if counts["unknown"] and counts["unknown_items"] == counts["items"]:
        texts["unknown"] = (
            "'{name}' lists none of the items of the log, so it is of no use. Are ids written "
            "alike? The log has '{example}', the table '{known}'. It is about {rows}"
        )
    found = []
    for kind, text in texts.items():
        if not counts[kind]:
            continue
        lines = counts[f"{kind}_lines"]
        said = text.format(
            rows=plural(counts[kind], "event"),
            items=plural(counts[f"{kind}_items"], "item"),
            item="its item" if counts[kind] == 1 else "their items",
            example=shown(counts[f"{kind}_example"]),
            known=shown(counts["known"] or ""),
            name=items.name,
        )
        message = f"{said}: {spell_lines(lines, counts[kind])}."
        found.append(warning(f"items_{kind}", message, counted(lines, counts[kind]), "category"))
    return tuple(found)
