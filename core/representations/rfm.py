"""What users are worth: recency, frequency and monetary value, baskets and prices.

===============  ==================================================================================
recency          logarithm of 1 + days from the last purchase to the end of the log; of a user
                 without one, from the first event (so long nothing was bought)
frequency        logarithm of 1 + purchases
money            logarithm of 1 + all that was paid
tenure           logarithm of 1 + days from the first event to the end of the log
basket           logarithm of 1 + what is paid in a visit with a purchase, on average
price_log        mean logarithm of 1 + price, over all events with a price
price_spread     standard deviation of these logarithms
band_0 .. 4      square root of the share of events with a price in each fifth of all prices
===============  ==================================================================================

Purchases are told by the words of actions; where no action means one, every event with a price
counts as one, and where there are no prices either, every event. What the log cannot tell is left
out and said. RFM: Hughes, 1994, "Strategic Database Marketing".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.action_roles import has_role, is_role
from core.artifacts import (
    DoubleArray,
    FloatArray,
    IntArray,
    LongArray,
    Metric,
    Sequences,
    State,
)
from core.device import COUNTED_ON
from core.errors import TooLittleData
from core.options import Options, option
from core.representations._base import Fitted, Representation, Work
from core.representations.columns import (
    mean_per_user,
    smoothed_roots,
    spread_per_user,
    stack,
)
from core.representations.counts import columns_of, user_blocks, users_to_fit
from core.representations.lasting import fit_weighed, place_weighed

_DAY = 86_400
_STANDING = ("recency", "frequency", "tenure", "money")
_STYLE = ("basket", "price_log", "price_spread")
_STANDING_WEIGHT = 0.3
"""Weight of what grows with a history: by its kind it cannot be seen to last."""
_BANDS = 5
_SAMPLE = 1_000_000
_PURCHASES, _PRICED, _EVENTS = range(3)
"""What counts as a purchase: an action that means one, an event with a price, any event."""

MaskArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class RFMOptions(Options):
    """What of value is compared."""

    standing: bool = option(
        True,
        "Use recency, frequency and tenure",
        "Also compare how long ago, how often and since when; else only baskets and prices, which "
        "do not grow with a user's history",
    )
    bands: bool = option(
        True,
        "Use price bands",
        "Also compare how a user's events are spread over cheap and dear (five bands)",
    )
    lasting: bool = option(
        True,
        "Weigh by what lasts",
        "Let baskets and prices count as far as the earlier half of a user's history agrees with "
        "the later; else all numbers count the same",
        expert=True,
    )
    prior: float = option(
        4.0,
        "Caution with few events",
        "Events like everyone's that are added to each user's own in the price bands",
        low=0.01,
        high=1000,
        unit="events",
        expert=True,
    )


def fit(sequences: Sequences, options: RFMOptions, work: Work) -> Fitted:
    """One point per user: the numbers above, brought to a common size by the users to fit.

    Shape (U, 7 + 5), fewer by option and where the log has no prices, which is said. Each is less
    its median, over its quartile range, times how far it lasts. What a user does not have counts
    as the median. Nothing is random. Raises TooLittleData where nothing is left to compare.
    """
    users = users_to_fit(sequences)
    has_price = bool(np.any(sequences.price > 0))
    if not (options.standing or has_price):
        raise TooLittleData(
            "No event has a price above 0 and recency, frequency and tenure are not wanted, so "
            "there is nothing of value to compare. Map a price column, or set 'standing' to true."
        )
    state: dict[str, npt.NDArray[Any]] = {
        "last": np.array([sequences.time.max() if sequences.n_events else 0]),
        "standing": np.array([options.standing]),
        "has_price": np.array([has_price]),
        "prior": np.array([options.prior]),
        **_purchases(sequences, has_price),
    }
    if options.bands and has_price:
        state["edges"] = _edges(sequences, users)
        counts = _banded(state["edges"], sequences)[users].sum(axis=0) + 1.0 / _BANDS
        state["band_shares"] = counts / counts.sum()
    state |= fit_weighed(_measured, state, sequences, by_what_lasts=options.lasting)
    if options.standing:
        state["weight"][: len(_STANDING) if has_price else 3] = _STANDING_WEIGHT
    return Fitted(
        values=transform(state, sequences),
        state=state,
        device=COUNTED_ON,
        findings=_findings(state, options),
    )


def transform(state: State, sequences: Sequences) -> FloatArray:
    """Place users in the space that was fitted, shape (U, D)."""
    return place_weighed(_measured, state, sequences)


def _purchases(sequences: Sequences, has_price: bool) -> dict[str, npt.NDArray[Any]]:
    """What counts as a purchase here, and by which codes of actions it is told, (A + 1,)."""
    words = sequences.vocabulary.actions
    codes = np.arange(len(words) + 1)
    if has_role(words, "purchase"):
        counts_as, told = _PURCHASES, is_role(codes, words, "purchase")
    else:
        counts_as, told = _PRICED if has_price else _EVENTS, np.ones(len(codes), dtype=np.bool_)
    return {"counts_as": np.array([counts_as]), "purchase": told}


def _findings(state: State, options: RFMOptions) -> tuple[Metric, ...]:
    """What this log cannot tell, and what stands for it."""
    notes = {}
    counts_as = int(state["counts_as"][0])
    if counts_as != _PURCHASES and options.standing:
        instead = "every event with a price" if counts_as == _PRICED else "every event"
        notes["purchases"] = f"No action of the log means a purchase, so {instead} counts as one."
    if not state["has_price"][0]:
        notes["money"] = (
            "No event has a price above 0, so money, baskets and price bands are left out."
        )
    return tuple(Metric(name=name, value=None, note=note) for name, note in notes.items())


def _measured(state: State, sequences: Sequences) -> FloatArray:
    """The numbers of every user as they are, (U, C); NaN where a user has none."""
    numbers = _numbers(state, sequences)
    if "edges" not in state:
        return numbers
    counts = _banded(state["edges"], sequences)
    bands = smoothed_roots(counts, state["band_shares"], float(state["prior"][0]))
    return np.concatenate([numbers, bands], axis=1)


def _numbers(state: State, sequences: Sequences) -> FloatArray:
    n_columns = 4 * int(state["standing"][0]) + 3
    if not state["has_price"][0]:
        n_columns = 3
    values = np.empty((sequences.n_users, n_columns), dtype=np.float32)
    for users, events, rows in user_blocks(sequences):
        price = np.nan_to_num(sequences.price[events].astype(np.float64), nan=0.0, posinf=0.0)
        block = _Block(
            rows=rows,
            price=np.maximum(price, 0.0),
            bought=columns_of(sequences.action[events], state["purchase"]) > 0,
            visit=np.asarray(sequences.session[events]),
            time=np.asarray(sequences.time[events]),
            first_time=sequences.first_time[users],
        )
        values[users] = stack(_columns(state, block))
    return values


@dataclass(frozen=True, kw_only=True)
class _Block:
    """Some users' events, (E,) each."""

    rows: LongArray
    """Place of the user in the block."""
    price: DoubleArray
    """0 where there is none."""
    bought: MaskArray
    visit: IntArray
    time: LongArray
    first_time: LongArray  # (U,)


