"""Whose turn it is on this machine: heavy work one after another, first come first served.

Every process that waits or works holds a ticket: a numbered file that it keeps locked. The lock
goes with the process, however that ends, so nobody waits for the dead. A ticket is empty: the
queue tells how many are ahead, never whose work it is or what. Loads nothing, since a process may
wait here for hours.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_LOOK_SECONDS = 0.5
_DOOR = "door"


def jobs_at_once() -> int:
    """How many heavy jobs may work at a time here: ``SEGMENTLAB_JOBS``, else one."""
    asked = os.environ.get("SEGMENTLAB_JOBS", "").strip()
    return max(1, int(asked)) if asked.isdecimal() else 1


@contextmanager
def turn(folder: Path, at_once: int, waiting: Callable[[int], None]) -> Iterator[None]:
    """Wait in the queue of a folder, then hold a place while the block works.

    ``waiting`` hears twice a second how many jobs must end first; at last it hears 0. What it
    raises ends the waiting.
    """
    ticket = _draw(folder)
    try:
        while n_ahead := _ahead(folder, ticket, at_once):
            waiting(n_ahead)
            time.sleep(_LOOK_SECONDS)
        waiting(0)
        yield
    finally:
        path = Path(ticket.name)
        ticket.close()
        path.unlink(missing_ok=True)


def _draw(folder: Path) -> BinaryIO:
    """A ticket behind all others. Only one process draws at a time, so none is seen unlocked."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _DOOR).open("ab") as door:
        while not _locked(door):
            time.sleep(0.01)
        number = max((int(path.name) for path in _tickets(folder)), default=0) + 1
        ticket = (folder / f"{number:012d}").open("wb")
        assert _locked(ticket)  # nobody else can know of it yet
        return ticket


def _ahead(folder: Path, own: BinaryIO, at_once: int) -> int:
    """How many must end before it is this ticket's turn; tickets of the dead are removed."""
    before = [path for path in _tickets(folder) if path.name < Path(own.name).name]
    n_alive = sum(_is_held(path) for path in before)
    return max(0, n_alive - at_once + 1)


def _tickets(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.isdecimal()]


def _is_held(path: Path) -> bool:
    """Whether a living process holds the ticket; what nobody holds is removed."""
    try:
        with path.open("rb+") as ticket:
            if not _locked(ticket):
                return True
        path.unlink(missing_ok=True)
    except FileNotFoundError:
        pass  # its process ended meanwhile
    return False


if sys.platform == "win32":
    import msvcrt

    def _locked(file: BinaryIO) -> bool:
        """Try to lock an open file until it is closed."""
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _locked(file: BinaryIO) -> bool:
        """Try to lock an open file until it is closed."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
