"""A file's text as blocks of UTF-8 that end where a line ends, whatever it is written in."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

from core.events.gate.encoding import Encoding, find_encoding
from core.events.gate.read_options import ReadOptions

BLOCK = 1 << 21
"""Bytes handed on at a time; large enough to be cut by two processors, small beside the memory."""
_FIRST = 1 << 16
"""Bytes of the first block: it goes the slow way, as its rows tell what the others must be like."""
_HEAD = 1 << 17
_STRAY = 0xDC00
"""Bytes that are no text become half characters from here on, which no text holds."""
_LONGEST_CHARACTER = 4
S = TypeVar("S", str, bytes)


@dataclass(frozen=True)
class Text:
    """A text that is read once: its encoding, its beginning, and its blocks."""

    encoding: Encoding
    head: str
    whole: bool
    """Whether ``head`` is all of it."""
    blocks: Iterator[tuple[bytes, bool]]
    """Blocks that end with a line end (but for the last), and whether it is the last.

    One without any line end is handed on once it is too long to be a line.
    """


def open_text(pieces: Iterator[bytes], options: ReadOptions) -> Text:
    """Look at the beginning of a text; the blocks hold it all, the beginning included."""
    first = next(pieces, b"")
    encoding = find_encoding(first, options.encoding)
    written = _as_utf8(chain([first[encoding.mark :]], pieces), encoding)
    known: list[bytes] = []
    for piece in written:
        known.append(piece)
        if sum(map(len, known)) > _LONGEST_CHARACTER * _HEAD:
            break
    head = b"".join(known).decode("utf-8", errors="replace")
    longest = _LONGEST_CHARACTER * options.max_line_length
    blocks = _whole_lines(chain(known, written), longest)
    return Text(encoding, head[:_HEAD], len(head) <= _HEAD, _last_told(_short_first(blocks)))


def line_ends(text: S) -> int:
    """Count line ends of every kind: LF, CR LF and lone CR."""
    if isinstance(text, bytes):
        returns = text.count(b"\r") - text.count(b"\r\n") if b"\r" in text else 0
        return text.count(b"\n") + returns
    return text.count("\n") + text.count("\r") - text.count("\r\n")


def stray_bytes(error: UnicodeDecodeError, encoding: Encoding) -> bytes:
    """The bytes of the file that were no text, out of the error that UTF-8 gives for them."""
    if encoding.codec == "utf-8":
        return bytes(error.object[error.start : error.end])
    half = error.object[error.start : error.start + 3].decode("utf-8", errors="surrogatepass")
    return bytes([ord(half) - _STRAY])


def _as_utf8(pieces: Iterable[bytes], encoding: Encoding) -> Iterator[bytes]:
    if encoding.codec == "utf-8":
        yield from pieces
        return
    decoder = codecs.getincrementaldecoder(encoding.codec)(_KEEP_STRAY)
    for piece in pieces:
        yield decoder.decode(piece).encode("utf-8", errors="surrogatepass")
    yield decoder.decode(b"", final=True).encode("utf-8", errors="surrogatepass")


def _keep_stray(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "".join(chr(_STRAY + byte) for byte in error.object[error.start : error.end]), error.end


_KEEP_STRAY = "segmentlab-keep-stray"
codecs.register_error(_KEEP_STRAY, _keep_stray)


def _whole_lines(pieces: Iterable[bytes], longest: int) -> Iterator[bytes]:
    waiting: list[bytes] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        within_one_line = size <= longest and not _cut_of(piece)
        if size < BLOCK or within_one_line:
            continue
        block = b"".join(waiting)
        cut = _cut_of(block) or (size if size > longest else 0)
        if cut:
            yield block[:cut]
        waiting, size = [block[cut:]], size - cut
    yield b"".join(waiting)


def _short_first(blocks: Iterator[bytes]) -> Iterator[bytes]:
    first = next(blocks)
    cut = _cut_of(first[: min(_FIRST, BLOCK)])
    if cut:
        yield first[:cut]
    yield first[cut:]
    yield from blocks


def _cut_of(block: bytes) -> int:
    """Where the last line of a block begins; 0 where the block is within one line.

    A CR at the very end may be half a line end.
    """
    return block.rfind(b"\n") + 1 or block.rfind(b"\r", 0, max(0, len(block) - 1)) + 1


def _last_told(blocks: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    before = next(blocks)
    for block in blocks:
        yield before, False
        before = block
    yield before, True
