"""How users move from action to action: chances, which many events tell well and few only faintly.

Every user is a small Markov chain. Chances that were seen a few times only are drawn toward those
of everyone, so that a user with three events is near the middle and not in a corner of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.artifacts import FloatArray, IntArray, LongArray, Sequences, State
from core.device import COUNTED_ON
from core.options import Options, option
from core.representations._base import Fitted, Representation, Work
from core.representations.counts import (
    centre_of,
    columns_of,
    events_to_fit,
    most_frequent,
    user_blocks,
    users_to_fit,
)

_FLOOR = 0.5
"""Events spread over every row of everyone's chances, so that none is impossible."""

Tables = dict[str, npt.NDArray[np.int64]]
"""Events of every user by row and column, (U, R, C) each."""


@dataclass(frozen=True, kw_only=True)
class MarkovOptions(Options):
    """Which chances are compared, and how far few events are trusted."""

    visits: bool = option(
        True,
        "Use visits",
        "Also compare with which actions visits begin and after which they end",
    )
    after_next: bool = option(
        True,
        "Look two events ahead",
        "Also compare which action comes after the next one: order that skips an event",
    )
    prior: float = option(
        4.0,
        "Caution with few events",
        "Events like everyone's that are added to each user's own after every action; more draws "
        "users with few events nearer to the middle",
        low=0.01,
        high=1000,
        unit="events",
        expert=True,
    )
    max_actions: int = option(
        16,
        "Most actions",
        "Actions that are told apart; rarer ones are taken together",
        low=2,
        high=32,
        expert=True,
    )


def fit(sequences: Sequences, options: MarkovOptions, work: Work) -> Fitted:
    """One point per user: square roots of its chances, centred on the users to fit.

    Shape (U, A²), + A² with ``after_next``, + 3 A with ``visits`` where the log has more than one
    per user. The chances after an action weigh as much as that action happens among everyone, so
    a squared distance is that of Hellinger (times 2) between the chances of two users, averaged
    over what happens, and rare actions do not outweigh common ones. Nothing is random.
    """
    n_codes = len(sequences.vocabulary.actions) + 1
    events = events_to_fit(sequences)
    column = most_frequent(sequences.action[events], n_codes, options.max_actions)
    fitted = np.zeros(sequences.n_users, dtype=np.bool_)
    fitted[users_to_fit(sequences)] = True
    totals = _totals(_names(sequences, options), column, sequences, fitted)
    state: dict[str, npt.NDArray[Any]] = {
        "action_column": column,
        "prior": np.array([options.prior]),
        **_overall(totals),
    }
    raw = _read(state, sequences)
    centre = centre_of(raw, np.flatnonzero(fitted))
    raw -= centre
    return Fitted(values=raw, state=state | {"centre": centre}, device=COUNTED_ON)


def transform(state: State, sequences: Sequences) -> FloatArray:
    """Place users in the space that was fitted, shape (U, D)."""
    values = _read(state, sequences)
    values -= state["centre"]
    return values


def _names(sequences: Sequences, options: MarkovOptions) -> list[str]:
    has_visits = options.visits and bool(np.any(sequences.session))
    wanted = {"after_next": options.after_next, "begin": has_visits, "end": has_visits}
    return [name for name in _COUNT if wanted.get(name, True)]


def _totals(
    names: list[str], column: IntArray, sequences: Sequences, fitted: npt.NDArray[np.bool_]
) -> dict[str, LongArray]:
    """Events of the users to fit together, (R, C) by table."""
    totals: dict[str, LongArray] = {}
    for users, tables in _counted(names, column, sequences):
        for name, counts in tables.items():
            found = counts[fitted[users]].sum(axis=0)
            totals[name] = totals[name] + found if name in totals else found
    return totals


def _overall(totals: dict[str, LongArray]) -> dict[str, FloatArray]:
    """Everyone's chances in every row, and how much each row weighs: its share of all moves."""
    n_moves = max(1, int(totals["next"].sum()))
    found = {}
    for name, counts in totals.items():
        smooth = counts + _FLOOR / counts.shape[1]
        of_row = smooth.sum(axis=1, keepdims=True)
        found[f"{name}_chances"] = (smooth / of_row).astype(np.float32)
        found[f"{name}_weight"] = (of_row / (n_moves + _FLOOR * len(counts))).astype(np.float32)
    return found


