"""Several typed logs (months, say) as one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from core.artifacts import Events, fingerprint
from core.errors import MappingRefused
from core.events import engine

VERSION = 2


def merge(logs: Sequence[Events], names: Sequence[str], folder: Path) -> Events:
    """One log of all rows, in the order of the files; ``names`` are used in errors.

    Lines go on counting from file to file, so that ties in time keep their order. Raises
    MappingRefused where the files do not have the same roles: a column that one month lacks
    would look like behaviour.
    """
    if len(logs) == 1:
        return logs[0]
    _check_same_roles(logs, names)
    path = folder / "merged.parquet"
    with engine.connect(folder) as connection:
        offset, parts = 0, []
        places: dict[str, str | int] = {}
        for number, log in enumerate(logs):
            parts.append(
                f"SELECT * REPLACE (line + $offset{number} AS line) "
                f"FROM read_parquet($path{number})"
            )
            places |= {f"path{number}": str(log.path), f"offset{number}": offset}
            offset += _last_line(connection, log.path)
        connection.execute(
            f"COPY ({' UNION ALL BY NAME '.join(parts)}) TO $target (FORMAT parquet)",
            places | {"target": str(path)},
        )
        n_users = _count_users(connection, path)
    parents = [log.fingerprint for log in logs]
    return Events(
        path=path,
        present=logs[0].present,
        n_events=sum(log.n_events for log in logs),
        n_users=n_users,
        problems=tuple(problem for log in logs for problem in log.problems),
        fingerprint=fingerprint(parents[0], "merge", VERSION, {"logs": parents}),
    )


def _check_same_roles(logs: Sequence[Events], names: Sequence[str]) -> None:
    first = set(logs[0].present)
    for log, name in zip(logs, names, strict=True):
        differing = first ^ set(log.present)
        if differing:
            raise MappingRefused(
                f"'{name}' and '{names[0]}' do not have the same columns: only one of them has "
                f"{', '.join(sorted(differing))}. Bring the files to the same columns, or leave "
                f"these out in all of them (for instance --map {sorted(differing)[0]}=)."
            )


def _last_line(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    row = connection.execute(
        "SELECT coalesce(max(line), 0) FROM read_parquet($path)", {"path": str(path)}
    ).fetchone()
    return int(row[0]) if row else 0


def _count_users(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    row = connection.execute(
        'SELECT count(DISTINCT "user") FROM read_parquet($path)', {"path": str(path)}
    ).fetchone()
    return int(row[0]) if row else 0
