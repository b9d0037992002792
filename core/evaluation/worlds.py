"""Simulated logs whose segments are known, and what the best possible judge would find in them.

Every user of a segment follows the same stochastic process: a chain of actions with a memory of
two, categories that stay for a while, visits, pauses and prices. A world says in which of these
the segments differ; in all else they are alike. Knowing every parameter, the Bayes classifier
names the most probable segment of every user: no method can be expected to exceed it.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.artifacts import DoubleArray, LongArray, TextArray

N_ACTIONS, N_CATEGORIES = 8, 12
NOBODY = -1
"""Truth of a user that follows no segment."""
_ACTIONS = ("view", "search", "click", "favourite", "cart", "purchase", "review", "return")
_START = 1_735_689_600
"""2025-01-01 00:00 UTC."""
_DAYS_OF_ARRIVAL = 30
"""Days over which users meet the shop for the first time."""
_SCALINGS = 60
_MEAN_LENGTH, _LENGTH_SPREAD, _SHORTEST, _LONGEST = 46, 0.6, 8, 400


@dataclass(frozen=True, kw_only=True)
class Habit:
    """How the users of one segment behave. S segments may be stacked along a first axis."""

    chain: DoubleArray  # (A, A, A) chance of the next action by the one before the last, the last
    taste: DoubleArray  # (C,) chance of a category when it changes
    stay: float
    """Chance that the next event stays in the category."""
    leave: float
    """Chance that the next event begins a new visit."""
    pause: tuple[float, float]
    """Mean and spread of the log of seconds between events of a visit."""
    away: tuple[float, float]
    """The same between visits."""
    price: tuple[float, float]
    """Mean and spread of the log of the price."""


@dataclass(frozen=True, kw_only=True)
class Log:
    """What users did, user by user, in time order. Letters: U users, E events."""

    user: LongArray  # (E,)
    action: LongArray  # (E,)
    category: LongArray  # (E,)
    breaks: LongArray  # (E,) 1 where a visit begins
    gap: DoubleArray  # (E,) seconds since the event before, at least 1; 0 at a user's first
    price: DoubleArray  # (E,)
    offsets: LongArray  # (U + 1,)


@dataclass(frozen=True, kw_only=True)
class World:
    """A log and the truth behind it."""

    name: str
    habits: tuple[Habit, ...]
    shares: DoubleArray  # (K,) of the users that follow a segment
    truth: LongArray  # (U,) segment of every user, NOBODY for none
    log: Log

    @property
    def k(self) -> int:
        """Segments that were planted; 1 where there are none."""
        return len(self.habits)

    def user_ids(self) -> TextArray:
        return np.array([f"u{i:06d}" for i in range(len(self.truth))], dtype=object)


PLANTED = (
    "content",
    "first_order",
    "second_order",
    "both_lags",
    "timing",
    "value",
    "mixed",
    "noisy",
)
WITHOUT = ("iid", "one_chain")
"""Worlds without segments in which all users behave alike."""

_SIZES = (0.40, 0.25, 0.15, 0.10, 0.06, 0.04)
_STRENGTH = {
    "content": 0.30,
    "first_order": 0.40,
    "second_order": 0.40,
    "both_lags": 0.40,
    "timing": 0.30,
    "value": 0.30,
    "mixed": 0.55,
    "noisy": 0.55,
}
"""How far segments differ; set so that the Bayes classifier reaches an ARI of about .9."""


def draw(name: str, n_users: int = 3_000, seed: int = 0) -> World:
    """Draw a world by its name (one of PLANTED or WITHOUT). The same seed gives the same log."""
    rng = np.random.default_rng([seed, *name.encode()])
    habits, shares = _habits(name, rng)
    lengths = np.exp(
        rng.normal(np.log(_MEAN_LENGTH) - _LENGTH_SPREAD**2 / 2, _LENGTH_SPREAD, n_users)
    )
    lengths = np.clip(np.round(lengths), _SHORTEST, _LONGEST).astype(np.int64)
    truth = rng.choice(len(habits), n_users, p=shares)
    own = list(habits)
    kind = truth.copy()
    if name == "noisy":
        nobody = np.flatnonzero(rng.random(n_users) < 0.3)
        truth[nobody] = NOBODY
        kind[nobody] = len(habits) + np.arange(len(nobody))
        own += [_anybody(rng) for _ in nobody]
    log = _simulate(own, kind, lengths, rng)
    return World(name=name, habits=tuple(habits), shares=shares, truth=truth, log=log)


def bayes(world: World) -> LongArray:
    """The most probable segment of every user, given every true parameter, (U,)."""
    scores = np.stack([_log_likelihood(world.log, habit) for habit in world.habits], axis=1)
    return np.asarray((scores + np.log(world.shares)).argmax(axis=1))


def columns(world: World, seed: int = 0) -> dict[str, list[str]]:
    """The log as the columns of a CSV file, ordered by user and time."""
    log = world.log
    rng = np.random.default_rng([seed, 4])
    begin = _START + rng.integers(0, _DAYS_OF_ARRIVAL * 86_400, len(world.truth))
    since = np.cumsum(log.gap)
    time = (begin[log.user] + since - since[log.offsets[:-1]][log.user]).astype("datetime64[s]")
    return {
        "user_id": world.user_ids()[log.user].tolist(),
        "time": np.char.replace(time.astype(str), "T", " ").tolist(),
        "action": np.array(_ACTIONS, dtype=object)[log.action].tolist(),
        "category": [f"category {code:02d}" for code in log.category],
        "price": [f"{price:.2f}" for price in log.price],
    }


def write(world: World, path: Path, seed: int = 0) -> None:
    """Write the log as a CSV file."""
    named = columns(world, seed)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(named)
        writer.writerows(zip(*named.values(), strict=True))


def judge(world: World, assignments: Path) -> float:
    """Adjusted Rand index of a run's ``assignments.csv`` with the truth.

    On the users that follow a segment; a user that the run left out or set aside counts as in a
    segment of its own kind.
    """
    with assignments.open(encoding="utf-8", newline="") as file:
        segment_of = {row["user_id"]: int(row["segment"]) for row in csv.DictReader(file)}
    found = [segment_of.get(user, NOBODY) for user in world.user_ids()]
    return agreement(world, np.array(found))


def agreement(world: World, labels: LongArray) -> float:
    """Adjusted Rand index with the truth, on the users that follow a segment."""
    from sklearn.metrics import adjusted_rand_score

    known = world.truth != NOBODY
    return float(adjusted_rand_score(world.truth[known], labels[known]))


def _usual(rng: np.random.Generator) -> Habit:
    actions = rng.dirichlet(np.full(N_ACTIONS, 4.0))
    return Habit(
        chain=np.broadcast_to(actions, (N_ACTIONS,) * 3),
        taste=rng.dirichlet(np.full(N_CATEGORIES, 2.0)),
        stay=0.4,
        leave=0.2,
        pause=(3.5, 1.0),
        away=(11.5, 1.0),
        price=(3.0, 0.8),
    )


def _habits(name: str, rng: np.random.Generator) -> tuple[list[Habit], DoubleArray]:
    usual, strength = _usual(rng), _STRENGTH.get(name, 0.0)
    if name in ("mixed", "noisy"):
        return _six(usual, strength, rng), np.array(_SIZES)
    if name == "iid":
        return [usual], np.ones(1)
    if name == "one_chain":
        return [replace(usual, chain=_by_last(_doubly(1.2, rng)))], np.ones(1)
    return [_varied(name, k, usual, strength, rng) for k in range(4)], np.full(4, 0.25)


def _varied(name: str, k: int, usual: Habit, strength: float, rng: np.random.Generator) -> Habit:
    """The k-th segment of a world in which segments differ in one thing."""
    if name == "content":
        return replace(usual, taste=_tilted(usual.taste, 3.2 * strength, rng))
    if name == "timing":
        return replace(usual, pause=(2.5 + k % 2, 1.0), away=(10.8 + 1.5 * (k // 2), 1.0))
    if name == "value":
        return replace(usual, price=(2.0 + 0.55 * k, 0.8))
    order = {"first_order": _by_last, "second_order": _by_before, "both_lags": _by_sum}[name]
    return replace(usual, chain=order(_doubly(2 * strength, rng)))


def _six(usual: Habit, strength: float, rng: np.random.Generator) -> list[Habit]:
    """Segments that differ in order, content, time and price, each in two of them."""
    by_last = [_by_last(_doubly(strength, rng)) for _ in range(3)]
    tastes = [usual.taste, _tilted(usual.taste, strength, rng)]
    return [
        replace(
            usual,
            chain=by_last[k % 3],
            taste=tastes[k % 2],
            pause=(3.0 + 0.8 * (k in (1, 2, 5)), 1.0),
            price=(2.6 + 0.6 * (k in (2, 3, 4)), 0.8),
        )
        for k in range(6)
    ]


def _anybody(rng: np.random.Generator) -> Habit:
    """A user with habits of its own, as wide as those of the segments."""
    return replace(
        _usual(rng),
        chain=_by_last(_doubly(1.0, rng)),
        pause=(rng.normal(3.4, 0.6), 1.0),
        price=(rng.normal(2.9, 0.5), 0.8),
    )


def _tilted(shares: DoubleArray, strength: float, rng: np.random.Generator) -> DoubleArray:
    raw = shares * np.exp(strength * rng.normal(size=len(shares)))
    return np.asarray(raw / raw.sum())


def _doubly(strength: float, rng: np.random.Generator) -> DoubleArray:
    """A random chain in which every action is as frequent as any other (Sinkhorn & Knopp, 1967)."""
    matrix = np.exp(strength * rng.normal(size=(N_ACTIONS, N_ACTIONS)))
    for _ in range(_SCALINGS):
        matrix /= matrix.sum(axis=0)
        matrix /= matrix.sum(axis=1, keepdims=True)
    return np.asarray(matrix)


def _by_last(matrix: DoubleArray) -> DoubleArray:
    return np.broadcast_to(matrix[None], (N_ACTIONS,) * 3)


def _by_before(matrix: DoubleArray) -> DoubleArray:
    """The action before the last decides, so that neighbours tell nothing."""
    return np.broadcast_to(matrix[:, None], (N_ACTIONS,) * 3)


def _by_sum(matrix: DoubleArray) -> DoubleArray:
    """Both of the last two decide together, so that neither alone tells anything."""
    both = np.add.outer(np.arange(N_ACTIONS), np.arange(N_ACTIONS)) % N_ACTIONS
    return np.asarray(matrix[both])


def _simulate(
    habits: list[Habit], kind: LongArray, lengths: LongArray, rng: np.random.Generator
) -> Log:
    """All users at once, event by event; ``kind`` (U,) is the habit of every user."""
    chain = np.cumsum(np.stack([h.chain for h in habits]), axis=-1)  # (S, A, A, A)
    taste = np.cumsum(np.stack([h.taste for h in habits]), axis=-1)
    one = {
        n: np.array([getattr(h, n) for h in habits])
        for n in ("stay", "leave", "pause", "away", "price")
    }
    n_users, longest = len(kind), int(lengths.max())
    shape = (longest, n_users)
    action, category = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    breaks, gap = np.zeros(shape, dtype=np.int64), np.zeros(shape)
    before, last = (rng.integers(0, N_ACTIONS, n_users) for _ in range(2))
    for t in range(longest):
        now = _drawn(chain[kind, before, last], rng)
        fresh = _drawn(taste[kind], rng)
        same = rng.random(n_users) < one["stay"][kind]
        category[t] = np.where(same, category[t - 1], fresh) if t else fresh
        leaves = rng.random(n_users) < one["leave"][kind] if t else np.ones(n_users, dtype=bool)
        mean, spread = np.where(leaves[:, None], one["away"][kind], one["pause"][kind]).T
        gap[t] = np.maximum(1, np.round(np.exp(rng.normal(mean, spread)))) if t else 0
        action[t], breaks[t] = now, leaves
        before, last = last, now
    mean, spread = one["price"][kind].T
    price = np.round(np.exp(rng.normal(mean, spread, shape)), 2)
    real = np.arange(longest)[:, None] < lengths
    order = np.nonzero(real.T)  # user by user
    return Log(
        user=order[0],
        action=action.T[order],
        category=category.T[order],
        breaks=breaks.T[order],
        gap=gap.T[order],
        price=price.T[order].astype(np.float64),
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
    )


def _drawn(cumulative: DoubleArray, rng: np.random.Generator) -> LongArray:
    """One draw per row of cumulative chances (U, n)."""
    place = (rng.random(len(cumulative))[:, None] > cumulative).sum(axis=1)
    return np.asarray(np.minimum(place, cumulative.shape[1] - 1), dtype=np.int64)


def _log_likelihood(log: Log, habit: Habit) -> DoubleArray:
    """Log likelihood of every user's events under one habit, (U,)."""
    place = np.arange(len(log.user)) - log.offsets[log.user]
    first, second = place == 0, place <= 1
    before, last = np.roll(log.action, 2), np.roll(log.action, 1)
    flat = habit.chain.mean(axis=(0, 1))
    with_one = habit.chain.mean(axis=0)
    chance = habit.chain[before, last, log.action]
    chance = np.where(second, with_one[last, log.action], chance)
    chance = np.where(first, flat[log.action], chance)
    taste = habit.taste[log.category]
    stays = log.category == np.roll(log.category, 1)
    content = np.where(first, taste, (1 - habit.stay) * taste + habit.stay * stays)
    leaves = log.breaks == 1
    visit = np.where(leaves, habit.leave, 1 - habit.leave)
    mean, spread = np.where(leaves[:, None], habit.away, habit.pause).T
    time = -0.5 * ((np.log(np.maximum(log.gap, 1)) - mean) / spread) ** 2 - np.log(spread)
    money = -0.5 * ((np.log(log.price + 1e-3) - habit.price[0]) / habit.price[1]) ** 2
    total = np.log(chance) + np.log(content) + money - np.log(habit.price[1])
    total += np.where(first, 0.0, np.log(visit) + time)
    return np.asarray(np.bincount(log.user, total, minlength=len(log.offsets) - 1))


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a world's log, or judge a run on it."""
    parser = argparse.ArgumentParser(prog="python -m core.evaluation.worlds", description=__doc__)
    parser.add_argument("world", choices=[*PLANTED, *WITHOUT])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--out", type=Path, metavar="CSV", help="file to write the log to")
    what.add_argument("--judge", type=Path, metavar="CSV", help="assignments.csv of a run on it")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--users", type=int, default=3_000)
    given = parser.parse_args(arguments)
    world = draw(given.world, given.users, given.seed)
    if given.out:
        write(world, given.out, given.seed)
    else:
        print(f"ARI of {given.judge}: {judge(world, given.judge):.3f}")
    print(
        f"segments: {world.k}; ARI of Bayes with true parameters: "
        f"{agreement(world, bayes(world)):.3f}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
