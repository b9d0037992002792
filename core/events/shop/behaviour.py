"""Shoppers at work: draw their events from the personas' tables, and weigh events by them.

Every draw has its likelihood here, so that the best any method could do (the Bayes classifier
that knows the true tables) is known, not guessed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.artifacts import DoubleArray, LongArray
from core.events.shop.goods import Goods
from core.events.shop.personas import ACTIONS, BORDER, Tables

WINDOW_DAYS = 90
DISCOUNTS = np.array([0, 10, 20, 30, 50])
"""Per cent off; the first is "no sale"."""

_VIEW, _SEARCH, _CLICK, _FAVOURITE, _CART, _PURCHASE, _REVIEW, _RETURN = range(len(ACTIONS))
_USUAL_DWELL = np.array([25.0, 12.0, 8.0, 0.0, 0.0, 0.0, 70.0, 0.0])
"""Median seconds on the page by action; 0 where a shop logs no duration."""
_DWELL_SPREAD, _PAUSE_SPREAD = 0.7, 0.8
"""Standard deviations of the logarithms."""
_DWELL_CAP, _PAUSE_CAP = 900, 840
"""Seconds; together under the half hour after which a visit counts as over."""
_USUAL_VISIT = 6.0


@dataclass(frozen=True)
class Behaviour:
    """The events of all shoppers, ordered by shopper and time; E events.

    The fields from ``oldest`` on say which draws an event took part in; all of them can be
    told from the log itself.
    """

    user: LongArray  # (E,)
    second: LongArray  # (E,) since the window opened
    action: LongArray  # (E,)
    category: LongArray  # (E,)
    item: LongArray  # (E,) -1 for none
    band: LongArray  # (E,) price band of the item, -1 for none
    discount: LongArray  # (E,) index into DISCOUNTS
    dwell: LongArray  # (E,) seconds, 0 where not logged
    platform: LongArray  # (E,)
    oldest: LongArray  # (E,) state two before, border included
    before: LongArray  # (E,) state before, border included
    pause: LongArray  # (E,) seconds between the end of the event before and this; -1 at a border
    days: LongArray  # (E,) days since the visit before; -1 within a visit and at the first
    previous: LongArray  # (E,) category before
    looked: LongArray  # (E,) 1 where a category was chosen
    picked: LongArray  # (E,) 1 where an item was chosen

    def take(self, rows: LongArray) -> Behaviour:
        """The events at the given places."""
        return Behaviour(**{name: values[rows] for name, values in vars(self).items()})


@dataclass(frozen=True)
class Shoppers:
    """What is fixed for a shopper before the first event."""

    kind: LongArray  # (U,) row of the tables
    length: LongArray  # (U,) events planned
    tempo: DoubleArray  # (U,) mean days between visits, from the length, not from the kind
    first_day: LongArray  # (U,)


def draw_shoppers(kind: LongArray, rng: np.random.Generator) -> Shoppers:
    """Give every shopper a length (log-normal, mean near 50) that is independent of its kind."""
    n = len(kind)
    length = np.clip(rng.lognormal(np.log(41), 0.75, n).round(), 6, 300).astype(np.int64)
    active_days = WINDOW_DAYS * rng.uniform(0.35, 0.8, n)
    first_day = rng.uniform(0, WINDOW_DAYS - active_days).astype(np.int64)
    return Shoppers(kind, length, active_days / (length / _USUAL_VISIT), first_day)


def simulate(
    tables: Tables, shoppers: Shoppers, goods: Goods, rng: np.random.Generator
) -> Behaviour:
    """Draw all events, one step of every shopper at a time; what falls after the window is cut."""
    longest_first = np.argsort(-shoppers.length, kind="stable")
    state = _State(tables, shoppers, goods, longest_first)
    steps = []
    for t in range(int(shoppers.length.max())):
        n_active = int((shoppers.length > t).sum())
        steps.append(state.step(n_active, rng))
    drawn = {name: np.concatenate([s[name] for s in steps]) for name in steps[0]}
    behaviour = Behaviour(**drawn)
    in_window = behaviour.second < WINDOW_DAYS * 86_400
    order = np.argsort(behaviour.user, kind="stable")
    return behaviour.take(order[in_window[order]])


class _State:
    """Where every shopper stands; rows are shoppers, the longest log first."""

    def __init__(self, tables: Tables, shoppers: Shoppers, goods: Goods, rows: LongArray) -> None:
        n = len(rows)
        self.tables, self.goods = tables, goods
        self.user, self.kind = rows, shoppers.kind[rows]
        self.tempo = shoppers.tempo[rows]
        self.day, self.first = shoppers.first_day[rows], np.ones(n, dtype=bool)
        self.second = np.zeros(n, dtype=np.int64)
        self.oldest, self.before = np.full(n, BORDER), np.full(n, BORDER)
        self.dwell, self.platform, self.category = (np.zeros(n, dtype=np.int64) for _ in range(3))
        # Item and discount index at hand, in the basket, and last bought.
        self.here, self.basket, self.bought = (np.full((n, 2), -1) for _ in range(3))

    def step(self, n: int, rng: np.random.Generator) -> dict[str, LongArray]:
        """Draw the next event of the first ``n`` shoppers."""
        chain = self._walk(n, rng)
        clock = self._tick(n, chain["before"] == BORDER, rng)
        content = self._choose(n, chain["action"], chain["before"] == BORDER, rng)
        self.dwell[:n] = _dwell(chain["action"], self.tables.dwell[self.kind[:n]], rng)
        self.oldest[:n], self.before[:n] = chain["before"], chain["action"]
        return {
            "user": self.user[:n],
            **chain,
            **clock,
            **content,
            "dwell": self.dwell[:n].copy(),
            "platform": self.platform[:n].copy(),
        }

    def _walk(self, n: int, rng: np.random.Generator) -> dict[str, LongArray]:
        kind, oldest, before = self.kind[:n], self.oldest[:n].copy(), self.before[:n].copy()
        state = _draw(self.tables.step[kind, oldest, before], rng)
        ended = state == BORDER
        oldest, before = np.where(ended, before, oldest), np.where(ended, BORDER, before)
        again = _draw(self.tables.step[kind, oldest, before], rng)
        return {"action": np.where(ended, again, state), "oldest": oldest, "before": before}

    def _tick(self, n: int, fresh: LongArray, rng: np.random.Generator) -> dict[str, LongArray]:
        kind, first = self.kind[:n], self.first[:n].copy()
        days = np.where(first, 0, _days(self.tables.burst[kind], self.tempo[:n], rng))
        hour = _draw(self.tables.hour[kind], rng)
        pause = _log_normal(self.tables.pause[kind], _PAUSE_SPREAD, _PAUSE_CAP, rng)
        platform = _draw(self.tables.platform[kind], rng)
        self.day[:n] += np.where(fresh, days, 0)
        start = self.day[:n] * 86_400 + hour * 3_600 + rng.integers(0, 3_600, n)
        self.second[:n] = np.where(fresh, start, self.second[:n] + self.dwell[:n] + pause)
        self.platform[:n] = np.where(fresh, platform, self.platform[:n])
        self.first[:n] = False
        return {
            "second": self.second[:n].copy(),
            "pause": np.where(fresh, -1, pause),
            "days": np.where(fresh & ~first, days, -1),
        }

    def _choose(
        self, n: int, action: LongArray, fresh: LongArray, rng: np.random.Generator
    ) -> dict[str, LongArray]:
        self.here[:n][fresh] = -1
        known = self._known(n, action)
        looked = known[:, 0] < 0
        picked = looked & (action != _SEARCH)
        kind, previous = self.kind[:n], np.where(fresh, -1, self.category[:n])
        stays = (rng.random(n) < self.tables.stay[kind]) & ~fresh
        category = np.where(stays, previous, _draw(self.tables.taste[kind], rng))
        band = _draw(self.tables.band[kind], rng)
        slot = _draw(self.goods.popularity[category, band], rng)
        item = self.goods.first[category, band] + slot
        on_sale = rng.random(n) < self.tables.sale[kind]
        sale = np.where(on_sale, rng.integers(1, len(DISCOUNTS), n), 0)
        drawn = np.where(picked[:, None], np.stack([item, sale], axis=1), known)
        self.category[:n] = np.where(looked, category, self.goods.category[drawn[:, 0]])
        self._remember(n, action, drawn)
        return {
            "category": self.category[:n].copy(),
            "item": drawn[:, 0],
            "band": np.where(drawn[:, 0] < 0, -1, self.goods.band[drawn[:, 0]]),
            "discount": np.maximum(drawn[:, 1], 0),
            "previous": previous,
            "looked": looked.astype(np.int64),
            "picked": picked.astype(np.int64),
        }

    def _known(self, n: int, action: LongArray) -> LongArray:
        """Item and discount an action refers to by itself; -1 where it takes a new look."""
        here, basket, bought = self.here[:n], self.basket[:n], self.bought[:n]
        paid = np.where(basket[:, :1] >= 0, basket, here)
        known = np.full((n, 2), -1)
        for acts, source in (
            ((_FAVOURITE, _CART), here),
            ((_PURCHASE,), paid),
            ((_REVIEW, _RETURN), bought),
        ):
            known = np.where(np.isin(action, acts)[:, None], source, known)
        return known

    def _remember(self, n: int, action: LongArray, drawn: LongArray) -> None:
        self.here[:n] = drawn
        self.basket[:n][action == _CART] = drawn[action == _CART]
        bought = action == _PURCHASE
        self.bought[:n][bought], self.basket[:n][bought] = drawn[bought], -1


def log_likelihood(behaviour: Behaviour, tables: Tables, shoppers: Shoppers) -> DoubleArray:
    """Log-likelihood of every shopper's events under every row of the tables, shape (U, P).

    The length and the tempo are given (they do not depend on the kind). Left out is what says
    nothing of the kind (which item of its price band, which depth of discount), and the silence
    between the last event and the end of the window, which says next to nothing.
    """
    rows = [
        np.bincount(behaviour.user, weights, minlength=len(shoppers.kind))
        for weights in (
            _event_log_likelihood(behaviour, tables, kind, shoppers.tempo[behaviour.user])
            for kind in range(len(tables.stay))
        )
    ]
    return np.stack(rows, axis=1)


def _event_log_likelihood(
    events: Behaviour, tables: Tables, kind: int, tempo: DoubleArray
) -> DoubleArray:
    action, fresh = events.action, events.before == BORDER
    total = np.log(tables.step[kind, events.oldest, events.before, action])
    total += _border_log_chance(events, tables, kind)
    hour = tables.hour[kind][events.second // 3_600 % 24]
    total += np.log(np.where(fresh, hour, 1.0))
    total += np.where(fresh, np.log(tables.platform[kind])[events.platform], 0)
    total += np.where(events.days > 0, _log_days(events.days, tables.burst[kind], tempo), 0)
    median = tables.dwell[kind] * _USUAL_DWELL[action]
    total += np.where(median > 0, _log_mass(events.dwell, median, _DWELL_SPREAD, _DWELL_CAP), 0)
    pause = _log_mass(events.pause, tables.pause[kind], _PAUSE_SPREAD, _PAUSE_CAP)
    return np.asarray(total + np.where(fresh, 0, pause) + _content(events, tables, kind))


def _border_log_chance(events: Behaviour, tables: Tables, kind: int) -> DoubleArray:
    """Chance that the visit before ended where it did (the border itself is no event)."""
    returning = events.days > 0
    before_last = np.concatenate([[BORDER], events.before[:-1]])
    chance = tables.step[kind, before_last, events.oldest, BORDER]
    return np.log(np.where(returning, chance, 1.0))


def _content(events: Behaviour, tables: Tables, kind: int) -> DoubleArray:
    same = np.where(events.category == events.previous, tables.stay[kind], 0)
    leave = np.where(events.previous < 0, 1.0, 1 - tables.stay[kind])
    category = np.log(same + leave * tables.taste[kind][events.category])
    band = np.log(tables.band[kind])[events.band]
    sale = np.where(events.discount > 0, tables.sale[kind], 1 - tables.sale[kind])
    return np.where(events.looked, category, 0) + np.where(events.picked, band + np.log(sale), 0)


def _draw(chances: DoubleArray, rng: np.random.Generator) -> LongArray:
    """One index per row of chances (n, m)."""
    reached = chances.cumsum(axis=1)
    point = rng.random(len(chances)) * reached[:, -1]
    return np.asarray((reached <= point[:, None]).sum(axis=1))


def _days(burst: DoubleArray, tempo: DoubleArray, rng: np.random.Generator) -> LongArray:
    """Days to the next visit: the next day, or one plus a geometric wait; mean is the tempo."""
    wait = rng.geometric(1 / (1 + _mean_wait(burst, tempo)))
    return np.where(rng.random(len(burst)) < burst, 1, wait)


def _mean_wait(burst: DoubleArray | float, tempo: DoubleArray) -> DoubleArray:
    return np.asarray(np.maximum(tempo - 1, 0.05) / (1 - burst))


def _log_days(days: LongArray, burst: float, tempo: DoubleArray) -> DoubleArray:
    success = 1 / (1 + _mean_wait(burst, tempo))
    waited = success * (1 - success) ** np.maximum(days - 1, 0)
    return np.asarray(np.log((1 - burst) * waited + burst * (days == 1)))


def _dwell(action: LongArray, factor: DoubleArray, rng: np.random.Generator) -> LongArray:
    usual = _USUAL_DWELL[action]
    seconds = _log_normal(factor * np.where(usual > 0, usual, 1), _DWELL_SPREAD, _DWELL_CAP, rng)
    return np.where(usual > 0, seconds, 0)


def _log_normal(
    median: DoubleArray, spread: float, cap: int, rng: np.random.Generator
) -> LongArray:
    """Whole seconds, from 1 to the cap."""
    seconds = median * np.exp(spread * rng.standard_normal(len(median)))
    return np.clip(seconds.round(), 1, cap).astype(np.int64)


def _log_mass(
    seconds: LongArray, median: DoubleArray | float, spread: float, cap: int
) -> DoubleArray:
    """Log-chance of whole seconds as `_log_normal` draws them."""
    from scipy.special import ndtr

    centre = np.log(np.maximum(median, 1e-9))
    below = ndtr((np.log(np.maximum(seconds, 1) - 0.5) - centre) / spread)
    above = ndtr((np.log(np.maximum(seconds, 1) + 0.5) - centre) / spread)
    below = np.where(seconds <= 1, 0.0, below)
    above = np.where(seconds >= cap, 1.0, above)
    return np.asarray(np.log(np.maximum(above - below, 1e-300)))
