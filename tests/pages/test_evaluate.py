"""The Evaluate page: the verdict first, then every figure with what it says."""

import json

import pytest

from core.workspace import open_workspace
from tests.journeys import added, journey_in, quick, three_groups, write_log
from ui import drafts


def table(at, column):
    return next(found.value for found in at.table if column in found.value.columns)


def test_the_verdict_stands_first_and_the_conditions_below_it(ready):
    at = ready("evaluate")
    assert "3 segments" in at.subheader[0].value
    told = " ".join(text.value for text in at.markdown).replace("\\", "")
    for name in ("Segment size", "Largest share", "Noise share"):
        assert f"**{name}**" in told


def test_every_figure_says_which_end_is_better_and_what_it_means(ready):
    found = table(ready("evaluate"), "Value")
    assert found.loc["Davies-Bouldin", "Better"] == "↓\u00a0lower"
    assert found.loc["Calinski-Harabasz", "Better"] == "↑\u00a0higher"
    assert (found["What it means"].str.len() > 20).all()
    assert 0 < float(found.loc["Silhouette, segments alike", "Value"]) < 1


def test_known_labels_are_compared_with_their_baseline(ready):
    at = ready("evaluate")
    found = table(at, "Without noise")
    assert float(found.loc["Adjusted Rand index (ARI)", "Without noise"]) > 0.9
    assert found.loc["Adjusted Rand index (ARI)", "Everyone in one segment"] == "0.000"
    assert found.loc["Purity", "Everyone in one segment"] != "1.000"
    titles = [json.loads(c.proto.spec)["layout"]["title"]["text"] for c in at.get("plotly_chart")]
    assert "Which known users are in which segment" in titles
    assert "How well users fit into their segment" in titles


@pytest.fixture
def unlabelled(home, tmp_path):
    workspace = open_workspace()
    dataset = added(workspace, write_log(tmp_path / "log.csv", three_groups()))
    journey_in(workspace, dataset, quick()).evaluation()
    noted = drafts.Draft(options=quick(), names={})
    drafts.write(workspace.root / "drafts" / f"{dataset.id}.json", noted)
    return dataset


def test_without_labels_the_page_says_how_to_add_some(visit, unlabelled):
    at = visit("evaluate", data=unlabelled.id)
    assert not at.exception
    assert any("There are no known labels" in info.value for info in at.info)
    assert len(at.table) == 1
