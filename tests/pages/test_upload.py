import asyncio
import json
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from starlette.requests import ClientDisconnect, Request
from streamlit import config

from core import jobs
from core.events.map_options import MapOptions
from core.events.mapping import guessed_mapping
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
    return next(b for b in at.button if b.label.replace("\\", "").replace("\u2060", "") == label)


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
    arrive(("labels.csv", "only one column\na\n"), key="known_labels")
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


def test_the_route_stops_where_the_room_on_the_disk_runs_out_though_no_length_was_declared(
    home, monkeypatch
):
    monkeypatch.setattr(upload_route, "_LOOK_EVERY", 1000)
    room = iter([10**12, 10**12, upload_route._SPARE_BYTES])
    usage = SimpleNamespace(free=0)

    def disk_usage(folder):
        usage.free = next(room)
        return usage

    monkeypatch.setattr(upload_route.shutil, "disk_usage", disk_usage)
    status, answer = put([b"x" * 600] * 9, upload_route.new_token("local"))
    assert (status, next(room, "all looked at")) == (507, "all looked at")
    assert "not enough room" in answer["error"]
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


def told(at):
    """All that the page says, as a person reads it."""
    kinds = (at.error, at.warning, at.success, at.markdown, at.caption)
    said = " ".join(found.value for kind in kinds for found in kind)
    return said.replace("\\", "").replace("\u2060", "")


def test_files_of_several_months_become_one_log(visit, arrive):
    second = LOG.replace("2024-03", "2024-04")
    arrive(("march.csv", LOG), ("april.csv", second))
    at = visit()
    assert not at.exception and not at.error
    dataset = open_workspace().datasets()[0]
    raw = open_workspace().raw(dataset)
    assert (raw.n_rows, [part.name for part in raw.parts]) == (120, ["march.csv", "april.csv"])
    assert "2 files" in told(at)
    at.button(key="foot").click().run()
    assert metrics(at)["Events"] == "120"


def metrics(at):
    return {metric.label: metric.value for metric in at.metric}


def test_files_that_do_not_go_together_are_refused_with_both_names_and_can_be_dismissed(
    visit, arrive
):
    arrive(("march.csv", LOG), ("prices.csv", "item,cost\ni1,5\n"))
    at = visit()
    assert not at.exception
    assert "march.csv · prices.csv" in told(at)
    assert "prices.csv" in shown(at).replace("\\", "")
    assert len(list(open_workspace().incoming.iterdir())) == 2
    button_of(at, "Dismiss the files").click().run()
    assert not list(open_workspace().incoming.iterdir())
    assert not at.error


def test_a_guess_at_the_encoding_is_taken_with_one_click_and_no_second_upload(visit, arrive):
    text = LOG.replace("view", "d\u00e9couvrir")
    arrive(("log.csv", text.encode("cp1252")))
    at = visit()
    assert open_workspace().datasets() == []
    button_of(at, "Read it as cp1252 (a guess)").click().run()
    assert not at.exception and not at.error
    raw = open_workspace().raw(open_workspace().datasets()[0])
    assert raw.dialect.encoding == "cp1252"
    assert not list(open_workspace().incoming.iterdir())


def test_all_problems_of_a_file_stand_there_and_what_mends_them_is_in_front(visit, arrive):
    rows = LOG.splitlines()
    rows[3] += ",9,9"
    rows[5] = "u1,2024-03-01 10:00:00"
    arrive(("ragged.csv", "\n".join(rows) + "\n"))
    at = visit()
    said = shown(at).replace("\\", "")
    assert "line 4" in said and "line 6" in said
    assert "read.ragged" not in said
    button_of(at, "Rows with too few or too many cells: set aside").click().run()
    assert not at.exception and not at.error
    assert open_workspace().raw(open_workspace().datasets()[0]).n_rows == 58
    at.button(key="foot").click().run()
    assert "58" in metrics(at)["Events"]


