"""On a dashboard for many, nobody sees what another has uploaded, unless they share the link."""

import shutil

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import walk
from tests.e2e.dashboard import Dashboard, serving, settled, visiting


@pytest.fixture
def open_to_all(browser, tmp_path):
    with serving(tmp_path / "home", shared=True) as running:
        yield running


@pytest.fixture
def my_log(tmp_path):
    return shutil.copy(walk.TINY, tmp_path / "my_own_log.csv")


def uploaded(page: Page, log) -> None:
    walk.upload(page, log)
    expect(walk.foot(page, "Confirm columns")).to_be_visible(timeout=60_000)
    settled(page)


def link(page: Page, dashboard: Dashboard) -> str:
    page.get_by_role("button", name="Your workspace").click()
    shown = page.get_by_test_id("stPopoverBody").get_by_test_id("stCode")
    expect(shown).to_contain_text("workspace=w-", timeout=60_000)
    text = shown.inner_text().strip()
    assert text.startswith(dashboard.url)
    return text


def test_what_one_browser_uploads_another_does_not_see(browser, open_to_all, my_log):
    with (
        visiting(browser, open_to_all.url) as mine,
        visiting(browser, open_to_all.url) as yours,
    ):
        uploaded(mine, my_log)
        expect(mine.get_by_test_id("stSidebar")).to_contain_text("my_own_log.csv")
        yours.reload()
        walk.arrive(yours, "upload")
        expect(yours.get_by_text("my_own_log.csv")).to_have_count(0)
        assert link(mine, open_to_all).split("&")[0] != link(yours, open_to_all).split("&")[0]
        # Knowing the data set without the key of its workspace opens nothing.
        with visiting(browser, f"{open_to_all.url}/?data={mine.url.split('data=')[1]}") as thief:
            walk.arrive(thief, "upload")
            expect(thief.get_by_text("my_own_log.csv")).to_have_count(0)


def test_the_link_brings_a_workspace_back(browser, open_to_all, my_log):
    with visiting(browser, open_to_all.url) as page:
        uploaded(page, my_log)
        mine = link(page, open_to_all)
    with visiting(browser, mine) as again:
        walk.arrive(again, "upload")
        expect(again.get_by_test_id("stSidebar")).to_contain_text("my_own_log.csv")
        expect(walk.foot(again, "Confirm columns")).to_be_visible()
