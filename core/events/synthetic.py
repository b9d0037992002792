"""Sample data whose truth is known: an invented shop's log, written by

    python -m core.events.synthetic --out sample_data [--seed 7] [--users 2000]

The same seed and number of users give the same bytes. The command prints how hard the log is:
what counting actions and categories finds, and what no method can exceed. With ``--judge`` it
writes nothing and prints beside these what the segments of a run find:

    python -m core.events.synthetic --judge runs/shop/assignments.csv
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.artifacts import DoubleArray, LongArray, TextArray
from core.events.shop import log_files
from core.events.shop.behaviour import Behaviour, Shoppers, draw_shoppers, log_likelihood, simulate
from core.events.shop.goods import Goods, stock
from core.events.shop.personas import (
    ACTIONS,
    NOBODY,
    PERSONAS,
    TINY_PERSONAS,
    Persona,
    category_names,
    nobodies,
    tables,
)

SEED, N_USERS = 7, 2000
NOBODY_SHARE = 0.05
BAG_AT_MOST, BAYES_AT_LEAST = 0.60, 0.90
_TINY_USERS = 100
_FEWEST_USERS = 100


@dataclass(frozen=True)
class World:
    """A shop, its shoppers and all they did."""

    goods: Goods
    personas: tuple[Persona, ...]
    """Every kind of shopper; those that follow nobody come last, one kind each."""
    shoppers: Shoppers
    behaviour: Behaviour
    user_ids: TextArray  # (U,)

    def persona_names(self) -> TextArray:
        """Name of every shopper's persona, shape (U,)."""
        return np.array([p.name for p in self.personas], dtype=object)[self.shoppers.kind]


@dataclass(frozen=True)
class Hardness:
    """How well the personas can be told; adjusted Rand index, shoppers of no persona left out."""

    bag: float
    """Shares of actions and categories + K-means at the true K."""
    bayes: float
    """The Bayes classifier that knows every parameter: no method can be expected to exceed it."""

    def as_wanted(self) -> bool:
        """Whether counting is not enough while the truth can be found."""
        return self.bag <= BAG_AT_MOST and self.bayes >= BAYES_AT_LEAST


def shop_world(n_users: int = N_USERS, seed: int = SEED) -> World:
    """Draw the shop log of ``n_users``, of whom 5 % follow no persona."""
    rng = np.random.default_rng([seed, 0])
    goods, n_nobody = stock(rng), round(NOBODY_SHARE * n_users)
    personas = (*PERSONAS, *nobodies(n_nobody, rng))
    followers = _apportion(PERSONAS, n_users - n_nobody)
    kind = rng.permutation(np.concatenate([followers, len(PERSONAS) + np.arange(n_nobody)]))
    shoppers = draw_shoppers(kind, rng)
    return _world(goods, personas, shoppers, rng)


def tiny_world(goods: Goods, seed: int = SEED) -> World:
    """Draw the worked example: 100 users, three kinds, 15 to 25 events each."""
    rng = np.random.default_rng([seed, 1])
    kind = rng.permutation(_apportion(TINY_PERSONAS, _TINY_USERS))
    length = rng.integers(15, 26, _TINY_USERS)
    first_day = rng.integers(0, 20, _TINY_USERS)
    shoppers = Shoppers(kind, length, np.full(_TINY_USERS, 3.0), first_day)
    return _world(goods, TINY_PERSONAS, shoppers, rng)


def write(shop: World, folder: Path, seed: int = SEED) -> None:
    """Write the five CSV files into a folder, which is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    tiny = tiny_world(shop.goods, seed)
    rng = np.random.default_rng([seed, 2])
    clean = log_files.log_columns(shop.behaviour, shop.goods, shop.user_ids)
    example = log_files.log_columns(tiny.behaviour, tiny.goods, tiny.user_ids)
    del example["platform"]
    for name, columns in {
        "shop_events.csv": log_files.soil(clean, rng),
        "shop_items.csv": log_files.item_columns(shop.goods),
        "shop_labels.csv": log_files.label_columns(shop.user_ids, shop.persona_names()),
        "tiny_100_users.csv": example,
        "tiny_100_labels.csv": log_files.label_columns(tiny.user_ids, tiny.persona_names()),
    }.items():
        log_files.write_csv(columns, folder / name)


def hardness(world: World, seed: int = SEED) -> Hardness:
    """Measure what counting finds and what could be found at all."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score

    followed = [p for p in world.personas if p.share > 0]
    known = world.shoppers.kind < len(followed)
    points = bag(world.behaviour, len(world.user_ids))
    means = KMeans(len(followed), n_init=10, random_state=seed).fit(points)
    truth = world.shoppers.kind[known]
    return Hardness(
        bag=float(adjusted_rand_score(truth, means.labels_[known])),
        bayes=float(adjusted_rand_score(truth, most_likely(world, followed)[known])),
    )


