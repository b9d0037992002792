"""What users look at, where things that are met together count as alike: learned, without a GPU.

A word is what an event is: its action and category, and its item where that is frequent. Words
that are met near one another get vectors near one another, so two users need not have met the same
items to be alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from core.artifacts import DoubleArray, FloatArray, IntArray, LongArray, Sequences, State
from core.device import COUNTED_ON
from core.options import Options, option
from core.representations._base import Fitted, Representation, Work
from core.representations.counts import centre_of, columns_of, user_blocks, users_to_fit
from core.representations.sparse import counted_words, principal_axes

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_USERS = 100_000
_CONTEXT = 0.75
"""Power that evens out how frequent contexts are, as in word2vec; else rare pairs win."""
_EVENTS = 1_000_000
"""Events of which vectors are learned: whole users, at even distances."""


@dataclass(frozen=True, kw_only=True)
class Event2VecOptions(Options):
    """How vectors of events are learned."""

    width: int = option(32, "Width", "Numbers that describe what a user looks at", low=2, high=256)
    window: int = option(
        5,
        "Window",
        "Events of a user that are at most so far apart are met together",
        low=1,
        high=20,
        unit="events",
    )
    max_items: int = option(
        5_000,
        "Most items",
        "The most frequent items have vectors of their own, others those of their action and "
        "category only",
        low=0,
        high=100_000,
        expert=True,
    )
    negatives: float = option(
        1.0,
        "Negative samples",
        "Pairs must be met so many times more often than by chance to count at all",
        low=1,
        high=20,
        expert=True,
    )
    smoothing: float = option(
        0.1,
        "Weight of frequent words",
        "A word that makes up this share of all events counts half; smaller values take more from "
        "frequent words",
        low=1e-6,
        high=1,
        expert=True,
    )
    common: bool = option(
        True,
        "Take out what is common",
        "Leave out the direction that all users share most",
        expert=True,
    )


def fit(sequences: Sequences, options: Event2VecOptions, work: Work) -> Fitted:
    """One point per user: the weighted mean of the vectors of its events, shape (U, width).

    Vectors are those of skip-gram with negative sampling, by factorising the shifted positive
    pointwise mutual information of words (Levy and Goldberg, 2014); frequent words weigh less and
    the common direction is taken out (Arora et al., 2017). Learned of the users to fit, of up to
    a million events; the seed draws where the factorisation begins. A user without events stands
    at the centre.
    """
    state: dict[str, npt.NDArray[Any]] = {
        "n_actions": np.array([len(sequences.vocabulary.actions) + 1]),
        "n_categories": np.array([len(sequences.vocabulary.categories) + 1]),
    }
    users = _some_users(sequences)
    state["pairs"] = _pairs_met(state, sequences, _events_of(sequences, users))
    state["item_word"] = _item_words(sequences, users, options.max_items, state)
    together, counts = _met_together(state, sequences, users, options.window)
    vectors = _vectors(together, options, work.seed)
    share = counts / max(1, counts.sum())
    weight = options.smoothing / (options.smoothing + share)
    weight /= (share * weight).sum() or 1.0  # an event weighs 1 on average
    state["vectors"] = (vectors * weight[:, None]).astype(np.float32)
    raw = _means(state, sequences)
    fitted = users_to_fit(sequences)
    if options.common and len(fitted):
        shared = _first_axis(raw[users_to_fit(sequences, _USERS)])
        state["vectors"] -= np.outer(state["vectors"] @ shared, shared)
        raw = _means(state, sequences)
    state["centre"] = centre_of(raw, fitted)
    return Fitted(values=_centred(raw, state, sequences), state=state, device=COUNTED_ON)


def transform(state: State, sequences: Sequences) -> FloatArray:
    """Place users in the space that was fitted, shape (U, D)."""
    return _centred(_means(state, sequences), state, sequences)


def _centred(raw: FloatArray, state: State, sequences: Sequences) -> FloatArray:
    raw -= state["centre"]
    raw[np.diff(sequences.offsets) == 0] = 0.0
    return raw


def _some_users(sequences: Sequences) -> LongArray:
    """Users of whom vectors are learned, rising."""
    users = users_to_fit(sequences)
    n_events = int(np.diff(sequences.offsets)[users].sum())
    return users[:: -(-n_events // _EVENTS) or 1]


def _item_words(sequences: Sequences, users: LongArray, most: int, state: State) -> IntArray:
    """Word of every item, (I + 1,); -1 for those that are not frequent, and for "unknown"."""
    n_items = len(sequences.vocabulary.items) + 1
    items = sequences.item[_events_of(sequences, users)]
    counts = np.bincount(items[items < n_items], minlength=n_items)
    counts[0] = 0
    common = np.argsort(-counts, kind="stable")[:most]
    common = np.sort(common[counts[common] > 1])
    word = np.full(n_items, -1, dtype=np.int32)
    first = len(state["pairs"])
    word[common] = first + np.arange(len(common), dtype=np.int32)
    return word


def _events_of(sequences: Sequences, users: LongArray) -> LongArray:
    """Places of the events of some users, in order."""
    size = np.diff(sequences.offsets)[users]
    before = np.cumsum(size) - size
    places = np.repeat(sequences.offsets[users] - before, size)
    return np.asarray(places + np.arange(len(places)))


def _pairs_met(state: State, sequences: Sequences, events: LongArray) -> LongArray:
    """Actions by category that were met, rising, after a -1 that stands for all others.

    There may be far more than are ever met, and a vector each would fill the memory.
    """
    return np.append(np.int64(-1), np.unique(_pairs(state, sequences, events)))


def _pairs(state: State, sequences: Sequences, events: slice | LongArray) -> LongArray:
    """Action and category of every event as one number."""
    n_actions, n_categories = int(state["n_actions"][0]), int(state["n_categories"][0])
    action, category = sequences.action[events], sequences.category[events]
    action = np.where(action < n_actions, action, 0).astype(np.int64)
    category = np.where(category < n_categories, category, 0).astype(np.int64)
    return np.asarray(action * n_categories + category)


def _words(
    state: State, sequences: Sequences, events: slice | LongArray
) -> tuple[LongArray, IntArray]:
    """Of every event, the word of its action and category, and that of its item or -1.

    Word 0 is an action by a category that was not met with it: it says nothing.
    """
    pairs, met = _pairs(state, sequences, events), state["pairs"]
    word = np.searchsorted(met, pairs)
    word *= met.take(word, mode="clip") == pairs
    return word, columns_of(sequences.item[events], state["item_word"])


def _n_words(state: State) -> int:
    return max(len(state["pairs"]), int(state["item_word"].max()) + 1)


def _incidence(
    rows: LongArray, words: tuple[LongArray, IntArray], shape: tuple[int, int]
) -> csr_array:
    """How often each row has each word."""
    plain, item = words
    known = item >= 0
    both = np.concatenate([rows, rows[known]]), np.concatenate([plain, item[known]])
    return counted_words(*both, shape)


def _met_together(
    state: State, sequences: Sequences, users: LongArray, window: int
) -> tuple[csr_array, DoubleArray]:
    """How often two words are met within the window, (W, W), and each word at all, (W,)."""
    events = _events_of(sequences, users)
    user = np.repeat(np.arange(len(users)), np.diff(sequences.offsets)[users])
    words = _words(state, sequences, events)
    met = _incidence(np.arange(len(events)), words, (len(events), _n_words(state)))
    together = met.T @ met
    together.setdiag(0)  # a word and itself at the same event say nothing
    for apart in range(1, window + 1):
        near = np.flatnonzero(user[apart:] == user[: len(user) - apart])
        follows = met[near].T @ met[near + apart]
        together = together + follows + follows.T
    return together.tocsr(), np.asarray(met.sum(axis=0), dtype=np.float64)


def _vectors(together: csr_array, options: Event2VecOptions, seed: int) -> FloatArray:
    """A vector for every word, (W, width): the pairs' surprise, factorised.

    As a word plus as a context (Levy et al., 2015), or words that are met only with each other
    and never with themselves would be at right angles.
    """
    pairs = together.tocoo()
    of_word = np.asarray(together.sum(axis=1), dtype=np.float64)
    context = of_word**_CONTEXT
    share = np.where(context > 0, context / max(context.sum(), 1e-12), 1.0)
    row, column = pairs.coords
    with np.errstate(divide="ignore"):
        surprise = np.log(pairs.data / (of_word[row] * share[column]) / options.negatives)
    pairs.data = np.maximum(surprise, 0).astype(np.float32)
    matrix = pairs.tocsr()
    matrix.eliminate_zeros()
    axes, sizes = principal_axes(matrix, options.width, seed)
    roots = np.sqrt(np.where(sizes > 0, sizes, 1.0))
    return np.asarray(matrix @ axes / roots + axes * roots, dtype=np.float32)


def _means(state: State, sequences: Sequences) -> FloatArray:
    vectors = state["vectors"]
    values = np.zeros((sequences.n_users, vectors.shape[1]), dtype=np.float32)
    for users, events, rows in user_blocks(sequences, vectors.shape[1]):
        n_users = users.stop - users.start
        words = _words(state, sequences, events)
        counts = _incidence(rows, words, (n_users, len(vectors)))
        values[users] = counts @ vectors / np.maximum(counts.sum(axis=1), 1)[:, None]
    return values


def _first_axis(values: FloatArray) -> FloatArray:
    """The direction in which users are longest, (D,), of length 1."""
    points = values.astype(np.float64)
    _, axes = np.linalg.eigh(points.T @ points)
    return np.asarray(axes[:, -1], dtype=np.float32)


EVENT2VEC = Representation(
    name="event2vec",
    label="Learned events",
    summary="Compares users by what they meet, where things that are met together count as alike.",
    strengths="Sees that two users like the same kind of thing though they met different items.",
    weaknesses="Blind to order beyond what is near, and to time; its numbers cannot be read.",
    question="content",
    learned=False,
    most_events=_EVENTS,
    Options=Event2VecOptions,
    fit=fit,
    transform=transform,
)
