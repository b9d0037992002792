"""The analyst's way through the pages, as a browser goes it: found by role, label or key."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.e2e.dashboard import ROOT, heading, settled

SHOP = ROOT / "sample_data" / "shop_events.csv"
SHOP_LABELS = ROOT / "sample_data" / "shop_labels.csv"
TINY = ROOT / "sample_data" / "tiny_100_users.csv"
HEADINGS = {
    "upload": "Bring your behaviour log",
    "prepare": "Prepare the events",
    "represent": "Learn from behaviour",
    "cluster": "Form segments",
    "evaluate": "How far to trust the segments",
    "segments": "Meet the segments",
    "recommend": "What to offer and do",
    "report": "Take the results with you",
    "runs": "Earlier runs",
}
QUICK = 60
"""Seconds that a page may take on a machine that others use too."""
LONG = 300
"""Seconds that learning may take there."""


def foot(page: Page, label: str) -> Locator:
    """The button at the foot of the window, once it offers that."""
    return page.locator(".st-key-foot").get_by_role("button", name=label)


def press(page: Page, label: str, seconds: float = QUICK) -> None:
    """Press what the foot of the window offers, as soon as it does."""
    button = foot(page, label)
    expect(button).to_be_enabled(timeout=seconds * 1000)
    button.click()


def arrive(page: Page, name: str) -> None:
    """Wait until a page is there."""
    heading(page, HEADINGS[name], QUICK)
    settled(page, QUICK)


def onward(page: Page, title: str, seconds: float = QUICK) -> None:
    """To the next page, once this one has made its part."""
    press(page, f"Next: {title}", seconds)
    arrive(page, title.lower())


def upload(page: Page, path: Path, box: str = "log") -> None:
    """Hand a file to an upload box."""
    page.locator(f".st-key-{box} input[type=file]").set_input_files(path)


def open_page(page: Page, title: str) -> None:
    """Open a page by its entry in the navigation."""
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=title).click()
    arrive(page, title.lower())


def confirm_columns(page: Page) -> None:
    """Take the columns as they are chosen and go on to Prepare."""
    press(page, "Confirm columns")
    onward(page, "Prepare")


def no_error(page: Page) -> None:
    """Neither a bug nor a refusal is on the page."""
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_test_id("stAlertContentError")).to_have_count(0)
