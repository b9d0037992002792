from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from core.artifacts import ColumnMapping
from core.errors import FileRefused, NotFound
from core.events.known import known_labels_in_log
from core.events.read import ReadOptions
from core.workspace import Workspace, home, new_key, open_workspace

LOG = "who,when,what\na,2026-01-01,view\nb,2026-01-02,cart\n"
MAPPING = ColumnMapping(user="who", time="when", action="what")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "local")


def add(workspace: Workspace, tmp_path: Path, text: str = LOG, name: str = "log.csv"):
    path = tmp_path / "upload"
    path.write_text(text, encoding="utf-8")
    return workspace.add([path], [name], ReadOptions())


def test_an_added_log_is_kept_with_its_rows_and_without_a_mapping(workspace, tmp_path):
    dataset = add(workspace, tmp_path)
    assert dataset.name == "log.csv" and dataset.mapping is None
    assert workspace.raw(dataset).n_rows == 2 and workspace.raw(dataset).path.exists()
    assert workspace.datasets() == [dataset]


def test_the_same_file_added_again_is_the_same_data_set_and_keeps_its_mapping(workspace, tmp_path):
    first = add(workspace, tmp_path)
    workspace.confirm_mapping(first.id, MAPPING)
    assert add(workspace, tmp_path).mapping == MAPPING
    assert len(workspace.datasets()) == 1


def test_a_refused_file_leaves_nothing_behind(workspace, tmp_path):
    with pytest.raises(FileRefused):
        add(workspace, tmp_path, "")
    assert workspace.datasets() == []
    assert list((workspace.root / "datasets").iterdir()) == []


def test_uploads_at_the_same_time_do_not_disturb_each_other(workspace, tmp_path):
    path = tmp_path / "upload"
    path.write_text(LOG, encoding="utf-8")
    other = tmp_path / "other"
    other.write_text(LOG + "c,2026-01-03,view\n", encoding="utf-8")

    def upload(number):
        added = workspace.add([(path, other)[number % 2]], ["log.csv"], ReadOptions())
        return added.id, len(workspace.datasets())

    with ThreadPoolExecutor(8) as pool:
        ids, counts = zip(*pool.map(upload, range(16)), strict=True)
    assert len(set(ids)) == 2 and set(counts) <= {1, 2}
    assert len(workspace.datasets()) == 2


def test_another_label_table_of_the_same_name_is_another_one(workspace, tmp_path):
    dataset = workspace.confirm_mapping(add(workspace, tmp_path).id, MAPPING)
    table = tmp_path / "labels"
    seen = set()
    for kind in ("new", "old"):
        table.write_text(f"who,kind\na,{kind}\n", encoding="utf-8")
        seen.add(workspace.add_labels(dataset.id, table, "labels.csv").labels_id)
    assert len(seen) == 2


def test_events_are_made_once_under_the_confirmed_mapping(workspace, tmp_path):
    dataset = add(workspace, tmp_path)
    with pytest.raises(NotFound, match="not confirmed"):
        workspace.events(dataset)
    dataset = workspace.confirm_mapping(dataset.id, MAPPING)
    events = workspace.events(dataset)
    assert (events.n_events, events.n_users) == (2, 2)
    assert workspace.events(dataset).path == events.path


def test_the_labels_in_a_log_are_looked_for_once(workspace, tmp_path, monkeypatch):
    mapping = ColumnMapping(user="who", time="when", label="what")
    dataset = workspace.confirm_mapping(add(workspace, tmp_path).id, mapping)
    looked = []

    def look(events, name):
        looked.append(name)
        return known_labels_in_log(events, name)

    monkeypatch.setattr("core.workspace.known_labels_in_log", look)
    for _ in range(3):
        known = workspace.known_labels(dataset)
        assert known is not None and known.user_ids.tolist() == ["a", "b"]
    assert looked == ["what"]
    plain = replace(mapping, label=None)
    assert workspace.known_labels(workspace.confirm_mapping(dataset.id, plain)) is None
    assert looked == ["what"]


def test_an_added_label_table_comes_before_the_labels_in_the_log(workspace, tmp_path):
    mapping = ColumnMapping(user="who", time="when", label="what")
    dataset = workspace.confirm_mapping(add(workspace, tmp_path).id, mapping)
    in_log = workspace.known_labels(dataset)
    assert in_log is not None
    assert (in_log.name, in_log.values.tolist()) == ("what", ["view", "cart"])
    table = tmp_path / "labels"
    table.write_text("who,kind\na,new\n", encoding="utf-8")
    dataset = workspace.add_labels(dataset.id, table, "labels.csv")
    added = workspace.known_labels(dataset)
    assert added is not None
    assert (added.name, added.user_ids.tolist(), added.values.tolist()) == (
        "kind",
        ["a"],
        ["new"],
    )


def test_a_deleted_data_set_is_gone_with_all_that_was_made_of_it(workspace, tmp_path):
    dataset = workspace.confirm_mapping(add(workspace, tmp_path).id, MAPPING)
    assert workspace.events(dataset).path.exists()
    workspace.delete(dataset.id)
    assert workspace.datasets() == []
    left = [path for path in workspace.root.rglob("*") if path.is_file()]
    assert {path.parent.name for path in left} == {"mappings"}  # of use for the next such file
    with pytest.raises(NotFound, match="no longer here"):
        workspace.dataset(dataset.id)


@pytest.mark.parametrize(
    "name", ["../local", "0" * 15, "0" * 16 + "/x", "", "..", "ABCDEF0123456789"]
)
def test_only_names_of_data_sets_reach_the_disk(workspace, name):
    with pytest.raises(NotFound):
        workspace.dataset(name)


@pytest.mark.parametrize("key", ["../x", "w-short", "LOCAL", "", "w-" + "a" * 31 + "/"])
def test_only_whole_keys_open_a_workspace(key):
    with pytest.raises(NotFound, match="link is not valid"):
        open_workspace(key)


def test_new_keys_open_workspaces_of_their_own(monkeypatch, tmp_path):
    monkeypatch.setenv("SEGMENTLAB_HOME", str(tmp_path))
    first, second = open_workspace(new_key()), open_workspace(new_key())
    assert first.root != second.root and first.root.parent == second.root.parent == home()
