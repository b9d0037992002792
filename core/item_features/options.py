"""How what is known of items and queries is brought to the events, in the analyst's words."""

from __future__ import annotations

from dataclasses import dataclass

from core.options import Options, option


@dataclass(frozen=True, kw_only=True)
class ItemFeatureOptions(Options):
    """What is told of items and search queries beside their codes."""

    category_from_items: bool = option(
        True,
        "Missing categories from the items table",
        "Fill the category of events that have none with that of their item",
    )
    item_text: bool = option(
        True, "Use titles", "Let the words of the items' titles (and brands) count"
    )
    query_text: bool = option(
        True, "Use search queries", "Let the words that were searched for count"
    )
    text_dimensions: int = option(
        16,
        "Numbers per text",
        "Titles and queries are told in so many numbers; words that occur together share them",
        low=1,
        high=256,
        expert=True,
    )
    vector_dimensions: int = option(
        32,
        "Numbers per item vector",
        "Item vectors from a file that are wider are reduced to so many principal components",
        low=1,
        high=512,
        expert=True,
    )
    text_words: int = option(
        20_000,
        "Words",
        "The words of most titles (or queries) count, rarer ones do not",
        low=2,
        high=1_000_000,
        unit="words",
        expert=True,
    )
    text_rarest: int = option(
        2,
        "Rarest word",
        "A word counts from so many different titles (or queries) on",
        low=1,
        high=10_000,
        unit="texts",
        expert=True,
    )
