"""Which encoding a file is written in: by its byte order mark, by name, or else UTF-8.

An 8-bit encoding cannot be told from the bytes for sure, so it is never assumed: the file is
refused with a guess that is marked as one.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

EncodingName = Literal[
    "auto",
    "utf-8",
    "utf-16-le",
    "utf-16-be",
    "cp1252",
    "cp1251",
    "gb18030",
    "big5",
    "shift_jis",
    "euc_kr",
]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "utf-32-le"),  # before UTF-16, whose mark begins it
    (codecs.BOM_UTF32_BE, "utf-32", "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16", "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16", "utf-16-be"),
)
_SAMPLE = 4000
"""Characters looked at for a guess."""


@dataclass(frozen=True)
class Encoding:
    """How bytes become text: the name to show, the codec, and the bytes of the mark to skip."""

    name: str
    codec: str
    mark: int = 0


def find_encoding(head: bytes, asked: EncodingName) -> Encoding:
    """Tell the encoding from the mark, else take the one asked for, else UTF-8."""
    for mark, name, codec in _MARKS:
        if head.startswith(mark):
            return Encoding(name, codec, len(mark))
    name = "utf-8" if asked == "auto" else asked
    return Encoding(name, name)


def guess_encoding(sample: bytes) -> str | None:
    """Name the likeliest encoding of bytes that are not UTF-8; None where nothing fits.

    Weighs, for every candidate that can read the sample, which share of the characters beyond
    ASCII are everyday ones of its script.
    """
    if sample[1::2].count(0) > len(sample) / 5:
        return "utf-16-le"
    if sample[::2].count(0) > len(sample) / 5:
        return "utf-16-be"
    scores = {codec: _everyday_share(sample, codec, count) for codec, count in _EVERYDAY.items()}
    best = max(scores, key=lambda codec: scores[codec])
    return best if scores[best] > 0.5 else None


def _everyday_share(sample: bytes, codec: str, everyday: Callable[[str], int]) -> float:
    try:
        # A sample may end in the middle of a character; that alone is no reason to drop a codec.
        text = codecs.getincrementaldecoder(codec)("strict").decode(sample)
    except UnicodeDecodeError:
        return 0.0
    text = text[:_SAMPLE]
    foreign = sum(ord(char) > 127 for char in text)
    return everyday(text) / foreign if foreign else 0.0


def _matched(pattern: str) -> Callable[[str], int]:
    return lambda text: sum(len(match) for match in re.findall(pattern, text))


def _common_in(codec: str, low: int, high: int, also: str) -> Callable[[str], int]:
    """Count the characters whose first byte lies in the block of common characters."""

    def common(char: str) -> bool:
        written = char.encode(codec, errors="ignore")
        return char in also or (len(written) == 2 and low <= written[0] <= high)

    return lambda text: sum(common(char) for char in text if ord(char) > 127)


_KANA = "".join(map(chr, range(0x3041, 0x30FF))) + "、。"
_EVERYDAY: dict[str, Callable[[str], int]] = {
    "shift_jis": _common_in("shift_jis", 0x88, 0x97, _KANA),
    # Hangul fills only a part of the block where common Chinese characters lie: asked first.
    "euc_kr": _common_in("euc_kr", 0xB0, 0xC8, ""),
    "gb18030": _common_in("gb2312", 0xB0, 0xD7, "，。、：；（）"),
    "big5": _common_in("big5", 0xA4, 0xC6, "，。、：；（）"),
    "cp1251": _matched("[А-яЁё]{3,}"),
    # Western accents stand alone or in pairs between plain letters.
    "cp1252": _matched("(?<![À-ÿ])[À-ÿ€£©®°–—‘’“”…«»¿¡ºª]{1,2}(?![À-ÿ])"),
}
