"""A new month of one platform, for a run whose log was a file per platform."""

import csv

import pyarrow.parquet as parquet
import pytest

from core import runs
from core.__main__ import main
from core.assign import read_log
from core.errors import OptionRefused
from core.events.guess import platforms_of_file
from core.events.read import ReadOptions
from tests.journeys import LOOKING, QUICKLY, write_log


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A run on two platforms, on which people do the same."""
    folder = tmp_path_factory.mktemp("shop")
    logs = [
        write_log(folder / f"{name}_jan.csv", {f"{name}{n:02d}": LOOKING for n in range(30)})
        for name in ("web", "app")
    ]
    call = ["run", *map(str, logs), "--out", str(folder / "out"), *QUICKLY]
    assert main(call) == 0
    return runs.load_run(folder / "out")


def platforms_read(run, folder, *names, told=None):
    logs = [write_log(folder / name, {f"u {name}": LOOKING}) for name in names]
    raw, mapping = read_log(run, logs, folder, ReadOptions(), told)
    return dict.fromkeys(parquet.read_table(raw.path)[mapping.platform].to_pylist())


def test_a_run_keeps_what_its_platforms_are_called(shop):
    assert shop.manifest.source.mapping.platform == "source"
    assert shop.manifest.source.platforms == ("web_jan", "app_jan")
    assert set(shop.vocabulary().platforms) == {"web_jan", "app_jan"}


def test_a_new_month_of_one_platform_is_of_that_platform(shop, tmp_path, capsys):
    log = write_log(tmp_path / "web_feb.csv", {"new": LOOKING})
    out = tmp_path / "out.csv"
    assert main(["assign", str(log), "--run", str(shop.folder), "--out", str(out)]) == 0
    with out.open(encoding="utf-8") as file:
        assert [row["user_id"] for row in csv.DictReader(file)] == ["new"]
    said = capsys.readouterr().err
    assert "'web_feb.csv' was taken as of the platform 'web_jan'" in said
    assert list(platforms_read(shop, tmp_path, "app_feb.csv")) == ["app_jan"]


def test_new_months_of_both_platforms_are_each_of_their_own(shop, tmp_path):
    assert list(platforms_read(shop, tmp_path, "app_feb.csv", "web_feb.csv")) == [
        "app_jan",
        "web_jan",
    ]
    assert list(platforms_read(shop, tmp_path, "web_feb.csv", "web_mar.csv")) == ["web_jan"]


def test_a_file_whose_name_tells_nothing_is_asked_for(shop, tmp_path):
    with pytest.raises(OptionRefused, match=r"'feb\.csv' fits none.*--platform NAME") as refused:
        platforms_read(shop, tmp_path, "feb.csv")
    assert "'web_jan', 'app_jan'" in str(refused.value)
    with pytest.raises(OptionRefused, match="fits several"):
        platforms_read(shop, tmp_path, "web_and_app.csv")


def test_what_is_told_of_the_platform_is_taken(shop, tmp_path):
    assert list(platforms_read(shop, tmp_path, "feb.csv", told="app_jan")) == ["app_jan"]
    assert list(platforms_read(shop, tmp_path, "kiosk.csv", told="unknown")) == ["unknown"]
    with pytest.raises(OptionRefused, match="Did you mean 'app_jan'"):
        platforms_read(shop, tmp_path, "feb.csv", told="app_jam")


def test_the_platform_is_not_asked_for_where_the_run_has_none_of_its_files(tmp_path, capsys):
    log = write_log(tmp_path / "log.csv", {f"u{n}": LOOKING for n in range(9)})
    assert main(["run", str(log), "--out", str(tmp_path / "out"), *QUICKLY]) == 0
    assert runs.load_run(tmp_path / "out").manifest.source.platforms == ()
    call = ["assign", str(log), "--run", str(tmp_path / "out"), "--out", str(tmp_path / "a.csv")]
    assert main(call) == 0
    assert main([*call, "--platform", "web"]) == 2
    assert "Leave it out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "known", "found"),
    [
        ("web_feb.csv", ("web", "app"), ("web",)),
        ("WEB-2025-02.csv.gz", ("web", "app"), ("web",)),
        ("web_2025_02.csv", ("web_2025_01", "app_2025_01"), ("web_2025_01",)),
        ("web_feb.csv", ("web_jan", "web_mar", "app_jan"), ("web_jan", "web_mar")),
        ("web_jan.csv", ("web_jan", "web_mar", "app_jan"), ("web_jan",)),
        ("nord_feb.csv", ("nord", "sued"), ("nord",)),
        ("小程序_二月.csv", ("小程序_一月", "门店_一月"), ("小程序_一月",)),
        ("feb.csv", ("web", "app"), ()),
    ],
)
def test_the_name_of_a_file_tells_the_platform(file, known, found):
    assert platforms_of_file(file, known) == found
