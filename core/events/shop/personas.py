"""Who the invented shoppers are: six personas as parameters, and shoppers that follow nobody.

A persona is a Markov chain of second order on the eight actions and the border between two
visits. Its share of every action is *given*, and the chain is made to keep it (Sinkhorn and
Knopp, 1967: "Concerning nonnegative matrices and doubly stochastic matrices"), so that two
personas can do the same things equally often and differ in order alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from core.artifacts import DoubleArray

ACTIONS = ("view", "search", "click", "favourite", "cart", "purchase", "review", "return")
BORDER = len(ACTIONS)
"""The state between the end of one visit and the start of the next."""
STATES = (*ACTIONS, "border")
CATEGORIES = {
    "fashion": ("Dresses", "Shoes", "Bags", "Jewellery"),
    "home": ("Kitchen", "Furniture", "Lighting", "Garden"),
    "tech": ("Phones", "Computers", "Audio"),
    "leisure": ("Books", "Toys", "Sports"),
}
PLATFORMS = ("web", "app", "shop")
DAYPARTS = ("morning", "lunch", "evening", "night")
BANDS = ("cheap", "middle", "dear")
NOBODY = "nobody"
"""Label of the shoppers that follow no persona."""

_HOURS = {"morning": (8, 2.0), "lunch": (13, 1.7), "evening": (19, 1.7), "night": (22, 1.2)}
_SCALINGS = 200
_OPEN = np.arange(24) >= 6
"""Visits start from 6:00 on, so that one that begins late is over before the next day's."""

# What any shop looks like: how much likelier a step is than one that nothing leads to.
_GRAMMAR: dict[str, dict[str, float]] = {
    "border": {"search": 6, "view": 6, "click": 6, "review": 3, "return": 3, "cart": 1},
    "search": {"view": 14, "search": 4, "click": 5, "border": 1.5},
    "view": {"view": 6, "click": 4, "favourite": 5, "cart": 5, "search": 3, "border": 4},
    "click": {"view": 10, "favourite": 3, "cart": 3, "click": 2, "border": 2},
    "favourite": {"view": 6, "cart": 3, "search": 3, "border": 4},
    "cart": {"purchase": 12, "view": 4, "cart": 2, "border": 4},
    "purchase": {"border": 12, "view": 2, "review": 1.5},
    "review": {"border": 8, "view": 2, "search": 2},
    "return": {"border": 6, "search": 4, "view": 2},
}


@dataclass(frozen=True, kw_only=True)
class Persona:
    """How one kind of shopper behaves; everything not said is as in any shop."""

    name: str
    share: float
    """Of the shoppers that follow somebody."""
    actions: tuple[float, ...]
    """Share of each of `ACTIONS` among its events; kept exactly by the chain."""
    visit_events: float
    """Mean events of a visit."""
    habits: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """(from, to): how many times likelier than in any shop."""
    twists: Mapping[tuple[str, str, str], float] = field(default_factory=dict)
    """(before last, last, next): the same, where it takes two steps to tell."""
    dwell: float
    """Median seconds on a page, as a multiple of the usual."""
    pause: float
    """Median seconds between leaving one page and the next event."""
    burst: float
    """Chance that the next visit is the very next day."""
    dayparts: tuple[float, ...]
    """Weights of `DAYPARTS` for the start of a visit."""
    tastes: Mapping[str, float] = field(default_factory=dict)
    """Weight of a group of categories or of one category, 1 where not named."""
    stay: float
    """Chance that the next look stays in the category."""
    bands: tuple[float, ...]
    """Chance of a cheap, middle or dear item of the category."""
    sale: float
    """Chance that an item is met at a discount."""
    platforms: tuple[float, ...]
    """Chance of each of `PLATFORMS` per visit."""


_PLANNERS = (0.42, 0.21, 0.08, 0.04, 0.11, 0.09, 0.03, 0.02)
_BROWSERS = (0.36, 0.06, 0.24, 0.18, 0.08, 0.04, 0.03, 0.01)
_BUYERS = (0.25, 0.12, 0.08, 0.04, 0.22, 0.17, 0.06, 0.06)

