"""Events as the encoder reads them: codes, scaled numbers, and classes to predict.

Nothing here identifies a user by itself: clock time only as part of the day, words only where
several users share them, numbers scaled and cut off, so that an encoder cannot learn to recognise
people instead of behaviour.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from core.artifacts import FIT, FloatArray, IntArray, LongArray, Sequences, State
from core.representations.counts import user_blocks
from core.sequences.scaling import METHODS, Scaling, fit_scaling, from_logs, scaled, signed_log

DAYPARTS = 6
"""Parts of the day of four hours each, from midnight UTC; code 0 is "not told"."""
NUMBERS = ("gap", "duration", "price")
PREDICTED = ("action", "category", *NUMBERS)
"""What is predicted of the next event. Numbers as classes: 0 where missing (a gap: where two
events share a second), then tenths; so no atom in the data can give a boundless likelihood."""
ITEM = len(PREDICTED)
"""Place of the item's class behind those of `PREDICTED`: its code among the commonest, or 0."""
NUMERIC_INPUTS = 2 * len(NUMBERS) + 1
_CLASSES_PER_NUMBER = 10
_SAMPLE = 1_000_000
_WORDS = ("action", "category", "platform")
_MOST_CELLS = 1 << 25
"""Cells (users by words) up to which a table is faster than sorting."""
_USERS_PER_FEWEST = 10
"""Of small logs, a word of a tenth of the users is common enough."""
_MOST_RECENT = 4096
"""Codes of several actions together; a log of more shares them."""
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
"""An odd number near 2**64 over the golden ratio: products by it differ in their upper bits."""
_SECONDS_PER_PART = 86_400 // DAYPARTS

MaskArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Scales:
    """What was learned of the log before training: vocabulary sizes, centres, spreads, classes."""

    sizes: LongArray  # (3,) codes of actions, categories, platforms, "unknown" included
    shared_action: MaskArray  # (A + 1,) by code: whether enough users have it to be told
    shared_category: MaskArray
    shared_platform: MaskArray
    shared_item: MaskArray  # (I + 1,), or (1,) where items are not looked at
    shared_query: MaskArray
    items: LongArray  # (1,) the commonest items are told apart, so many; 0 for none
    dayparts: LongArray  # (1,) DAYPARTS, or 0 where the time of day is left out
    recent: LongArray  # (2,) how many actions are read as one, and how many codes there are of them
    scaling: LongArray  # (3,) place in METHODS, of gap, duration, price
    centre: FloatArray  # (3,)
    spread: FloatArray  # (3,) above 0
    gap_edges: FloatArray  # (<= 9,) of the logarithm, between classes
    duration_edges: FloatArray
    price_edges: FloatArray

    @classmethod
    def of(
        cls,
        sequences: Sequences,
        *,
        time_of_day: bool,
        min_users: int = 1,
        max_items: int = 0,
        recent_actions: int = 1,
    ) -> Self:
        """Learn the scales from the users to fit; numbers of more than a million events from some.

        Words of fewer than ``min_users`` users (of a small log, of a tenth of them) are not told.
        """
        words = sequences.vocabulary
        shared = _shared_words(sequences, min_users, bool(max_items))
        events = _events_to_fit(sequences)
        known = {name: _known(name, getattr(sequences, name)[events]) for name in NUMBERS}
        fitted = [fit_scaling(known[name], sequences.scaling[name]) for name in NUMBERS]
        sizes = np.array([len(words.actions), len(words.categories), len(words.platforms)]) + 1
        return cls(
            sizes=sizes,
            shared_action=shared["action"],
            shared_category=shared["category"],
            shared_platform=shared["platform"],
            shared_item=shared["item"],
            shared_query=shared["query"],
            items=np.array([min(max_items, len(words.items))]),
            dayparts=np.array([DAYPARTS if time_of_day else 0]),
            recent=_codes_of_recent(recent_actions, int(sizes[0])),
            scaling=np.array([METHODS.index(one.method) for one in fitted]),
            centre=np.array([one.centre for one in fitted], dtype=np.float32),
            spread=np.array([one.spread for one in fitted], dtype=np.float32),
            gap_edges=_edges(signed_log(known["gap"])),
            duration_edges=_edges(signed_log(known["duration"])),
            price_edges=_edges(signed_log(known["price"])),
        )

    @classmethod
    def from_state(cls, state: State) -> Self:
        return cls(**{f.name: np.asarray(state[f"scales.{f.name}"]) for f in fields(cls)})

    def to_state(self) -> dict[str, npt.NDArray[Any]]:
        return {f"scales.{f.name}": getattr(self, f.name) for f in fields(self)}

    def scaling_of(self, place: int) -> Scaling:
        """How the number at a place of `NUMBERS` is scaled."""
        return Scaling(
            method=METHODS[self.scaling[place]],
            centre=float(self.centre[place]),
            spread=float(self.spread[place]),
        )

    def classes(self) -> dict[str, int]:
        """How many classes each thing to predict has; those with one class need no prediction."""
        edges = {name: getattr(self, f"{name}_edges") for name in NUMBERS}
        words = {"action": int(self.sizes[0]), "category": int(self.sizes[1])}
        return words | {name: len(e) + 2 if len(e) else 1 for name, e in edges.items()}


