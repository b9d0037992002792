import asyncio
import json
import time
from pathlib import Path

import pytest
from starlette.requests import ClientDisconnect, Request
from streamlit import config

from core.jobs import Upload
from core.workspace import open_workspace
from ui import upload, upload_route
from ui.upload import clean_name

LOG = "user,when,action,price\n" + "".join(
    f"u{n % 7},2024-03-{n % 28 + 1:02d} 10:00:00,{('view', 'cart')[n % 2]},{n}.50\n"
    for n in range(60)
)


@pytest.fixture
def arrive(monkeypatch):
    """Let a file arrive in the upload box of the page, as the browser would send it."""

    def send(*files, key="log"):
        workspace, waiting = open_workspace(), []
        for place, (name, text) in enumerate(files):
            upload_id = f"{place:032x}"
            content = text if isinstance(text, bytes) else text.encode()
            (workspace.incoming / upload_id).write_bytes(content)
            waiting.append(Upload(id=upload_id, name=name))

        def box(title, hint, *, accept, key, multiple=False):
            if key != wanted:
                return ()
            arrived = tuple(waiting)
            waiting.clear()
            return arrived

        wanted = key
        monkeypatch.setattr(upload, "upload_box", box)

    return send


def shown(at):
    return " ".join(found.value for found in at.error)


def test_an_uploaded_log_is_mapped_confirmed_and_leads_on(visit, arrive):
    arrive(("my log.csv", LOG))
    at = visit()
    assert [at.selectbox(key=key_of(at, role)).value for role in ("user", "time", "price")] == [
        "user", "when", "price",
    ]  # fmt: skip
    assert at.button(key="foot").label == "Confirm columns"
    at.button(key="foot").click().run()
    assert at.button(key="foot").label == "Next: Prepare"
    dataset = open_workspace().datasets()[0]
    assert dataset.name == "my log.csv"
    assert dataset.mapping is not None
    assert dataset.mapping.action == "action"
    assert not list(open_workspace().incoming.iterdir())


def button_of(at, label):
    return next(button for button in at.button if button.label == label)


def key_of(at, role):
    return next(box.key for box in at.selectbox if box.key.endswith(f"-{role}"))


def test_a_changed_column_has_to_be_confirmed_again(visit, arrive):
    arrive(("log.csv", LOG))
    at = visit()
    at.button(key="foot").click().run()
    at.selectbox(key=key_of(at, "price")).set_value(None).run()
    assert at.button(key="foot").label == "Confirm columns"
    at.button(key="foot").click().run()
    assert open_workspace().datasets()[0].mapping.price is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("user,time\na,2024-01-01\nb\n", "line 3"),
        ("user,time\ncaf\u00e9,2024-01-01\n".encode("latin-1"), "UTF"),
    ],
)
def test_a_file_that_cannot_be_read_says_where_and_why_and_stays_until_it_is_dismissed(
    visit, arrive, text, words
):
    arrive(("broken.csv", text))
    at = visit()
    assert not at.exception
    assert words in shown(at).replace("\\", "")
    assert any("broken" in found.value for found in at.markdown)
    assert open_workspace().datasets() == []
    assert len(list(open_workspace().incoming.iterdir())) == 1
    button_of(at, "Dismiss the file").click().run()
    assert not at.exception and not at.error
    assert not list(open_workspace().incoming.iterdir())


def test_a_log_without_a_user_column_is_refused_and_nothing_is_lost(visit, arrive):
    arrive(("strange.csv", "foo,bar\nx,y\nz,w\n"))
    at = visit()
    at.button(key="foot").click().run()
    assert not at.exception
    assert "user" in shown(at)
    assert open_workspace().datasets()[0].mapping is None


def test_one_column_cannot_play_two_roles(visit, arrive):
    arrive(("log.csv", LOG))
    at = visit()
    at.selectbox(key=key_of(at, "item")).set_value("action").run()
    at.button(key="foot").click().run()
    assert "action" in shown(at)
    assert open_workspace().datasets()[0].mapping is None


def test_the_sample_shop_opens_with_its_labels_in_one_click(visit):
    at = visit()
    at.button(key="open-shop").click().run()
    dataset = open_workspace().datasets()[0]
    assert (dataset.name, dataset.labels_name) == ("shop_events.csv", "shop_labels.csv")
    assert any("shop\\_labels\\.csv is in use" in found.value for found in at.caption)


def test_a_broken_label_table_is_refused_beside_the_log(visit, arrive):
    arrive(("labels.csv", "only one column\na\n"), key="labels")
    at = visit()
    at.button(key="open-tiny").click().run()
    assert not at.exception
    assert shown(at)
    assert open_workspace().datasets()[0].labels_name is None


