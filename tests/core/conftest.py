"""Typed logs for the tests, written as the reader would write them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.artifacts import EVENT_COLUMNS, Events

SCHEMA = pa.schema(
    [(role, pa.string()) for role in ("user",)]
    + [("time", pa.timestamp("us"))]
    + [(role, pa.string()) for role in ("action", "item", "category")]
    + [(role, pa.float64()) for role in ("duration", "price", "quantity")]
    + [(role, pa.string()) for role in ("session", "platform", "query", "label")]
    + [("line", pa.int64()), ("unreadable", pa.string())]
)
DAWN = datetime(2026, 1, 1)

LogOf = Callable[..., Events]


@pytest.fixture
def log_of(tmp_path: Path) -> LogOf:
    """Make a log of rows given as dicts; ``time`` may be seconds after the first of January.

    Lines count from 2, in the order given; a role that no row names is not present.
    """

    def write(*rows: dict[str, Any], present: tuple[str, ...] | None = None) -> Events:
        full = [
            {"user": "a", "time": 0, "action": "view", "line": line, **row}
            for line, row in enumerate(rows, start=2)
        ]
        for row in full:
            if isinstance(row["time"], int | float):
                row["time"] = DAWN + timedelta(seconds=row["time"])
        path = tmp_path / "events.parquet"
        columns = {name: [row.get(name) for row in full] for name in SCHEMA.names}
        pq.write_table(pa.table(columns, schema=SCHEMA), path)
        named = {name for row in full for name in row} | {"user", "time", "action"}
        return Events(
            path=path,
            present=present or tuple(role for role in EVENT_COLUMNS if role in named),
            n_events=len(full),
            n_users=len({row["user"] for row in full} - {None}),
            problems=(),
            fingerprint="f" * 64,
        )

    return write