def test_settings_made_for_one_file_are_not_kept_for_the_next(visit, arrive):
    arrive(("log.csv", LOG.replace("view", "vu\u00e9").encode("cp1252")))
    at = visit()
    button_of(at, "Read it as cp1252 (a guess)").click().run()
    assert at.session_state["session.dataset"]
    button_of(at, "Use other data").click().run()
    assert "session.read" not in at.session_state or (
        at.session_state["session.read"].encoding == "auto"
    )


def test_what_the_log_can_carry_is_told_once_its_columns_are_confirmed(visit, arrive):
    arrive(("log.csv", LOG))
    at = visit()
    assert not at.metric
    at.button(key="foot").click().run()
    assert not at.exception
    assert metrics(at) == {
        "Users": "7", "Events": "60", "Span": "27 days", "Actions": "2", "Usable rows": "100%",
    }  # fmt: skip
    assert [(box.value != "") for box in at.error] == [True]
    assert "There are 7 users; segments need at least 50" in shown(at).replace("\\", "")


def test_single_events_within_seventeen_minutes_are_told_before_anything_is_trained(visit, arrive):
    rows = "".join(f"u{n},2024-03-01 10:{n % 17:02d}:00,view\n" for n in range(200))
    arrive(("quick.csv", "user,time,action\n" + rows))
    at = visit()
    at.button(key="foot").click().run()
    (box,) = at.error
    said = box.value.replace("\\", "")
    assert "100% of the users (200) have a single event" in said
    assert "The log covers 16 min" in said
    assert "Choose a column for the action or the category" in said


def test_the_sample_shop_is_said_to_be_good_with_every_view_of_it(visit):
    at = visit()
    at.button(key="open-shop").click().run()
    at.button(key="foot").click().run()
    assert not at.exception and not at.error and not at.warning
    assert metrics(at)["Users"] == "2,000"
    assert metrics(at)["Usable rows"] == "over 99%"
    assert [tab.label for tab in at.tabs][:6] == [
        "Over time", "Pauses", "Events per user", "Actions", "Columns", "Rows set aside",
    ]  # fmt: skip
    profile = next(table.value for table in at.dataframe if "Looks like" in table.value)
    assert dict(zip(profile["Column"], profile["Looks like"], strict=True))["price"] == "numbers"
    aside = next(table.value for table in at.dataframe if list(table.value) == ["Why", "Rows"])
    assert aside.set_index("Why")["Rows"].to_dict() == {
        "no user": 7, "no time that could be read": 2,
    }  # fmt: skip


def test_coded_actions_are_named_and_the_names_are_what_counts(visit, arrive):
    coded = LOG.replace("view", "0").replace("cart", "1")
    arrive(("coded.csv", coded))
    at = visit()
    boxes = {box.label.split()[0]: box for box in at.text_input if "times" in box.label}
    assert sorted(boxes) == ["0", "1"]
    boxes["0"].set_value("view")
    boxes["1"].set_value("purchase").run()
    at.button(key="foot").click().run()
    assert not at.exception
    dataset = open_workspace().datasets()[0]
    assert dataset.map_options["action_names"] == ["0=view", "1=purchase"]
    assert open_workspace().quality(dataset).actions == ("purchase", "view")


def test_codes_that_went_through_decimals_and_names_with_equals_signs_are_named_too(visit, arrive):
    arrive(("coded.csv", LOG.replace("view", "0.0").replace("cart", "a=1")))
    at = visit()
    boxes = {box.label.split()[0]: box for box in at.text_input if "times" in box.label}
    assert sorted(boxes) == ["0", "a\\=1"]
    boxes["0"].set_value("see=view")
    boxes["a\\=1"].set_value("purchase").run()
    assert shown(at) == "A name holds no equals sign."
    next(box for box in at.text_input if box.label.startswith("0 ")).set_value("view").run()
    at.button(key="foot").click().run()
    assert not at.exception
    dataset = open_workspace().datasets()[0]
    assert dataset.map_options["action_names"] == ["0=view", "a=1=purchase"]
    assert open_workspace().quality(dataset).actions == ("purchase", "view")


