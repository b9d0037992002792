"""The Represent page: how users became points, and what another way would take."""

from core import jobs
from core.workspace import open_workspace


def figures(at):
    return {metric.label: metric.value for metric in at.metric}


def test_counted_points_are_shown_and_have_no_learning_curve(ready):
    at = ready("represent")
    shown = figures(at)
    assert shown["Users"] == "100"
    assert int(shown["Numbers per user"]) > 2
    assert shown["Computed on"] == "CPU"
    assert "Speed" not in shown
    assert any("Nothing is trained here" in info.value for info in at.info)
    assert not at.get("plotly_chart")
    assert at.button(key="foot").label == "Next: Cluster"


def test_another_representation_is_told_of_and_waits_for_the_analyst(ready):
    at = ready("represent")
    at.get_by_key("representation").set_value("lstm").run()
    assert not at.exception
    assert at.session_state["session.options"].represent.method == "auto"
    assert any("by guessing what they will do next" in text.value for text in at.markdown)
    assert at.button(key="foot").label == "Learn behaviour"
    assert jobs.latest(open_workspace()) is None


def test_a_setting_out_of_bounds_is_worded_and_the_old_one_kept(ready):
    at = ready("represent")
    at.get_by_key("representation").set_value("lstm").run()
    before = at.session_state["session.options"].represent_params
    labels = {box.label: box for box in at.number_input}
    assert labels["Seed"].value == 0
    labels["Seed"].set_value(5).run()
    assert at.session_state["session.options"].seed == 5
    assert at.session_state["session.options"].represent_params == before


def test_learning_shows_its_curve_and_its_speed(ready, at_once):
    at = ready("represent")
    at.get_by_key("representation").set_value("lstm").run()
    options = at.session_state["session.options"]
    quick = options.from_dict({**options.to_dict(), "represent": {"epochs": 2}})
    at.session_state["session.options"] = quick
    at.run()
    at.button(key="foot").click().run()
    assert not at.exception
    assert not at.error
    assert figures(at)["Speed"].endswith("events/s")
    (chart,) = at.get("plotly_chart")
    assert "What is still unexplained" in chart.proto.spec
