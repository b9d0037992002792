"""Strings that want to be code, as users, actions, categories, items and columns, on every page."""

from playwright.sync_api import expect

from tests.e2e import walk
from tests.e2e.dashboard import settled, visiting
from tests.naughty import NEEDS_NAUGHTY, as_cells, write_naughty_log

COLUMNS = (
    "user",
    "time",
    "<img src=x onerror=alert(1)>",
    "=cmd|' /C calc'!A0",
    "javascript:alert(2)",
)


@NEEDS_NAUGHTY
def test_no_string_of_a_log_opens_a_dialog_or_calls_another_host(browser, dashboard, tmp_path):
    log = write_naughty_log(tmp_path / "<b>naughty<b> ![](evil.example).csv", header=COLUMNS)
    dialogs: list[str] = []
    errors: list[str] = []
    with visiting(browser, dashboard.url) as page:  # fails when a request leaves the machine
        page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        page.on("pageerror", lambda error: errors.append(str(error)))
        walk.upload(page, log)
        expect(walk.foot(page, "Confirm columns")).to_be_visible(timeout=60_000)
        settled(page)
        for role, column in zip(("Action", "Category", "Item"), COLUMNS[2:], strict=True):
            page.get_by_role("combobox", name=role, exact=True).click()
            page.get_by_role("option", name=column).click()
            settled(page)
        walk.confirm_columns(page)
        walk.to_cluster(page)
        walk.to_report(page)
        walk.open_page(page, "Runs")
        told = page.content()
    assert (dialogs, errors) == ([], [])
    assert "<b>naughty<b>" not in told and len(as_cells()) > 500
