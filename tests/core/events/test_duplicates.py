from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.artifacts import CleaningLimits, CleaningStep, Events
from core.events.clean import CleanOptions, clean
from core.events.cleaning import duplicates
from core.events.mapping import complete, map_events
from core.events.preview import preview
from core.events.read import ReadOptions, read

ALL = CleanOptions(min_events=1)
SHOP = Path(__file__).parents[3] / "sample_data" / "shop_events.csv"
DATA = Path(__file__).parents[4] / "shared" / "data"


def copies(log: Events, options: CleanOptions = ALL, limits=None) -> CleaningStep:
    (step,) = [s for s in preview(log, options, limits).steps if s.rule == "duplicate"]
    return step


def at(seconds: list[float], repeated: int) -> list[dict]:
    """One event of another item at each time; the last ``repeated`` stand there twice."""
    rows = [{"user": "a", "time": at, "item": f"i{n}"} for n, at in enumerate(seconds)]
    return rows + rows[len(rows) - repeated :]


def test_repeats_are_kept_where_all_times_are_whole_minutes_and_the_report_says_why(
    log_of, tmp_path
):
    log = log_of(*at([60 * n for n in range(150)], repeated=5))
    step = copies(log)
    assert (step.effect, step.rows, step.users) == ("flagged", 5, 1)
    assert step.reason == (
        "5 rows (3.2%) repeat another one; times are whole minutes, so they may be real; kept. "
        "clean.duplicates=drop removes them"
    )
    assert step.lines == (152, 153, 154, 155, 156)
    cleaned = clean(log, ALL, tmp_path)
    assert cleaned.report.events_after == 155
    assert cleaned.limits.duplicates == "keep"


@pytest.mark.parametrize(("seconds", "unit"), [(3600, "hours"), (86_400, "days")])
def test_the_coarsest_unit_that_fits_is_named(log_of, seconds, unit):
    step = copies(log_of(*at([seconds * n for n in range(120)], repeated=3)))
    assert f"times are whole {unit}, " in step.reason


def test_repeats_are_dropped_where_the_clock_tells_seconds(log_of, tmp_path):
    log = log_of(*at([61 * n for n in range(150)], repeated=5))
    step = copies(log)
    assert (step.effect, step.rows) == ("dropped", 5)
    assert step.reason == "exact duplicate of another row"
    cleaned = clean(log, ALL, tmp_path)
    assert cleaned.report.events_after == 150
    assert cleaned.limits.duplicates == "drop"


def test_a_few_times_off_the_minute_do_not_make_the_clock_a_fine_one(log_of):
    whole = [60 * n for n in range(300)]
    assert copies(log_of(*at([1, *whole[1:]], repeated=5))).effect == "flagged"
    assert copies(log_of(*at([1, 62, 123, 184, *whole[4:]], repeated=5))).effect == "dropped"


def test_repeats_are_kept_where_a_receipt_has_several_lines(log_of):
    # 40 baskets of 3 different lines at odd seconds; one line of five baskets stands there twice
    lines = [
        {"user": f"u{n}", "time": 97 * n + 1, "item": f"i{k}"} for n in range(40) for k in range(3)
    ]
    step = copies(log_of(*lines, *lines[:15:3]))
    assert (step.effect, step.rows, step.users) == ("flagged", 5, 5)
    assert "100% of the rows share user and time with a different row" in step.reason
    # a tenth of the rows must: 4 baskets of 3 lines among 108 single rows say nothing yet
    single = [{"user": f"s{n}", "time": 97 * n + 1} for n in range(109)]
    assert copies(log_of(*lines[:12], *single, *single[:5])).effect == "dropped"


def test_fewer_than_one_in_a_thousand_are_slips_even_by_a_coarse_clock(log_of):
    seconds = [60 * n for n in range(2000)]
    assert copies(log_of(*at(seconds, repeated=1))).effect == "dropped"
    assert copies(log_of(*at(seconds, repeated=3))).effect == "flagged"


def test_of_a_handful_of_rows_nothing_is_told(log_of):
    assert copies(log_of(*at([60 * n for n in range(40)], repeated=20))).effect == "dropped"