@dataclass(frozen=True, kw_only=True)
class EventBatch:
    """B stretches of T events, padded at the end by repeats of the last event."""

    action: LongArray  # (B, T)
    category: LongArray  # (B, T)
    platform: LongArray  # (B, T)
    daypart: LongArray  # (B, T)
    item: LongArray  # (B, T) row of the items' vectors; 0 where there are none
    query: LongArray  # (B, T) likewise of the queries'
    common_item: LongArray  # (B, T) code of the item among the commonest, or 0
    recent: LongArray  # (B, T) code of the last actions together, up to this event's; 0: not told
    numeric: FloatArray  # (B, T, NUMERIC_INPUTS)
    classes: LongArray  # (B, T, 6) of `PREDICTED` and the item: what must be guessed before it
    real: MaskArray  # (B, T) False at padding


def gather(
    sequences: Sequences,
    scales: Scales,
    index: LongArray,
    real: MaskArray,
    began: LongArray | None = None,
) -> EventBatch:
    """Read the events at ``index`` (B, T) as the encoder sees them; a row is of one user.

    Actions before ``began`` (B, 1) are not read together with later ones; None for the user's
    first event.
    """
    users_first = _first_events(sequences, index)
    began = users_first if began is None else began
    first = index == users_first
    numbers, known, classes = zip(
        *(_number(sequences, scales, place, index) for place in range(len(NUMBERS))), strict=True
    )
    day = np.asarray(sequences.time[index]) // _SECONDS_PER_PART % DAYPARTS
    action, category, platform = (
        _told(getattr(sequences, name)[index], getattr(scales, f"shared_{name}")) for name in _WORDS
    )
    item = _common_item(sequences, scales, index)
    return EventBatch(
        action=action,
        category=category,
        platform=platform,
        daypart=day + 1 if scales.dayparts[0] else np.zeros_like(day),
        item=_row(sequences.item, sequences.item_vectors, scales.shared_item, index),
        query=_row(sequences.query, sequences.query_vectors, scales.shared_query, index),
        common_item=item,
        recent=_recent(sequences, scales, index, began),
        numeric=np.stack([*numbers, *known, first], axis=-1, dtype=np.float32),
        classes=np.stack([action, category, *classes, item], axis=-1),
        real=real,
    )


def told_word(sequences: Sequences, scales: Scales, name: str, index: LongArray) -> LongArray:
    """Codes of the action, category or platform at ``index`` as the encoder is told them."""
    return _told(getattr(sequences, name)[index], getattr(scales, f"shared_{name}"))


def hide_words(
    batch: EventBatch, scales: Scales, share: float, rng: np.random.Generator
) -> EventBatch:
    """Make a share of the events' words unknown to the encoder, never what it must predict."""
    shown = rng.random(batch.action.shape) >= share
    lately = shown.copy()  # whether all actions that are read as one are
    for back in range(1, int(scales.recent[0])):
        lately[:, back:] &= shown[:, :-back]
    return replace(
        batch,
        action=batch.action * shown,
        category=batch.category * shown,
        platform=batch.platform * shown,
        item=batch.item * shown,
        query=batch.query * shown,
        common_item=batch.common_item * shown,
        recent=batch.recent * lately,
    )


