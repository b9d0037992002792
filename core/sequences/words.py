"""Which words a log is told in, and how they become codes.

Words are counted once by the engine; after that a batch of events is coded by its few distinct
words, never by its rows.
"""

from __future__ import annotations

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from core.artifacts import IntArray, Vocabulary
from core.sequences.options import SequenceOptions

OTHER = "(other)"
"""The last word of a vocabulary that was cut short: all the rarer words together."""

CODED = {
    "action": "actions",
    "category": "categories",
    "item": "items",
    "platform": "platforms",
    "query": "queries",
}
"""Column to the vocabulary that codes it."""


def read_vocabulary(
    connection: duckdb.DuckDBPyConnection, options: SequenceOptions, session_gap: float
) -> Vocabulary:
    """The words of the view ``events`` by frequency, falling, ties by word.

    Where actions, categories or platforms are cut short, `OTHER` becomes their last word and
    stands for all rarer ones; items and search texts that are cut off are unknown (0), as
    nobody can be offered "other".
    """
    return Vocabulary(
        actions=_words(connection, "action", options.max_actions, with_rest=True),
        categories=_words(connection, "category", options.max_categories, with_rest=True),
        items=_words(connection, "item", options.max_items, with_rest=False),
        platforms=_words(connection, "platform", options.max_actions, with_rest=True),
        queries=_queries(connection, options.max_queries),
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

    def codes(self, column: pa.DictionaryArray) -> IntArray:
        """Code of every event, shape (rows,).

        A word that the vocabulary lacks gets the code of `OTHER` where the vocabulary ends with
        it, since so it would have been coded then, and 0 elsewhere.
        """
        words = column.dictionary
        if self._normalises:
            words = normalised_queries(words)
        place = self._place.get_indexer(words.to_numpy(zero_copy_only=False))
        known = np.where(place >= 0, place + 1, self._rest)
        known[words.is_null().to_numpy(zero_copy_only=False)] = 0
        by_word = np.append(known, 0).astype(np.int32)  # the last is for rows without a word
        return by_word[word_of_row(column)]


def word_of_row(column: pa.DictionaryArray) -> npt.NDArray[np.int32]:
    """Place of every row's word in the column's dictionary; its length where there is none."""
    indices = column.indices
    if indices.null_count:
        indices = pc.fill_null(indices, len(column.dictionary))
    return np.asarray(indices.to_numpy(zero_copy_only=False), dtype=np.int32)


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


def _queries(connection: duckdb.DuckDBPyConnection, limit: int) -> tuple[str, ...]:
    """The most frequent search texts, as `normalised_queries` has them."""
    raw = connection.sql(
        "SELECT query, count(*) AS n FROM events WHERE query IS NOT NULL GROUP BY query"
    ).to_arrow_table()
    texts = raw["query"].combine_chunks()
    counted = pa.table({"word": normalised_queries(texts), "n": raw["n"]})
    summed = counted.group_by("word").aggregate([("n", "sum")])
    order = [("n_sum", "descending"), ("word", "ascending")]
    words = summed.filter(pc.is_valid(summed["word"])).sort_by(order)["word"]
    return tuple(words.slice(0, limit).to_pylist())
