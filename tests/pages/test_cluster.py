"""The Cluster page: how many segments, and who stands where on the map."""

import json
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.typing import PlotlyState

from core.clustering import CLUSTERERS
from core.workspace import open_workspace


def titles(at):
    """The titles of all figures."""
    specs = [json.loads(found.proto.spec) for found in at.get("plotly_chart")]
    return [spec["layout"]["title"]["text"] for spec in specs]


def chart(at, title):
    """The figure with that title."""
    specs = [json.loads(found.proto.spec) for found in at.get("plotly_chart")]
    return next(spec for spec in specs if title in spec["layout"]["title"]["text"])


def test_the_suggested_number_is_drawn_and_its_reason_told_once(ready):
    at = ready("cluster")
    assert at.select_slider[0].value == 3
    reasons = [text.value for text in at.markdown if "segments are suggested" in text.value]
    assert len(reasons) == 1 and reasons[0].startswith("3 segments")
    spoken = chart(at, "stop paying off")["layout"]["meta"]["alt"]
    assert "Suggested: 3" in spoken
    names = {trace["name"] for trace in chart(at, "Users by segment")["data"]} - {"No segment"}
    assert len(names) == 3


def test_the_map_takes_any_column_as_its_colour(ready):
    at = ready("cluster")
    box = at.selectbox(key="map-colour")
    assert {"segment", "known label", "spend"} <= set(box.options) | {
        option.lower() for option in box.options
    }
    box.set_value("known label").run()
    assert not at.exception
    names = {trace["name"] for trace in chart(at, "Users by known label")["data"]}
    assert "window shopper" in names


def test_users_inside_a_lasso_fill_a_table_until_it_is_cleared(ready):
    at = ready("cluster")
    assert any("Draw a lasso" in text.value for text in at.caption)
    key = next(
        found.key for found in at.get("plotly_chart") if str(found.key or "").startswith("map-")
    )
    points = [{"customdata": place} for place in (0, 2, 7)]
    at.session_state[key] = PlotlyState({"selection": {"points": points}})
    at.run()
    assert any("3 users selected" in text.value for text in at.markdown)
    table = next(found.value for found in at.dataframe if "story" in found.value.columns)
    journey_users = table["user"].tolist()
    assert len(journey_users) == 3
    assert any(button.label == "Download these users" for button in at.get("download_button"))
    at.session_state[key] = PlotlyState({"selection": {"points": []}})
    next(button for button in at.button if button.label == "Clear the selection").click().run()
    assert not any("users selected" in text.value for text in at.markdown)


def test_the_algorithm_is_left_to_the_tool_first_of_all_and_what_it_took_is_told(ready):
    at = ready("cluster")
    box = at.get_by_key("algorithm")
    assert box.options[0] == "Let the tool find out"
    assert box.value == "auto"
    (why,) = [text.value for text in at.markdown if "The choice is" in text.value]
    assert "foretell users that were left out" in why


def test_how_well_unseen_users_are_foretold_is_drawn_with_the_confidence_in_the_number(ready):
    spec = chart(ready("cluster"), "How well unseen users are foretold")
    (line,) = spec["data"]
    assert line["x"][0] == 1
    assert max(line["y"]) == line["y"][line["x"].index(3)] < 0
    assert "of 100 resamplings of the users suggest 3" in spec["layout"]["meta"]["alt"]


def by_points(ready, method="kmeans"):
    """The page once segments of points were formed."""
    at = ready("cluster")
    at.get_by_key("algorithm").set_value(method).run()
    assert not at.exception
    assert not at.error
    return at


def n_jobs():
    return len(list(open_workspace().jobs.glob("[0-9]*")))


def parts(at):
    """The segments on the map."""
    return {trace["name"] for trace in chart(at, "Users by segment")["data"]} - {"No segment"}


@pytest.mark.parametrize("method", ["kmeans", "gaussian_mixture", "hierarchical", "spectral"])
def test_another_number_of_segments_is_formed_while_the_analyst_looks_on(ready, at_once, method):
    at = by_points(ready, method)
    before = n_jobs()
    at.select_slider[0].set_value(4).run()
    assert not at.exception
    assert at.session_state["session.options"].cluster.n_clusters == 4
    assert len(parts(at)) == 4
    at.select_slider[0].set_value(3).run()
    assert at.session_state["session.options"].cluster.n_clusters == "auto"
    assert n_jobs() == before


def test_of_too_many_users_segments_are_formed_in_the_background(ready, at_once, monkeypatch):
    few = replace(CLUSTERERS["hierarchical"], at_once_users=99)
    monkeypatch.setitem(CLUSTERERS, "hierarchical", few)
    at = by_points(ready, "hierarchical")
    before = n_jobs()
    at.select_slider[0].set_value(4).run()
    assert not at.exception and len(parts(at)) == 4
    assert n_jobs() == before + 1


def test_the_tool_forms_another_number_of_segments_in_the_background(ready, at_once):
    at = ready("cluster")
    at.select_slider[0].set_value(4).run()
    assert not at.exception
    assert not at.error, at.error[0].value
    assert len(parts(at)) == 4


def test_of_points_alone_nothing_is_foretold_and_nothing_was_taken(ready, at_once):
    at = by_points(ready)
    assert not any("foretold" in title for title in titles(at))
    assert not any("The choice is" in text.value for text in at.markdown)
    assert at.select_slider[0].value == 3


def users_set_aside():
    import numpy as np

    from core.artifacts import Labels
    from ui import cluster_form

    values = np.array([0] * 30 + [-1] * 10, dtype=np.int32)
    labels = Labels(
        user_ids=np.arange(40).astype(str).astype(object),
        values=values,
        confidence=np.ones(40, dtype=np.float32),
        n_clusters=1,
        method="markov_mixture",
        loss_trace=(),
        best_restart=0,
        state={},
        note="",
        fingerprint="a" * 64,
    )
    cluster_form.tell_taken(labels, "auto")


def test_users_in_no_segment_are_counted():
    told = [text.value for text in AppTest.from_function(users_set_aside).run().markdown]
    assert told[0] == "The choice is Chains of behaviour."
    assert "10 users are set aside, in no segment (25% of all)" in told[1]


def test_the_loss_of_every_iteration_can_be_looked_at(ready, at_once):
    data = chart(by_points(ready), "Loss J falls")["data"]
    kept = next(trace for trace in data if "(kept)" in trace["name"])
    assert kept["y"] == sorted(kept["y"], reverse=True)


def test_dense_groups_need_no_number_of_segments(ready, at_once):
    at = ready("cluster")
    at.get_by_key("algorithm").set_value("hdbscan").run()
    assert not at.exception
    assert not at.error, at.error[0].value
    assert not at.select_slider
    assert chart(at, "Users by segment")
    assert len(list(open_workspace().jobs.glob("[0-9]*"))) <= 2


def test_segments_of_points_are_refined_on_demand_and_what_came_of_it_is_told(ready):
    at = ready("cluster")
    at.get_by_key("algorithm").set_value("kmeans").run()
    assert not at.get_by_key("refine").value
    at.get_by_key("refine").set_value(True).run()
    assert at.session_state["session.options"].cluster.refine
    assert not at.exception
    at.get_by_key("algorithm").set_value("markov_mixture").run()
    assert not [toggle for toggle in at.toggle if toggle.key == "refine"]
    assert not at.session_state["session.options"].cluster.refine