PERSONAS = (
    Persona(
        name="errand runner",  # knows what it wants: search, look, basket, pay, gone
        share=0.28,
        actions=_PLANNERS,
        visit_events=6.0,
        habits={("search", "view"): 4, ("view", "cart"): 4, ("border", "search"): 4},
        twists={("search", "view", "cart"): 3, ("view", "view", "cart"): 0.4},
        dwell=0.6,
        pause=8,
        burst=0.15,
        dayparts=(3, 4, 2, 0.5),
        tastes={"home": 2.2, "tech": 1.3},
        stay=0.5,
        bands=(0.3, 0.5, 0.2),
        sale=0.15,
        platforms=(0.6, 0.3, 0.1),
    ),
    Persona(
        name="comparer",  # the same deeds in another order: rows of searches, rows of looks
        share=0.22,
        actions=_PLANNERS,
        visit_events=6.0,
        habits={("search", "search"): 7, ("view", "view"): 4, ("click", "click"): 4},
        twists={("view", "view", "cart"): 3, ("search", "view", "cart"): 0.3},
        dwell=1.5,
        pause=18,
        burst=0.5,
        dayparts=(1, 1.5, 4, 2),
        tastes={"tech": 2.5, "home": 1.4},
        stay=0.75,
        bands=(0.2, 0.45, 0.35),
        sale=0.15,
        platforms=(0.7, 0.25, 0.05),
    ),
    Persona(
        name="bargain hunter",  # from a deal into the basket, which waits for a later visit
        share=0.18,
        actions=_BROWSERS,
        visit_events=5.0,
        habits={("click", "cart"): 6, ("cart", "border"): 5, ("border", "purchase"): 25},
        twists={("border", "click", "cart"): 2, ("view", "favourite", "border"): 3},
        dwell=0.6,
        pause=20,
        burst=0.55,
        dayparts=(2, 3, 2, 1),
        tastes={"fashion": 2.4, "leisure": 1.4},
        stay=0.35,
        bands=(0.6, 0.3, 0.1),
        sale=0.6,
        platforms=(0.35, 0.6, 0.05),
    ),
    Persona(
        name="collector",  # rows of favourites late at night, dear things, seldom a basket
        share=0.14,
        actions=_BROWSERS,
        visit_events=8.0,
        habits={("favourite", "favourite"): 14, ("view", "click"): 3, ("click", "view"): 3},
        twists={("favourite", "favourite", "cart"): 3, ("click", "view", "click"): 2},
        dwell=1.7,
        pause=10,
        burst=0.3,
        dayparts=(0.5, 0.5, 3, 5),
        tastes={"fashion": 3.0, "Lighting": 1.8},
        stay=0.7,
        bands=(0.1, 0.3, 0.6),
        sale=0.1,
        platforms=(0.15, 0.8, 0.05),
    ),
    Persona(
        name="gift giver",  # fills the basket across the shop, pays once, comes in bursts
        share=0.11,
        actions=_BUYERS,
        visit_events=8.0,
        habits={("cart", "cart"): 8, ("purchase", "purchase"): 10, ("cart", "search"): 4},
        twists={("cart", "cart", "purchase"): 2},
        dwell=1.0,
        pause=12,
        burst=0.75,
        dayparts=(1, 3, 4, 1),
        tastes={"leisure": 3.0, "Jewellery": 2.0},
        stay=0.2,
        bands=(0.25, 0.5, 0.25),
        sale=0.2,
        platforms=(0.5, 0.3, 0.2),
    ),
    Persona(
        name="try and return",  # buys to try on: every purchase is followed up
        share=0.07,
        actions=_BUYERS,
        visit_events=5.0,
        habits={("border", "return"): 5, ("return", "search"): 6, ("view", "cart"): 3},
        twists={("border", "return", "search"): 3, ("return", "search", "view"): 2},
        dwell=0.9,
        pause=7,
        burst=0.2,
        dayparts=(3, 1, 3, 1),
        tastes={"fashion": 2.0, "leisure": 1.8},
        stay=0.6,
        bands=(0.15, 0.4, 0.45),
        sale=0.25,
        platforms=(0.3, 0.55, 0.15),
    ),
)


