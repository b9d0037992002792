"""How much memory this process holds and how much more it could have."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

_PROC, _CGROUP = Path("/proc"), Path("/sys/fs/cgroup")
_LOOK_SECONDS = 0.005
_LIMITS = (
    ("memory.max", "memory.current", "memory.stat"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"),
)
"""Where Linux says what a container may have and has, in its newer and its older form."""


def available_bytes(proc: Path = _PROC, cgroup: Path = _CGROUP) -> float | None:
    """Memory that is free or can be freed, within what this process may have; None if unknown.

    Only Linux tells.
    """
    free = _kilobytes(proc / "meminfo", "MemAvailable:")
    if free is None:
        return None
    left = [_left(cgroup, *names) for names in _LIMITS]
    return min(free, *(one for one in left if one is not None), free)


def held_bytes(proc: Path = _PROC) -> float:
    """Memory that is this process's own; what is only mapped from files is not. 0 if unknown."""
    return _kilobytes(proc / "self" / "status", "RssAnon:") or 0.0


def _kilobytes(file: Path, name: str) -> float | None:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    found = next((line.split() for line in lines if line.startswith(name)), None)
    return None if found is None else 1024.0 * int(found[1])


def _left(cgroup: Path, limit: str, used: str, stat: str) -> float | None:
    """What a container may still have; its copies of files can be dropped. None without limit."""
    try:
        most = (cgroup / limit).read_text(encoding="utf-8").strip()
        has = (cgroup / used).read_text(encoding="utf-8")
        lines = (cgroup / stat).read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    if not most.isdecimal():  # "max"
        return None
    of_files = next((int(line.split()[1]) for line in lines if line.startswith("inactive_file")), 0)
    return max(0.0, float(most) - float(has) + of_files)


def most_held(work: Callable[[], object]) -> float:
    """Most bytes of its own that this process held while some work was done; 0 if unknown."""
    most, ended = held_bytes(), threading.Event()

    def look() -> None:
        nonlocal most
        while not ended.wait(_LOOK_SECONDS):
            most = max(most, held_bytes())

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        work()
    finally:
        ended.set()
        watcher.join()
    return max(most, held_bytes())
