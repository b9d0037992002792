import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.events import engine
from core.events.engine import connect, open_events

OPEN = {
    "price_low": None,
    "price_high": None,
    "price_fill": None,
    "duration_low": None,
    "duration_high": None,
    "duration_fill": None,
    "positive_only": True,
    "clips": True,
    "drops": sum(engine.BITS[rule] for rule in engine.INVALID),
}


def test_the_engine_stays_within_its_memory_and_leaves_nothing_behind(tmp_path):
    with connect(tmp_path, memory_bytes=300 * 1024**2, threads=1) as connection:
        limit, threads = connection.execute(
            "SELECT current_setting('memory_limit'), current_setting('threads')"
        ).fetchone()
        assert (limit, threads) == ("300.0 MiB", 1)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(duckdb.ConnectionException):
        connection.execute("SELECT 1")


def test_nothing_stays_behind_when_the_work_fails(tmp_path):
    with pytest.raises(ValueError, match="broken"), connect(tmp_path):
        raise ValueError("broken")
    assert list(tmp_path.iterdir()) == []


def test_memory_is_half_of_what_is_there_within_bounds(monkeypatch, tmp_path):
    gib = 1024**3
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(engine, "_CGROUP_LIMIT", limit)
    monkeypatch.setattr(engine, "_physical_memory", lambda: 6 * gib)
    assert engine._fair_memory() == 3 * gib
    limit.write_text("max\n")
    assert engine._fair_memory() == 3 * gib
    limit.write_text(str(4 * gib))
    assert engine._fair_memory() == 2 * gib
    limit.write_text(str(gib // 4))
    assert engine._fair_memory() == gib // 2
    limit.unlink()
    monkeypatch.setattr(engine, "_physical_memory", lambda: 64 * gib)
    assert engine._fair_memory() == 4 * gib
    monkeypatch.setattr(engine, "_physical_memory", lambda: None)
    assert engine._fair_memory() == 2 * gib


def test_extensions_are_never_fetched():
    with connect() as connection:
        settings = connection.execute(
            "SELECT current_setting('autoinstall_known_extensions'), "
            "current_setting('autoload_known_extensions')"
        ).fetchone()
        assert settings == (False, False)


def test_a_path_is_never_read_as_a_pattern_or_as_sql(tmp_path):
    folder = tmp_path / "it's [a] *"
    folder.mkdir()
    for name, value in (("log.parquet", 1), ("l*.parquet", 2)):
        times = pa.array([value], pa.timestamp("ms"))
        pq.write_table(pa.table({"user": ["u"], "time": times}), folder / name)
    with connect() as connection:
        open_events(connection, folder / "l*.parquet")
        rows = connection.execute('SELECT epoch_ms("time"), row FROM events').fetchall()
    assert rows == [(2, 0)]


def test_cleaning_whole_users_part_by_part_gives_what_cleaning_all_at_once_gives(log_of):
    """What lets the same text run on a distributed engine, partitioned by user."""
    log = log_of(
        *[
            {"user": f"u{n % 5}", "time": n // 10, "price": float(n % 3 - 1), "item": f"i{n % 2}"}
            for n in range(40)
        ]
    )

    def tally(where: str) -> list[tuple]:
        with connect() as connection:
            open_events(connection, log.path)
            connection.execute(
                f"CREATE TABLE rows_once AS FROM ({engine.DISTINCT_SQL}) WHERE {where}"
            )
            return connection.execute(engine.TALLY_SQL, OPEN).fetchall()

    parts = tally("\"user\" <= 'u2'") + tally("\"user\" > 'u2'")
    assert sorted(parts) == sorted(tally("true"))
    assert sum(row[3] for row in parts) == 40
