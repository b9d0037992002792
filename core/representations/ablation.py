"""Whether order carries anything: the next event guessed in the real order and in none.

What an encoder gains over the overall shares of actions and categories may be owed to *which*
things a user does or to the *order* in which they are done. The part owed to order is what is lost
by the best guess that knows no order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from math import log

import numpy as np
import torch
import torch.nn.functional as F

from core.artifacts import DoubleArray, LongArray, Metric
from core.geometry import drawn_users
from core.representations.batches import Stretches, windows
from core.representations.encoder import EventEncoder, to_tensors
from core.representations.inputs import PREDICTED, MaskArray, gather, told_word
from core.representations.order_free import Words, order_free_bits
from core.representations.source import TrainingData

WORDS = ("action", "category")
"""What is guessed of the next event here."""
_MOST_USERS = 2000
_MOST_USERS_COUNTED = 5000
"""Users to fit from whom the guesses without order are learned."""
_MOST_EVENTS = 256
_EVENTS_PER_BATCH = 16_384
_FEWEST_USERS = 20
_LEAST_GAIN = 0.01
"""Bits per event below which nothing was learned that could be shared out."""
_LEAST_SHARE = 0.03
_ERRORS = 2.0
"""Standard errors within which a difference may be chance."""


@dataclass(frozen=True, kw_only=True)
class _Guesses:
    """Bits that every user's events cost, by way of guessing; arrays (U,) are sums over events."""

    n_events: LongArray
    real: DoubleArray
    """The encoder, in the real order."""
    shuffled: DoubleArray
    """The encoder, each user's events shuffled."""
    order_free: DoubleArray
    """The best guess by what the user did before, in whatever order."""
    overall: DoubleArray
    """The shares of what everyone does."""

    def difference(self, worse: DoubleArray) -> tuple[float, float]:
        """Bits per event that the real order saves, and the standard error over users."""
        saved, n_users = worse - self.real, len(self.n_events)
        mean = saved.sum() / self.n_events.sum()
        spread = ((saved - mean * self.n_events) ** 2).sum() * n_users / max(1, n_users - 1)
        return float(mean), float(np.sqrt(spread) / self.n_events.sum())


def order_share(encoder: EventEncoder, data: TrainingData, asked: set[str], seed: int) -> Metric:
    """Share of what the encoder knows of next events that is owed to their order, in [0, 1].

    (free - real) / (overall - real), in bits per event (action and category) on up to 2,000
    validation users, where *free* is the best of the guesses without order: the encoder on
    shuffled events, and those of `order_free_bits`. None where it cannot be told. ``asked`` names
    what the encoder was trained to guess.
    """
    told = partial(Metric, name="order_share")
    words = [name for name in WORDS if name in encoder.heads and name in asked]
    users = data.validation_users if len(data.validation_users) else data.fit_users
    users = users[np.diff(data.sequences.offsets)[users] > 1]
    if not words:
        return told(value=None, note="The encoder was not asked to guess actions or categories.")
    if len(users) < _FEWEST_USERS:
        return told(
            value=None,
            note=f"Only {len(users)} users with two events or more could be looked at; it takes "
            f"{_FEWEST_USERS}.",
        )
    value, note = _shared_out(_guesses(encoder, data, users, words, seed))
    seen = "" if len(data.validation_users) else " Seen on the users it was trained on."
    return told(value=value, note=note + seen)


def _shared_out(guesses: _Guesses) -> tuple[float, str]:
    """The share and what it means."""
    gain, gain_error = guesses.difference(guesses.overall)
    if gain < max(_LEAST_GAIN, _ERRORS * gain_error):
        return 0.0, (
            "Order carries nothing here: the encoder guesses the next action and category no "
            f"better than their overall shares do ({gain:+.2f} bits per event)."
        )
    without = min((guesses.shuffled, guesses.order_free), key=lambda bits: float(bits.sum()))
    owed, owed_error = guesses.difference(without)
    share = min(1.0, max(0.0, owed / gain))
    if owed < _ERRORS * owed_error or share < _LEAST_SHARE:
        said = "Order carries nothing here: with each user's events shuffled, the next ones are "
        return share, said + "guessed as well. Counting may do as well as this encoder."
    return share, (
        f"Order carries {share:.0%} of the signal here: knowing it saves {owed:.2f} of the "
        f"{gain:.2f} bits per event that the encoder gains over the overall shares."
    )