def _columns(state: State, block: _Block) -> dict[str, DoubleArray]:
    n_users = len(block.first_time)
    bought = block.bought & (block.price > 0) if state["counts_as"][0] == _PRICED else block.bought
    columns: dict[str, DoubleArray] = {}
    if state["standing"][0]:
        last = int(state["last"][0])
        latest = block.first_time.copy()
        latest[block.rows[bought]] = block.time[bought]  # of several purchases the last one stays
        columns["recency"] = np.log1p(np.maximum(last - latest, 0) / _DAY)
        columns["frequency"] = np.log1p(np.bincount(block.rows[bought], minlength=n_users))
        columns["tenure"] = np.log1p(np.maximum(last - block.first_time, 0) / _DAY)
    if state["has_price"][0]:
        money = _money(block, bought, n_users)
        columns |= money if state["standing"][0] else {k: money[k] for k in _STYLE}
    return columns


def _money(block: _Block, bought: MaskArray, n_users: int) -> dict[str, DoubleArray]:
    paid = np.bincount(block.rows[bought], block.price[bought], minlength=n_users)
    rows, visit = block.rows[bought], block.visit[bought]
    begins = np.ones(len(rows), dtype=np.bool_)
    begins[1:] = (rows[1:] != rows[:-1]) | (visit[1:] != visit[:-1])
    baskets = np.bincount(rows[begins], minlength=n_users)
    priced = block.price > 0
    logs = np.log1p(block.price[priced])
    return {
        "money": np.log1p(paid),
        "basket": np.log1p(paid / np.where(baskets > 0, baskets, np.nan)),
        "price_log": mean_per_user(block.rows[priced], logs, n_users),
        "price_spread": spread_per_user(block.rows[priced], logs, n_users),
    }


def _edges(sequences: Sequences, users: LongArray) -> FloatArray:
    """Borders between fifths of the prices of the users to fit, (4,); of many prices, of some."""
    fitted = np.zeros(sequences.n_users, dtype=np.bool_)
    fitted[users] = True
    step = max(1, sequences.n_events // _SAMPLE)
    events = np.arange(0, sequences.n_events, step)
    owner = np.searchsorted(sequences.offsets, events, side="right") - 1
    price = sequences.price[events[fitted[owner]]]
    known = price[np.isfinite(price) & (price > 0)]
    shares = np.arange(1, _BANDS) / _BANDS
    return np.quantile(known, shares).astype(np.float32) if len(known) else np.zeros(4, np.float32)


def _banded(edges: FloatArray, sequences: Sequences) -> IntArray:
    """Events with a price of every user by band, (U, 5)."""
    counts = np.zeros((sequences.n_users, _BANDS), dtype=np.int32)
    for users, events, rows in user_blocks(sequences):
        price = sequences.price[events]
        priced = np.isfinite(price) & (price > 0)
        band = np.searchsorted(edges, price[priced], side="right")
        n_users = users.stop - users.start
        cells = np.bincount(rows[priced] * _BANDS + band, minlength=n_users * _BANDS)
        counts[users] = cells.reshape(n_users, _BANDS)
    return counts


RFM = Representation(
    name="rfm",
    label="Recency, frequency, money",
    summary="Compares users by when and how often they bought, how much they paid, and prices.",
    strengths="What shops have always counted; takes seconds, and every number has a name.",
    weaknesses="Does not see what users look at or in which order; heavy users stand out first.",
    question="value",
    learned=False,
    Options=RFMOptions,
    fit=fit,
    transform=transform,
)
