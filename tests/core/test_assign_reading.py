"""A new log is read as the run's own log was, whatever it would say by itself."""

import csv
import json

import pytest

from core import runs
from core.__main__ import main
from core.events.map_options import MapOptions
from core.events.mapping import complete, map_events
from core.events.read import ReadOptions, read
from core.events.saved import mapping_from_file
from core.store import load, save
from core.workspace import Workspace
from tests.journeys import QUICKLY, added, journey_in, quick

HEADER = "user,date,quantity,price\n"
SETTLED = {
    "date_order": "day_first",
    "decimal": "comma",
    "default_action": "purchase",
    "rules": ["return if quantity < 0"],
}
"""What `shop_rows` settles, by its dates over 12, its commas and its returns."""


def shop_rows(group, quantity, users=15):
    return [
        f'{group}{user:02d},{day}/02/2024 0{user % 9}:00,{quantity},"{user},50"\n'
        for user in range(users)
        for day in (11, 12, 13, 14)
    ]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A run on a log without actions, in which people buy or return."""
    folder = tmp_path_factory.mktemp("shop")
    rows = [*shop_rows("b", 2), *shop_rows("r", -1, users=6)]
    (folder / "log.csv").write_text(HEADER + "".join(rows), encoding="utf-8")
    assert main(["run", str(folder / "log.csv"), "--out", str(folder / "out"), *QUICKLY]) == 0
    return runs.load_run(folder / "out")


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "local")


def mapped(text, folder, **options):
    folder.mkdir(exist_ok=True)
    (folder / "log.csv").write_text(text, encoding="utf-8")
    raw = read(folder / "log.csv", folder, ReadOptions(), name="log.csv")
    return map_events(raw, complete(raw, {}), folder, MapOptions(**options))


def segments_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return {row["user_id"]: row["segment"] for row in csv.DictReader(file)}


def assign(run, log, out, *more):
    call = ["assign", str(log), "--run", str(run.folder), "--out", str(out), *map(str, more)]
    return main(call)


def test_a_run_keeps_what_its_log_settled(shop):
    read_as = shop.manifest.source.read_as
    assert {name: read_as[name] for name in SETTLED} == SETTLED
    assert read_as["epoch"] == read_as["excel_dates"] == "auto" and "year" not in read_as
    assert shop.manifest.options["map"]["decimal"] == "auto"


def test_a_run_of_the_dashboard_keeps_it_too(workspace, tmp_path):
    log = tmp_path / "log.csv"
    log.write_text(
        HEADER + "".join([*shop_rows("b", 2), *shop_rows("r", -1, users=6)]), encoding="utf-8"
    )
    dataset = added(workspace, log)
    run = runs.record_in_workspace(workspace, dataset, journey_in(workspace, dataset, quick()))
    assert {name: run.manifest.source.read_as[name] for name in SETTLED} == SETTLED


@pytest.mark.parametrize(
    ("header", "row", "settled"),
    [
        ("user,time,action", "a,1700000000000,view", {"epoch": "milliseconds"}),
        ("user,time,action,dwell_min", "a,2024-01-05,view,3", {"duration_unit": "minutes"}),
        ("user,time,action,dwell", "a,2024-01-05,view,3", {"duration_unit": "seconds"}),
        ("user,time,action,price", "a,2024-01-05,view,3.5", {"decimal": "point"}),
        ("user,time,action,price", "a,2024-01-05,view,3", {"decimal": "auto"}),
        ("user,time,action", "a,2024-01-05,view", {"rules": [], "date_order": "auto"}),
        ("user,time,action", "a,2024-01-05,view", {"default_action": "auto"}),
        ("user,time", "a,2024-01-05", {"default_action": "event"}),
    ],
)
def test_events_know_what_auto_came_to(header, row, settled, tmp_path):
    read_as = mapped(f"{header}\n{row}\n", tmp_path).read_as
    assert {name: read_as[name] for name in settled} == settled


def test_what_two_columns_settled_in_two_ways_is_settled_for_neither(tmp_path):
    text = 'user,time,action,price,dwell\na,2024-01-05,view,"0,5",1.5\n'
    assert mapped(text, tmp_path).read_as["decimal"] == "auto"


def test_what_was_told_stays_told_but_the_year_is_of_one_log(tmp_path):
    events = mapped("user,time,action\na,05-12,view\n", tmp_path, year=2024, date_order="day_first")
    assert events.read_as["date_order"] == "day_first" and "year" not in events.read_as


def test_events_that_were_kept_still_know_how_they_were_read(tmp_path):
    events = mapped(HEADER + "".join(shop_rows("r", -1)), tmp_path)
    save(events, tmp_path)
    assert load(type(events), tmp_path).read_as == events.read_as


def test_a_new_log_that_settles_nothing_is_read_as_the_run_was(shop, tmp_path):
    """By itself, the log below would be refused: nothing tells day from month."""
    log = tmp_path / "new.csv"
    rows = [f'{u},0{d}/03/2024,{q},"1,250"\n' for u, q in (("x", 2), ("y", -1)) for d in (1, 2, 3)]
    log.write_text(HEADER + "".join(rows), encoding="utf-8")
    assert assign(shop, log, tmp_path / "out.csv") == 0
    first, found = segments_of(shop.folder / "assignments.csv"), segments_of(tmp_path / "out.csv")
    assert found == {"x": first["b01"], "y": first["r01"]}


def test_a_run_without_returns_gives_a_new_log_no_rule_for_them(tmp_path):
    """By itself, the new log would have one: a quarter of its quantities are below zero."""
    rows = [*shop_rows("a", 1), *shop_rows("b", 9)]
    (tmp_path / "log.csv").write_text(HEADER + "".join(rows), encoding="utf-8")
    assert main(["run", str(tmp_path / "log.csv"), "--out", str(tmp_path / "o"), *QUICKLY]) == 0
    options = runs.load_run(tmp_path / "o").reading()["map"]
    new = HEADER + "".join([*shop_rows("b", 2), *shop_rows("r", -1, users=5)])
    by_itself, as_the_run = mapped(new, tmp_path / "a"), mapped(new, tmp_path / "b", **options)
    assert by_itself.read_as["rules"] and as_the_run.read_as["rules"] == []


def test_what_the_run_leaves_open_is_answered_for_the_new_log(tmp_path, capsys):
    rows = [f"u{u},02-{d},{a}\n" for u in range(9) for d in (11, 15, 17) for a in "vw"]
    (tmp_path / "log.csv").write_text("user,time,action\n" + "".join(rows), encoding="utf-8")
    log, out = str(tmp_path / "log.csv"), tmp_path / "o"
    assert main(["run", log, "--out", str(out), *QUICKLY, "--set", "map.year=2024"]) == 0
    run = runs.load_run(out)
    assert assign(run, log, tmp_path / "new.csv") == 2
    assert "Set map.year" in capsys.readouterr().err
    assert assign(run, log, tmp_path / "new.csv", "--set", "map.year=2025") == 0
    (tmp_path / "options.json").write_text('{"map": {"year": 2025}}', encoding="utf-8")
    again = assign(run, log, tmp_path / "file.csv", "--options", tmp_path / "options.json")
    assert again == 0 and segments_of(tmp_path / "file.csv") == segments_of(tmp_path / "new.csv")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["--set", "clean.min_events=1"], "'clean' cannot be set for a new log"),
        (["--options", "{options}"], "'seed' cannot be set for a new log"),
        (["--set", "mpa.year=2024"], "Did you mean 'map'?"),
        (["--set", "map.yaer=2024"], "Did you mean 'year'?"),
    ],
)
def test_only_how_the_new_log_is_read_can_be_set(shop, tmp_path, capsys, settings, words):
    (tmp_path / "options.json").write_text('{"seed": 3}', encoding="utf-8")
    settings = [text.format(options=tmp_path / "options.json") for text in settings]
    log = shop.folder.parent / "log.csv"
    assert assign(shop, log, tmp_path / "out.csv", *settings) == 2
    assert words in capsys.readouterr().err and not (tmp_path / "out.csv").exists()


def test_the_mapping_of_a_run_tells_what_its_log_settled(shop):
    mapping, options = mapping_from_file(shop.folder / "run.json")
    assert mapping.user == "user" and options.date_order == "day_first"
    assert options.rules == ("return if quantity < 0",)


def test_a_setting_goes_over_the_mapping_of_a_run(shop, tmp_path):
    call = [
        *("run", shop.folder.parent / "log.csv", "--out", tmp_path / "out", *QUICKLY),
        *("--mapping", shop.folder / "run.json", "--set", "map.default_action=order"),
    ]
    assert main(list(map(str, call))) == 0
    kept = runs.load_run(tmp_path / "out").options().map
    assert (kept.default_action, kept.decimal) == ("order", "comma")


def test_a_record_of_earlier_days_is_read_by_its_options(shop, tmp_path):
    plain = json.loads((shop.folder / "run.json").read_text(encoding="utf-8"))
    del plain["source"]["read_as"]
    plain["options"]["map"] |= {"date_order": "day_first", "year": 2024}
    (tmp_path / "run.json").write_text(json.dumps(plain), encoding="utf-8")
    known = runs.load_run(tmp_path).reading()["map"]
    assert known["date_order"] == "day_first" and "year" not in known
    assert mapping_from_file(tmp_path / "run.json")[1].year == "auto"
