"""The Prepare page: what is left of the log, and every row that was touched."""

import json

import pytest

from core.workspace import open_workspace
from tests.journeys import added, journey_in, quick, three_groups, write_log
from ui import drafts


@pytest.fixture
def dirty(home, tmp_path):
    """Users of three habits and three quiet ones; two rows are there twice, one has no user."""
    quiet = dict.fromkeys(("q1", "q2", "q3"), "view view view view")
    log = write_log(tmp_path / "dirty.csv", quiet | three_groups())
    lines = log.read_text(encoding="utf-8").splitlines()
    without_user = "," + lines[1].split(",", 1)[1]
    again = [lines[1], lines[2], without_user]
    log.write_text("\n".join([*lines, *again]) + "\n", encoding="utf-8")
    workspace = open_workspace()
    dataset = added(workspace, log)
    journey_in(workspace, dataset, quick()).sequences()
    noted = drafts.Draft(options=quick(), names={})
    drafts.write(workspace.root / "drafts" / f"{dataset.id}.json", noted)
    return dataset, len(lines) - 1


def test_what_was_left_out_is_counted_by_reason(visit, dirty):
    dataset, clean_rows = dirty
    at = visit("prepare", data=dataset.id)
    assert not at.exception
    assert (at.metric[0].label, at.metric[0].value) == ("Events kept", f"{clean_rows:,}")
    assert at.metric[0].delta == f"of {clean_rows + 3:,}, 3 left out"
    table = at.dataframe[0].value
    rows = {row["Why"]: (row["What"], row["Rows"]) for _, row in table.iterrows()}
    assert rows["exact duplicate of another row"] == ("Dropped", 2)
    assert rows["no user id"] == ("Dropped", 1)


def test_the_log_is_shown_after_and_before_cleaning(visit, dirty):
    dataset, clean_rows = dirty
    at = visit("prepare", data=dataset.id)
    assert events_drawn(at) == clean_rows
    at.get_by_key("log-shown").set_value("Before cleaning").run()
    assert events_drawn(at) > clean_rows


def test_another_rule_is_noted_and_made_anew(visit, dirty, at_once):
    dataset, _ = dirty
    at = visit("prepare", data=dataset.id)
    box = next(box for box in at.number_input if box.label.startswith("Fewest events"))
    box.set_value(5)
    next(button for button in at.button if button.label == "Apply").click().run()
    assert not at.exception
    assert at.session_state["session.options"].clean.min_events == 5
    assert at.metric[1].value == "60"  # the three with four events each are gone


def events_drawn(at):
    """The sum of the bars over time."""
    chart = next(found for found in at.get("plotly_chart") if "over-time" in str(found.proto.id))
    return sum(sum(values(bar["y"])) for bar in json.loads(chart.proto.spec)["data"])


def values(held):
    """A list, also where Plotly has packed it."""
    if isinstance(held, list):
        return held
    import base64

    import numpy as np

    return np.frombuffer(base64.b64decode(held["bdata"]), dtype=held["dtype"]).tolist()
