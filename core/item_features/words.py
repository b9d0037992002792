"""The words of a title or a search query, in scripts with and without spaces between words."""

from __future__ import annotations

import re
import unicodedata

MOST_LETTERS = 2000
"""Signs of a text that are looked at: titles end long before, and a novel in a cell must not."""

_NO_SPACES = "\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Han and kana: scripts that put no spaces between words."""
_POSSESSIVE = re.compile(r"['\u2019]s\b")
_RUNS = re.compile(
    rf"(?P<run>[{_NO_SPACES}]+)|(?P<word>\d+(?:[.,]\d+)+|(?:(?![{_NO_SPACES}])[^\W_])+)"
)


def words_in(text: str) -> list[str]:
    """Words in lower case, numbers included; of Chinese and Japanese every two signs in a row.

    Full-width and other forms of a sign count as the sign itself. Where a run of Chinese is one
    sign long, it is a word. Pairs stand in for words, since nothing says where a word ends.
    Source: Nie et al., 1999, "On the use of words and n-grams for Chinese information retrieval".
    """
    plain = _POSSESSIVE.sub("", unicodedata.normalize("NFKC", text[:MOST_LETTERS]).casefold())
    found: list[str] = []
    for match in _RUNS.finditer(plain):
        run = match["run"]
        if run is None or len(run) == 1:
            found.append(match[0])
        else:
            found += [run[at : at + 2] for at in range(len(run) - 1)]
    return found