def turn_clock(batch: EventBatch, turned: MaskArray, rng: np.random.Generator) -> EventBatch:
    """Move the stretches in ``turned`` (B,) to another part of the day, each as a whole.

    For slices of one visit: that both are in the evening says that they belong together, not that
    the user is an evening person. Hiding the part of the day there would not do, as the encoder
    would then meet it untrained where users are placed.
    """
    shift = np.where(turned, rng.integers(0, DAYPARTS, len(turned)), 0)[:, None]
    told = batch.daypart > 0
    return replace(batch, daypart=np.where(told, (batch.daypart - 1 + shift) % DAYPARTS + 1, 0))


def _number(
    sequences: Sequences, scales: Scales, place: int, index: LongArray
) -> tuple[FloatArray, MaskArray, LongArray]:
    """A number of `NUMBERS` at ``index``: scaled, whether it is known, and its class."""
    name, scaling = NUMBERS[place], scales.scaling_of(place)
    x = _with_gaps_missing(name, getattr(sequences, name)[index])
    known = np.isfinite(x)
    if not known.any():
        return np.zeros_like(x), known, np.zeros(x.shape, dtype=np.int64)
    logs = signed_log(x)
    size = from_logs(logs, scaling) if scaling.method == "log" else scaled(x, scaling)
    classes = 1 + _class_of(logs, getattr(scales, f"{name}_edges"))
    size[~known] = 0
    return size, known, classes * known


def _first_events(sequences: Sequences, index: LongArray) -> LongArray:
    """Where the user of every row has its first event, shape (B, 1)."""
    user = np.searchsorted(sequences.offsets, index[:, :1], side="right") - 1
    return np.asarray(sequences.offsets[user])


def _codes_of_recent(n_actions: int, n_codes: int) -> LongArray:
    """How many actions are read as one, and into how many codes they fall."""
    return np.array([n_actions, min(_MOST_RECENT, n_codes**n_actions) if n_actions > 1 else 1])


def _recent(sequences: Sequences, scales: Scales, index: LongArray, began: LongArray) -> LongArray:
    """Code of the last actions together, of a log with many actions shared by some (hashing).

    Source: Weinberger et al., 2009, "Feature Hashing for Large Scale Multitask Learning".
    """
    n_actions, n_codes = (int(n) for n in scales.recent)
    if n_actions == 1:
        return np.zeros(index.shape, dtype=np.int64)
    before = index[:, :1] - np.arange(n_actions - 1, 0, -1)
    reached = np.concatenate([before, index], axis=1)  # (B, n_actions - 1 + T)
    own = reached >= began  # nothing of the user before in the log
    told = _told(sequences.action[np.maximum(reached, began)], scales.shared_action) * own
    size = np.uint64(scales.sizes[0])
    code = np.zeros(index.shape, dtype=np.uint64)
    for place in range(n_actions):
        code *= size
        code += told[:, place : place + index.shape[1]].astype(np.uint64)
    if int(size) ** n_actions > n_codes:
        code = (code * _SPREAD >> np.uint64(32)) % np.uint64(n_codes)
    return code.astype(np.int64)


def _coded(codes: npt.NDArray[Any], size: np.int64) -> LongArray:
    """Codes as the encoder can look them up; what it has never seen is 0, "unknown"."""
    return np.where(codes < size, codes, 0).astype(np.int64)


def _told(codes: npt.NDArray[Any], shared: MaskArray) -> LongArray:
    """Codes as the encoder can look them up; those that too few users share are 0, "unknown"."""
    table = np.append(np.arange(len(shared)) * shared, 0)  # the last for all it has never seen
    return table.take(codes, mode="clip")


def _common_item(sequences: Sequences, scales: Scales, index: LongArray) -> LongArray:
    """Code of the item where it is among the commonest, for codes are given by frequency."""
    if not scales.items[0]:
        return np.zeros(index.shape, dtype=np.int64)
    return _told(sequences.item[index], scales.shared_item[: int(scales.items[0]) + 1])


