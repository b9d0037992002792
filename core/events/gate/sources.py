"""The bytes of a file: which kind it is, and its text unpacked piece by piece within the limits.

Nothing is ever unpacked to a path, and never more than a piece at a time, so that a small archive
can fill neither the memory nor the disk, and a name in it such as ``../../x`` leads nowhere.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import struct
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from core.artifacts import Progress, Report
from core.errors import FileRefused
from core.events.gate.read_options import ReadOptions
from core.events.problems import refusal, refused, shown

Kind = Literal["text", "gzip", "zip", "parquet"]
TEXT = (".csv", ".tsv", ".txt")
ENDINGS = (*TEXT, *(f"{ending}.gz" for ending in TEXT), ".zip", ".parquet")
"""Names a file may end with."""

PIECE = 1 << 20
_GRACE = 5_000_000
"""Up to so many bytes a file may unpack however small it is packed."""
_TOLD_EVERY = 0.25
_MEMBERS_SHOWN = 5
_GZIP = b"\x1f\x8b"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_PARQUET = b"PAR1"
_OTHER_KINDS = {
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"%PDF": "a PDF",
    b"SQLite format 3": "an SQLite database",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    b"\x28\xb5\x2f\xfd": "compressed with Zstandard",
    b"BZh": "compressed with bzip2",
    b"\xfd7zXZ": "compressed with xz",
    b"Rar!": "a RAR archive",
    b"ARROW1": "an Arrow file",
}
_DAMAGED = (
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What the libraries raise on damaged archives (a bad gzip file is an OSError)."""


class Meter:
    """Tells a listener a few times a second how much of the files is read."""

    def __init__(self, listen: Report, total: int) -> None:
        self._listen, self._total = listen, max(total, 1)
        self._done, self._told = 0, 0.0

    def add(self, n_bytes: int, name: str) -> None:
        self._done += n_bytes
        now = time.monotonic()
        if now - self._told >= _TOLD_EVERY:
            self._told = now
            share = min(1.0, self._done / self._total)
            self._listen(Progress(stage="read", done=share, text=f"Reading {shown(name)}"))


@dataclass(frozen=True)
class Source:
    """A file on disk, what the analyst calls it, and what kind it is."""

    path: Path
    name: str
    kind: Kind
    options: ReadOptions
    meter: Meter

    def pieces(self) -> Iterator[bytes]:
        """Yield the unpacked text. Raises FileRefused for damage and past the limits."""
        unpack = {"text": _plain, "gzip": _gzip, "zip": _zip}[self.kind]
        count = 0
        try:
            with _Tap(self.path, lambda n: self.meter.add(n, self.name)) as tap:
                for piece in unpack(self, tap):
                    count += len(piece)
                    self.check_size(count)
                    yield piece
        except _DAMAGED:
            message = "The file is damaged or cut short. Copy it again, or export it anew."
            raise self.refused("damaged_archive", message) from None

    def check_size(self, unpacked: int) -> None:
        """Refuse what is larger than allowed."""
        if unpacked > self.options.max_megabytes * 1_000_000:
            message = (
                f"It is larger than {self.options.max_megabytes:,} MB when unpacked. Split it, or "
                "raise the limit (read.max_megabytes)."
            )
            raise self.refused("too_large", message)

    def check_ratio(self, unpacked: int, packed: int) -> None:
        """Refuse what unpacks to more than is likely for a log."""
        if unpacked > max(_GRACE, self.options.max_ratio * packed):
            message = (
                f"It unpacks to more than {self.options.max_ratio:,} times its size, which is how "
                "a file looks that was made to fill a disk. If it is sound, unpack it first, or "
                "raise the limit (read.max_ratio)."
            )
            raise self.refused("unpacks_too_far", message)

    def sha256(self) -> str:
        """SHA-256 of the file as it lies on disk."""
        with self.path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    def refused(self, code: str, message: str) -> FileRefused:
        """The error for something that stops the reading at once."""
        return refusal(self.name, [refused(code, message)])


