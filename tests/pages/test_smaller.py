"""The door "Make it smaller" on the Represent page."""

import json
import shutil

import pytest
from streamlit.testing.v1 import AppTest

from core import jobs
from core.errors import TooLittleData
from core.run_options import RunOptions
from core.smaller import WAYS, teaching
from core.smaller.kept import SmallerModels, model_file, served_file, smaller_as
from core.workspace import LOCAL, Workspace, open_workspace
from tests.journeys import TINY, added, journey_in
from tests.pages.test_download import get
from ui import drafts

SETTINGS = {
    "represent": {"method": "lstm", "hidden": 16, "epochs": 2, "models_most": 2},
    "cluster": {"method": "kmeans", "n_clusters": 3},
    "project": {"method": "pca"},
}


@pytest.fixture(autouse=True)
def brief_lessons(monkeypatch):
    monkeypatch.setattr(teaching, "_STEPS", 3)


@pytest.fixture(scope="session")
def learned_home(tmp_path_factory):
    """A home with a log that an encoder has learned."""
    home = tmp_path_factory.mktemp("learned")
    workspace = Workspace(home / LOCAL)
    dataset = added(workspace, TINY)
    options = RunOptions.from_dict(SETTINGS)
    noted = drafts.Draft(options=options, names={})
    drafts.write(workspace.root / "drafts" / f"{dataset.id}.json", noted)
    journey_in(workspace, dataset, options).embeddings()
    return home


@pytest.fixture
def learned(home, learned_home, visit, at_once):
    """The page on that log, and its journey."""
    shutil.copytree(learned_home, home, dirs_exist_ok=True)
    workspace = open_workspace()
    (dataset,) = workspace.datasets()
    at = visit("represent", data=dataset.id)
    assert not at.exception and not at.error
    return at, journey_in(workspace, dataset, RunOptions.from_dict(SETTINGS))


def door(at: AppTest):
    (found,) = [box for box in at.expander if box.label == "Make it smaller"]
    return found


def test_smaller_models_are_made_on_request_and_compared_side_by_side(learned):
    at, journey = learned
    assert not door(at).proto.expanded
    at.button(key="make-smaller").click().run()
    assert not at.exception and not at.error
    job = jobs.status(open_workspace(), jobs.latest(open_workspace()))
    assert (job.step, job.state, job.learns) == ("smaller", "done", True)
    found = journey.store.get(SmallerModels, smaller_as(journey))
    assert [model.way for model in found.comparison.models] == ["original", *WAYS]
    assert (found.served, found.refused) == (("original", "narrower"), "")
    shown = door(at)
    assert shown.proto.expanded
    said = " ".join(text.value for text in [*shown.markdown, *shown.caption])
    for way in WAYS.values():
        assert f"**{way.label}: a file" in said and way.not_gained in said
    assert "no segments yet" in said and "in the same segment" not in said
    assert [chart.key for chart in at.get("plotly_chart")].count("smaller-models") == 1
    (table,) = shown.table
    assert list(table.value.index) == ["Original", *(way.label for way in WAYS.values())]


def test_models_can_be_downloaded_and_onnx_where_it_is_worth_it(learned):
    at, journey = learned
    at.button(key="make-smaller").click().run()
    folder = journey.store.folder(smaller_as(journey))
    links = {link.proto.label: link.proto.url for link in at.get("link_button")}
    status, headers, body = get(links["Model (safetensors)"])
    assert status == 200 and body == (folder / model_file("original")).read_bytes()
    assert headers["content-disposition"].endswith('tiny_100_users-original.safetensors"')
    assert get(links["For serving (ONNX)"])[2] == (folder / served_file("original")).read_bytes()
    told = json.loads(get(links["How to feed it (JSON)"])[2])
    assert told["output"]["shape"] == ["batch", 16]
    at.selectbox(key="smaller-model").set_value("int8").run()
    assert [link.proto.label for link in at.get("link_button")] == ["Model (safetensors)"]
    assert any("as large as the original" in text.value for text in at.caption)


def test_segments_that_were_formed_meanwhile_are_compared_too(learned):
    at, journey = learned
    before = smaller_as(journey)
    journey.labels()
    assert smaller_as(journey) != before
    at.run()
    at.button(key="make-smaller").click().run()
    said = " ".join(text.value for text in door(at).markdown)
    assert "of the users in the same segment" in said and "mean cosine" not in said


def test_where_no_encoder_was_trained_there_is_no_door(ready):
    at = ready("represent")
    assert "Make it smaller" not in [box.label for box in at.expander]


def test_a_refusal_is_told(learned, monkeypatch):
    at, _ = learned
    monkeypatch.setattr("core.smaller.measuring._judged", _nobody)
    at.button(key="make-smaller").click().run()
    assert any("nobody to judge by" in error.value for error in at.error)
    assert not at.exception


def _nobody(users):
    raise TooLittleData("There is nobody to judge by.")
