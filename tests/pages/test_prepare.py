"""The Prepare page: what is left of the log, and every row that was touched."""

import json

import pytest

from core.workspace import open_workspace
from tests.journeys import added, journey_in, quick, three_groups, write_log
from ui import drafts


@pytest.fixture
def dirty(home, tmp_path):
    """Users of three habits and three quiet ones; two rows are there twice, one has no user."""
    quiet = dict.fromkeys(("q1", "q2", "q3"), "view view view view")
    log = write_log(tmp_path / "dirty.csv", quiet | three_groups())
    lines = log.read_text(encoding="utf-8").splitlines()
    without_user = "," + lines[1].split(",", 1)[1]
    again = [lines[1], lines[2], without_user]
    log.write_text("\n".join([*lines, *again]) + "\n", encoding="utf-8")
    workspace = open_workspace()
    dataset = added(workspace, log)
    prepare(workspace, dataset, quick(clean={"duplicates": "drop"}))
    return dataset, len(lines) - 1


def prepare(workspace, dataset, options):
    """Clean and make sequences, as the page finds them when they were made before."""
    journey_in(workspace, dataset, options).sequences()
    noted = drafts.Draft(options=options, names={})
    drafts.write(workspace.root / "drafts" / f"{dataset.id}.json", noted)


def test_what_was_left_out_is_counted_by_reason(visit, dirty):
    dataset, clean_rows = dirty
    at = visit("prepare", data=dataset.id)
    assert not at.exception
    assert (at.metric[0].label, at.metric[0].value) == ("Events kept", f"{clean_rows:,}")
    assert at.metric[0].delta == f"of {clean_rows + 3:,}, 3 left out"
    table = at.dataframe[0].value
    rows = {row["Why"]: (row["What"], row["Rows"]) for _, row in table.iterrows()}
    assert rows["exact duplicate of another row"] == ("Dropped", 2)
    assert rows["no user id"] == ("Dropped", 1)


def test_the_log_is_shown_after_and_before_cleaning(visit, dirty):
    dataset, clean_rows = dirty
    at = visit("prepare", data=dataset.id)
    assert events_drawn(at) == clean_rows
    at.get_by_key("log-shown").set_value("Before cleaning").run()
    assert events_drawn(at) > clean_rows


def test_another_rule_is_noted_and_made_anew(visit, dirty, at_once):
    dataset, _ = dirty
    at = visit("prepare", data=dataset.id)
    box = next(box for box in at.number_input if box.label.startswith("Fewest events"))
    box.set_value(5)
    next(button for button in at.button if button.label == "Apply").click().run()
    assert not at.exception
    assert at.session_state["session.options"].clean.min_events == 5
    assert at.metric[1].value == "60"  # the three with four events each are gone


def events_drawn(at):
    """The sum of the bars over time."""
    chart = next(found for found in at.get("plotly_chart") if "over-time" in str(found.proto.id))
    return sum(sum(values(bar["y"])) for bar in json.loads(chart.proto.spec)["data"])


def values(held):
    """A list, also where Plotly has packed it."""
    if isinstance(held, list):
        return held
    import base64

    import numpy as np

    return np.frombuffer(base64.b64decode(held["bdata"]), dtype=held["dtype"]).tolist()


def box_of(at, label):
    return next(box for box in at.number_input if box.label.startswith(label))


def button_of(at, label):
    return next(button for button in at.button if button.label == label)


def metrics(at, label):
    return [(metric.value, metric.delta) for metric in at.metric if metric.label == label]


def test_what_a_rule_would_do_is_shown_before_it_is_applied(visit, dirty):
    dataset, _ = dirty
    at = visit("prepare", data=dataset.id)
    assert len(metrics(at, "Users kept")) == 1
    box_of(at, "Fewest events").set_value(5).run()
    assert not at.exception
    assert metrics(at, "Users kept") == [("60", "-3 against now"), ("63", "of 63, 0 left out")]
    foreseen = at.dataframe[0].value.set_index("Why")
    few = foreseen.loc["user with fewer than 5 events"]
    assert (few["Rows"], few["Change"], few["Users"]) == (12, 12, 3)
    assert few["Which users"] == "q1 (4 rows), q2 (4 rows), q3 (4 rows)"
    assert at.session_state["session.options"].clean.min_events == 3
    assert open_workspace().jobs.exists() is False


def test_a_rule_that_leaves_nothing_is_told_before_it_is_applied(visit, dirty):
    dataset, _ = dirty
    at = visit("prepare", data=dataset.id)
    box_of(at, "Fewest events").set_value(900).run()
    assert not at.exception
    assert "Nothing would be left of the log." in [box.value for box in at.error]


def test_a_limit_that_is_not_allowed_is_worded_and_changes_nothing(visit, dirty):
    dataset, _ = dirty
    at = visit("prepare", data=dataset.id)
    box_of(at, "Most events per user").set_value(2).run()
    assert "above max" in at.error[0].value.replace("\\", "")
    button_of(at, "Apply").click().run()
    assert at.session_state["session.options"].clean.max_events == 5000


