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


def more_columns(page: Page) -> None:
    """Open the door to the roles that no column of the file looks like."""
    page.get_by_text("More columns:").click()
    settled(page)


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


def by_the_encoder(page: Page) -> None:
    """On Represent, choose the encoder by hand instead of leaving it to the tool."""
    for box, choice in (("question", "All of it"), ("representation-everything", "(LSTM)")):
        page.locator(f".st-key-{box}").get_by_role("radio", name=choice).click()
        settled(page)


def to_cluster(page: Page) -> None:
    """From Prepare, with the defaults, until the map of the segments is drawn."""
    onward(page, "Represent")
    press(page, "Learn behaviour")
    onward(page, "Cluster", LONG)
    expect(map_area(page)).to_be_visible(timeout=LONG * 1000)
    settled(page)


def to_report(page: Page) -> None:
    """From Cluster by nothing but the button at the foot, until the report is written."""
    for title in ("Evaluate", "Segments", "Recommend", "Report"):
        onward(page, title, LONG)
    expect(page.get_by_text("Recorded as run")).to_be_visible(timeout=LONG * 1000)
    settled(page)


def map_area(page: Page) -> Locator:
    """Where the users' map takes a lasso."""
    return page.locator("[class*='st-key-map-']").locator(".nsewdrag")


def lasso(page: Page) -> None:
    """Draw a lasso around the left part of the map."""
    chart = page.locator("[class*='st-key-map-']").filter(has=page.locator(".nsewdrag"))
    chart.scroll_into_view_if_needed()
    chart.hover()
    chart.locator("[data-title='Lasso Select']").click()
    box = map_area(page).bounding_box()
    assert box is not None
    corners = ((0.05, 0.05), (0.6, 0.05), (0.6, 0.6), (0.3, 0.95), (0.05, 0.8), (0.05, 0.05))
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=5)
    page.mouse.up()
    settled(page)
