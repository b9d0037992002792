from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit import config
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home for workspaces, on a dashboard that only this machine can reach."""
    monkeypatch.setenv("SEGMENTLAB_HOME", str(tmp_path))
    monkeypatch.delenv("SEGMENTLAB_SHARED", raising=False)
    monkeypatch.chdir(ROOT)
    config.set_option("server.address", "127.0.0.1")
    return tmp_path


@pytest.fixture
def visit(home: Path) -> Callable[..., AppTest]:
    """Open the dashboard as a new browser tab would, on an address such as ``data="..."``."""

    def open_tab(page: str | None = None, **address: str) -> AppTest:
        at = AppTest.from_file(str(ROOT / "ui" / "frame.py"), default_timeout=30)
        for name, value in address.items():
            at.query_params[name] = value
        at.run()
        if page is not None:
            at.switch_page(f"../pages/{page}.py").run()
        return at

    return open_tab
