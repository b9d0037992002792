"""Large files leave the disk by signed addresses; nothing else can be fetched."""

import asyncio
import csv
import io
import time

import pytest
from starlette.requests import Request

from core.events.set_aside import SetAside
from core.workspace import open_workspace
from tests.journeys import added, journey_in, quick, three_groups, write_log
from ui import download_route, drafts, upload_route


def get(address):
    """Ask the route for an address; status, headers and body of the answer."""
    token = address.rsplit("/", 1)[1]
    scope = {"type": "http", "method": "GET", "headers": [], "path_params": {"token": token}}
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        await asyncio.Event().wait()  # the browser waits

    async def ask():
        answer = await download_route.send(Request(scope, receive))
        await answer(scope, receive, send)

    asyncio.run(ask())
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(part.get("body", b"") for part in sent[1:])


@pytest.fixture
def dirty(home, tmp_path):
    """A log of which two rows have no user, one with a formula; its list of rows set aside."""
    log = write_log(tmp_path / "my log.csv", three_groups())
    with log.open("a", encoding="utf-8") as file:
        file.write(",2026-01-05 10:00:00,=1+1,c,\n,2026-01-05 11:00:00,view,c,\n")
    workspace = open_workspace()
    dataset = added(workspace, log)
    journey = journey_in(workspace, dataset, quick())
    journey.sequences()
    noted = drafts.Draft(options=quick(), names={})
    drafts.write(workspace.root / "drafts" / f"{dataset.id}.json", noted)
    return workspace, dataset, journey


def address(dataset, journey, **changes):
    parts = {"workspace_key": "local", "dataset_id": dataset.id}
    parts |= {"fingerprint": journey.set_aside_as(), "file": "set_aside.csv"}
    return download_route.address(**(parts | changes))


def test_the_list_of_rows_set_aside_comes_with_line_reason_and_cells_and_is_safe(dirty):
    workspace, dataset, journey = dirty
    made = journey.set_aside(workspace.raw(dataset))
    assert made.n_rows == 2
    status, headers, body = get(address(dataset, journey))
    assert (status, headers["x-content-type-options"]) == (200, "nosniff")
    assert headers["content-disposition"].endswith("my%20log-set-aside.csv")
    rows = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))
    assert [(row["file"], row["line"], row["reason"]) for row in rows] == [
        ("my log.csv", "362", "no user id"),
        ("my log.csv", "363", "no user id"),
    ]
    assert [row["action"] for row in rows] == ["'=1+1", "view"]


def test_only_what_was_signed_is_handed_out(dirty, monkeypatch):
    workspace, dataset, journey = dirty
    journey.set_aside(workspace.raw(dataset))
    good = address(dataset, journey)
    for bad in (
        good[:-1] + ("0" if good[-1] != "0" else "1"),
        "api/download/x.y.z",
        "api/download/" + "0" * 64 + good[good.index(".") :],
        address(dataset, journey, file="../../../raw/raw.parquet"),
        address(dataset, journey, fingerprint="0" * 64),
        address(dataset, journey, dataset_id="f" * 16),
        address(dataset, journey, workspace_key="nobody"),
    ):
        assert get(bad)[0] == 404, bad
    later = time.time() + 13 * 3600
    monkeypatch.setattr("ui.upload_route.time.time", lambda: later)
    assert get(good)[0] == 404


def test_an_address_tells_nobody_the_workspace_and_is_no_leave_to_upload(dirty, tmp_path):
    workspace, dataset, journey = dirty
    journey.set_aside(workspace.raw(dataset))
    key = "w-" + "k" * 32
    hidden = address(dataset, journey, workspace_key=key)
    assert key not in hidden and dataset.id not in hidden
    token = address(dataset, journey).rsplit("/", 1)[1]
    assert upload_route.still_signed("download", token) is not None
    assert upload_route.still_signed("upload", token) is None
    assert get(f"api/download/{upload_route.new_token('local')}")[0] == 404


def test_prepare_lists_every_row_set_aside_on_demand_and_offers_the_file(visit, dirty):
    _, dataset, journey = dirty
    at = visit("prepare", data=dataset.id)
    assert not at.exception
    assert journey.store.get(SetAside, journey.set_aside_as()) is None
    at.button(key="list-set-aside").click().run()
    assert not at.exception
    (link,) = at.get("link_button")
    assert link.proto.label == "Download 2 rows set aside (CSV)"
    assert link.proto.url.startswith("api/download/")


def test_a_long_list_is_made_by_the_worker(visit, dirty, at_once, monkeypatch):
    _, dataset, _ = dirty
    monkeypatch.setattr("ui.set_aside.AT_ONCE_ROWS", 10)
    at = visit("prepare", data=dataset.id)
    at.button(key="list-set-aside").click().run()
    assert not at.exception
    (link,) = at.get("link_button")
    assert link.proto.label == "Download 2 rows set aside (CSV)"


def test_sequences_are_written_for_other_programs(visit, dirty):
    _, dataset, _ = dirty
    at = visit("prepare", data=dataset.id)
    at.button(key="write-form").click().run()
    assert not at.exception
    (link,) = at.get("link_button")
    assert link.proto.label.startswith("Download bag.parquet")


def test_what_is_said_of_the_sequences_names_visits_and_parts(visit, dirty):
    _, dataset, _ = dirty
    at = visit("prepare", data=dataset.id)
    said = " ".join(found.value for found in at.markdown)
    assert "ends a visit" in said
    assert "learning is watched" in said and "drawn for tests" in said