def _guesses(
    encoder: EventEncoder, data: TrainingData, users: LongArray, words: list[str], seed: int
) -> _Guesses:
    rng = np.random.default_rng([seed, 3])
    drawn = drawn_users(len(users), _MOST_USERS, seed)
    stretches = windows(data.sequences, users if drawn is None else users[drawn], _MOST_EVENTS, rng)
    stretches = stretches.take(np.argsort(stretches.length, kind="stable"))
    index, real = stretches.padded()
    mixed = shuffled(index, real, rng)
    free, overall = _by_counting(data, index, real, words, seed)
    return _Guesses(
        n_events=stretches.length - 1,
        real=_bits(encoder, data, stretches, index, words),
        shuffled=_bits(encoder, data, stretches, mixed, words),
        order_free=free,
        overall=overall,
    )


def shuffled(index: LongArray, real: MaskArray, rng: np.random.Generator) -> LongArray:
    """The events of every stretch (B, T) in random order but for the first, padding in place.

    The first one is never guessed, so the very same events are guessed as in the real order.
    """
    key = rng.random(index.shape)
    key[:, 0] = -1.0
    key[~real] = 2.0
    return np.take_along_axis(index, np.argsort(key, axis=1, kind="stable"), axis=1)


@torch.no_grad()
def _bits(
    encoder: EventEncoder,
    data: TrainingData,
    stretches: Stretches,
    index: LongArray,
    words: list[str],
) -> DoubleArray:
    """Bits that the encoder pays for the events of every stretch but the first, shape (U,)."""
    encoder.eval()
    bits = np.zeros(len(index))
    for rows in _alike(stretches.length):
        wide = int(stretches.length[rows].max())
        real = np.arange(wide) < stretches.length[rows, None]
        batch = to_tensors(
            gather(data.sequences, data.scales, index[rows, :wide], real), data.device
        )
        hidden, _ = encoder(batch)
        for name in words:
            logits = encoder.heads[name](hidden[:, :-1]).transpose(1, 2)  # (B, classes, T - 1)
            target = batch["classes"][:, 1:, PREDICTED.index(name)]
            nats = F.cross_entropy(logits, target, reduction="none") * batch["real"][:, 1:]
            bits[rows] += nats.sum(dim=1).cpu().numpy() / log(2)
    return bits


def _alike(length: LongArray) -> Iterator[LongArray]:
    """Rows (the shortest first) in batches of about equal cost."""
    batch = np.cumsum(length) // _EVENTS_PER_BATCH
    yield from np.split(np.arange(len(length)), np.flatnonzero(np.diff(batch)) + 1)


def _by_counting(
    data: TrainingData, index: LongArray, real: MaskArray, words: list[str], seed: int
) -> tuple[DoubleArray, DoubleArray]:
    """Bits per stretch (U,) by the best guess without order, and by the overall shares."""
    drawn = drawn_users(len(data.fit_users), _MOST_USERS_COUNTED, seed)
    counted = windows(
        data.sequences,
        data.fit_users if drawn is None else data.fit_users[drawn],
        _MOST_EVENTS,
        np.random.default_rng([seed, 4]),
    )
    at, known_real = counted.padded()
    told = [
        Words(
            size=data.scales.classes()[name],
            known=told_word(data.sequences, data.scales, name, at),
            known_real=known_real,
            codes=told_word(data.sequences, data.scales, name, index),
        )
        for name in words
    ]
    return order_free_bits(told, real, seed)
