"""Short runs of actions, also with others in between: order several steps deep, where it is common.

A kind of run is told by the places it reads: (0,) single words, (0, 1) pairs, (0, 1, 2) triples,
(0, 2) pairs with any one word between.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from core.artifacts import FloatArray, IntArray, LongArray, Sequences, State
from core.device import COUNTED_ON
from core.options import Options, option
from core.representations._base import Fitted, Representation, Work
from core.representations.counts import (
    centre_of,
    events_to_fit,
    hellinger,
    most_frequent,
    user_blocks,
    users_to_fit,
)

Kind = tuple[int, ...]
_RUN = "run_"


@dataclass(frozen=True, kw_only=True)
class NgramOptions(Options):
    """Which runs of actions are counted."""

    length: int = option(3, "Longest run", "Most actions in a run", low=1, high=3, unit="actions")
    skips: int = option(
        2,
        "Most skipped",
        "Most actions that may lie between the two of a pair, whatever they are",
        low=0,
        high=4,
        unit="actions",
    )
    words: Literal["action", "action_category"] = option(
        "action",
        "Runs of",
        "Actions alone, or actions by category where that is common",
    )
    max_columns: int = option(
        256,
        "Most columns",
        "The most frequent runs get a column each; rarer ones share one with those of their kind",
        low=8,
        high=2048,
        expert=True,
    )
    max_words: int = option(
        32,
        "Most words",
        "Actions (and actions by category) that are told apart; rarer ones are taken together",
        low=2,
        high=64,
        expert=True,
    )


def fit(sequences: Sequences, options: NgramOptions, work: Work) -> Fitted:
    """One point per user: square roots of the shares of runs, each kind of run by itself.

    Shape (U, columns + one for the rest of every kind). Centred on the users to fit, of whom it
    is also learned which runs are common; a user too short for a kind of run stands at the
    average there. Nothing is random.
    """
    kinds = _kinds(options.length, options.skips)
    fitted = np.zeros(sequences.n_users, dtype=np.bool_)
    fitted[users_to_fit(sequences)] = True
    words = _word_columns(sequences, options)
    runs = _run_columns(_frequencies(kinds, words, sequences, fitted), options.max_columns)
    state: dict[str, npt.NDArray[Any]] = {**words, **runs}
    raw = _count(state, sequences)
    centre = np.zeros(raw.shape[1], dtype=np.float32)
    for kind, columns in _places(state).items():
        centre[columns] = centre_of(raw[:, columns], np.flatnonzero(fitted & _has(kind, sequences)))
    state["centre"] = centre
    return Fitted(values=_centred(raw, state, sequences), state=state, device=COUNTED_ON)


def transform(state: State, sequences: Sequences) -> FloatArray:
    """Place users in the space that was fitted, shape (U, D)."""
    return _centred(_count(state, sequences), state, sequences)


def _kinds(length: int, skips: int) -> list[Kind]:
    runs: list[Kind] = [tuple(range(n)) for n in range(1, length + 1)]
    return runs + [(0, 1 + skipped) for skipped in range(1, skips + 1)]


def _name(kind: Kind) -> str:
    return _RUN + "_".join(map(str, kind))


def _word_columns(sequences: Sequences, options: NgramOptions) -> dict[str, npt.NDArray[Any]]:
    """Word of every action (A + 1, 1), or of every action by category (A + 1, C + 1).

    What is not common by category keeps the word of its action alone.
    """
    vocabulary = sequences.vocabulary
    n_actions, n_categories = len(vocabulary.actions) + 1, len(vocabulary.categories) + 1
    fitted = events_to_fit(sequences)
    alone = most_frequent(sequences.action[fitted], n_actions, options.max_words)
    n_words = int(alone.max()) + 1
    if options.words == "action" or n_words == options.max_words:
        return {"word": alone[:, None]}
    pairs = _coded(sequences.action[fitted], n_actions) * n_categories
    pairs += _coded(sequences.category[fitted], n_categories)
    counts = np.bincount(pairs, minlength=n_actions * n_categories).reshape(n_actions, -1)
    counts[:, 0] = 0  # without a category it is the action alone
    common = np.argsort(-counts, axis=None, kind="stable")[: options.max_words - n_words]
    common = common[counts.flat[common] > 0]
    word = np.repeat(alone[:, None], n_categories, axis=1)
    word.flat[common] = np.arange(n_words, n_words + len(common), dtype=np.int32)
    return {"word": word}


def _coded(codes: IntArray, size: int) -> LongArray:
    """Codes that can be looked up; what was not there at fitting is 0, "unknown"."""
    return np.where(codes < size, codes, 0).astype(np.int64)


def _frequencies(
    kinds: list[Kind], state: State, sequences: Sequences, fitted: npt.NDArray[np.bool_]
) -> dict[Kind, LongArray]:
    """How often every run of a kind happens to the users to fit, (words ** length,) each."""
    n = int(state["word"].max()) + 1
    totals = {kind: np.zeros(n ** len(kind), dtype=np.int64) for kind in kinds}
    for users, rows, words in _worded(state, sequences):
        counted = fitted[users][rows]
        for kind in kinds:
            starts, runs = _runs(kind, rows, words, n)
            totals[kind] += np.bincount(runs[counted[starts]], minlength=n ** len(kind))
    return totals


def _run_columns(totals: dict[Kind, LongArray], cap: int) -> dict[str, IntArray]:
    """Column of every run within its kind: the most frequent of all kinds, the rest is last."""
    sizes = np.concatenate(list(totals.values()))
    common = np.argsort(-sizes, kind="stable")[:cap]
    is_common = np.zeros(len(sizes), dtype=np.bool_)
    is_common[common[sizes[common] > 0]] = True
    found, first = {}, 0
    for kind, counts in totals.items():
        own = is_common[first : first + len(counts)]
        column = np.full(len(counts), np.count_nonzero(own), dtype=np.int32)
        column[own] = np.arange(np.count_nonzero(own), dtype=np.int32)
        found[_name(kind)], first = column, first + len(counts)
    return found


def _places(state: State) -> dict[Kind, slice]:
    """Where the columns of every kind stand."""
    found, first = {}, 0
    for name in sorted(name for name in state if name.startswith(_RUN)):
        last = first + int(state[name].max()) + 1
        kind = tuple(map(int, name.removeprefix(_RUN).split("_")))
        found[kind], first = slice(first, last), last
    return found


def _count(state: State, sequences: Sequences) -> FloatArray:
    places, n = _places(state), int(state["word"].max()) + 1
    n_columns = max(columns.stop for columns in places.values())
    values = np.zeros((sequences.n_users, n_columns), dtype=np.float32)
    widest = max(columns.stop - columns.start for columns in places.values())
    for users, rows, words in _worded(state, sequences, widest):
        for kind, columns in places.items():
            starts, runs = _runs(kind, rows, words, n)
            shape = (users.stop - users.start, columns.stop - columns.start)
            values[users, columns] = hellinger(rows[starts], state[_name(kind)][runs], shape)
    return values


def _centred(raw: FloatArray, state: State, sequences: Sequences) -> FloatArray:
    raw -= state["centre"]
    for kind, columns in _places(state).items():
        raw[~_has(kind, sequences), columns] = 0.0
    return raw


def _has(kind: Kind, sequences: Sequences) -> npt.NDArray[np.bool_]:
    """Who has events enough for such a run, (U,)."""
    return np.asarray(np.diff(sequences.offsets) > kind[-1])


def _worded(
    state: State, sequences: Sequences, width: int = 1
) -> Iterator[tuple[slice, LongArray, LongArray]]:
    """(users, place of the user of every event, word of every event), a block at a time."""
    word = state["word"]
    for users, events, rows in user_blocks(sequences, width):
        actions = _coded(sequences.action[events], len(word))
        by_category = word.shape[1] > 1
        column = _coded(sequences.category[events], word.shape[1]) if by_category else 0
        yield users, rows, word[actions, column].astype(np.int64)


def _runs(kind: Kind, rows: LongArray, words: LongArray, n: int) -> tuple[LongArray, LongArray]:
    """Where runs of a kind begin, within a user, and which run each is (a number base ``n``)."""
    n_starts = max(0, len(rows) - kind[-1])
    starts = np.flatnonzero(rows[kind[-1] :] == rows[:n_starts])
    runs = words[starts]
    for step in kind[1:]:
        runs = runs * n + words[starts + step]
    return starts, runs


NGRAM = Representation(
    name="ngram",
    label="Runs of actions",
    summary="Compares users by short runs of actions, also with others in between.",
    strengths="Sees order up to three steps deep, and every number can be read.",
    weaknesses="Many numbers, each seen rarely: needs longer histories than pairs; sees no time.",
    question="order",
    learned=False,
    Options=NgramOptions,
    fit=fit,
    transform=transform,
)
