"""One pass over the bytes of a text file, before anything is made of them.

Nothing is unpacked or held beyond a piece of a million bytes, so that a small compressed file
cannot fill the memory.
"""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from core.artifacts import Problem
from core.errors import FileRefused
from core.events.encoding import Encoding, guess_encoding
from core.events.problems import Tally, refusal, refused, tally, warning

_PIECE = 1 << 19
_HEAD = 1 << 17
_GUESS = 1 << 15
_SPACED_QUOTE = re.compile(r'(?:[,;\t|]|^)[ ]+"', re.MULTILINE)


@dataclass(frozen=True)
class Source:
    """A text file on disk, plain or gzip, and the encoding it is read in."""

    path: Path
    name: str
    packed: bool
    encoding: Encoding

    def open_bytes(self) -> BinaryIO:
        """Open it behind its byte order mark."""
        opened = gzip.GzipFile(self.path) if self.packed else self.path.open("rb")
        stream = cast(BinaryIO, opened)
        stream.read(self.encoding.mark)
        return stream

    def open_text(self) -> TextIO:
        """Open it as text with the line ends as they are, so that lines can be counted."""
        return io.TextIOWrapper(self.open_bytes(), encoding=self.encoding.codec, newline="")


@dataclass(frozen=True)
class Scan:
    """What one pass over a text found."""

    head: str
    whole: bool
    """Whether ``head`` is all of it."""
    spaced_quote: bool
    """Whether a quote stands behind a separator and a space somewhere."""
    warnings: tuple[Problem, ...]


@dataclass(frozen=True)
class Limits:
    """How much of a file is taken on."""

    megabytes: int
    line_length: int


def scan(source: Source, limits: Limits) -> Scan:
    """Check that a file is text within the limits, through and through.

    Raises FileRefused, naming the line, for bytes that are no text in the encoding, for NUL,
    for a line or a file over the limits, and for a damaged compressed file.
    """
    scanner = _Scanner(source, limits)
    decoder = codecs.getincrementaldecoder(source.encoding.codec)("strict")
    for piece in _pieces(source):
        try:
            text = decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as error:
            raise scanner.undecodable(error) from None
        scanner.take(text, len(piece))
    return scanner.result()


def line_ends(text: str) -> int:
    """Count line ends of every kind: LF, CR LF and lone CR."""
    return text.count("\n") + text.count("\r") - text.count("\r\n")


def _pieces(source: Source) -> Iterator[bytes]:
    """Yield the bytes piece by piece, and an empty piece at the end."""
    try:
        with source.open_bytes() as stream:
            while piece := stream.read(_PIECE):
                yield piece
    except (gzip.BadGzipFile, EOFError, zlib.error):
        message = "The compressed file is damaged or cut short. Copy or export it again."
        raise refusal(source.name, [refused("damaged_gzip", message)]) from None
    yield b""


class _Scanner:
    def __init__(self, source: Source, limits: Limits) -> None:
        self.source, self.limits = source, limits
        self.head = ""
        self.characters = self.bytes = 0
        self.line, self.run = 1, 0  # the line at hand, and its length so far
        self.ended_cr = self.spaced_quote = False
        self.replaced = Tally()

    def take(self, text: str, n_bytes: int) -> None:
        if self.ended_cr and text.startswith("\n"):
            self.line -= 1  # a CR LF that was cut in two is one line end
        self.bytes += n_bytes
        self.characters += len(text)
        self.head += text[: max(0, _HEAD - len(self.head))]
        self._check_size()
        self._check_nul(text)
        self._check_line_length(text)
        self.spaced_quote |= ' "' in text and bool(_SPACED_QUOTE.search(text))
        self.replaced.add(self._lines_of("\ufffd", text))
        self.line += line_ends(text)
        self.ended_cr = text.endswith("\r") if text else self.ended_cr

    def result(self) -> Scan:
        found = []
        if self.replaced.count:
            found.append(
                warning(
                    "replaced_characters",
                    f"The sign U+FFFD stands on {self.replaced.text}: the text was damaged before "
                    "it came here (exported in one encoding, read in another). It is kept as is.",
                    self.replaced,
                )
            )
        whole = len(self.head) == self.characters
        return Scan(self.head, whole, self.spaced_quote, tuple(found))

    def undecodable(self, error: UnicodeDecodeError) -> FileRefused:
        """Word the refusal for bytes that are no text, with a guess at the encoding."""
        encoding = self.source.encoding
        before = error.object[: error.start].decode(encoding.codec, errors="ignore")
        line = self.line + line_ends(before) - (self.ended_cr and before.startswith("\n"))
        begin = error.object.rfind(b"\n", 0, error.start) + 1
        guess = guess_encoding(bytes(error.object[begin : begin + _GUESS]))
        written = " ".join(f"{byte:02X}" for byte in error.object[error.start : error.end])
        hint = f" It may be written in {guess} (a guess)." if guess else ""
        message = (
            f"The encoding is not {encoding.name}: line {line} holds the byte {written}, which is "
            f"no text there.{hint} Export the file as UTF-8, or name its encoding (read.encoding)."
        )
        return self._refusal("encoding", message, line)

    def _check_size(self) -> None:
        if self.bytes > self.limits.megabytes * 1_000_000:
            message = (
                f"It is larger than {self.limits.megabytes:,} MB when unpacked. Split it, or "
                "raise the limit (read.max_megabytes)."
            )
            raise refusal(self.source.name, [refused("too_large", message)])

    def _check_nul(self, text: str) -> None:
        if "\0" not in text:
            return
        where = Tally()
        where.add(self._lines_of("\0", text))
        likely = guess_encoding(text[:_GUESS].encode("latin-1", errors="replace")) or ""
        hint = f" The encoding may be {likely} (a guess; read.encoding)." * likely.startswith("utf")
        message = (
            f"A NUL character stands on {where.text}; a text file holds none, and programs cut "
            f"the value there or lose it.{hint} Export the file again."
        )
        raise refusal(self.source.name, [refused("nul", message, where)])

    def _check_line_length(self, text: str) -> None:
        limit = self.limits.line_length
        first = min((at for at in (text.find("\n"), text.find("\r")) if at >= 0), default=-1)
        ended = self.run + (first if first >= 0 else len(text))
        if ended > limit:
            raise self._line_too_long(self.line)
        self.run = len(text) - 1 - max(text.rfind("\n"), text.rfind("\r")) if first >= 0 else ended
        if len(text) <= limit:
            return  # nothing that lies within the piece can be too long
        lines = re.split("[\r\n]", text[first + 1 :]) if first >= 0 else []
        if any(len(line) > limit for line in lines):
            begin = first + 1 + text[first + 1 :].index(max(lines, key=len))
            raise self._line_too_long(self.line + line_ends(text[:begin]))

    def _line_too_long(self, line: int) -> FileRefused:
        message = (
            f"Line {line} is longer than {self.limits.line_length:,} characters. Is it a CSV "
            "file? The limit is read.max_line_length."
        )
        return self._refusal("line_too_long", message, line)

    def _lines_of(self, sign: str, text: str) -> Iterator[int]:
        """Yield the lines on which a sign stands, each once per sign."""
        line, begin = self.line, 0
        while (at := text.find(sign, begin)) >= 0:
            line += line_ends(text[begin:at])
            yield line
            begin = at + 1

    def _refusal(self, code: str, message: str, line: int) -> FileRefused:
        return refusal(self.source.name, [refused(code, message, tally([line]))])