def test_every_choice_is_counted_when_it_is_asked_for(visit, dirty):
    dataset, _ = dirty
    at = visit("prepare", data=dataset.id)
    at.toggle(key="every-choice").set_value(True).run()
    assert not at.exception
    choices = next(table.value for table in at.dataframe if "Choice" in table.value)
    by_words = choices.set_index("Choice")["Rows"]
    assert by_words["drop rows that repeat another one"] == 2
    assert by_words["drop users with fewer than 5 events"] == 12


def test_repeats_that_may_be_real_are_kept_and_told_in_words_of_the_page(visit, home, tmp_path):
    log = write_log(tmp_path / "hours.csv", three_groups())
    rows = log.read_text(encoding="utf-8").splitlines()
    log.write_text("\n".join([*rows, *rows[1:9]]) + "\n", encoding="utf-8")
    workspace = open_workspace()
    dataset = added(workspace, log)
    prepare(workspace, dataset, quick())
    at = visit("prepare", data=dataset.id)
    (note,) = at.info
    said = note.value.replace("\\", "").replace("\u2060", "")
    assert "8 rows (2.2%) repeat another one; times are whole hours" in said
    assert "“Exact duplicates”: drop removes them" in said
    assert at.metric[0].delta.endswith("0 left out")


def test_programs_are_named_with_their_rows(visit, home, tmp_path):
    robot = {"robot <b>": " ".join(["view"] * 90)}
    workspace = open_workspace()
    dataset = added(workspace, write_log(tmp_path / "log.csv", robot | three_groups()))
    prepare(workspace, dataset, quick(clean={"max_events": 50}))
    at = visit("prepare", data=dataset.id)
    assert any("robot" in note.value and "90 rows" in note.value for note in at.info)
    assert not any("<b>" in note.value for note in at.info)


@pytest.fixture
def with_postage(home, tmp_path):
    """600 events of which 15 are of the item POST."""
    path = tmp_path / "shop.csv"
    rows = [
        f"u{n % 60},2026-01-{n % 28 + 1:02d} {n % 24:02d}:{n % 60:02d}:{n % 59:02d},view,"
        f"{'POST' if n % 40 == 0 else f'SKU{n % 30}'}"
        for n in range(600)
    ]
    path.write_text("user,time,action,item\n" + "\n".join(rows) + "\n", encoding="utf-8")
    workspace = open_workspace()
    dataset = added(workspace, path)
    prepare(workspace, dataset, quick())
    return dataset


def test_codes_that_are_no_goods_are_offered_and_left_out_on_demand(visit, with_postage):
    at = visit("prepare", data=with_postage.id)
    (codes,) = at.multiselect
    assert codes.options == ["POST (15 rows)"]
    codes.select("POST (15 rows)").run()
    assert metrics(at, "Events kept")[0] == ("585", "-15 against now")


def test_on_a_large_log_the_worker_counts_every_choice_and_finds_codes_that_are_no_goods(
    visit, with_postage, at_once, monkeypatch
):
    monkeypatch.setattr("ui.cleaning_rules.AT_ONCE_ROWS", 10)
    at = visit("prepare", data=with_postage.id)
    assert not at.multiselect
    assert not any("Choice" in table.value for table in at.dataframe)
    at.button(key="count-choices").click().run()
    assert not at.exception
    (codes,) = at.multiselect
    assert codes.options == ["POST (15 rows)"]
    choices = next(table.value for table in at.dataframe if "Choice" in table.value)
    assert choices.set_index("Choice")["Rows"]["drop users with fewer than 20 events"] == 600


def test_the_page_itself_looks_up_no_categories_for_a_large_log(
    visit, home, tmp_path, at_once, monkeypatch
):
    log = write_log(tmp_path / "log.csv", three_groups())
    items = tmp_path / "items.csv"
    items.write_text("item,category\na,x\n", encoding="utf-8")
    workspace = open_workspace()
    text = log.read_text(encoding="utf-8").splitlines()
    log.write_text("\n".join([f"{text[0]},item", *(f"{row},a" for row in text[1:])]), "utf-8")
    dataset = workspace.add_items(added(workspace, log).id, items, items.name)
    monkeypatch.setattr("ui.cleaning_rules.AT_ONCE_ROWS", 10)
    made = []
    monkeypatch.setattr("core.jobs.start", lambda *asked: made.append(asked[3]))
    at = visit("prepare", data=dataset.id)
    assert not at.exception
    assert made == ["sequences"]
    assert not journey_in(workspace, dataset, quick()).ready("filled")


def test_how_an_items_table_fits_the_log_is_told(visit, home, tmp_path):
    log, items = tmp_path / "log.csv", tmp_path / "items.csv"
    rows = [f"u{n % 60},2026-01-0{1 + n // 60},view,i{n % 4}" for n in range(240)]
    log.write_text("\n".join(["user,time,action,item", *rows]), encoding="utf-8")
    items.write_text("item_id,title\ni0,wool coat\ni1,wool hat\n", encoding="utf-8")
    workspace = open_workspace()
    dataset = workspace.add_items(added(workspace, log).id, items, "items.csv")
    prepare(workspace, dataset, quick())
    journey = journey_in(workspace, dataset, quick())
    assert not visit("prepare", data=dataset.id).exception  # before titles were looked at
    told = journey.item_problems()
    at = visit("prepare", data=dataset.id)
    assert not at.exception and told
    assert any("2 of 4 items" in info.value for info in at.info)
