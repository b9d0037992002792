"""One short training on the worked example, which all tests of smaller models share."""

from pathlib import Path

import pytest

from core import runs
from core.__main__ import main
from core.smaller import recorded, teaching
from tests.journeys import TINY, events_of

SETTINGS = {
    "represent.method": "lstm",
    "represent.hidden": 32,
    "represent.epochs": 6,
    "represent.teacher_weight": 0,
    "represent.models_most": 2,
    "cluster.method": "kmeans",
    "cluster.n_clusters": 3,
    "project.method": "pca",
    "sequence.validate_share": 0.3,
}


@pytest.fixture(scope="session")
def encoder_run(tmp_path_factory):
    """A recorded run whose users were placed by an encoder; nobody may change its folder."""
    out = tmp_path_factory.mktemp("smaller") / "run"
    settings = [part for k, v in SETTINGS.items() for part in ("--set", f"{k}={v}")]
    assert main(["run", str(TINY), "--out", str(out), *settings]) == 0
    return runs.load_run(out)


@pytest.fixture(scope="session")
def its_sequences(encoder_run, tmp_path_factory):
    """What its users did."""
    folder: Path = tmp_path_factory.mktemp("cleaned")
    return recorded.own_sequences(encoder_run, events_of(TINY, folder / "typed"), folder)


@pytest.fixture
def brief_lessons(monkeypatch):
    """Few steps of teaching: enough to learn something, not to learn it well."""
    monkeypatch.setattr(teaching, "_STEPS", 30)
