"""The engine of the event work: an embedded DuckDB that spills rather than outgrow its memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

_GIB = 1024**3
_MOST_MEMORY = 3 * _GIB // 2
_LEAST_MEMORY = _GIB // 2
_UNKNOWN_MEMORY = 4 * _GIB
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


@dataclass(frozen=True)
class _Share:
    """What a connection of this process may take where it does not say so itself."""

    memory_bytes: int | None = None
    threads: int | None = None


_share = _Share()


def keep_to(memory_bytes: int | None, threads: int | None) -> None:
    """Bound every connection of this process that asks for nothing else; None: as usual.

    For a process that serves many at once; the work on large logs has processes of its own.
    """
    global _share
    _share = _Share(memory_bytes, threads)


@contextmanager
def connect(
    scratch: Path | None = None, *, memory_bytes: int | None = None, threads: int | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield an in-process DuckDB that spills to disk rather than outgrow its memory.

    ``scratch`` is where it may spill (default: the system's temporary folder); nothing stays
    there. ``memory_bytes`` defaults to half of the machine's, from 0.5 to 1.5 GiB: with that, a
    process that cleans 20 million events stays under 2 GB, and four GiB save 7% of the time;
    ``threads`` to one per core; `keep_to` bounds both. Extensions are never fetched, so
    no request leaves the machine.
    """
    memory_bytes, threads = memory_bytes or _share.memory_bytes, threads or _share.threads
    with TemporaryDirectory(prefix=".spill-", dir=scratch) as spill:
        config: dict[str, str | bool | int | float | list[str]] = {
            "temp_directory": spill,
            "memory_limit": f"{(memory_bytes or _fair_memory()) // 1024**2}MiB",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        if threads is not None:
            config["threads"] = threads
        connection = duckdb.connect(":memory:", config=config)
        try:
            connection.execute("SET enable_progress_bar = false")
            yield connection
        finally:
            connection.close()


def open_events(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Make the view ``events`` of a Parquet log; ``row`` is the place in the file, from 0.

    ``row_hash`` is NULL where the file has none.
    """
    # The path travels as an argument, never as text of a query.
    relation = connection.read_parquet(str(path), file_row_number=True)
    no_hash = "" if "row_hash" in relation.columns else ", CAST(NULL AS UBIGINT) AS row_hash"
    relation.select(
        '* EXCLUDE (file_row_number) REPLACE (CAST("time" AS TIMESTAMP) AS "time"), '
        f"file_row_number AS row{no_hash}"
    ).create_view("events")


def _fair_memory() -> int:
    """Half of what the machine, or the container around us, has."""
    known = [size for size in (_physical_memory(), _container_memory()) if size is not None]
    whole = min(known, default=_UNKNOWN_MEMORY)
    return max(_LEAST_MEMORY, min(_MOST_MEMORY, whole // 2))


def _physical_memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not on Windows
        return None


def _container_memory() -> int | None:
    try:
        return int(_CGROUP_LIMIT.read_text(encoding="ascii"))
    except (OSError, ValueError):  # no such container, or "max": no limit
        return None