def test_suggested_rules_are_lines_that_can_be_switched_off(visit, arrive):
    sales = "".join(
        f"{'C' if n % 20 == 0 else ''}{1000 + n},u{n % 60},2024-03-{n % 28 + 1:02d} 10:00:00,"
        f"{-1 if n % 20 == 0 else 2}\n"
        for n in range(300)
    )
    arrive(("sales.csv", "InvoiceNo,customer_id,date,quantity\n" + sales))
    at = visit()
    rules = {box.label.replace("\\", ""): box for box in at.checkbox}
    assert list(rules) == ["return if InvoiceNo starts C", "return if quantity < 0"]
    assert all(box.value for box in rules.values())
    rules["return if quantity < 0"].uncheck().run()
    at.button(key="foot").click().run()
    dataset = open_workspace().datasets()[0]
    assert dataset.map_options["rules"] == ["return if InvoiceNo starts C"]
    assert set(open_workspace().quality(dataset).actions) == {"purchase", "return"}


def test_an_ambiguous_date_is_asked_for_and_one_click_answers(visit, arrive):
    rows = "".join(f"u{n % 7},0{n % 9 + 1}/0{n % 5 + 1}/2024,view\n" for n in range(60))
    arrive(("dates.csv", "user,date,action\n" + rows))
    at = visit()
    at.button(key="foot").click().run()
    assert not at.exception
    assert open_workspace().datasets()[0].mapping is None
    button_of(at, "Day or month first: day first").click().run()
    assert not at.exception
    at.button(key="foot").click().run()
    assert not at.exception
    dataset = open_workspace().datasets()[0]
    assert dataset.map_options["date_order"] == "day_first"
    assert open_workspace().quality(dataset).first.day == 1


def test_a_large_file_is_read_in_the_background_and_opened(visit, arrive, at_once, monkeypatch):
    monkeypatch.setattr("ui.reading.AT_ONCE_BYTES", 10)
    monkeypatch.setattr("ui.session.AT_ONCE_ROWS", 10)
    arrive(("log.csv", LOG))
    at = visit()
    assert not at.exception
    dataset = open_workspace().datasets()[0]
    assert at.session_state["session.dataset"] == dataset.id
    at.button(key="foot").click().run()
    assert not at.exception
    assert at.button(key="foot").label == "Next: Prepare"
    assert metrics(at)["Events"] == "60"


def test_a_file_refused_in_the_background_is_told_and_can_be_read_otherwise(
    visit, arrive, at_once, monkeypatch
):
    monkeypatch.setattr("ui.reading.AT_ONCE_BYTES", 10)
    arrive(("log.csv", LOG.replace("view", "d\u00e9couvrir").encode("cp1252")))
    at = visit()
    assert not at.exception
    assert "line 2" in shown(at)
    button_of(at, "Read it as cp1252 (a guess)").click().run()
    assert not at.exception and not at.error
    assert len(open_workspace().datasets()) == 1


def test_a_refused_file_is_still_there_after_a_reload(visit, arrive, at_once, monkeypatch):
    monkeypatch.setattr("ui.reading.AT_ONCE_BYTES", 10)
    arrive(("log.csv", "user,time\na,2024-01-01\nb\n"))
    visit()
    again = visit()
    assert "log.csv" in told(again)
    button_of(again, "Dismiss the file").click().run()
    assert "log.csv" not in told(visit())


def test_an_items_table_and_vectors_are_taken_beside_the_log(visit, arrive, monkeypatch):
    arrive(("items.csv", "item,title\n5,Red dress\n6,Blue dress\n"), key="items")
    at = visit()
    at.button(key="open-tiny").click().run()
    assert not at.exception
    assert open_workspace().datasets()[0].items_name == "items.csv"
    assert "items.csv is in use" in told(at)


