"""Sequences in the forms that other tools take: counts of words, regular time series, events.

What is written to a file is a long table, a block of users at a time, so memory grows neither
with users nor with words. Ids and words stay exactly as they came: such files are for programs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from core.artifacts import DoubleArray, IntArray, LongArray, Sequences, TextArray
from core.errors import OptionRefused
from core.options import Options, option
from core.sequences.building import some_at_a_time, take
from core.sequences.words import CODED
from core.store import replacing_file

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_SECONDS = {"hour": 3600, "day": 86_400, "week": 7 * 86_400}
_MONDAY = 4 * 86_400
"""1 January 1970 was a Thursday; weeks begin on the Monday after it."""
_FORMATS = (".parquet", ".csv")


@dataclass(frozen=True, kw_only=True)
class FormOptions(Options):
    """What is counted, and how finely."""

    form: Literal["bag", "series", "events"] = option(
        "bag",
        "Form",
        "Words counted per user (bag), events and money per user and time (series), or every event",
    )
    words: Literal["action", "category", "item", "action_category"] = option(
        "action_category",
        "Words of the bag",
        "What is counted: actions, categories, items, or actions by category",
    )
    unit: Literal["hour", "day", "week"] = option(
        "day", "Steps of the series", "How long a step is; all begin in UTC, weeks on Monday"
    )


@dataclass(frozen=True, kw_only=True)
class Bag:
    """How often each user met each word."""

    user_ids: TextArray  # (U,)
    words: tuple[str, ...]
    """The columns; "" stands for an event without a word, or with one that is not told apart."""
    counts: csr_array  # (U, W)


@dataclass(frozen=True, kw_only=True)
class TimeSeries:
    """Events and money per user, step and action: the N cells of (U, T, A) that are not empty."""

    user_ids: TextArray  # (U,)
    starts: LongArray  # (T,) seconds since 1970-01-01 UTC, evenly apart, none left out
    actions: tuple[str, ...]  # (A,) "" first, for unknown
    user: LongArray  # (N,) rising; place in user_ids
    step: LongArray  # (N,) place in starts, rising within a user
    action: LongArray  # (N,) place in actions
    events: LongArray  # (N,) at least 1
    money: DoubleArray  # (N,) sum of the known prices, currency units


def bag_of_words(sequences: Sequences, words: str) -> Bag:
    """Count the words of every user; see `FormOptions` for what ``words`` may be."""
    from scipy.sparse import coo_array

    codes, names = _words(sequences, words)
    user = sequences.user_of_event()
    ones = np.ones(len(codes), dtype=np.int32)
    shape = (sequences.n_users, len(names))
    return Bag(
        user_ids=sequences.user_ids,
        words=names,
        counts=coo_array((ones, (user, codes)), shape=shape).tocsr(),
    )


def time_series(sequences: Sequences, unit: str) -> TimeSeries:
    """Events and money of every user per "hour", "day" or "week", and action."""
    size = _SECONDS[unit]
    shift = _MONDAY if unit == "week" else 0
    step = (np.asarray(sequences.time) - shift) // size
    first, last = (int(step.min()), int(step.max())) if len(step) else (0, -1)
    n_steps, n_actions = last - first + 1, len(sequences.vocabulary.actions) + 1
    cell = (sequences.user_of_event() * n_steps + step - first) * n_actions + sequences.action
    filled, place = np.unique(cell, return_inverse=True)
    spent = np.nan_to_num(np.asarray(sequences.price, dtype=np.float64))
    return TimeSeries(
        user_ids=sequences.user_ids,
        starts=np.arange(first, last + 1) * size + shift,
        actions=("", *sequences.vocabulary.actions),
        user=filled // (n_actions * max(1, n_steps)),
        step=filled // n_actions % max(1, n_steps),
        action=filled % n_actions,
        events=np.bincount(place, minlength=len(filled)),
        money=np.bincount(place, spent, minlength=len(filled)).astype(np.float64),
    )


def write_form(sequences: Sequences, options: FormOptions, path: Path) -> None:
    """Write a form as a long table, .parquet or .csv, a block of users at a time.

    ``bag``: user_id, word, count. ``series``: user_id, start, action, events, money; steps
    without events are left out. ``events``: everything that is known of the events kept. A word
    that is missing or not told apart is an empty cell. Refuses other endings of the file's name.
    """
    table = _TABLES[options.form]
    blocks = some_at_a_time(sequences.offsets) if sequences.n_users else iter([slice(0, 0)])
    with replacing_file(path) as scratch, _writer(scratch, path.suffix) as write:
        for users in blocks:
            write(table(take(sequences, np.arange(users.start, users.stop)), options))


def _words(sequences: Sequences, words: str) -> tuple[IntArray, tuple[str, ...]]:
    """A code per event, and the names of the codes."""
    known = sequences.vocabulary
    if words != "action_category":
        return getattr(sequences, words), ("", *getattr(known, CODED[words]))
    n_categories = len(known.categories) + 1
    names = tuple(
        " · ".join(part for part in (action, category) if part)
        for action in ("", *known.actions)
        for category in ("", *known.categories)
    )
    return sequences.action * np.int32(n_categories) + sequences.category, names


def _bag_table(sequences: Sequences, options: FormOptions) -> pa.Table:
    bag = bag_of_words(sequences, options.words)
    filled = bag.counts.tocoo()
    return pa.table(
        {
            "user_id": _user_at(bag.user_ids, filled.row),
            "word": _word_at(bag.words, filled.col),
            "count": pa.array(filled.data, pa.int64()),
        }
    )


def _series_table(sequences: Sequences, options: FormOptions) -> pa.Table:
    series = time_series(sequences, options.unit)
    return pa.table(
        {
            "user_id": _user_at(series.user_ids, series.user),
            "start": pa.array(series.starts[series.step], pa.timestamp("s")),
            "action": _word_at(series.actions, series.action),
            "events": pa.array(series.events, pa.int64()),
            "money": pa.array(series.money, pa.float64()),
        }
    )


def _events_table(sequences: Sequences, options: FormOptions) -> pa.Table:
    known = sequences.vocabulary
    words = {
        name: _word_at(("", *getattr(known, CODED[name])), getattr(sequences, name))
        for name in CODED
    }
    numbers = {
        name: pa.array(getattr(sequences, name), pa.float32(), from_pandas=True)
        for name in ("gap", "duration", "price")
    }
    return pa.table(
        {
            "user_id": _user_at(sequences.user_ids, sequences.user_of_event()),
            "visit": pa.array(sequences.session, pa.int32()),
            "time": pa.array(sequences.time, pa.timestamp("s")),
            **words,
            **numbers,
        }
    )


_TABLES: dict[str, Callable[[Sequences, FormOptions], pa.Table]] = {
    "bag": _bag_table,
    "series": _series_table,
    "events": _events_table,
}


def _word_at(words: tuple[str, ...], places: npt.NDArray[Any]) -> pa.Array:
    """The word at each place; null for the first, which is "": nothing known."""
    return pa.array([None, *words[1:]], pa.string()).take(pa.array(places))


def _user_at(user_ids: TextArray, places: LongArray) -> pa.Array:
    return pa.array(user_ids, pa.string()).take(pa.array(places))


@contextmanager
def _writer(path: Path, ending: str) -> Iterator[Callable[[pa.Table], None]]:
    """Yield what appends a table to a file; the first table says what the columns are."""
    if ending not in _FORMATS:
        raise OptionRefused(
            f"A form is written to a file that ends in {' or '.join(_FORMATS)}, not in "
            f"'{ending}'. Name the file accordingly."
        )
    opened: list[Any] = []

    def write(table: pa.Table) -> None:
        if not opened:
            kind = pq.ParquetWriter if ending == ".parquet" else pa_csv.CSVWriter
            opened.append(kind(str(path), table.schema))
        opened[0].write_table(table)

    try:
        yield write
    finally:
        for writer in opened:
            writer.close()
