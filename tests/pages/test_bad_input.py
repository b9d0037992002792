"""Bad input on the pages: each a clear message or a named result, with nothing lost.

Steps that must fail are made by real background workers; where a journey works, it is made
beforehand in the same workspace, and the pages find it.
"""

import time

import pytest

from core import jobs, runs
from core.run_options import RunOptions
from core.workspace import open_workspace
from tests.journeys import LOOKING, QUICK, added, journey_in, quick, three_groups, write_log
from ui import drafts

RESULTS = ("prepare", "represent", "cluster", "evaluate", "segments", "recommend", "report", "runs")
HOSTILE = "<script>alert(1)</script> =1+1 [a](http://evil.example) :red[x] $y$"


@pytest.fixture
def opened(home, tmp_path):
    """Put a log into the workspace as the Upload page would, with settings noted for it."""

    def put(users, options=None, **written):
        workspace = open_workspace()
        path = tmp_path / "files" / "log.csv"
        path.parent.mkdir()
        columns = {"label": "kind"} if "label" in written else {}
        dataset = added(workspace, write_log(path, users, **written), **columns)
        noted = drafts.Draft(options=options or quick(), names={})
        drafts.write(workspace.root / "drafts" / f"{dataset.id}.json", noted)
        return workspace, dataset

    return put


@pytest.fixture
def done(opened):
    """The same with the whole journey made and recorded."""

    def put(users, options=None, **written):
        workspace, dataset = opened(users, options, **written)
        journey = journey_in(workspace, dataset, options or quick())
        runs.record_in_workspace(workspace, dataset, journey)
        return dataset

    return put


def words(at):
    """All texts of a page as a person reads them."""
    kinds = (at.error, at.warning, at.info, at.success, at.markdown, at.caption, at.subheader)
    said = " ".join(element.value for kind in kinds for element in kind)
    return said.replace("\\", "").replace("\u2060", "")


def ended(at, seconds=60.0):
    """Run the page again until no background job is at work."""
    deadline = time.monotonic() + seconds
    while jobs.current(open_workspace()) is not None:
        assert time.monotonic() < deadline, "the job did not end"
        time.sleep(0.1)
    return at.run()


def pages_of(visit, dataset):
    """Every page of results, opened; none of them shows an exception."""
    shown = {}
    for page in RESULTS:
        at = visit(page, data=dataset.id)
        assert not at.exception, page
        assert not at.error, (page, words(at))
        shown[page] = words(at)
    assert jobs.latest(open_workspace()) is None, "everything was there already"
    return shown


def test_one_event_a_user_is_told_on_prepare_and_the_rule_can_be_loosened(visit, opened):
    workspace, dataset = opened(dict.fromkeys(three_groups(), "view"))
    at = ended(visit("prepare", data=dataset.id))
    assert not at.exception
    assert "Nothing is left of 60 events after cleaning" in words(at)
    assert "fewer than 3 events (60)" in words(at)
    assert jobs.status(workspace, str(jobs.latest(workspace))).state == "failed"
    later = visit("represent", data=dataset.id)
    assert not later.exception and "needs the step Prepare first" in words(later)
    drafts.write(
        workspace.root / "drafts" / f"{dataset.id}.json",
        drafts.Draft(options=quick(clean={"min_events": 1}), names={}),
    )
    at = ended(visit("prepare", data=dataset.id))
    assert not at.exception and not at.error
    assert [(metric.label, metric.value) for metric in at.metric][:2] == [
        ("Events kept", "60"),
        ("Users kept", "60"),
    ]


def test_the_encoder_has_nothing_to_learn_from_single_events_and_says_so(visit, opened):
    options = RunOptions.from_dict(
        {
            "represent": {"method": "lstm", "epochs": 2},
            "project": QUICK["project"],
            "clean": {"min_events": 1},
        }
    )
    workspace, dataset = opened(dict.fromkeys(three_groups(), "view"), options)
    journey_in(workspace, dataset, options).sequences()
    at = visit("represent", data=dataset.id)
    at.button(key="foot").click().run()
    at = ended(at)
    assert not at.exception
    assert "No user has two events or more" in words(at)
    assert "take the representation 'bag'" in words(at)


def test_fewer_users_than_segments_is_told_on_cluster(visit, opened):
    options = quick(cluster={"n_clusters": 6})
    workspace, dataset = opened(dict(list(three_groups(4).items())[::3]), options)
    journey = journey_in(workspace, dataset, options)
    journey.k_curve()
    at = visit("cluster", data=dataset.id)
    at = ended(at)
    assert not at.exception
    assert "6 segments cannot be formed of 4 users" in words(at)
    assert "or fewer segments" in words(at)
    later = visit("evaluate", data=dataset.id)
    assert not later.exception and "needs the step Cluster first" in words(later)


def test_one_user_is_shown_as_one_segment_and_too_little_data(visit, done):
    shown = pages_of(visit, done({"solo": LOOKING}))
    assert "Too little data: 1 user, and at least 50 are needed" in shown["evaluate"]
    assert "There is one user: 1 segment, everyone in it" in shown["cluster"]


def test_users_who_are_all_alike_are_shown_as_no_segments(visit, done):
    shown = pages_of(visit, done(dict.fromkeys(three_groups(), LOOKING)))
    assert "No segments" in shown["evaluate"] and "everyone belongs in one" in shown["evaluate"]
    assert "All 60 users are alike" in shown["cluster"]
    assert "No segments" in shown["report"]


def test_a_label_that_varies_within_a_user_is_counted_on_evaluate(visit, done):
    users = three_groups()
    kinds = {user: [user[0]] for user in users} | {"l00": ["l", "b"], "l01": ["l", "r"]}
    shown = pages_of(visit, done(users, label=kinds))
    assert "58 users have one" in shown["evaluate"]
    assert "2 left out because their rows disagree" in shown["evaluate"]


def test_a_label_that_varies_within_every_user_is_told_on_evaluate(visit, done):
    users = three_groups()
    shown = pages_of(visit, done(users, label={user: ["x", "y"] for user in users}))
    assert "60 users with more than one kind had to be left out" in shown["evaluate"]


def test_names_with_markup_or_a_formula_are_shown_as_text(visit, done):
    users = {f"{HOSTILE} {user}": actions for user, actions in three_groups().items()}
    dataset = done(users, category=HOSTILE)
    shown = pages_of(visit, dataset)
    assert HOSTILE[:20] in shown["segments"]
    at = visit("segments", data=dataset.id)
    raw = " ".join(element.value for element in [*at.markdown, *at.caption, *at.subheader])
    for live in ("<script>", "[a](", ":red[", "$y$"):
        assert live not in raw
    assert not any(element.allow_html for element in at.markdown)


def test_dense_groups_with_noise_are_shown_on_every_page(visit, done):
    users = three_groups() | {"odd": "sing dance sing"}
    shown = pages_of(visit, done(users, quick(cluster={"method": "hdbscan"})))
    assert "2% of the users are in no segment" in shown["evaluate"]
