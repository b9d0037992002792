"""A dashboard in a process of its own, and what a browser needs to use it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlparse

from playwright.sync_api import Browser, Page, expect

ROOT = Path(__file__).parents[2]
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
CHROMIUM_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-quic",
)
SETTLED = "[data-testid=stApp][data-test-script-state=notRunning]"


@dataclass(frozen=True)
class Dashboard:
    """A running dashboard."""

    url: str
    home: Path
    process: subprocess.Popen[bytes]


@contextmanager
def serving(home: Path, *, shared: bool = False) -> Iterator[Dashboard]:
    """Start `streamlit run app.py` on a free loopback port, and end it afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"SEGMENTLAB_HOME": str(home)}
    environment |= {"SEGMENTLAB_SHARED": "1"} if shared else {}
    home.mkdir(parents=True, exist_ok=True)
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_healthy(url, process, home / "server.log")
        yield Dashboard(url, home, process)
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        assert process.poll() is None, log.read_text(encoding="utf-8")
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"no answer from the dashboard: {log.read_text(encoding='utf-8')}")


@contextmanager
def visiting(browser: Browser, url: str, **context_options: object) -> Iterator[Page]:
    """A page of its own browser context; fails when any request left the machine."""
    context = browser.new_context(
        viewport={"width": 1366, "height": 900}, accept_downloads=True, **context_options
    )
    outside: list[str] = []

    def note(request_url: str) -> None:
        parsed = urlparse(request_url)
        if parsed.scheme in ("http", "https", "ws", "wss") and parsed.hostname != "127.0.0.1":
            outside.append(request_url)

    page = context.new_page()
    context.on("request", lambda request: note(request.url))
    page.on("websocket", lambda socket_: note(socket_.url))
    page.goto(url)
    settled(page)
    try:
        yield page
        assert outside == []
    finally:
        context.close()


def settled(page: Page, seconds: float = 60) -> None:
    """Wait until the page's script has come to its end."""
    page.wait_for_selector(SETTLED, timeout=seconds * 1000)
    # The script may be about to run again at once.
    page.wait_for_timeout(300)
    page.wait_for_selector(SETTLED, timeout=seconds * 1000)


def heading(page: Page, text: str, seconds: float = 60) -> None:
    """Wait for a page's first heading."""
    expect(page.get_by_role("heading", level=1).filter(has_text=text)).to_be_visible(
        timeout=seconds * 1000
    )
