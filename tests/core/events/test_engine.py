import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.events import engine
from core.events.engine import connect, open_events


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


def test_a_process_that_serves_many_bounds_its_connections_unless_one_says_otherwise():
    asked = "SELECT current_setting('memory_limit'), current_setting('threads')"
    engine.keep_to(300 * 1024**2, 2)
    try:
        with connect() as connection:
            assert connection.execute(asked).fetchone() == ("300.0 MiB", 2)
        with connect(memory_bytes=400 * 1024**2, threads=1) as connection:
            assert connection.execute(asked).fetchone() == ("400.0 MiB", 1)
    finally:
        engine.keep_to(None, None)
    with connect(threads=1) as connection:
        assert connection.execute(asked).fetchone() != ("300.0 MiB", 1)


def test_memory_is_half_of_what_is_there_within_bounds(monkeypatch, tmp_path):
    gib = 1024**3
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(engine, "_CGROUP_LIMIT", limit)
    monkeypatch.setattr(engine, "_physical_memory", lambda: 2 * gib)
    assert engine._fair_memory() == gib
    limit.write_text("max\n")
    assert engine._fair_memory() == gib
    limit.write_text(str(gib * 3 // 2))
    assert engine._fair_memory() == gib * 3 // 4
    limit.write_text(str(gib // 4))
    assert engine._fair_memory() == gib // 2
    limit.unlink()
    monkeypatch.setattr(engine, "_physical_memory", lambda: 64 * gib)
    assert engine._fair_memory() == gib * 3 // 2
    monkeypatch.setattr(engine, "_physical_memory", lambda: None)
    assert engine._fair_memory() == gib * 3 // 2


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