def _shared_words(sequences: Sequences, min_users: int, tells_items: bool) -> dict[str, MaskArray]:
    """For every vocabulary, which codes enough of the users to fit have; "unknown" always is."""
    words = sequences.vocabulary
    sizes = {
        "action": len(words.actions) + 1,
        "category": len(words.categories) + 1,
        "platform": len(words.platforms) + 1,
        "item": max(len(sequences.item_vectors), len(words.items) + 1 if tells_items else 1),
        "query": len(sequences.query_vectors),
    }
    counted = _users_to_fit(sequences)
    fewest = min(min_users, max(1, int(counted.sum()) // _USERS_PER_FEWEST))
    shared = {}
    for name, size in sizes.items():
        n_users = _users_of_codes(sequences, getattr(sequences, name), size, counted)
        shared[name] = (n_users >= fewest) | (np.arange(size) == 0)
    return shared


def _users_of_codes(
    sequences: Sequences, codes: IntArray, size: int, counted: MaskArray
) -> LongArray:
    """How many of the users counted have each code, shape (size,); a block of users at a time."""
    n_users = np.zeros(size, dtype=np.int64)
    if size == 1:
        return n_users
    for users, events, rows in user_blocks(sequences):
        own = _coded(codes[events], np.int64(size))
        mine = counted[users][rows]
        pairs = rows[mine] * size + own[mine]
        n_users += _rows_of_columns(pairs, users.stop - users.start, size)
    return n_users


def _rows_of_columns(cells: LongArray, n_rows: int, n_columns: int) -> LongArray:
    """How many rows have something in each column; cells are row * n_columns + column."""
    if n_rows * n_columns > _MOST_CELLS:
        return np.bincount(np.unique(cells) % n_columns, minlength=n_columns)
    some = np.zeros(n_rows * n_columns, dtype=bool)
    some[cells] = True
    return np.asarray(np.count_nonzero(some.reshape(n_rows, n_columns), axis=0))


def _row(codes: IntArray, vectors: FloatArray, shared: MaskArray, index: LongArray) -> LongArray:
    """Row of the vectors for every event; codes are read only where there is something to find."""
    if not vectors.shape[1]:
        return np.zeros(index.shape, dtype=np.int64)
    return _told(codes[index], shared)


def _events_to_fit(sequences: Sequences) -> LongArray:
    """Events of the users to fit, of all users where none is, at even distances."""
    fitted = _users_to_fit(sequences)
    share = np.diff(sequences.offsets)[fitted].sum() / max(1, sequences.n_events)
    step = max(1, int(sequences.n_events * share / _SAMPLE))
    events = np.arange(0, sequences.n_events, step)
    user = np.searchsorted(sequences.offsets, events, side="right") - 1
    return np.asarray(events[fitted[user]])


def _users_to_fit(sequences: Sequences) -> MaskArray:
    """Which users say what the log is like: those to fit, or everyone where none of them acts."""
    fitted: MaskArray = (sequences.split == FIT) & (np.diff(sequences.offsets) > 0)
    return fitted if fitted.any() else np.ones_like(fitted)


def _with_gaps_missing(name: str, values: npt.NDArray[Any]) -> FloatArray:
    """As float32; NaN where missing and where two events share a second."""
    x = np.asarray(values, dtype=np.float32)
    return np.where(x == 0, np.float32(np.nan), x) if name == "gap" else x


def _known(name: str, values: npt.NDArray[Any]) -> FloatArray:
    x = _with_gaps_missing(name, values)
    return x[np.isfinite(x)]


def _class_of(logs: FloatArray, edges: FloatArray) -> LongArray:
    return np.asarray(np.searchsorted(edges, logs, side="right"))


def _edges(logs: FloatArray) -> FloatArray:
    """Borders between classes of about equal size; fewer where many values are the same."""
    steps = np.linspace(0, 1, _CLASSES_PER_NUMBER + 1)[1:-1]
    found = np.unique(np.quantile(logs, steps)) if len(logs) else np.zeros(0)
    return found.astype(np.float32)