@pytest.mark.parametrize(
    ("key", "name", "text"),
    [
        ("items", "items.csv", "item,title\na,Red shoe\nb,Blue shoe\n"),
        ("vectors", "vectors.csv", "item,v1,v2\na,1,2\nb,3,4\n"),
        ("known_labels", "labels.csv", "user,kind\nu1,buyer\nu2,looker\n"),
    ],
)
def test_a_large_table_beside_the_log_is_read_by_the_worker(
    visit, arrive, at_once, monkeypatch, key, name, text
):
    arrive(("log.csv", LOG))
    visit().button(key="foot").click().run()
    monkeypatch.setattr("ui.reading.AT_ONCE_BYTES", 10)
    (dataset,) = open_workspace().datasets()
    arrive((name, text), key=key)
    at = visit(data=dataset.id)
    assert not at.exception
    (door,) = [found for found in at.expander if found.proto.expanded]
    assert f"{name} is in use" in " ".join(said.value.replace("\\", "") for said in door.caption)
    workspace = open_workspace()
    assert jobs.status(workspace, jobs.latest(workspace)).step == key
    assert not list(workspace.incoming.iterdir())


def test_a_table_that_the_worker_refuses_is_told_where_its_box_is(
    visit, arrive, at_once, monkeypatch
):
    arrive(("log.csv", LOG))
    visit()
    monkeypatch.setattr("ui.reading.AT_ONCE_BYTES", 10)
    (dataset,) = open_workspace().datasets()
    arrive(("labels.csv", "user,kind\nu1,buyer,more\n"), key="known_labels")
    at = visit(data=dataset.id)
    door = next(found for found in at.expander if found.label.startswith("Known labels"))
    assert door.proto.expanded
    assert "line 2" in " ".join(error.value for error in door.error)
    assert not list(open_workspace().incoming.iterdir())
    button_of(at, "Understood").click().run()
    assert not at.error


def test_columns_are_as_they_were_confirmed_for_an_earlier_file_of_the_same_shape(visit, arrive):
    arrive(("march.csv", LOG))
    at = visit()
    at.selectbox(key=key_of(at, "price")).set_value(None).run()
    at.button(key="foot").click().run()
    button_of(at, "Use other data").click().run()
    arrive(("april.csv", LOG.replace("2024-03", "2024-04")))
    at = visit()
    assert at.selectbox(key=key_of(at, "price")).value is None
    assert at.selectbox(key=key_of(at, "action")).value == "action"
    assert any("earlier file with the same columns" in note.value for note in at.info)
    assert not any("So were these answers" in note.value for note in at.info)
    at.button(key="foot").click().run()
    (april, *_) = [d for d in open_workspace().datasets() if d.name == "april.csv"]
    assert april.mapping.price is None


def test_answers_given_for_an_earlier_file_are_shown_before_they_are_taken_again(visit, arrive):
    arrive(("march.csv", LOG))
    visit()
    (march,) = open_workspace().datasets()
    raw = open_workspace().raw(march)
    given = MapOptions(time_zone="Asia/Shanghai", action_names=("view=look",), year=2014)
    open_workspace().confirm_mapping(march.id, guessed_mapping(raw), given)
    arrive(("april.csv", LOG.replace("2024-03", "2024-04")))
    (note,) = [info.value for info in visit().info if "earlier file" in info.value]
    said = note.replace("\\", "")  # of signs that could be taken for markup
    assert "- Time zone: Asia/Shanghai" in said
    assert "- Names of coded actions: view=look" in said
    assert "2014" not in said


def test_answers_to_an_earlier_file_are_told_and_its_year_is_not_taken(visit, arrive):
    dated = LOG.replace("2024-03-", "03/").replace("when", "timestamp")
    arrive(("march.csv", dated))
    at = visit()
    next(box for box in at.number_input if "Year of dates" in box.label).set_value(2014).run()
    next(box for box in at.text_input if box.label == "Time zone").set_value("Asia/Tokyo").run()
    at.button(key="foot").click().run()
    button_of(at, "Use other data").click().run()
    arrive(("april.csv", dated.replace(",1.50", ",2.50")))
    at = visit()
    (note,) = [note.value for note in at.info if "earlier file" in note.value]
    assert "- Time zone: Asia\\/Tokyo" in note and "Year" not in note
    assert next(b for b in at.number_input if "Year of dates" in b.label).value is None
