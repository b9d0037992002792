import pytest
from streamlit.testing.v1 import AppTest

from core.workspace import open_workspace
from ui import session

PAGES = (
    "upload", "prepare", "represent", "cluster", "evaluate", "segments", "recommend", "report",
    "runs",
)  # fmt: skip


def states(at):
    """The state of every step in the header, by its title."""
    words = ("Done", "You are here", "Next", "Later")
    links = [found for found in at.get("page_link") if found.proto.help.startswith(words)]
    return {found.label: found.proto.help.split(".")[0] for found in links}


def open_tiny(at):
    at.button(key="open-tiny").click().run()
    at.button(key="foot").click().run()
    return at


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_on_an_empty_workspace_without_an_exception(visit, page):
    at = visit(page)
    assert not at.exception
    assert len(at.title) == 1


def test_the_header_says_where_the_analyst_is_and_what_is_next(visit):
    at = visit()
    assert states(at)["Upload"] == "You are here"
    assert states(at)["Prepare"] == "Next"
    assert {states(at)[title] for title in ("Represent", "Report")} == {"Later"}


def test_confirmed_data_marks_the_first_step_as_done(visit):
    at = open_tiny(visit())
    at.switch_page("../pages/represent.py").run()
    assert states(at)["Upload"] == "Done"
    assert states(at)["Represent"] == "You are here"
    assert states(at)["Prepare"] == "Next"


def test_a_page_without_data_leads_to_the_upload(visit):
    at = visit("cluster")
    assert any("Open a data set" in found.value for found in at.markdown)
    assert not any(button.key == "foot" for button in at.button)


def test_a_reload_comes_back_to_the_open_data_set(visit):
    open_tiny(visit())
    dataset = open_workspace().datasets()[0]
    at = visit(data=dataset.id)
    assert any("tiny\\_100\\_users\\.csv" in found.value for found in at.sidebar.markdown)


def test_a_data_set_that_is_gone_leads_back_to_the_start(visit):
    at = visit(data="0" * 16)
    assert not at.exception
    assert at.button(key="open-shop")


def test_settings_survive_a_page_switch(visit):
    at = open_tiny(visit())
    at.session_state["session.options"] = at.session_state["session.options"].changed(seed=7)
    at.switch_page("../pages/runs.py").run()
    assert at.session_state["session.options"].seed == 7


def test_settings_and_names_last_used_come_back_after_a_reload(visit):
    def change():
        from ui import session

        session.begin()
        session.set_options(session.options().changed(seed=7))
        session.set_name("f" * 64, 2, "Bargain hunters")

    open_tiny(visit())
    dataset = open_workspace().datasets()[0]
    first = AppTest.from_function(change)
    first.query_params["data"] = dataset.id
    assert not first.run().exception
    later = visit(data=dataset.id)
    assert later.session_state["session.options"].seed == 7
    assert later.session_state["session.names"] == {"f" * 64: {2: "Bargain hunters"}}


def test_notes_of_an_older_version_fall_back_to_the_defaults(visit, home):
    open_tiny(visit())
    dataset = open_workspace().datasets()[0]
    notes = home / "local" / "drafts" / f"{dataset.id}.json"
    notes.parent.mkdir(exist_ok=True)
    notes.write_text('{"options": {"clean": {"gone": 1}}, "names": {}}', encoding="utf-8")
    at = visit(data=dataset.id)
    assert not at.exception
    assert at.session_state["session.options"].seed == 0


def test_in_a_shared_dashboard_every_browser_has_a_workspace_of_its_own(visit, monkeypatch):
    monkeypatch.setenv("SEGMENTLAB_SHARED", "1")
    first, second = open_tiny(visit()), visit()
    mine = first.session_state["session.workspace"]
    assert mine.startswith("w-")
    assert second.session_state["session.workspace"] != mine
    stolen = visit(data=open_workspace(mine).datasets()[0].id)
    assert not any("tiny" in found.value for found in stolen.sidebar.markdown)


def test_the_link_of_a_shared_workspace_brings_its_data_back(visit, monkeypatch):
    monkeypatch.setenv("SEGMENTLAB_SHARED", "1")
    first = open_tiny(visit())
    again = visit(workspace=first.session_state["session.workspace"])
    assert any(button.label == "Open" for button in again.button)


@pytest.mark.parametrize("key", ["local", "../local", "w-short", ""])
def test_a_shared_dashboard_never_opens_the_workspace_of_the_machine(visit, monkeypatch, key):
    monkeypatch.setenv("SEGMENTLAB_SHARED", "1")
    at = visit(workspace=key)
    assert not at.exception
    if key:
        assert "not valid" in at.error[0].value
    else:
        assert at.session_state["session.workspace"].startswith("w-")


def test_a_loopback_dashboard_has_one_workspace_whatever_the_address_says(visit):
    at = visit(workspace="w-" + "x" * 32)
    assert at.session_state["session.workspace"] == "local"


@pytest.mark.parametrize(
    ("address", "loopback"),
    [("127.0.0.1", True), ("127.8.0.1", True), ("::1", True), ("localhost", True),
     ("0.0.0.0", False), ("192.168.1.5", False), ("shop.example", False), ("", False)],
)  # fmt: skip
def test_only_a_loopback_address_is_private(monkeypatch, address, loopback):
    monkeypatch.delenv("SEGMENTLAB_SHARED", raising=False)
    monkeypatch.setattr(session.st, "get_option", lambda name: address)
    assert session.is_shared() is not loopback
