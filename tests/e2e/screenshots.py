"""Pictures of every page, light and dark: ``python -m tests.e2e.screenshots docs/screenshots``.

Goes the whole way on the sample shop once, then opens every page by its own address in both
themes. The data is invented, so nothing in the pictures needs hiding.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.e2e import walk
from tests.e2e.dashboard import CHROMIUM, CHROMIUM_ARGS, serving, settled, visiting

WIDTH, HEIGHT, TALLEST = 1366, 900, 3200
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def main(folder: Path) -> None:
    """Write ``<page>-light.png`` and ``<page>-dark.png`` for every page."""
    if CHROMIUM is None:
        sys.exit("Pictures need Chromium on the PATH, and there is none.")
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as home,
        serving(Path(home)) as running,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_ARGS))
        for theme in THEMES:
            with visiting(browser, running.url, color_scheme=theme) as page:
                picture(page, folder / f"start-{theme}.png")
        dataset = whole_way(browser, running.url)
        for theme in THEMES:
            with visiting(browser, f"{running.url}/?data={dataset}", color_scheme=theme) as page:
                for name in walk.HEADINGS:
                    show(page, running.url, name, dataset)
                    picture(page, folder / f"{name}-{theme}.png")
        browser.close()


def whole_way(browser: Browser, url: str) -> str:
    """The journey on the sample shop; returns the data set's id."""
    with visiting(browser, url) as page:
        page.locator(".st-key-open-shop").get_by_role("button").click()
        walk.confirm_columns(page)
        walk.to_cluster(page)
        walk.to_report(page)
        return page.url.rsplit("data=", 1)[1]


def show(page: Page, url: str, name: str, dataset: str) -> None:
    """Open a page by its address, drawn to the end."""
    path = "" if name == "upload" else name
    page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    page.goto(f"{url}/{path}?data={dataset}")
    walk.arrive(page, name)
    if name == "cluster":
        walk.lasso(page)
        expect(page.get_by_text("users selected")).to_be_visible(timeout=60_000)
        settled(page)


def picture(page: Page, path: Path) -> None:
    """Save the whole page: Streamlit scrolls inside the window, so the window is made as tall."""
    main = page.get_by_test_id("stMain")
    for _ in range(2):  # a taller window lays charts out anew
        wanted = main.evaluate("box => box.scrollHeight + box.getBoundingClientRect().top")
        height = min(max(int(wanted), HEIGHT), TALLEST)
        page.set_viewport_size({"width": WIDTH, "height": height})
        page.wait_for_timeout(500)
        settled(page)
    page.mouse.move(WIDTH - 2, 2)
    page.wait_for_timeout(700)
    shown = Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
    _few_colours(shown).save(path, optimize=True)
    print(f"{path} {path.stat().st_size // 1000} kB")


def _few_colours(shown: Image.Image) -> Image.Image:
    """The picture in 256 colours: the most frequent as they are, the others by likeness."""
    pixels = np.asarray(shown, dtype=np.int64).reshape(-1, 3)
    colours, place, counts = np.unique(pixels, axis=0, return_inverse=True, return_counts=True)
    frequent = colours[np.argsort(-counts)[:128]]
    alike = shown.quantize(128, Image.Quantize.FASTOCTREE).getpalette() or []
    palette = np.vstack([frequent, np.reshape(alike, (-1, 3))[:128]])
    nearest = [int(((palette - colour) ** 2).sum(axis=1).argmin()) for colour in colours]
    few = Image.fromarray(np.array(nearest, dtype=np.uint8)[place.reshape(shown.height, -1)], "P")
    few.putpalette(palette.astype(np.uint8).tobytes())
    return few


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/screenshots"))