TINY_PERSONAS = (
    Persona(
        name="window shopper",
        share=0.5,
        actions=(0.54, 0.04, 0.22, 0.16, 0.02, 0.01, 0.005, 0.005),
        visit_events=6.0,
        dwell=1.6,
        pause=15,
        burst=0.4,
        dayparts=(0.5, 0.5, 3, 3),
        tastes={"fashion": 40},
        stay=0.3,
        bands=(0.2, 0.3, 0.5),
        sale=0.1,
        platforms=(0.2, 0.8, 0.01),
    ),
    Persona(
        name="straight buyer",
        share=0.3,
        actions=(0.18, 0.29, 0.02, 0.01, 0.27, 0.22, 0.005, 0.005),
        visit_events=5.0,
        dwell=0.6,
        pause=8,
        burst=0.2,
        dayparts=(3, 3, 1, 0.2),
        tastes={"home": 40},
        stay=0.3,
        bands=(0.3, 0.5, 0.2),
        sale=0.1,
        platforms=(0.8, 0.2, 0.01),
    ),
    Persona(
        name="picky returner",
        share=0.2,
        actions=(0.12, 0.03, 0.02, 0.01, 0.14, 0.2, 0.2, 0.28),
        visit_events=5.0,
        dwell=0.9,
        pause=10,
        burst=0.3,
        dayparts=(2, 1, 2, 0.5),
        tastes={"tech": 40},
        stay=0.3,
        bands=(0.3, 0.4, 0.3),
        sale=0.3,
        platforms=(0.4, 0.5, 0.1),
    ),
)
"""The worked example: nobody could mistake one for another."""


@dataclass(frozen=True)
class Tables:
    """The parameters of P shoppers' kinds as arrays; C categories, 9 states, border last."""

    step: DoubleArray  # (P, 9, 9, 9) chance of the next state, by the two before
    taste: DoubleArray  # (P, C)
    hour: DoubleArray  # (P, 24)
    band: DoubleArray  # (P, 3)
    platform: DoubleArray  # (P, 3)
    stay: DoubleArray  # (P,)
    sale: DoubleArray  # (P,)
    burst: DoubleArray  # (P,)
    dwell: DoubleArray  # (P,) factor
    pause: DoubleArray  # (P,) seconds


def category_names() -> tuple[str, ...]:
    """Names of all categories; their order is the code."""
    return tuple(name for group in CATEGORIES.values() for name in group)


def tables(personas: Sequence[Persona]) -> Tables:
    """Work out the chances that follow from the personas."""
    return Tables(
        step=np.stack([second_order(p) for p in personas]),
        taste=np.stack([_taste(p) for p in personas]),
        hour=np.stack([_hours(p) for p in personas]),
        band=np.array([_shares(p.bands) for p in personas]),
        platform=np.array([_shares(p.platforms) for p in personas]),
        stay=np.array([p.stay for p in personas]),
        sale=np.array([p.sale for p in personas]),
        burst=np.array([p.burst for p in personas]),
        dwell=np.array([p.dwell for p in personas]),
        pause=np.array([p.pause for p in personas]),
    )


def first_order(persona: Persona) -> DoubleArray:
    """Joint chance (9, 9) of a state and the next; both margins are the persona's shares."""
    affinity = np.ones((len(STATES), len(STATES)))
    for before, row in _GRAMMAR.items():
        for after, weight in row.items():
            affinity[STATES.index(before), STATES.index(after)] = weight
    for (before, after), factor in persona.habits.items():
        affinity[STATES.index(before), STATES.index(after)] *= factor
    affinity[BORDER, BORDER] = 0
    margin = _shares([*(persona.visit_events * _shares(persona.actions)), 1.0])
    return _fit_margins(affinity, margin, margin)


