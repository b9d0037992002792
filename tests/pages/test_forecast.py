"""What a step will take, told beside the button that begins it, and the way to a cheaper one."""

import pytest

from core.forecast import Cheaper, Forecast, StepForecast, background, forecast_as, heavy_before
from core.pipeline import Journey
from core.run_options import RunOptions
from core.workspace import open_workspace
from ui import forecast_view


@pytest.fixture
def begun(monkeypatch):
    """Every log is large enough, and what would be worked out is only noted."""
    noted = []
    monkeypatch.setattr(forecast_view, "FEWEST_USERS", 1)
    monkeypatch.setattr(background, "begin", lambda *wanted: noted.append(wanted))
    return noted


def options(at):
    return at.session_state["session.options"]


def journey_of(at):
    workspace = open_workspace()
    (dataset,) = workspace.datasets()
    return Journey(workspace.store(dataset.id), workspace.events(dataset), options(at))


def foretold(at, step, **told):
    """Keep a forecast of all that a step needs as if it had been worked out."""
    journey = journey_of(at)
    steps = heavy_before(journey, step)
    given = {"low_seconds": 61.0, "high_seconds": 119.0, "memory_mb": 400.0}
    given |= {"fits": True, "has_room": True}
    last = StepForecast(step=step, cheaper=None, **given)
    last = StepForecast(**{**vars(last), **told})
    others = [StepForecast(step=name, cheaper=None, **given) for name in steps if name != step]
    made_as = forecast_as(journey, steps)
    found = Forecast(
        steps=(*others, last), available_mb=500.0, limit_seconds=600.0, fingerprint=made_as
    )
    journey.store.get_or_make(Forecast, made_as, lambda _: found)
    at.run()
    assert not at.exception
    return found


def chosen(ready, method="lstm"):
    at = ready("represent")
    at.get_by_key("question").set_value("everything").run()
    at.get_by_key("representation-everything").set_value(method).run()
    assert not at.exception
    return at


def texts(at):
    return [text.value for text in at.markdown]


def cheaper_one(at, **stages):
    changed = RunOptions.from_dict({**options(at).to_dict(), **stages})
    return Cheaper(
        says="train for 2 epochs",
        options=changed.to_dict(),
        low_seconds=20.0,
        high_seconds=40.0,
        memory_mb=390.0,
        fits=True,
    )


def test_of_a_small_log_nothing_is_foretold(ready, monkeypatch):
    monkeypatch.setattr(background, "begin", lambda *_: pytest.fail("it was worked out"))
    at = chosen(ready)
    assert not any("on this machine" in text for text in texts(at))


def test_a_large_step_is_worked_out_in_the_background_and_can_be_begun_meanwhile(ready, begun):
    at = chosen(ready)
    steps = {wanted[3] for wanted in begun}
    assert ("embeddings",) in steps  # models there are, by which segments were formed
    button = at.button(key="foot")
    assert button.label == "Learn behaviour" and not button.disabled


def test_what_is_made_already_is_not_foretold(ready, begun):
    at = ready("represent")
    assert not begun
    assert not any("on this machine" in text for text in texts(at))


def test_time_and_memory_of_all_that_must_be_made_stand_on_the_page(ready, begun):
    at = chosen(ready, "lstm")
    assert heavy_before(journey_of(at), "embeddings") == ("embeddings",)  # the models are there
    foretold(at, "embeddings")
    assert any("About 1 to 2 min and 400 MB of memory on this machine" in t for t in texts(at))
    assert not any("Cheaper" in text for text in texts(at))


def test_one_click_takes_the_cheaper_setting(ready, begun):
    at = chosen(ready)
    cheaper = cheaper_one(at, represent={"method": "lstm", "epochs": 2})
    foretold(at, "embeddings", fits=False, cheaper=cheaper, high_seconds=4_000.0)
    assert any("may well take longer than 10 min" in text for text in texts(at))
    assert any("train for 2 epochs" in t and "About 20 to 40 s" in t for t in texts(at))
    at.button(key="cheaper-embeddings").click().run()
    assert not at.exception
    assert options(at).represent_params.epochs == 2
    assert options(at).represent.method == "lstm"


def test_a_cheaper_method_is_taken_by_the_widgets_too(ready, begun):
    at = chosen(ready)
    cheaper = cheaper_one(at, represent={"method": "bag"})
    foretold(at, "embeddings", fits=False, cheaper=cheaper)
    at.button(key="cheaper-embeddings").click().run()
    assert not at.exception
    assert options(at).represent.method == "bag"
    assert at.get_by_key("question").value == "content"
    at.run()
    assert options(at).represent.method == "bag"  # and no widget sets it back


def test_too_little_memory_is_told_in_figures(ready, begun):
    at = chosen(ready)
    foretold(at, "embeddings", fits=False, has_room=False, memory_mb=2_000.0)
    assert any("needs about 2,000 MB of memory, and 500 MB can be had" in t for t in texts(at))
    assert not at.button(key="foot").disabled


def test_a_forecast_is_worked_out_by_a_process_of_its_own_and_found_by_the_page(ready):
    at = chosen(ready, "fused")
    journey = journey_of(at)
    steps = heavy_before(journey, "embeddings")
    workspace = open_workspace()
    (dataset,) = workspace.datasets()
    wanted = forecast_as(journey, steps)
    assert background.found(journey, steps) is None
    background.begin(workspace, dataset.id, options(at), steps, wanted)
    assert background.at_work(workspace, wanted)
    background._children[str(workspace.root.resolve())][1].wait(60)
    assert not background.at_work(workspace, wanted)
    found = background.found(journey, steps)
    assert found.fingerprint == wanted
    assert found.of("embeddings").memory_mb > 50


def test_a_cheaper_algorithm_is_taken_without_the_refining_that_was_not_forecast(ready, begun):
    at = ready("cluster")
    at.get_by_key("refine").set_value(True).run()
    cheaper = cheaper_one(at, cluster={"method": "kmeans", "refine": False})
    foretold(at, "labels", fits=False, cheaper=cheaper, high_seconds=4_000.0)
    at.get_by_key("cheaper-labels").click().run()
    assert not at.exception
    assert options(at).cluster.method == "kmeans" and not options(at).cluster.refine
