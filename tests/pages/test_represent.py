"""The Represent page: how users became points, and what another way would take."""

import json
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from core import jobs
from core.artifacts import FIT
from core.errors import TooLittleData
from core.pipeline import Journey
from core.representations import QUESTIONS, REPRESENTATIONS
from core.representations.ladder import AutoOptions
from core.workspace import open_workspace

TWO = ("markov_mixture", "bag")


def figures(at):
    return {metric.label: metric.value for metric in at.metric}


def options(at):
    return at.session_state["session.options"]


def ask(at, question):
    at.get_by_key("question").set_value(question).run()
    assert not at.exception
    return at


def learn(at):
    assert at.button(key="foot").label == "Learn behaviour"
    at.button(key="foot").click().run()
    assert not at.exception
    return at


def users_to_fit(at):
    workspace = open_workspace()
    (dataset,) = workspace.datasets()
    journey = Journey(workspace.store(dataset.id), workspace.events(dataset), options(at))
    return int((journey.sequences().split == FIT).sum())


def encoder(ready):
    """The page on which the encoder is chosen by hand."""
    at = ask(ready("represent"), "everything")
    at.get_by_key("representation-everything").set_value("lstm").run()
    assert not at.exception
    return at


def left_to_the_tool(ready, *candidates):
    """The page on which the tool is to choose between a few."""
    at = ask(ready("represent"), "auto")
    between = AutoOptions(candidates=candidates)
    at.session_state["session.options"] = options(at).changed(represent_params=between)
    at.run()
    assert not at.exception
    return at


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


def test_every_representation_answers_a_question_that_has_words():
    assert {entry.question for entry in REPRESENTATIONS.values()} <= set(QUESTIONS)


def test_what_the_analyst_wants_to_know_is_asked_and_the_tool_comes_first(ready):
    at = ready("represent")
    box = at.get_by_key("question")
    asked = [q for q in QUESTIONS if q in {e.question for e in REPRESENTATIONS.values()}]
    assert box.options == ["Let the tool find out", *(QUESTIONS[question] for question in asked)]
    assert box.value == "content"  # of the bag, which was chosen


@pytest.mark.parametrize("question", ["order", "everything"])
def test_a_question_takes_a_representation_that_answers_it(ready, question):
    at = ask(ready("represent"), question)
    chosen = REPRESENTATIONS[options(at).represent.method]
    assert chosen.question == question
    assert any(chosen.summary in text.value for text in at.markdown)
    assert any(chosen.weaknesses in text.value for text in at.markdown)


def test_where_several_answer_a_question_each_can_be_taken(ready):
    at = ask(ready("represent"), "everything")
    offered = [e.label for e in REPRESENTATIONS.values() if e.question == "everything"]
    assert at.get_by_key("representation-everything").options == offered
    at.get_by_key("representation-everything").set_value("lstm").run()
    assert options(at).represent.method == "lstm"
    assert any("by guessing what they will do next" in text.value for text in at.markdown)


def test_another_representation_waits_for_the_analyst(ready):
    at = encoder(ready)
    assert at.button(key="foot").label == "Learn behaviour"
    assert jobs.latest(open_workspace()) is None


def test_a_setting_out_of_bounds_is_worded_and_the_old_one_kept(ready):
    at = encoder(ready)
    before = options(at).represent_params
    labels = {box.label: box for box in at.number_input}
    assert labels["Seed"].value == 0
    labels["Seed"].set_value(5).run()
    assert options(at).seed == 5
    assert options(at).represent_params == before


def test_expert_settings_stand_behind_one_door_with_those_of_the_models(ready):
    at = encoder(ready)
    assert [door.label for door in at.expander] == ["Expert settings"]
    labels = {box.label: box for box in at.number_input}
    labels["Width"].set_value(16)
    labels["Most segments foretold with"].set_value(7)
    next(button for button in at.button if button.label == "Apply").click().run()
    assert options(at).represent_params.hidden == 16
    assert options(at).models.models_most == 7


def test_what_the_tool_compares_is_picked_by_name(ready):
    at = ask(ready("represent"), "auto")
    (box,) = at.multiselect
    assert box.value == list(AutoOptions().candidates)
    assert "Bag of actions and categories" in box.options
    box.set_value(["bag", "bigram"])
    next(button for button in at.button if button.label == "Apply").click().run()
    assert options(at).represent_params.candidates == ("bag", "bigram")
    tried = REPRESENTATIONS["bag"].label + " · " + REPRESENTATIONS["bigram"].label
    assert any(tried in text.value for text in at.markdown)


