import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit import config
from streamlit.testing.v1 import AppTest

from core import jobs, runs, worker
from core.workspace import LOCAL, Workspace, open_workspace
from tests.journeys import TINY, TINY_LABELS, added, journey_in, quick
from ui import drafts

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
        at = AppTest.from_file(str(ROOT / "ui" / "frame.py"), default_timeout=120)
        for name, value in address.items():
            at.query_params[name] = value
        at.run()
        if page is not None:
            at.switch_page(f"../pages/{page}.py").run()
        return at

    return open_tab


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the worked example went the whole way, counted and on a flat map."""
    root = tmp_path_factory.mktemp("whole")
    workspace = Workspace(root / LOCAL)
    dataset = added(workspace, TINY)
    dataset = workspace.add_labels(dataset.id, TINY_LABELS, TINY_LABELS.name)
    runs.record_in_workspace(workspace, dataset, journey_in(workspace, dataset, quick()))
    noted = drafts.Draft(options=quick(), names={})
    drafts.write(workspace.root / "drafts" / f"{dataset.id}.json", noted)
    return root


@pytest.fixture
def ready(home: Path, whole: Path, visit: Callable[..., AppTest]) -> Callable[[str], AppTest]:
    """Open a page on the worked example, for which all is made."""
    shutil.copytree(whole, home, dirs_exist_ok=True)
    dataset = open_workspace().datasets()[0]

    def open_page(page: str) -> AppTest:
        at = visit(page, data=dataset.id)
        assert not at.exception
        assert not at.error
        return at

    return open_page


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Background jobs end before the page goes on: done here, by the worker's own code."""

    class Here:
        def __init__(self, command: list[str]) -> None:
            self.code = worker.main(Path(command[-1]))

        def poll(self) -> int:
            return self.code

    elsewhere = subprocess.Popen

    def begin(command: list[str], **given: Any) -> Any:
        # Libraries start programs too, to look at the processor.
        return Here(command) if "core.worker" in command else elsewhere(command, **given)

    monkeypatch.setattr(worker, "_heartbeat", lambda folder: None)
    monkeypatch.setattr(jobs.subprocess, "Popen", begin)
