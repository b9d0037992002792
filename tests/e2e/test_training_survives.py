"""Learning belongs to the workspace, not to the browser tab that began it."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import walk
from tests.e2e.dashboard import Dashboard, settled, visiting

AT_WORK = ".st-key-job"
SOON = 60_000


def open_sample(page: Page, key: str) -> None:
    page.locator(f".st-key-{key}").get_by_role("button").click()
    expect(page.locator(".st-key-foot")).to_be_visible(timeout=SOON)
    settled(page)
    if walk.foot(page, "Confirm columns").is_visible():  # not by a test before
        walk.press(page, "Confirm columns")
    walk.onward(page, "Prepare")
    walk.onward(page, "Represent")
    walk.by_the_encoder(page)


def at_work(page: Page) -> None:
    """The panel of a job that is getting on."""
    # Counted, since for a moment the panel of the run before may still be there too.
    panel = page.locator(AT_WORK)
    expect(panel.get_by_text("Learning behaviour", exact=True)).to_have_count(1, timeout=SOON)
    expect(panel.get_by_role("button", name="Cancel")).to_have_count(1, timeout=SOON)


def epochs_counted(page: Page) -> None:
    """The first pass over the users is under way, and the page says how far it is.

    Models of behaviour, which teach the encoder, come before it.
    """
    said = page.locator(AT_WORK).get_by_text("Epoch ", exact=False).filter(has_text="left")
    expect(said).to_have_count(1, timeout=1000 * walk.LONG)


def workers(home: Path) -> list[int]:
    """Process ids of the background workers of a home."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:  # it ended meanwhile
            continue
        if "core.worker" in words and any(word.startswith(str(home)) for word in words):
            found.append(int(entry.name))
    return found


def wait_for(what: str, seen, seconds: float = 60):
    """The first true answer of ``seen``."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if answer := seen():
            return answer
        time.sleep(0.1)
    raise AssertionError(f"{what} did not happen within {seconds:.0f} s")


def ended(dashboard: Dashboard) -> bool:
    """Whether the newest job has written how it ended."""
    jobs = sorted((dashboard.home / "local" / "jobs").glob("[0-9]*-*"))
    return (jobs[-1] / "result.json").exists()


@pytest.fixture
def learning(browser, dashboard):
    """A page on which the encoder learns from the sample shop; nothing is at work afterwards."""
    with visiting(browser, dashboard.url) as page:
        open_sample(page, "open-shop")
        walk.press(page, "Learn behaviour")
        at_work(page)
        yield page
        if page.locator(AT_WORK).count():
            page.locator(AT_WORK).get_by_role("button", name="Cancel").click()
            expect(page.get_by_text("finished are kept")).to_be_visible(timeout=SOON)


def test_learning_goes_on_over_a_page_switch_a_reload_and_a_closed_tab(
    browser, dashboard, learning
):
    page = learning
    walk.open_page(page, "Prepare")
    expect(page.get_by_test_id("stSidebar").get_by_text("Learning behaviour")).to_be_visible(
        timeout=SOON
    )
    walk.open_page(page, "Represent")
    at_work(page)
    page.reload()
    at_work(page)
    address = page.url  # at once: learning from the sample is over in less than a minute
    worker = workers(dashboard.home) if sys.platform == "linux" else []
    with visiting(browser, address) as second_tab:
        at_work(second_tab)
    page.context.new_page()  # keeps the browser's window open
    page.goto("about:blank")
    with visiting(browser, address) as reopened:
        at_work(reopened)
        assert not worker or workers(dashboard.home) == worker
    page.goto(address)
    at_work(page)


def test_cancelling_takes_effect_at_once_and_learning_can_begin_again(dashboard, learning):
    page = learning
    epochs_counted(page)
    begun = time.monotonic()
    page.locator(AT_WORK).get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled", exact=True)).to_be_visible(timeout=SOON)
    print(f"\ncancelled after {time.monotonic() - begun:.2f} s")
    if sys.platform == "linux":
        wait_for("the end of the worker", lambda: not workers(dashboard.home), seconds=5)
    settled(page)
    walk.press(page, "Learn behaviour")
    at_work(page)


@pytest.mark.skipif(sys.platform != "linux", reason="finds the worker in /proc")
def test_a_killed_worker_is_told_and_the_dashboard_lives_on(dashboard, learning):
    page = learning
    (worker,) = wait_for("a worker", lambda: workers(dashboard.home))
    os.kill(worker, signal.SIGKILL)
    expect(page.get_by_text("The background process is gone")).to_be_visible(timeout=SOON)
    expect(page.get_by_text("start the step again")).to_be_visible()
    settled(page)
    page.get_by_role("button", name="Understood").click()
    expect(page.get_by_text("The background process is gone")).to_have_count(0, timeout=SOON)
    settled(page)
    walk.press(page, "Learn behaviour")
    at_work(page)


def test_what_was_learned_while_no_tab_was_open_is_there_afterwards(browser, dashboard):
    with visiting(browser, dashboard.url) as page:
        open_sample(page, "open-tiny")
        walk.press(page, "Learn behaviour")
        at_work(page)
        address = page.url
    wait_for("the end of learning", lambda: ended(dashboard), seconds=walk.LONG)
    with visiting(browser, address) as reopened:
        expect(walk.foot(reopened, "Next: Cluster")).to_be_visible(timeout=SOON)
        expect(reopened.locator(".st-key-losses")).to_be_visible(timeout=SOON)