def test_learning_shows_its_curve_and_its_speed(ready, at_once):
    at = encoder(ready)
    quick = {"represent": {"method": "lstm", "epochs": 2}}
    changed = options(at).from_dict({**options(at).to_dict(), **quick})
    at.session_state["session.options"] = changed
    learn(at.run())
    assert not at.error
    assert figures(at)["Speed"].endswith("events/s")
    (chart,) = at.get("plotly_chart")
    assert "What is still unexplained" in chart.proto.spec


def test_what_the_tool_tried_stands_side_by_side_with_why_it_took_one(ready, at_once):
    at = learn(left_to_the_tool(ready, *TWO))
    assert not at.error
    (why,) = [text.value for text in at.markdown if "The choice is" in text.value]
    taken = next(
        name for name in TWO if why.startswith(f"The choice is {REPRESENTATIONS[name].label}")
    )
    table = at.table[0].value
    labels = {REPRESENTATIONS[name].label: name for name in TWO}
    assert {str(row).replace("*", "").removesuffix(" (taken)") for row in table.index} == set(
        labels
    )
    row = table.loc[f"**{REPRESENTATIONS[taken].label}** (taken)"]
    assert row["Same segments"] == "1.00"
    assert row["What it sees"] == REPRESENTATIONS[taken].summary
    assert float(row.iloc[0]) < 0
    assert table["Behind the best"].iloc[0] == "best"
    (spec,) = [json.loads(found.proto.spec) for found in at.get("plotly_chart")]
    n_seen = users_to_fit(at)
    assert 0 < n_seen < 100
    assert [len(drawn["x"]) for drawn in spec["data"]] == [n_seen, n_seen]
    assert not any(button.label == "Compare with others" for button in at.button)


def test_what_could_not_be_tried_is_told_with_the_reason_and_no_markup(ready, at_once, monkeypatch):
    def refuse(*_):
        raise TooLittleData("The column '![x](http://x)' is empty.")

    at = left_to_the_tool(ready, "bag", "bigram")
    monkeypatch.setitem(REPRESENTATIONS, "bigram", replace(REPRESENTATIONS["bigram"], fit=refuse))
    learn(at)
    (told,) = [text.value for text in at.markdown if "could not be tried" in text.value]
    assert REPRESENTATIONS["bigram"].label in told
    assert "is empty" in told
    assert "![x](http" not in told
    assert len(at.table[0].value) == 1


def test_nothing_to_compare_is_worded_and_not_kept(ready):
    at = ask(ready("represent"), "auto")
    at.multiselect[0].set_value([])
    next(button for button in at.button if button.label == "Apply").click().run()
    assert not at.exception
    assert "candidates is empty" in at.error[0].value.replace("\\", "")
    assert options(at).represent_params == AutoOptions()


def test_what_was_chosen_by_hand_can_be_compared_with_the_usual_ones(ready):
    at = ready("represent")
    chosen = options(at).represent.method
    next(button for button in at.button if button.label == "Compare with others").click().run()
    assert not at.exception
    assert at.get_by_key("question").value == "auto"
    assert options(at).represent.method == "auto"
    assert set(options(at).represent_params.candidates) == {*AutoOptions().candidates, chosen}
    assert at.button(key="foot").label == "Learn behaviour"


def found_out():
    from core.artifacts import Metric
    from ui import represent_view

    represent_view.findings(
        (
            Metric(name="order_share", value=0.31, note="Order carries a third."),
            Metric(name="lasting time", value=3.0, note="Three directions <b>last</b>."),
            Metric(name="money", value=None, note="No event has a price."),
        )
    )


def test_findings_are_figures_with_notes_and_those_without_a_value_are_remarks():
    at = AppTest.from_function(found_out).run()
    assert not at.exception
    assert figures(at) == {"Carried by order": "31%", "Lasting: When and how fast": "3"}
    assert [text.value for text in at.caption] == [
        "Order carries a third\\.",
        "Three directions \\<b\\>last\\<\\/b\\>\\.",
        "**Money**: No event has a price\\.",
    ]
