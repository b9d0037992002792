"""What is checked of every block of a text, whichever way its rows are cut afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from core.artifacts import Problem
from core.errors import FileRefused
from core.events.gate.blocks import line_ends, stray_bytes
from core.events.gate.encoding import Encoding, guess_encoding
from core.events.gate.read_options import ReadOptions
from core.events.problems import Tally, refusal, refused, tally, warning

_GUESS = 1 << 16
SMALL = 1 << 18
"""Bytes up to which a block is not cut into smaller ones."""
_REPLACED = b"\xef\xbf\xbd"
_MARK = "\ufeff".encode()
_MARKS_FIRST = re.compile(
    rb"(?:^|(?<=[\r\n]))(?:" + _MARK + rb")+(?![,;\t|\r\n]|\Z|" + _MARK + rb")"
)
"""Byte order marks with which a line begins: those of files that were joined. A cell that holds
nothing else is a value of its own."""
LINE_END = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True)
class Block:
    """Some whole lines of a text."""

    data: bytes
    line: int
    """The physical line on which it begins, from 1."""
    ends: int
    """Its line ends of every kind."""
    last: bool
    sound: bool
    """Whether all of it is text without NUL."""

    def halves(self) -> tuple[Block, ...]:
        """Two blocks that are this one; none where it is small, or wrong anyway."""
        cut = self.data.find(b"\n", len(self.data) // 2) + 1
        if len(self.data) < SMALL or not self.sound or not 0 < cut < len(self.data):
            return ()
        ends = line_ends(self.data[:cut])
        return (
            Block(self.data[:cut], self.line, ends, False, True),
            Block(self.data[cut:], self.line + ends, self.ends - ends, self.last, True),
        )

    def text(self) -> str:
        return self.data.decode("utf-8", errors="strict" if self.sound else "replace")


class Scan:
    """Takes the blocks of a text in their order, and keeps what is wrong with them."""

    def __init__(self, name: str, encoding: Encoding, delimiter: str, options: ReadOptions) -> None:
        self._name, self._encoding, self._options = name, encoding, options
        self._line = 1
        self._replaced, self._nul, self._undecodable = Tally(), Tally(), Tally()
        self._backslashes = Tally()
        self._marks_out, self._marks_kept = Tally(), Tally()
        self._first_wrong, self._sample = b"", b""
        self._escape = re.compile(rb'\\["' + re.escape(delimiter).encode() + rb"]")
        self.n_lines = 0
        """Physical lines taken so far, the last of which may lack its end."""

    def take(self, data: bytes, last: bool) -> Block:
        """Check the next block; the marks of joined files are taken out of it.

        Raises FileRefused for a line over the limit.
        """
        if _MARK in data:
            data = self._without_marks(data)
        self._check_line_length(data)
        decodable = data.isascii() or self._check_letters(data)
        has_nul = self._has_nul(data)
        if b"\\" in data:
            places = (match.start() for match in self._escape.finditer(data))
            self._backslashes.add(self._lines_at(data, places))
        block = Block(data, self._line, line_ends(data), last, decodable and not has_nul)
        self._line += block.ends
        self.n_lines = self._line - (not data or data.endswith((b"\r", b"\n")))
        return block

    def problems(self) -> Iterator[Problem]:
        """Everything found: refusals and warnings."""
        if self._undecodable.count:
            yield self._wrong_encoding()
        if self._nul.count:
            yield nul_problem(self._nul, "")
        if self._replaced.count:
            message = (
                f"The sign U+FFFD stands on {self._replaced.text}: the text was damaged before "
                "it came here (exported in one encoding, read in another). It is kept as is."
            )
            yield warning("replaced_characters", message, self._replaced)
        yield from self._mark_warnings()
        if self._backslashes.count:
            yield self._backslash_warning()

    def _without_marks(self, data: bytes) -> bytes:
        """The block without marks at the beginning of a line; any other may belong to a value."""
        joints = (match.start() for match in _MARKS_FIRST.finditer(data))
        self._marks_out.add(self._lines_at(data, joints))
        data = _MARKS_FIRST.sub(b"", data)
        self._marks_kept.add(self._lines_at(data, _places(_MARK, data)))
        return data

    def _mark_warnings(self) -> Iterator[Problem]:
        what = "A byte order mark (U+FEFF), which cannot be seen,"
        if self._marks_out.count:
            message = (
                f"{what} stands at the beginning of {self._marks_out.text} and was taken out. "
                "Files were joined there; a header of theirs would be read as a row."
            )
            yield warning("joined_files", message, self._marks_out)
        if self._marks_kept.count:
            message = (
                f"{what} stands within {self._marks_kept.text} and is kept: a value with it is "
                "another than the same value without. Take it out where the file is made."
            )
            yield warning("hidden_marks", message, self._marks_kept)

    def _check_letters(self, data: bytes) -> bool:
        if _REPLACED in data:
            self._replaced.add(self._lines_at(data, _places(_REPLACED, data)))
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            for line, written in enumerate(data.splitlines(), start=self._line):
                self._check_line(line, written)
            return False
        return True

    def _check_line(self, line: int, written: bytes) -> None:
        try:
            written.decode("utf-8")
        except UnicodeDecodeError as error:
            self._undecodable.add([line])
            self._first_wrong = self._first_wrong or stray_bytes(error, self._encoding)
            if self._encoding.codec == "utf-8" and len(self._sample) < _GUESS:
                self._sample += written[:_GUESS] + b"\n"

    def _has_nul(self, data: bytes) -> bool:
        if b"\0" not in data:
            return False
        self._nul.add(self._lines_at(data, _places(b"\0", data)))
        return True

    def _check_line_length(self, data: bytes) -> None:
        limit = self._options.max_line_length
        if len(data) <= limit or no_longer_line(data, limit):
            return
        line = self._line
        for written in LINE_END.split(data):
            if len(written) > limit and len(written.decode("utf-8", errors="replace")) > limit:
                message = (
                    f"Line {line} is longer than {limit:,} characters. Is it a CSV file? The "
                    "limit is read.max_line_length."
                )
                raise self._refusal("line_too_long", message, line)
            line += 1

    def _lines_at(self, data: bytes, places: Iterator[int]) -> Iterator[int]:
        """Yield the lines of places in a block, each line once."""
        line, begin, before = self._line, 0, 0
        for at in places:
            line += line_ends(data[begin:at])
            begin = at
            if line != before:
                yield line
            before = line

    def _wrong_encoding(self) -> Problem:
        name, where = self._encoding.name, self._undecodable
        guess = guess_encoding(self._sample) if self._sample else None
        hint = f" It may be written in {guess} (a guess)." if guess else ""
        written = " ".join(f"{byte:02X}" for byte in self._first_wrong)
        first = "the byte" if where.count == 1 else f"bytes (the first is {written} on line"
        found = f"{first} {written}" if where.count == 1 else f"{first} {where.lines[0]})"
        message = (
            f"The encoding is not {name}: {where.text} hold{'s' * (where.count == 1)} {found} "
            f"that {'is' if where.count == 1 else 'are'} no text there.{hint} Export the file as "
            "UTF-8, or name its encoding (read.encoding)."
        )
        return refused("encoding", message, where)

    def _backslash_warning(self) -> Problem:
        where = f"A backslash stands before a separator or a quote on {self._backslashes.text}"
        if self._options.escape == "backslash":
            message = f"{where}: taken as the escape of the sign behind it (read.escape)."
        else:
            message = (
                f"{where}: taken as a backslash and kept. If it was meant to escape the sign "
                "behind it, set read.escape=backslash."
            )
        return warning("backslashes", message, self._backslashes)

    def _refusal(self, code: str, message: str, line: int) -> FileRefused:
        return refusal(self._name, [refused(code, message, tally([line]))])


def nul_problem(where: Tally, hint: str) -> Problem:
    """Refuse a text with NUL characters on those lines."""
    message = (
        f"A NUL character stands on {where.text}; a text file holds none, and programs cut the "
        f"value there or lose it.{hint} Export the file again."
    )
    return refused("nul", message, where)


def no_longer_line(data: bytes, length: int) -> bool:
    """Whether it is certain, at a glance, that no line has more than so many bytes.

    Every half of that length must hold a line end.
    """
    half = max(1, length // 2)
    return all(
        data.find(b"\n", begin, begin + half) >= 0 for begin in range(0, len(data) - half + 1, half)
    )


def _places(sign: bytes, data: bytes) -> Iterator[int]:
    at = data.find(sign)
    while at >= 0:
        yield at
        at = data.find(sign, at + 1)
