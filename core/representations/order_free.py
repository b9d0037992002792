"""Guesses of the next event that know what happened but not in which order.

The best that can be done without order, whatever tells users apart: kinds of users, each with its
own shares of words (a mixture of multinomials; Rigouste et al., 2007, "Inference and evaluation of
the multinomial mixture model for text clustering"), which kind it is judged by what the user did
so far, beside the shares of what the user did so far. Letters in shapes: U users, T events of each,
N events guessed, V words, K kinds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import csr_array

from core.artifacts import DoubleArray, LongArray
from core.representations.inputs import MaskArray

_KINDS = (2, 4, 8, 16)
_ROUNDS, _STARTS = 40, 2
_SPREAD = 0.3
"""Concentration of the memberships EM starts with: below 1 users lean to some kinds."""
_PRIOR = 0.5
"""Events of every kind and word that are taken as seen beforehand."""
_TRUST = (0.5, 2, 8, 32, 128, 1e9)
"""Events that what is expected counts as beside a user's own shares; the last knows no user."""
_USERS_AT_ONCE = 200


@dataclass(frozen=True, kw_only=True)
class Words:
    """One thing that is guessed, such as the action: of users to learn from, and of those guessed.

    Codes from 0 to ``size`` - 1; ``real`` says which of the places are events.
    """

    size: int
    known: LongArray  # (U, T) of users to learn from
    known_real: MaskArray
    codes: LongArray  # (U', T') of the users whose events are guessed


def order_free_bits(
    words: Sequence[Words], real: MaskArray, seed: int
) -> tuple[DoubleArray, DoubleArray]:
    """Bits that the events of every user but the first cost, (U',) each: best, and by shares alone.

    Summed over the words. *Best* is the number of kinds, and of every word the trust in the user's
    own shares, that pay least in all: a rival that is never too weak on the users looked at.
    ``real`` (U', T') says which places of ``codes`` are events.
    """
    met, counts = [History.of(word.codes, real) for word in words], [_counts(w) for w in words]
    alone = [
        history.bits(_shares(counted)[word.codes])
        for history, counted, word in zip(met, counts, words, strict=True)
    ]
    overall = np.sum([bits[:, -1] for bits in alone], axis=0)
    tried = [_least(alone)]
    for k in _KINDS:
        rng = np.random.default_rng([seed, k])
        expected = _expected(words, real, _fit_kinds(counts, k, rng))
        tried.append(_least([history.bits(e) for history, e in zip(met, expected, strict=True)]))
    return min(tried, key=lambda bits: float(bits.sum())), overall


def _least(by_trust: Sequence[DoubleArray]) -> DoubleArray:
    """Of every word the trust that pays least in all; summed over the words, (U,)."""
    best = [bits[:, bits.sum(axis=0).argmin()] for bits in by_trust]
    return np.asarray(np.sum(best, axis=0))


@dataclass(frozen=True, kw_only=True)
class History:
    """Every event that is guessed, (N,): of whom, which, and how often its code was met before.

    The first event of a user is not guessed, but known.
    """

    row: LongArray
    step: LongArray
    times: DoubleArray
    n_users: int

    @classmethod
    def of(cls, codes: LongArray, real: MaskArray) -> Self:
        """What users have met of the codes (U, T), where they are ``real``."""
        row, step = np.nonzero(real)
        code = codes[row, step]
        by_word = np.lexsort((step, code, row))
        new = np.ones(len(row), dtype=bool)
        new[1:] = (np.diff(row[by_word]) != 0) | (np.diff(code[by_word]) != 0)
        first = np.maximum.accumulate(np.where(new, np.arange(len(row)), 0))
        met = np.empty(len(row))
        met[by_word] = np.arange(len(row)) - first
        guessed = step > 0
        return cls(row=row[guessed], step=step[guessed], times=met[guessed], n_users=len(codes))

    def bits(self, expected: DoubleArray) -> DoubleArray:
        """Bits that the codes cost, by what is expected and the user's shares before, (U, trusts).

        ``expected`` (U, T) is the chance of each code before the user's own shares are looked at,
        which stands beside them as so many events as `_TRUST` says.
        """
        share = expected[self.row, self.step]
        bits = [-np.log2((self.times + trust * share) / (self.step + trust)) for trust in _TRUST]
        return np.stack([np.bincount(self.row, b, self.n_users) for b in bits], axis=1)


@dataclass(frozen=True, kw_only=True)
class _Kinds:
    shares: DoubleArray  # (K,)
    chances: tuple[DoubleArray, ...]  # (K, V) of every word


def _fit_kinds(counts: Sequence[csr_array], k: int, rng: np.random.Generator) -> _Kinds:
    """The best of some starts of EM."""
    found = [_climbed(counts, k, rng) for _ in range(_STARTS)]
    return max(found, key=lambda one: one[1])[0]


def _climbed(counts: Sequence[csr_array], k: int, rng: np.random.Generator) -> tuple[_Kinds, float]:
    members, likelihood = rng.dirichlet(np.full(k, _SPREAD), counts[0].shape[0]), -np.inf
    for _ in range(_ROUNDS):
        kinds = _of_members(counts, members)
        odds = np.log(kinds.shares) + sum(
            of_word @ np.log(chances).T
            for of_word, chances in zip(counts, kinds.chances, strict=True)
        )  # (U, K)
        total = np.logaddexp.reduce(odds, axis=1, keepdims=True)
        members, likelihood = np.exp(odds - total), float(total.sum())
    return _of_members(counts, members), likelihood


def _of_members(counts: Sequence[csr_array], members: DoubleArray) -> _Kinds:
    shares = members.sum(axis=0) + 1.0
    seen = [(of_word.T @ members).T + _PRIOR for of_word in counts]
    return _Kinds(
        shares=shares / shares.sum(),
        chances=tuple(n / n.sum(axis=1, keepdims=True) for n in seen),
    )


def _expected(words: Sequence[Words], real: MaskArray, kinds: _Kinds) -> list[DoubleArray]:
    """Chance of every code by the kinds that the user may be of after what came before, (U, T)."""
    expected = [np.zeros(word.codes.shape) for word in words]
    for first in range(0, len(real), _USERS_AT_ONCE):
        rows = slice(first, first + _USERS_AT_ONCE)
        own = [c.T[w.codes[rows]] for w, c in zip(words, kinds.chances, strict=True)]  # (B, T, K)
        said = sum(np.log(chances) for chances in own) * real[rows][..., None]
        odds = np.log(kinds.shares) + np.cumsum(said, axis=1) - said  # of what came before
        odds -= odds.max(axis=2, keepdims=True)
        likely = np.exp(odds)
        likely /= likely.sum(axis=2, keepdims=True)
        for filled, chances in zip(expected, own, strict=True):
            filled[rows] = (likely * chances).sum(axis=2)
    return expected


def _counts(word: Words) -> csr_array:
    """How often every user to learn from did what, (U, V); few of many words are ever met."""
    user, step = np.nonzero(word.known_real)
    cells = (user, word.known[user, step])
    return csr_array((np.ones(len(user)), cells), shape=(len(word.known), word.size))


def _shares(counts: csr_array) -> DoubleArray:
    """Of what everyone does, (V,)."""
    totals = counts.sum(axis=0) + 1.0
    return np.asarray(totals / totals.sum())
