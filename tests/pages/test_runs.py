"""The Runs page: what was recorded can be found again, compared and deleted."""

import json

import pytest

from core import runs
from core.clustering import CLUSTERERS
from core.workspace import open_workspace
from tests.journeys import journey_in, quick


@pytest.fixture
def two_runs(ready):
    """The worked example once with three segments and once with four."""

    def open_page():
        at = ready("runs")
        workspace = open_workspace()
        dataset = workspace.datasets()[0]
        four = quick(cluster={"n_clusters": 4})
        runs.record_in_workspace(workspace, dataset, journey_in(workspace, dataset, four))
        return at.run()

    return open_page


def tick(at, *rows):
    at.session_state["runs"] = {"selection": {"rows": list(rows), "columns": [], "cells": []}}
    at.run()
    assert not at.exception
    return at


def test_nothing_recorded_leads_to_the_start(visit):
    at = visit("runs")
    assert any("No run is recorded yet" in text.value for text in at.markdown)


def test_a_run_is_listed_with_what_came_out(ready):
    found = ready("runs").dataframe[0].value
    assert len(found) == 1
    row = found.iloc[0]
    assert (row["Data set"], row["Segments"]) == ("tiny_100_users.csv", 3)
    assert row["Representation"] == "Bag of actions and categories"
    assert row["Algorithm"] in {f"auto: {entry.label}" for entry in CLUSTERERS.values()}
    assert row["Silhouette"] > 0
    assert row["ARI"] > 0.9


def test_a_run_is_reopened_as_it_was(two_runs):
    at = two_runs()
    listed = at.dataframe[0].value["Segments"].tolist()
    tick(at, listed.index(4))
    next(button for button in at.button if button.label == "Reopen").click().run()
    assert not at.exception
    assert at.title[0].value == "Meet the segments"
    assert at.session_state["session.options"].cluster.n_clusters == 4
    assert len(at.get_by_key("segment-shown").options) == 4


def test_two_runs_are_compared(two_runs):
    at = tick(two_runs(), 0, 1)
    told = next(text.value for text in at.markdown if "adjusted Rand index" in text.value)
    assert "100 users" in told
    differences = at.dataframe[1].value
    assert "cluster.n_clusters" in differences["What differs"].tolist()


def test_a_run_is_deleted_and_the_data_set_stays(ready):
    at = tick(ready("runs"), 0)
    button = next(found for found in at.button if str(found.key).startswith("delete-"))
    button.click().run()
    assert not at.exception
    assert runs.list_runs(open_workspace()) == []
    assert len(open_workspace().datasets()) == 1


def test_a_run_with_settings_of_another_version_stays_listed(two_runs):
    at = two_runs()
    file = next(open_workspace().runs.glob("*/run.json"))
    record = json.loads(file.read_text(encoding="utf-8"))
    record["options"]["cluster"]["magic"] = 3
    file.write_text(json.dumps(record), encoding="utf-8")
    algorithms = at.run().dataframe[0].value["Algorithm"].tolist()
    assert len(algorithms) == 2
    assert "of another version" in algorithms


def test_a_run_that_did_not_record_what_was_taken_is_listed_as_left_to_the_tool(ready):
    at = ready("runs")
    file = next(open_workspace().runs.glob("*/run.json"))
    record = json.loads(file.read_text(encoding="utf-8"))
    del record["taken"]
    file.write_text(json.dumps(record), encoding="utf-8")
    assert at.run().dataframe[0].value["Algorithm"].tolist() == ["auto"]