def test_data_sets_can_be_reopened_and_deleted(visit):
    at = visit()
    at.button(key="open-tiny").click().run()
    dataset = open_workspace().datasets()[0]
    at = visit()
    at.button(key=f"open-{dataset.id}").click().run()
    assert at.session_state["session.dataset"] == dataset.id
    at = visit()
    at.button(key=f"delete-{dataset.id}").click().run()
    assert open_workspace().datasets() == []
    assert not at.exception


def test_a_name_with_markup_is_shown_as_it_is(visit, arrive):
    arrive(("![x](http://evil.example/x.png).csv", LOG))
    at = visit()
    texts = [found.value for found in (*at.markdown, *at.caption, *at.sidebar.markdown)]
    assert not any("](http" in text for text in texts)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\data\\log.csv", "log.csv"),
        ("a\x00\u202eb.csv", "ab.csv"),
        ("  ", "unnamed.csv"),
        ("x" * 500, "x" * 120),
    ],
)
def test_a_file_name_never_becomes_a_path(given, kept):
    assert clean_name(given) == kept


@pytest.mark.parametrize(
    "value",
    [None, "text", {}, ["a"], [{}], [{"id": "../../x", "name": "a"}],
     [{"id": "A" * 32, "name": "a"}], [{"id": "a" * 32, "name": 3}],
     [{"id": "a" * 32, "name": "a"}, {"id": "../x", "name": "b"}]],
)  # fmt: skip
def test_what_the_browser_sends_is_believed_only_in_the_right_form(value):
    assert upload._checked(value) == ()


def put(chunks, token):
    """Send a body to the route; returns status and answer."""
    waiting = list(chunks)

    async def receive():
        if not waiting:
            return {"type": "http.request", "body": b"", "more_body": False}
        body = waiting.pop(0)
        if body is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": body, "more_body": True}

    headers = [(upload_route.TOKEN_HEADER.encode(), token.encode())]
    request = Request({"type": "http", "method": "PUT", "headers": headers}, receive)
    response = asyncio.run(upload_route.receive(request))
    return response.status_code, json.loads(response.body)


def test_the_route_streams_a_body_into_the_workspace_of_the_token(home):
    status, answer = put([b"user,time\n", b"a,1\n"], upload_route.new_token("local"))
    assert (status, answer["bytes"]) == (200, 14)
    assert (open_workspace().incoming / answer["id"]).read_bytes() == b"user,time\na,1\n"


@pytest.mark.parametrize("change", ["none", "other workspace", "later expiry", "expired", "junk"])
def test_the_route_refuses_a_token_that_is_not_its_own(home, monkeypatch, change):
    token = upload_route.new_token("local")
    key, expires, signature = token.split(".")
    wrong = {
        "none": "",
        "other workspace": f"w-{'x' * 32}.{expires}.{signature}",
        "later expiry": f"{key}.{int(expires) + 1}.{signature}",
        "expired": token,
        "junk": "a.b.c",
    }[change]
    if change == "expired":
        week_later = time.time() + 8 * 24 * 3600
        monkeypatch.setattr(upload_route.time, "time", lambda: week_later)
    status, answer = put([b"x"], wrong)
    assert status == 403
    assert "Reload" in answer["error"]
    assert not Path(home / "local" / "incoming").exists()


def test_the_route_stops_at_the_size_limit_and_keeps_nothing(home):
    before = config.get_option("server.maxUploadSize")
    config.set_option("server.maxUploadSize", 1)
    try:
        status, answer = put([b"x" * 700_000] * 3, upload_route.new_token("local"))
    finally:
        config.set_option("server.maxUploadSize", before)
    assert status == 413
    assert "1 MB" in answer["error"]
    assert not list(open_workspace().incoming.iterdir())


def test_a_broken_connection_leaves_nothing(home):
    status, _ = put([b"user,ti", None], upload_route.new_token("local"))
    assert status == 499
    assert not list(open_workspace().incoming.iterdir())
    assert ClientDisconnect


def test_what_an_earlier_upload_left_is_cleared_after_a_day(home, monkeypatch):
    old = open_workspace().incoming / "old.part"
    old.write_bytes(b"x")
    tomorrow = time.time() + 25 * 3600
    token = upload_route.new_token("local")
    monkeypatch.setattr(upload_route.time, "time", lambda: tomorrow)
    assert put([b"y"], token)[0] == 200
    assert not old.exists()