def _read(state: State, sequences: Sequences) -> FloatArray:
    names = [name for name in _COUNT if f"{name}_chances" in state]
    widths = [state[f"{name}_chances"].size for name in names]
    ends = np.cumsum(widths)
    values = np.zeros((sequences.n_users, int(ends[-1])), dtype=np.float32)
    for users, tables in _counted(names, state["action_column"], sequences):
        for name, end, width in zip(names, ends, widths, strict=True):
            chances, weight = state[f"{name}_chances"], state[f"{name}_weight"]
            counts = tables[name]
            smoothed = counts + state["prior"][0] * chances
            smoothed /= counts.sum(axis=2, keepdims=True) + state["prior"][0]
            values[users, end - width : end] = np.sqrt(smoothed * weight).reshape(-1, width)
    return values


def _counted(
    names: list[str], column: IntArray, sequences: Sequences
) -> Iterator[tuple[slice, Tables]]:
    """What each user did, by table, a block of users at a time."""
    n_actions = int(column.max()) + 1
    for users, events, rows in user_blocks(sequences, len(names) * n_actions**2):
        whole = sequences.length[users] == np.diff(sequences.offsets[users.start : users.stop + 1])
        block = _Block(
            rows=rows,
            actions=columns_of(sequences.action[events], column),
            visit=np.asarray(sequences.session[events]),
            whole=whole,
            n_actions=n_actions,
        )
        yield users, {name: _COUNT[name](block) for name in names}


@dataclass(frozen=True, kw_only=True)
class _Block:
    """Some users' events."""

    rows: LongArray  # (E,) place of the user in the block
    actions: IntArray  # (E,) column of the action
    visit: IntArray  # (E,)
    whole: npt.NDArray[np.bool_]  # (U,) nothing of the user's history was cut off
    n_actions: int

    def counted(self, rows: LongArray, places: IntArray, shape: tuple[int, int]) -> LongArray:
        """Events of every user by place in a table of this shape, (U, *shape)."""
        size = shape[0] * shape[1]
        counts = np.bincount(rows * size + places, minlength=len(self.whole) * size)
        return counts.reshape(len(self.whole), *shape)

    def borders(self) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Whether two neighbours are of one user, (E - 1,), and whether a visit ends between."""
        same_user = self.rows[1:] == self.rows[:-1]
        return same_user, same_user & (self.visit[1:] != self.visit[:-1])


def _moves(block: _Block, lag: int) -> LongArray:
    n = block.n_actions
    same_user = block.rows[lag:] == block.rows[:-lag]
    moves = block.actions[:-lag] * n + block.actions[lag:]
    return block.counted(block.rows[lag:][same_user], moves[same_user], (n, n))


def _begins(block: _Block) -> LongArray:
    """First actions of visits; the first event kept begins one where nothing was cut before it."""
    begins = np.append(block.whole[block.rows[:1]], block.borders()[1])
    begins[1:] |= (block.rows[1:] != block.rows[:-1]) & block.whole[block.rows[1:]]
    return block.counted(block.rows[begins], block.actions[begins], (1, block.n_actions))


def _ends(block: _Block) -> LongArray:
    """Whether the visit goes on (0) or ends (1) after each action that is followed by another."""
    same_user, border = block.borders()
    places = 2 * block.actions[:-1] + border
    return block.counted(block.rows[1:][same_user], places[same_user], (block.n_actions, 2))


_COUNT: dict[str, Callable[[_Block], LongArray]] = {
    "next": lambda block: _moves(block, 1),
    "after_next": lambda block: _moves(block, 2),
    "begin": _begins,
    "end": _ends,
}
"""How each table is counted: action to the next one, to the one after; border of a visit to its
first action; action to whether the visit ends there."""


MARKOV = Representation(
    name="markov",
    label="Chances of the next action",
    summary="Compares users by what they are likely to do next, and where visits begin and end.",
    strengths="Sees order; few events count for little, and every number can be read as a chance.",
    weaknesses="Sees one step of memory (two where asked), no times, prices and categories.",
    question="order",
    learned=False,
    Options=MarkovOptions,
    fit=fit,
    transform=transform,
)
