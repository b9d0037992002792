"""Forecasts in the background: one at a time of a workspace, and none is forgotten."""

import io

import pytest

from core.forecast import background
from core.run_options import RunOptions
from core.workspace import Workspace


class Child:
    """A process that works until it is ended."""

    def __init__(self, *args, **settings):
        self.stdin, self.code = io.BytesIO(), None
        children.append(self)

    def poll(self):
        return self.code

    def kill(self):
        self.code = -9

    def wait(self):
        return self.code


children: list[Child] = []


@pytest.fixture
def begin(tmp_path, monkeypatch):
    children.clear()
    monkeypatch.setattr(background.subprocess, "Popen", Child)
    monkeypatch.setattr(background, "_children", {})
    monkeypatch.setattr(background, "_begun", set())
    workspace = Workspace(tmp_path)

    def start(identity):
        background.begin(workspace, "log", RunOptions(), ("embeddings",), identity)
        return background.at_work(workspace, identity)

    return start


def test_one_that_had_to_give_way_begins_anew_when_it_is_wanted_again(begin):
    assert begin("one") and begin("other")
    assert [child.code for child in children] == [-9, None]
    assert begin("one")
    assert [child.code for child in children] == [-9, -9, None]


def test_one_that_is_at_work_or_has_failed_is_not_begun_twice(begin):
    assert begin("one") and begin("one") and len(children) == 1
    children[0].code = 1
    assert not begin("one") and len(children) == 1
    assert begin("other") and not begin("one") and len(children) == 2