def test_stretches_that_stand_there_twice_are_dropped_even_by_a_coarse_clock(log_of):
    # two exports of users by turns; the second holds all users of the first, and others between
    first = [
        {"user": f"u{n}", "time": 3600 * k, "item": f"i{k}"} for n in range(30) for k in range(6)
    ]
    others = [{"user": f"x{n}", "time": 3600 * n} for n in range(40)]
    blank = {"user": None}
    step = copies(log_of(*first, *first[:60], blank, *first[60:120], *others, *first[120:]))
    assert (step.effect, step.rows) == ("dropped", 180)
    assert step.reason == (
        "exact duplicate of another row; 100% of them in stretches that stand there twice"
    )
    # every third row again, each the further behind, is none
    thirds = copies(log_of(*first, *[r for n, r in enumerate(first) if n % 3 == 0], *others))
    assert thirds.effect == "flagged"


def test_days_that_stand_there_twice_are_dropped_in_whatever_order(log_of):
    # ten days of 24 rows; the last two, whole, come again with the next export, latest first
    rows = at([3600 * n for n in range(240)], repeated=48)
    step = copies(log_of(*rows[:240], *reversed(rows[240:])))
    assert (step.effect, step.rows) == ("dropped", 48)
    assert step.reason == (
        "exact duplicate of another row; 100% of them on days that stand there twice"
    )
    # half a day of each of these days is no such thing
    halves = rows[:240] + [row for n, row in enumerate(rows[240:]) if n % 24 < 12]
    assert copies(log_of(*halves)).effect == "flagged"


def test_a_later_log_is_treated_as_the_log_of_the_run_was(log_of):
    fine = log_of(*at([61 * n for n in range(150)], repeated=5))
    kept = copies(fine, ALL, CleaningLimits(duplicates="keep"))
    assert (kept.effect, kept.rows) == ("flagged", 5)
    assert kept.reason.endswith("kept, as in the log that the limits were drawn from")
    coarse = log_of(*at([60 * n for n in range(150)], repeated=5))
    assert copies(coarse, ALL, CleaningLimits(duplicates="drop")).effect == "dropped"
    asked = copies(coarse, replace(ALL, duplicates="drop"), CleaningLimits(duplicates="keep"))
    assert asked.effect == "dropped"


def test_rows_whose_hashes_agree_by_chance_are_no_duplicates(log_of, tmp_path):
    log = log_of({"item": "x"}, {"item": "y"}, {"item": "x"}, {"item": None})
    table = pq.read_table(log.path)
    pq.write_table(table.append_column("row_hash", pa.array([7, 7, 7, 7], pa.uint64())), log.path)
    assert copies(log).lines == (4,)
    cleaned = clean(log, ALL, tmp_path)
    assert pq.read_table(cleaned.path)["line"].to_pylist() == [2, 3, 5]


def test_rows_of_which_only_some_have_a_hash_are_still_compared(log_of, tmp_path):
    log = log_of({"item": "x"}, {"item": "x"}, {"item": "x"}, {"item": "x"})
    table = pq.read_table(log.path)
    hashes = pa.array([7, None, 7, None], pa.uint64())
    pq.write_table(table.append_column("row_hash", hashes), log.path)
    assert copies(log).lines == (4, 5)


def test_copies_of_unusable_rows_are_no_duplicates(log_of):
    gone = datetime(2026, 1, 1) + timedelta(minutes=3)
    log = log_of({"user": None, "time": gone}, {"user": None, "time": gone}, {"time": None})
    assert copies(log).rows == 0


def mapped(path: Path, folder: Path) -> Events:
    raw = read(path, folder, ReadOptions(), name=path.name)
    return map_events(raw, complete(raw, {}), folder)


def test_in_the_sample_shop_repeats_are_dirt(tmp_path):
    step = copies(mapped(SHOP, tmp_path))
    assert (step.effect, step.rows, step.users) == ("dropped", 1001, 701)


def test_in_a_real_shop_that_writes_whole_minutes_repeats_may_be_real(tmp_path):
    path = DATA / "online_retail" / "onlineretail.csv"
    if not path.exists():
        pytest.skip("the real data set is not at hand")
    step = copies(mapped(path, tmp_path))
    assert (step.effect, step.rows, step.users) == ("flagged", 5225, 960)
    assert step.reason.startswith("5,225 rows (1.3%) repeat another one; times are whole minutes")


def test_a_real_log_without_repeats_is_left_as_it_is(tmp_path):
    path = DATA / "complete_journey" / "events_labelled.csv"
    if not path.exists():
        pytest.skip("the real data set is not at hand")
    assert copies(mapped(path, tmp_path)).rows == 0


def test_the_decision_reads_its_thresholds(log_of, monkeypatch):
    log = log_of(*at([60 * n for n in range(150)], repeated=5))
    monkeypatch.setattr(duplicates, "MANY", 0.05)
    assert copies(log).effect == "dropped"
