"""The whole way from a file on the analyst's disk to the report in their hands."""

import csv
import re
import time
from pathlib import Path

from playwright.sync_api import Browser, Download, Page, expect

from tests.e2e import walk
from tests.e2e.dashboard import heading, settled, visiting


def saved(page: Page, label: str, folder: Path) -> Path:
    """What a download button hands over, under the name it comes with."""
    with page.expect_download(timeout=60_000) as coming:
        page.get_by_test_id("stDownloadButton").filter(has_text=label).click()
    download: Download = coming.value
    path = folder / download.suggested_filename
    download.save_as(path)
    return path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def rename(page: Page, name: str) -> None:
    """Give the segment that is shown another name."""
    page.get_by_role("button", name="Rename").click()
    page.get_by_label("Name of the segment").fill(name)
    page.get_by_role("button", name="Keep this name").click()
    heading(page, walk.HEADINGS["segments"])
    expect(page.get_by_role("heading", name=name)).to_be_visible(timeout=60_000)
    settled(page)


def read_offline(browser: Browser, report: Path, *words: str) -> None:
    """The report is whole without any network: words and charts are there, nothing is asked for."""
    context = browser.new_context(offline=True)
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(report.as_uri())
    body = page.locator("body")
    for word in words:
        expect(body).to_contain_text(word)
    for chart in ("map", "sizes", "profile"):
        drawn = page.locator(f"#chart-{chart}")
        drawn.scroll_into_view_if_needed()
        expect(drawn.locator(".plot-container")).to_be_visible(timeout=60_000)
    outside = [url for url in asked if not url.startswith(("file:", "blob:", "data:"))]
    assert (errors, outside) == ([], [])
    context.close()


def test_from_the_sample_file_to_the_downloaded_report(browser, dashboard, tmp_path):
    with visiting(browser, dashboard.url) as page:
        begun = time.monotonic()
        walk.upload(page, walk.SHOP)
        expect(walk.foot(page, "Confirm columns")).to_be_visible(timeout=60_000)
        settled(page)
        page.get_by_text("Known labels (optional)").click()
        walk.upload(page, walk.SHOP_LABELS, box="known_labels")
        expect(page.get_by_text("shop_labels.csv is in use")).to_be_visible(timeout=60_000)
        settled(page)
        walk.confirm_columns(page)
        walk.to_cluster(page)

        walk.lasso(page)
        expect(page.get_by_text("users selected")).to_be_visible(timeout=60_000)
        said = page.get_by_text("users selected").inner_text()
        selected = rows(saved(page, "Download these users", tmp_path))
        assert len(selected) == int(re.sub(r"\D", "", said)) > 50
        assert {row["user"][0] for row in selected} == {"U"}
        settled(page)

        walk.onward(page, "Evaluate", walk.LONG)
        ari = page.get_by_role("row").filter(has_text="Adjusted Rand index")
        expect(ari).to_be_visible(timeout=60_000)
        assert float(re.findall(r"0\.\d+", ari.inner_text())[0]) >= 0.5
        expect(page.get_by_text("Label 'persona'")).to_be_visible()

        walk.onward(page, "Segments", walk.LONG)
        rename(page, "Night <owls> & co")
        walk.onward(page, "Recommend", walk.LONG)
        expect(page.get_by_role("radio", name="Night <owls> & co")).to_be_visible(timeout=60_000)
        walk.onward(page, "Report", walk.LONG)
        expect(page.get_by_text("Recorded as run")).to_be_visible(timeout=walk.LONG * 1000)
        settled(page)
        print(f"\nfrom upload to report: {time.monotonic() - begun:.0f} s")
        verdict = page.get_by_role("heading", level=3).filter(has_text="silhouette").inner_text()

        report = saved(page, "Download the report", tmp_path)
        users = rows(saved(page, "Users per segment", tmp_path))
        segments = rows(saved(page, "Segments", tmp_path))
        offers = rows(saved(page, "Recommendations", tmp_path))
        names = {row["name"] for row in segments}
        assert "Night <owls> & co" in names
        assert {row["segment_name"] for row in users} == names
        assert {row["segment_name"] for row in offers} <= names
        assert len(users) == sum(int(row["users"].replace(",", "")) for row in segments)
        assert {row["user"] for row in selected} <= {row["user_id"] for row in users}
        assert report.name == "shop_events-segments.html"
        read_offline(browser, report, verdict, "Night <owls> & co")

        walk.open_page(page, "Runs")
        expect(page.locator(".st-key-runs")).to_contain_text("shop_events.csv")


def test_from_a_log_with_a_label_column_to_the_downloaded_report(
    browser, dashboard, complete_journey, tmp_path
):
    with visiting(browser, dashboard.url) as page:
        walk.upload(page, complete_journey)
        expect(walk.foot(page, "Confirm columns")).to_be_visible(timeout=60_000)
        settled(page)
        walk.more_columns(page)
        page.get_by_role("combobox", name="Known label").click()
        page.get_by_role("option", name="kids_count").click()
        settled(page)
        walk.confirm_columns(page)
        walk.to_cluster(page)
        walk.onward(page, "Evaluate", walk.LONG)
        expect(page.get_by_text("Label 'kids_count'")).to_be_visible(timeout=60_000)
        for title in ("Segments", "Recommend", "Report"):
            walk.onward(page, title, walk.LONG)
        expect(page.get_by_text("Recorded as run")).to_be_visible(timeout=walk.LONG * 1000)
        report = saved(page, "Download the report", tmp_path)
        read_offline(browser, report, "kids_count")
