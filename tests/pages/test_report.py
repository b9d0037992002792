"""The Report page: what it promises is what it hands out."""

import pytest

from core import runs
from core.report import tables
from core.workspace import open_workspace
from tests.journeys import added, journey_in, quick, three_groups, write_log
from ui import drafts


@pytest.fixture
def report_page(visit, home, tmp_path):
    """Open the page on a recorded run of three groups, with settings and names of one's own."""

    def opened(names=None, **stages):
        workspace, options = open_workspace(), quick(**stages)
        dataset = added(workspace, write_log(tmp_path / "log.csv", three_groups()))
        journey = journey_in(workspace, dataset, options)
        runs.record_in_workspace(workspace, dataset, journey)
        given = {journey.labels().fingerprint: names} if names else {}
        noted = drafts.Draft(options=options, names=given)
        drafts.write(workspace.root / "drafts" / f"{dataset.id}.json", noted)
        at = visit("report", data=dataset.id)
        assert not at.exception
        return at

    return opened


@pytest.mark.parametrize(
    ("limit", "said"), [(7, "fewer than 7 people only as <7"), (1, "every count as it is")]
)
def test_the_smallest_count_shown_is_the_one_that_was_set(report_page, limit, said):
    at = report_page(report={"min_cell": limit})
    assert any(said in text.value for text in at.markdown)


def test_tables_are_made_with_the_smallest_count_that_was_set(report_page, monkeypatch):
    monkeypatch.setattr(tables, "segment_table_csv", lambda found, limit: asked.append(limit) or "")
    monkeypatch.setattr(
        tables, "recommendations_table_csv", lambda made, found, limit: asked.append(limit) or ""
    )
    asked: list[int] = []
    deferred = []
    monkeypatch.setattr(
        "streamlit.download_button",
        lambda label, data, **rest: deferred.append(data),
    )
    report_page(report={"min_cell": 9})
    for data in deferred[-2:]:
        data()
    assert asked == [9, 9]


def test_a_new_name_is_written_into_the_report_once(report_page, monkeypatch):
    written = []
    rename = runs.rename_segments
    monkeypatch.setattr(
        runs, "rename_segments", lambda *told: written.append(told[2]) or rename(*told)
    )
    at = report_page(names={0: "Those who look"})
    assert len(written) == 1 and written[0][0] == "Those who look"
    assert not at.run().exception
    assert len(written) == 1
