"""Which words a log is told in, and how they become codes.

Words are counted once by the engine; after that a batch of events is coded by its few distinct
words, never by its rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from core.artifacts import IntArray, Vocabulary
from core.events import engine
from core.sequences.batches import read_batches, word_of_row
from core.sequences.options import SequenceOptions

OTHER = "(other)"
"""The last word of a vocabulary that was cut short: all the rarer words together."""

_COUNTED = pa.schema([("word", pa.string()), ("n", pa.int64())])

CODED = {
    "action": "actions",
    "category": "categories",
    "item": "items",
    "platform": "platforms",
    "query": "queries",
}
"""Column to the vocabulary that codes it."""


def read_vocabulary(path: Path, options: SequenceOptions, session_gap: float) -> Vocabulary:
    """The words of a cleaned log by frequency, falling, ties by word.

    Where actions, categories or platforms are cut short, `OTHER` becomes their last word and
    stands for all rarer ones; items and search texts that are cut off are unknown (0), as
    nobody can be offered "other".
    """
    with engine.connect() as connection:
        engine.open_events(connection, path)
        return Vocabulary(
            actions=_words(connection, "action", options.max_actions, with_rest=True),
            categories=_words(connection, "category", options.max_categories, with_rest=True),
            items=_words(connection, "item", options.max_items, with_rest=False),
            platforms=_words(connection, "platform", options.max_actions, with_rest=True),
            queries=_queries(connection, path, options.max_queries),
            session_gap=session_gap,
        )


def normalised_queries(queries: pa.Array) -> pa.Array:
    """Search texts in lower case, with spaces at the ends gone and runs of them made one.

    What was nothing but spaces becomes null.
    """
    squeezed = pc.replace_substring_regex(queries, pattern=r"[\s\p{Z}]+", replacement=" ")
    words = pc.utf8_trim_whitespace(pc.utf8_lower(squeezed))
    return pc.if_else(pc.equal(words, ""), pa.scalar(None, pa.string()), words)


class Coder:
    """Codes the words of one column by a vocabulary."""

    def __init__(self, column: str, vocabulary: Vocabulary) -> None:
        words = getattr(vocabulary, CODED[column])
        self._place = pd.Index(words, dtype=object)
        self._normalises = column == "query"
        self._rest = len(words) if words and words[-1] == OTHER else 0
        self._words = pa.array([], pa.string())
        self._by_word = np.zeros(1, dtype=np.int32)

    def codes(self, column: pa.DictionaryArray) -> IntArray:
        """Code of every event, shape (rows,).

        A word that the vocabulary lacks gets the code of `OTHER` where the vocabulary ends with
        it, since so it would have been coded then, and 0 elsewhere.
        """
        if not column.dictionary.equals(self._words):  # often those of the batch before
            self._words = column.dictionary
            self._by_word = self._codes_of(column.dictionary)
        return self._by_word[word_of_row(column)]

    def _codes_of(self, words: pa.Array) -> IntArray:
        """Code of every word, and 0 at the end, for rows without a word."""
        if self._normalises:
            words = normalised_queries(words)
        place = self._place.get_indexer(words.to_numpy(zero_copy_only=False))
        known = np.where(place >= 0, place + 1, self._rest)
        known[words.is_null().to_numpy(zero_copy_only=False)] = 0
        return np.append(known, 0).astype(np.int32)


def _words(
    connection: duckdb.DuckDBPyConnection, column: str, limit: int, *, with_rest: bool
) -> tuple[str, ...]:
    """The most frequent words of a column; `OTHER` after them where some did not fit."""
    found = connection.execute(
        f'SELECT "{column}" AS word FROM events WHERE word IS NOT NULL '
        "GROUP BY word ORDER BY count(*) DESC, word LIMIT $1",
        [limit + 1],
    ).fetchall()
    words = tuple(word for (word,) in found)
    if len(words) <= limit:
        return words
    # a word of the log that reads the same joins the rest, for no word stands twice
    return (*(w for w in words[:limit] if w != OTHER), OTHER) if with_rest else words[:limit]


def _queries(connection: duckdb.DuckDBPyConnection, path: Path, limit: int) -> tuple[str, ...]:
    """The most frequent search texts, as `normalised_queries` has them."""
    counted = pa.RecordBatchReader.from_batches(_COUNTED, _query_counts(path))
    connection.register("query_counts", counted)
    found = connection.execute(
        "SELECT word FROM query_counts GROUP BY word ORDER BY sum(n) DESC, word LIMIT $1", [limit]
    ).fetchall()
    return tuple(word for (word,) in found)


def _query_counts(path: Path) -> Iterator[pa.RecordBatch]:
    """Search texts and how often each stands in a batch of the log."""
    for batch in read_batches(path, ["query"]):
        column = batch["query"]
        counts = np.bincount(word_of_row(column), minlength=len(column.dictionary) + 1)[:-1]
        words = normalised_queries(column.dictionary)
        known = pc.and_(words.is_valid(), pa.array(counts > 0))  # a dictionary may hold more
        arrays = [words.filter(known), pa.array(counts, pa.int64()).filter(known)]
        yield pa.record_batch(arrays, schema=_COUNTED)
