"""What the invented shop sells: items with a title, a brand, a list price and a popularity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.artifacts import DoubleArray, LongArray, TextArray
from core.events.shop.personas import BANDS, category_names

ITEMS_PER_CATEGORY = 43
_ZIPF = 0.9
"""Popularity falls with rank to this power, within a band of a category."""

_BRANDS = ("Alder", "Brook", "Calla", "Dune", "Ember", "Fjord", "Grove", "Harbor", "Iris", "Juno")
_STYLES = ("Classic", "Soft", "Compact", "Modern", "Light", "Bold", "Urban", "Nordic", "Little")
_KINDS = {  # category: its usual price and what is sold there
    "Dresses": (55, "Wrap Dress,Shirt Dress,Maxi Dress,Linen Dress"),
    "Shoes": (70, "Sneakers,Ankle Boots,Sandals,Loafers"),
    "Bags": (60, "Tote,Backpack,Clutch,Shoulder Bag"),
    "Jewellery": (45, "Ring,Necklace,Bracelet,Ear Studs"),
    "Kitchen": (35, "Pan,Kettle,Knife Set,Mixing Bowl"),
    "Furniture": (140, "Armchair,Side Table,Shelf,Desk"),
    "Lighting": (50, "Desk Lamp,Pendant,Lantern,Floor Lamp"),
    "Garden": (40, "Planter,Trowel,Bench,Hose"),
    "Phones": (260, "Phone,Case,Charger,Power Bank"),
    "Computers": (420, "Laptop,Keyboard,Monitor,Mouse"),
    "Audio": (90, "Headphones,Speaker,Earbuds,Turntable"),
    "Books": (16, "Novel,Cookbook,Atlas,Biography"),
    "Toys": (25, "Puzzle,Train Set,Plush Bear,Blocks"),
    "Sports": (48, "Yoga Mat,Dumbbells,Running Vest,Bike Light"),
}


@dataclass(frozen=True)
class Goods:
    """All I items, by category and within it by price; the three price bands follow."""

    category: LongArray  # (I,)
    band: LongArray  # (I,) index into BANDS
    cents: LongArray  # (I,) list price
    code: TextArray  # (I,)
    title: TextArray  # (I,)
    brand: TextArray  # (I,)
    popularity: DoubleArray  # (C, 3, slots) chance of the slot-th item of the band
    first: LongArray  # (C, 3) the band's first item


def stock(rng: np.random.Generator) -> Goods:
    """Fill the shop."""
    names, per = category_names(), ITEMS_PER_CATEGORY
    n = len(names) * per
    usual = np.repeat([_KINDS[name][0] for name in names], per)
    price = np.sort((usual * rng.lognormal(0, 0.6, n)).reshape(-1, per), axis=1).ravel()
    band = np.tile(np.arange(per) * len(BANDS) // per, len(names))
    kinds = np.array([_KINDS[name][1].split(",") for name in names], dtype=object)
    category = np.repeat(np.arange(len(names)), per)
    style, brand = rng.integers(0, len(_STYLES), n), rng.integers(0, len(_BRANDS), n)
    title = np.array(_STYLES, dtype=object)[style] + " " + kinds[category, rng.integers(0, 4, n)]
    codes = rng.choice(100_000, n, replace=False)
    popularity, first = _popularity(band[:per], len(names), rng)
    return Goods(
        category=category,
        band=band,
        cents=np.maximum(np.round(price), 3).astype(np.int64) * 100 - 10,
        code=np.array([f"SKU-{code:05d}" for code in codes], dtype=object),
        title=title,
        brand=np.array(_BRANDS, dtype=object)[brand],
        popularity=popularity,
        first=first,
    )


def _popularity(
    band: LongArray, n_categories: int, rng: np.random.Generator
) -> tuple[DoubleArray, LongArray]:
    sizes = np.bincount(band)
    slots = int(sizes.max())
    rank = rng.permuted(np.tile(np.arange(slots), (n_categories, len(sizes), 1)), axis=2)
    weights = (rank + 1.0) ** -_ZIPF * (np.arange(slots) < sizes[:, None])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    first = np.arange(n_categories)[:, None] * len(band) + starts
    return weights / weights.sum(axis=2, keepdims=True), first
