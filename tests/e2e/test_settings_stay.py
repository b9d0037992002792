"""Settings in a real browser: a form that was away for a while holds what it held before."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from core.clustering import CLUSTERERS
from tests.e2e import walk
from tests.e2e.dashboard import settled, visiting

pytestmark = pytest.mark.browser


def test_the_map_keeps_its_settings_while_algorithms_come_and_go(browser, dashboard):
    with visiting(browser, dashboard.url) as page:
        walk.upload(page, walk.TINY)
        walk.confirm_columns(page)
        walk.to_cluster(page)
        for name in ("gaussian_mixture", "hierarchical", "spectral"):  # in a job, then at once
            label = CLUSTERERS[name].label
            page.locator(".st-key-algorithm").get_by_role("radio", name=label).click()
            expect(walk.map_area(page)).to_be_visible(timeout=walk.LONG * 1000)
            settled(page, walk.QUICK)
        page.get_by_text("Map settings").click()
        settled(page, walk.QUICK)
        walk.no_error(page)
        expect(page.get_by_label("Users to fit on (users)").last).to_have_value("20000")
        expect(page.get_by_label("Neighbours").last).to_have_value("15")
