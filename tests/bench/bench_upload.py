"""A large CSV through the browser: how the memory of the server and of the worker grows.

Drives a real Chromium; the file is made first and removed afterwards. Linux only (/proc).
``BENCH_EVENTS`` takes another number of events: ``BENCH_EVENTS=3000000``.
"""

import os
import tempfile
import threading
import time
from pathlib import Path

import duckdb
from playwright.sync_api import expect, sync_playwright

from tests.e2e import walk
from tests.e2e.dashboard import CHROMIUM, CHROMIUM_ARGS, serving, visiting

EVENTS = int(os.environ.get("BENCH_EVENTS", 21_000_000))
USERS = EVENTS // 50
_MB = 1024


def write_csv(path: Path) -> int:
    """Events of about 70 bytes each; returns the bytes."""
    database = duckdb.connect()
    database.execute("SET enable_progress_bar = false")
    database.execute(
        f"""COPY (
            SELECT 'user-' || lpad(CAST(hash(i) % {USERS} AS VARCHAR), 7, '0') AS user_id,
                strftime(TIMESTAMP '2026-01-01' + to_seconds(CAST(i / 3 AS BIGINT)),
                    '%Y-%m-%d %H:%M:%S') AS timestamp,
                ['view', 'view', 'search', 'cart', 'purchase'][
                    1 + CAST(hash(i + 1) % 5 AS INTEGER)] AS action,
                'item-' || (hash(i + 2) % 20000) AS item,
                'category-' || (hash(i + 2) % 50) AS category,
                hash(i + 3) % 300 AS duration,
                round((hash(i + 2) % 9000) / 100 + 1, 2) AS price
            FROM range({EVENTS}) AS rows(i)
        ) TO '{path}' (HEADER, DELIMITER ',')"""
    )
    return path.stat().st_size


class Memory:
    """The most resident memory of a process and of each of its children, sampled, in kB."""

    def __init__(self, pid: int) -> None:
        self.pid, self.server, self.workers = pid, [], {}
        self._go_on = True
        threading.Thread(target=self._watch, daemon=True).start()

    def stop(self) -> None:
        self._go_on = False

    def _watch(self) -> None:
        while self._go_on:
            self.server.append(_resident(self.pid))
            for child in _children(self.pid):
                if "core.worker" in _command(child):
                    self.workers[child] = max(self.workers.get(child, 0), _resident(child))
            time.sleep(0.05)


def _resident(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(x.split()[1]) for x in status.splitlines() if x.startswith("VmRSS")), 0)


def _children(pid: int) -> list[int]:
    """Children by whichever thread of the process they were started."""
    found = []
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, thread.read_text().split())
        except OSError:  # the thread has ended meanwhile
            continue
    return found


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def main() -> None:
    if CHROMIUM is None:
        print("skipped: no Chromium on the PATH")
        return
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        log = Path(folder) / "large.csv"
        print(f"{EVENTS:,} events, {write_csv(log) / 1e9:.2f} GB", flush=True)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_ARGS))
        with serving(Path(folder) / "home") as running, visiting(browser, running.url) as page:
            page.wait_for_timeout(3000)
            memory = Memory(running.process.pid)
            page.wait_for_timeout(500)
            before, begun = max(memory.server), time.perf_counter()

            def told(what: str) -> None:
                seconds = time.perf_counter() - begun
                server = (max(memory.server) - before) / _MB
                worker = max(memory.workers.values(), default=0) / _MB
                grown = f"server +{server:.0f} MB   worker {worker:.0f} MB"
                print(f"{what:34s}{seconds:7.1f} s   {grown}", flush=True)

            walk.upload(page, log)
            expect(walk.foot(page, "Confirm columns")).to_be_visible(timeout=600_000)
            told("uploaded and read")
            walk.press(page, "Confirm columns", 600)
            expect(walk.foot(page, "Next: Prepare")).to_be_visible(timeout=600_000)
            told("columns confirmed and profiled")
            walk.onward(page, "Prepare", 600)
            expect(walk.foot(page, "Next: Represent")).to_be_enabled(timeout=600_000)
            told("cleaned and made sequences of")
            memory.stop()
        browser.close()