def second_order(persona: Persona) -> DoubleArray:
    """Chance (9, 9, 9) of the next state by the two before; pairs stay as in `first_order`."""
    pairs = first_order(persona)
    twist = np.ones((len(STATES),) * 3)
    for (oldest, before, after), factor in persona.twists.items():
        twist[STATES.index(oldest), STATES.index(before), STATES.index(after)] = factor
    came, goes = pairs.T, pairs  # by the state in between
    twisted = twist.transpose(1, 0, 2) * came[:, :, None] * goes[:, None, :]
    joint = _fit_margins(twisted, came, goes)
    # Border to border never happens, save that every log begins there.
    chances = (joint + (came == 0)[:, :, None] * goes[:, None, :]).transpose(1, 0, 2)
    return np.asarray(chances / chances.sum(axis=2, keepdims=True))


def nobodies(n: int, rng: np.random.Generator) -> list[Persona]:
    """Invent ``n`` shoppers that behave each in a way of their own."""
    return [_nobody(rng) for _ in range(n)]


def _nobody(rng: np.random.Generator) -> Persona:
    usual = np.mean([p.actions for p in PERSONAS], axis=0)
    groups = rng.gamma(4.0, 0.25, len(CATEGORIES)) + 0.2
    pairs = [(a, b) for a in STATES for b in STATES if (a, b) != ("border", "border")]
    return Persona(
        name=NOBODY,
        share=0.0,
        actions=tuple(rng.dirichlet(25 * usual) * 0.9 + usual * 0.1),
        visit_events=rng.uniform(4, 9),
        habits=dict(zip(pairs, rng.lognormal(0, 1.0, len(pairs)), strict=True)),
        dwell=rng.lognormal(0, 0.5),
        pause=rng.lognormal(2.5, 0.5),
        burst=rng.uniform(0.1, 0.8),
        dayparts=tuple(rng.gamma(1.0, 2.0, len(DAYPARTS)) + 0.1),
        tastes=dict(zip(CATEGORIES, groups, strict=True)),
        stay=rng.uniform(0.2, 0.95),
        bands=tuple(rng.dirichlet([2.0, 2.0, 2.0])),
        sale=rng.uniform(0.05, 0.6),
        platforms=tuple(rng.dirichlet([2.0, 2.0, 0.5]) * 0.97 + 0.01),
    )


def _fit_margins(weights: DoubleArray, rows: DoubleArray, columns: DoubleArray) -> DoubleArray:
    """Scale rows and columns of (..., n, n) in turn until both sums are as asked for."""
    fitted = weights.copy()
    for _ in range(_SCALINGS):
        fitted *= _ratio(rows, fitted.sum(axis=-1))[..., :, None]
        fitted *= _ratio(columns, fitted.sum(axis=-2))[..., None, :]
    return fitted


def _ratio(wanted: DoubleArray, found: DoubleArray) -> DoubleArray:
    return np.divide(wanted, found, out=np.zeros_like(wanted), where=found > 0)


def _shares(weights: Sequence[float] | DoubleArray) -> DoubleArray:
    values = np.asarray(weights, dtype=np.float64)
    return np.asarray(values / values.sum())


def _taste(persona: Persona) -> DoubleArray:
    return _shares(
        [
            persona.tastes.get(group, 1.0) * persona.tastes.get(name, 1.0)
            for group, names in CATEGORIES.items()
            for name in names
        ]
    )


def _hours(persona: Persona) -> DoubleArray:
    hours = np.arange(24)
    weights = np.full(24, 0.02)
    for part, weight in zip(DAYPARTS, persona.dayparts, strict=True):
        centre, spread = _HOURS[part]
        weights += weight * np.exp(-0.5 * ((hours - centre) / spread) ** 2)
    return _shares(np.where(_OPEN, weights, 0.0))
