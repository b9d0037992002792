"""The first page does not wait for the libraries that only learning needs."""

import subprocess
import sys
import time

from tests.e2e import walk
from tests.e2e.dashboard import ROOT, heading, serving

HEAVY = ("torch", "umap", "hdbscan", "sklearn", "numba", "scipy")
FIRST_RUN = f"""
import sys
import app
from streamlit.testing.v1 import AppTest
at = AppTest.from_file("ui/frame.py", default_timeout=60).run()
assert not at.exception, at.exception
assert at.title[0].value == {walk.HEADINGS["upload"]!r}
print(*[name for name in {HEAVY!r} if name in sys.modules])
"""


def test_the_first_page_is_drawn_without_any_heavy_library(tmp_path, monkeypatch):
    monkeypatch.setenv("SEGMENTLAB_HOME", str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", FIRST_RUN], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_the_first_heading_is_painted_soon_after_opening(browser, tmp_path):
    with serving(tmp_path / "home") as running:
        page = browser.new_page()
        begun = time.monotonic()
        page.goto(running.url)
        heading(page, walk.HEADINGS["upload"])
        print(f"\nfirst heading after {time.monotonic() - begun:.2f} s")
        page.close()