def find_source(path: Path, name: str, options: ReadOptions, meter: Meter) -> Source:
    """Tell the kind of a file by its first bytes and its name; refuse what is no log."""
    if not path.is_file():
        raise refusal(name, [refused("no_file", f"There is no file at '{path}'.")])
    try:
        with path.open("rb") as stream:
            head = stream.read(16)
    except OSError as error:
        message = f"The file cannot be opened: {error.strerror}."
        raise refusal(name, [refused("unreadable_file", message)]) from None
    kind = _kind_by_bytes(head)
    if lie := _no_such_kind(kind, head, name.lower()):
        message = f"The file is {lie}. Allowed: {', '.join(ENDINGS)}. Save or export it as CSV."
        raise refusal(name, [refused("file_type", message)])
    return Source(path, name, kind, options, meter)


def _kind_by_bytes(head: bytes) -> Kind:
    if head.startswith(_PARQUET):
        return "parquet"
    if head.startswith(_ZIP):
        return "zip"
    return "gzip" if head.startswith(_GZIP) else "text"


def _no_such_kind(kind: Kind, head: bytes, name: str) -> str | None:
    """Say what a file is that is not read under its name; None where all is well."""
    other = next((kind for magic, kind in _OTHER_KINDS.items() if head.startswith(magic)), None)
    if other is not None:
        return other
    if kind == "zip" and not name.endswith(".zip"):
        return "a ZIP archive or an Excel workbook, which its name does not say"
    if kind == "parquet" and not name.endswith(".parquet"):
        return "a Parquet file, which its name does not say; let it end with .parquet"
    if name.endswith(".zip") and kind != "zip":
        return "no ZIP archive, though it is named so"
    if name.endswith(".parquet") and kind != "parquet":
        return "no Parquet file, though it is named so"
    return None if name.endswith(ENDINGS) else "of a kind that is not known"


class _Tap(io.FileIO):
    """A file that tells how much of it is read."""

    def __init__(self, path: Path, told: Callable[[int], None]) -> None:
        super().__init__(path, "rb")
        self.count = 0
        self._told = told

    def read(self, size: int | None = -1) -> bytes:
        piece = super().read(-1 if size is None else size) or b""
        self.count += len(piece)
        self._told(len(piece))
        return piece


def _plain(source: Source, tap: _Tap) -> Iterator[bytes]:
    while piece := tap.read(PIECE):
        yield piece


def _gzip(source: Source, tap: _Tap) -> Iterator[bytes]:
    count = 0
    with gzip.GzipFile(fileobj=tap, mode="rb") as stream:
        while piece := stream.read(PIECE):
            count += len(piece)
            source.check_ratio(count, tap.count)
            yield piece


def _zip(source: Source, tap: _Tap) -> Iterator[bytes]:
    with zipfile.ZipFile(tap) as archive:
        member = _only_member(source, archive)
        # No more is ever unpacked than is declared, so that the declared sizes may be judged.
        packed = min(member.compress_size, source.path.stat().st_size)
        source.check_size(member.file_size)
        source.check_ratio(member.file_size, packed)
        with archive.open(member) as stream:
            while piece := stream.read(PIECE):
                yield piece


def _only_member(source: Source, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """The one text file of an archive; what operating systems add to archives is passed over."""
    members = [member for member in archive.infolist() if not _litter(member)]
    names = ", ".join(f"'{shown(member.filename)}'" for member in members[:_MEMBERS_SHOWN])
    if len(members) > _MEMBERS_SHOWN:
        names += f" and {len(members) - _MEMBERS_SHOWN:,} more"
    wanted = f"An archive must hold one file ({', '.join(TEXT)}) and nothing else."
    if any(member.filename == "[Content_Types].xml" for member in members):
        raise source.refused("file_type", f"The file is an Excel workbook or the like. {wanted}")
    if len(members) != 1:
        message = f"The ZIP archive holds {len(members):,} files ({names or 'none'}). {wanted}"
        raise source.refused("archive_members", message)
    if not members[0].filename.lower().endswith(TEXT):
        raise source.refused("archive_members", f"The ZIP archive holds {names}. {wanted}")
    if members[0].flag_bits & 1:
        message = "The ZIP archive is locked with a password. Unpack it, and bring the file in it."
        raise source.refused("archive_locked", message)
    return members[0]


def _litter(member: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(member.filename)
    return member.is_dir() or "__MACOSX" in path.parts or path.name in (".DS_Store", "Thumbs.db")
