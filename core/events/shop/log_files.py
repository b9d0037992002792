"""The invented shop's files as CSV, with the dirt that real logs have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

from core.artifacts import LongArray, TextArray
from core.events.shop.behaviour import DISCOUNTS, Behaviour
from core.events.shop.goods import Goods
from core.events.shop.personas import ACTIONS, PLATFORMS, category_names

OPENS = np.datetime64("2025-03-03T00:00:00")
"""A Monday; the window of the log begins here."""
DUPLICATE_SHARE = 0.01
BLANK_CATEGORY_SHARE = 0.01
BLANK_DURATION_SHARE = 0.02
BLANK_USERS = 7
NEGATIVE_PRICES = 3
ABSURD_PRICES = 2
UNREADABLE_TIMES = ("2025-13-45 99:99:99", "yesterday")

Columns = dict[str, TextArray]
"""Text per cell; an empty text is a blank."""


def shopper_ids(n: int, rng: np.random.Generator) -> TextArray:
    """Ids from U00001 on in random order, so that an id says nothing of the persona."""
    width = max(5, len(str(n)))
    return np.array([f"U{number:0{width}d}" for number in rng.permutation(n) + 1], dtype=object)


def log_columns(events: Behaviour, goods: Goods, user_ids: TextArray) -> Columns:
    """The clean log, sorted by time."""
    events = events.take(np.argsort(events.second, kind="stable"))
    known = events.item >= 0
    cents = goods.cents[events.item] * (100 - DISCOUNTS[events.discount]) // 100
    times = np.datetime_as_string(OPENS + events.second.astype("timedelta64[s]"))
    return {
        "user_id": user_ids[events.user],
        "timestamp": np.char.replace(times, "T", " ").astype(object),
        "action": _words(ACTIONS)[events.action],
        "item": np.where(known, goods.code[events.item], ""),
        "category": _words(category_names())[events.category],
        "duration": np.where(events.dwell > 0, events.dwell.astype(str), "").astype(object),
        "price": np.where(known, _money(cents), "").astype(object),
        "platform": _words(PLATFORMS)[events.platform],
    }


def soil(columns: Columns, rng: np.random.Generator) -> Columns:
    """The same log with blanks, impossible values and repeated rows, each in rows of its own."""
    n = len(columns["user_id"])
    dirty = {name: values.copy() for name, values in columns.items()}
    rows = rng.permutation(n)

    def spoil(column: str, cells: str | tuple[str, ...], count: int) -> None:
        nonlocal rows
        filled = dirty[column][rows] != ""
        hit = rows[filled][:count]
        dirty[column][hit] = cells
        rows = rows[~np.isin(rows, hit)]

    spoil("user_id", "", BLANK_USERS)
    spoil("timestamp", UNREADABLE_TIMES, len(UNREADABLE_TIMES))
    spoil("price", "-19.90", NEGATIVE_PRICES)
    spoil("price", "9999999.00", ABSURD_PRICES)
    spoil("category", "", round(n * BLANK_CATEGORY_SHARE))
    spoil("duration", "", round(n * BLANK_DURATION_SHARE))
    repeated = np.sort(np.concatenate([np.arange(n), rows[: round(n * DUPLICATE_SHARE)]]))
    return {name: values[repeated] for name, values in dirty.items()}


def item_columns(goods: Goods) -> Columns:
    """The items table, by code."""
    order = np.argsort(goods.code)
    columns = {
        "item": goods.code,
        "title": goods.title,
        "category": _words(category_names())[goods.category],
        "price": _money(goods.cents),
        "brand": goods.brand,
    }
    return {name: values[order] for name, values in columns.items()}


def label_columns(user_ids: TextArray, personas: TextArray) -> Columns:
    """The truth: who follows which persona, by user id."""
    order = np.argsort(user_ids)
    return {"user_id": user_ids[order], "persona": personas[order]}


def write_csv(columns: Columns, path: Path) -> None:
    """Write comma-separated UTF-8 with one header line; no cell needs quotes."""
    table = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    with path.open("wb") as file:
        file.write((",".join(columns) + "\n").encode())
        options = pa.csv.WriteOptions(include_header=False, quoting_style="none")
        pa.csv.write_csv(table, file, options)


def _words(words: tuple[str, ...]) -> TextArray:
    return np.array(words, dtype=object)


def _money(cents: LongArray) -> TextArray:
    return np.char.mod("%.2f", cents / 100).astype(object)