def judge(world: World, assignments: Path) -> tuple[float, int]:
    """Adjusted Rand index of a run's ``assignments.csv``, and on how many users.

    Users of no persona are left out, and those that the run's cleaning left out; noise counts
    as a segment of its own.
    """
    from sklearn.metrics import adjusted_rand_score

    with assignments.open(encoding="utf-8", newline="") as file:
        segment_of = {row["user_id"]: row["segment"] for row in csv.DictReader(file)}
    pairs = [
        (persona, segment_of[user])
        for user, persona in zip(world.user_ids, world.persona_names(), strict=True)
        if persona != NOBODY and user in segment_of
    ]
    truth, found = zip(*pairs, strict=True)
    return float(adjusted_rand_score(truth, found)), len(pairs)


def bag(events: Behaviour, n_users: int) -> DoubleArray:
    """Square roots of every user's shares of actions and of categories, shape (U, 8 + C)."""
    return np.hstack(
        [
            _root_shares(events.user, events.action, (n_users, len(ACTIONS))),
            _root_shares(events.user, events.category, (n_users, len(category_names()))),
        ]
    )


def most_likely(world: World, personas: Sequence[Persona]) -> LongArray:
    """The persona most probable after a shopper's events, given every true parameter, (U,)."""
    evidence = log_likelihood(world.behaviour, tables(personas), world.shoppers)
    return np.asarray(np.argmax(evidence + np.log([p.share for p in personas]), axis=1))


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the sample data and print what it holds; 0 when it is as hard as it should be."""
    parser = argparse.ArgumentParser(prog="python -m core.events.synthetic", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--out", type=Path, help="folder for the CSV files")
    what.add_argument("--judge", type=Path, metavar="CSV", help="assignments.csv of a run on them")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--users", type=int, default=N_USERS)
    given = parser.parse_args(arguments)
    if given.users < _FEWEST_USERS:
        parser.error(f"--users is {given.users}; at least {_FEWEST_USERS} are needed")
    if given.seed < 0:
        parser.error(f"--seed is {given.seed}; it must not be negative")
    shop = shop_world(given.users, given.seed)
    if given.out:
        write(shop, given.out, given.seed)
        print(_summary(shop))
    else:
        ari, n_users = judge(shop, given.judge)
        print(f"ARI of {given.judge}: {ari:.3f} (on {n_users:,} users that follow a persona)")
    found = hardness(shop, given.seed)
    print(f"ARI of actions and categories + K-means: {found.bag:.3f} (at most {BAG_AT_MOST:.2f})")
    print(f"ARI of Bayes with true parameters: {found.bayes:.3f} (at least {BAYES_AT_LEAST:.2f})")
    print("as hard as wanted" if found.as_wanted() else "NOT as hard as wanted")
    return 0 if found.as_wanted() else 1


def _world(
    goods: Goods, personas: tuple[Persona, ...], shoppers: Shoppers, rng: np.random.Generator
) -> World:
    behaviour = simulate(tables(personas), shoppers, goods, rng)
    user_ids = log_files.shopper_ids(len(shoppers.kind), rng)
    return World(goods, personas, shoppers, behaviour, user_ids)


def _apportion(personas: Sequence[Persona], n_users: int) -> LongArray:
    """Persona of every user, by their shares; what rounding leaves over goes to the first."""
    sizes = np.array([int(p.share * n_users + 1e-9) for p in personas])
    sizes[0] += n_users - sizes.sum()
    return np.repeat(np.arange(len(personas)), sizes)


def _root_shares(user: LongArray, code: LongArray, shape: tuple[int, int]) -> DoubleArray:
    counts = np.bincount(user * shape[1] + code, minlength=shape[0] * shape[1]).reshape(shape)
    return np.asarray(np.sqrt(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)))


def _summary(world: World) -> str:
    events = world.behaviour
    counts = np.bincount(events.action, minlength=len(ACTIONS))
    lines = [f"users: {len(world.user_ids):,}", f"events before dirt: {len(events.user):,}"]
    lines += [f"  {name}: {count:,}" for name, count in zip(ACTIONS, counts, strict=True)]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
