"""Nothing but the button at the foot leads from the sample to a recorded run."""

import pytest

from core import jobs, runs
from core.workspace import open_workspace

STEPS = ("Prepare", "Represent", "Cluster", "Evaluate", "Segments", "Recommend", "Report")


def press(at, label):
    assert at.button(key="foot").label == label
    at.button(key="foot").click().run()
    assert not at.exception
    assert not at.error, at.error[0].value


@pytest.fixture
def confirmed(visit):
    at = visit()
    at.button(key="open-tiny").click().run()
    press(at, "Confirm columns")
    changed = at.session_state["session.options"].from_dict(
        {"represent": {"method": "bag"}, "project": {"method": "pca"}}
    )
    at.session_state["session.options"] = changed
    return at


def test_the_foot_leads_from_the_sample_to_a_recorded_run(confirmed, at_once):
    at = confirmed
    press(at, "Next: Prepare")
    assert at.metric[0].label == "Events kept"
    press(at, "Next: Represent")
    press(at, "Learn behaviour")
    assert [metric.value for metric in at.metric if metric.label == "Users"] == ["100"]
    for title in STEPS[2:]:
        press(at, f"Next: {title}")
    assert at.title[0].value == "Take the results with you"
    (run,) = runs.list_runs(open_workspace())
    assert any(run.manifest.id[:8] in caption.value for caption in at.caption)
    assert run.manifest.metrics["segments"] == 3
    assert not any(button.key == "foot" for button in at.button)


def test_learning_waits_for_the_analyst_and_the_other_steps_do_not(confirmed, at_once):
    at = confirmed
    press(at, "Next: Prepare")
    made = len(list(open_workspace().jobs.glob("[0-9]*")))
    press(at, "Next: Represent")
    assert len(list(open_workspace().jobs.glob("[0-9]*"))) == made == 1
    assert at.button(key="foot").label == "Learn behaviour"


def test_a_step_that_fails_is_told_and_not_started_over_and_over(confirmed, at_once, monkeypatch):
    at = confirmed
    monkeypatch.setattr("core.sequences.build", lambda *_, **__: 1 / 0)
    at.button(key="foot").click().run()
    assert not at.exception
    assert "error of the program" in at.error[0].value
    first = jobs.latest(open_workspace())
    at.run()
    assert jobs.latest(open_workspace()) == first
    monkeypatch.undo()
