"""What holds while the server runs."""

import asyncio

from core.events import engine
from ui import warm_up


def test_the_server_counts_within_a_small_memory_of_its_own_while_it_runs(monkeypatch):
    monkeypatch.setattr(warm_up, "_IMPORTS", "pass")

    async def serve():
        async with warm_up.lifespan(None):
            with engine.connect() as db:
                return db.execute("SELECT current_setting('memory_limit')").fetchall()

    before = engine._share
    assert asyncio.run(serve()) == [("256.0 MiB",)]
    assert engine._share == before
