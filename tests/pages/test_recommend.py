"""The Recommend page: items and actions with the numbers that led to them."""

import pytest

from core.workspace import open_workspace
from tests.journeys import added, journey_in, quick, three_groups, write_log
from ui import drafts


def test_items_are_ranked_with_their_lift_and_a_reason(ready):
    at = ready("recommend")
    found = at.table[0].value
    assert {"Item", "Category", "Lift", "Why"} <= set(found.columns)
    assert list(found.index) == list(range(1, len(found) + 1))
    assert found["Lift"].str.endswith("×").all()
    assert (found["Why"].str.len() > 20).all()


def test_actions_are_told_as_hypotheses_with_numbers(ready):
    at = ready("recommend")
    assert any("not a proven cause" in info.value for info in at.info)
    titles = 0
    for segment in range(3):
        at.get_by_key("segment-shown").set_value(segment).run()
        assert not at.exception
        titles += sum("Hypothesis" in text.value for text in at.markdown)
    assert titles >= 2


@pytest.fixture
def without_items(home, tmp_path):
    workspace = open_workspace()
    dataset = added(workspace, write_log(tmp_path / "log.csv", three_groups()))
    journey_in(workspace, dataset, quick()).recommendations()
    noted = drafts.Draft(options=quick(), names={})
    drafts.write(workspace.root / "drafts" / f"{dataset.id}.json", noted)
    return dataset


def test_a_log_without_items_is_told_what_is_missing(visit, without_items):
    at = visit("recommend", data=without_items.id)
    assert not at.exception
    assert any("The log has no items" in text.value for text in at.caption)
    assert not at.table
