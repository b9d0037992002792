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
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "koi8_r",
    "gb18030",
    "big5",
    "shift_jis",
    "euc_jp",
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
_ENOUGH = 64
"""From so many characters beyond ASCII on the detector can tell what a text cannot be."""
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")


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
    """Name the likeliest encoding of lines that are not UTF-8; None where nothing fits.

    Two judges together: charset-normalizer tells in which encodings a longer text would be chaos,
    and of the others that one is taken in which the largest share of the characters beyond ASCII
    are everyday ones of its script. Alone, the detector misses lines as short as those of logs
    (of 35 such samples it names 21, both together all), and the shares alone can be misled by
    long ones.
    """
    if sample[1::2].count(0) > len(sample) / 5:
        return "utf-16-le"
    if sample[::2].count(0) > len(sample) / 5:
        return "utf-16-be"
    if _CONTROL.search(sample) or _mostly_utf8(sample):
        return None
    chaos = _chaos(sample)
    scores = {
        codec: _everyday_share(sample, codec, count) - chaos.get(codec, 0.0)
        for codec, count in _EVERYDAY.items()
        if not chaos or codec in chaos
    }
    best = max(scores, key=lambda codec: scores[codec], default="")
    return best if scores.get(best, 0.0) > 0.5 else None


def _mostly_utf8(sample: bytes) -> bool:
    """Whether the text is UTF-8 with some damage, so that no other encoding is to be looked for."""
    sound = sum(ord(char) > 127 for char in sample.decode("utf-8", errors="ignore"))
    wrong = sum(char == "\ufffd" for char in sample.decode("utf-8", errors="replace"))
    return sound > wrong


def _chaos(sample: bytes) -> dict[str, float]:
    """How chaotic the text would be (0 to 1) in each encoding that the detector thinks possible.

    Empty where it cannot tell.
    """
    if sum(byte > 127 for byte in sample) < _ENOUGH:
        return {}
    import charset_normalizer

    found = charset_normalizer.from_bytes(sample, cp_isolation=list(_EVERYDAY))
    # Encodings in which the text reads the same are one match.
    return {name: match.chaos for match in found for name in match.could_be_from_charset}


def _everyday_share(sample: bytes, codec: str, everyday: Callable[[str], float]) -> float:
    try:
        # A sample may end in the middle of a character; that alone is no reason to drop a codec.
        text = codecs.getincrementaldecoder(codec)("strict").decode(sample)
    except UnicodeDecodeError:
        return 0.0
    text = text[:_SAMPLE]
    foreign = sum(ord(char) > 127 for char in text)
    return everyday(text) / foreign if foreign else 0.0


def _matched(pattern: str) -> Callable[[str], float]:
    return lambda text: sum(len(match) for match in re.findall(pattern, text))


def _common_in(codec: str, low: int, high: int, also: str) -> Callable[[str], float]:
    """Count the characters whose first byte lies in the block of common characters."""

    def common(char: str) -> bool:
        written = char.encode(codec, errors="ignore")
        return char in also or (len(written) == 2 and low <= written[0] <= high)

    return lambda text: sum(common(char) for char in text if ord(char) > 127)


def _words_of(capital: str, small: str) -> Callable[[str], float]:
    """Count letters in words written as usual; words all in capitals count half.

    In the wrong encoding of the same script capitals and small letters change places.
    """
    alone = f"(?<![{capital}{small}])(?:{{}})(?![{capital}{small}])"
    usual = _matched(alone.format(f"[{capital}][{small}]{{2,}}|[{small}]{{3,}}"))
    capitals = _matched(alone.format(f"[{capital}]{{3,}}"))
    return lambda text: usual(text) + capitals(text) / 2


def _accents(letters: str) -> Callable[[str], float]:
    """Count accented letters that stand alone or in pairs beside plain ones, and a few signs."""
    beside = f"(?<=[A-Za-z])[{letters}]{{1,2}}|[{letters}]{{1,2}}(?=[A-Za-z])"
    return _matched(f"(?<![{letters}])(?:{beside}|[{_SIGNS}]{{1,2}})(?![{letters}])")


_SIGNS = "€£©®°–—‘’“”…«»¿¡ºª"
_KANA = "".join(map(chr, range(0x3041, 0x30FF))) + "、。"
_HAN_SIGNS = "，。、：；（）"
_CYRILLIC = _words_of("А-ЯЁ", "а-яё")
_WESTERN = "À-ÏÑ-ÖØ-ÜßÀà-ïñ-öø-ü"
_CENTRAL = "ÁáÂâÄäÇçÉéËëÍíÎîÓóÔôÖöÚúÜüÝýßĂăĄąĆćČčĎďĘęĚěĹĺĽľŁłŃńŇňŐőŔŕŘřŚśŞşŠšŢţŤťŮůŰűŹźŻżŽž"
_EVERYDAY: dict[str, Callable[[str], float]] = {
    # Of equals the first is taken. Letters that the first three share lie at the same places.
    "cp1252": _accents(_WESTERN),
    "cp1254": _accents(_WESTERN + "ĞğİıŞş"),
    "cp1250": _accents(_CENTRAL),
    "shift_jis": _common_in("shift_jis", 0x88, 0x97, _KANA),
    # Hangul fills only a part of the block where common Chinese characters lie: asked first.
    "euc_kr": _common_in("euc_kr", 0xB0, 0xC8, ""),
    "gb18030": _common_in("gb2312", 0xB0, 0xD7, _HAN_SIGNS),
    "big5": _common_in("big5", 0xA4, 0xC6, _HAN_SIGNS),
    "euc_jp": _common_in("euc_jp", 0xB0, 0xCF, _KANA),
    "cp1251": _CYRILLIC,
    "koi8_r": _CYRILLIC,
    "cp1253": _words_of("Α-ΩΆΈΉΊΌΎΏ", "α-ωάέήίόύώϊϋΐΰ"),
}
