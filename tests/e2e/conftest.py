from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, sync_playwright

from tests.e2e.dashboard import CHROMIUM, CHROMIUM_ARGS, ROOT, Dashboard, serving


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Per module: while Playwright is at work, no other test could run an event loop of its own.
    if CHROMIUM is None:
        pytest.skip("no Chromium on the PATH")
    with sync_playwright() as playwright:
        try:
            launched = playwright.chromium.launch(
                executable_path=CHROMIUM, args=list(CHROMIUM_ARGS)
            )
        except Error as error:  # a system library is missing, or the sandbox forbids it
            pytest.skip(f"{CHROMIUM} does not start: {str(error).splitlines()[0]}")
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def dashboard(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    with serving(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def complete_journey() -> Path:
    log = ROOT.parent / "shared" / "data" / "complete_journey" / "events_labelled.csv"
    if not log.exists():
        pytest.skip(f"{log} is not on this machine")
    return log
