"""What is known of items and search queries, as tables that events look up by their codes."""

from __future__ import annotations

from collections.abc import Mapping

from core.artifacts import FloatArray, Sequences


def event_vectors(sequences: Sequences) -> dict[str, FloatArray]:
    """The tables (I + 1, F) that hold anything, by the name of the code that looks them up."""
    tables = {"item": sequences.item_vectors, "query": sequences.query_vectors}
    return {name: table for name, table in tables.items() if table.shape[1]}


def fitted_vectors(sequences: Sequences, widths: Mapping[str, int]) -> dict[str, FloatArray]:
    """The tables that were there at fitting, by their ``widths``; what came later is not read.

    Raises ValueError where one is missing or of another width: the features of the fitted log
    must be attached to new sequences before they are placed.
    """
    tables = event_vectors(sequences)
    for name, width in widths.items():
        found = tables[name].shape[1] if name in tables else 0
        if found != width:
            raise ValueError(
                f"Fitted with {width} numbers per {name}, but these sequences have {found}: attach "
                "the item features of the fitted log first."
            )
    return {name: table for name, table in tables.items() if name in widths}
