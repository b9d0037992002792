"""Simulated logs: what is planted is there, nothing else is, and the judge knows it."""

import csv

import numpy as np
import pytest

from core.evaluation import worlds
from core.evaluation.worlds import (
    NOBODY,
    PLANTED,
    WITHOUT,
    agreement,
    bayes,
    draw,
    judge,
    main,
    write,
)

SMALL = 400


@pytest.mark.parametrize("name", [*PLANTED, *WITHOUT])
def test_the_same_seed_gives_the_same_log_and_another_another(name):
    one, same, other = draw(name, SMALL, 1), draw(name, SMALL, 1), draw(name, SMALL, 2)
    np.testing.assert_array_equal(one.log.action, same.log.action)
    np.testing.assert_array_equal(one.log.gap, same.log.gap)
    assert one.log.action.tolist() != other.log.action.tolist()
    assert len(one.log.action) == one.log.offsets[-1] and len(one.truth) == SMALL


@pytest.mark.parametrize("name", PLANTED)
def test_the_best_judge_finds_most_of_what_is_planted_and_not_all(name):
    world = draw(name, 1_500, 0)
    assert 0.8 < agreement(world, bayes(world)) < 1.0
    assert world.k == (6 if name in ("mixed", "noisy") else 4)


@pytest.mark.parametrize("name", WITHOUT)
def test_a_world_without_segments_has_one_habit(name):
    world = draw(name, SMALL, 0)
    assert world.k == 1 and set(world.truth) == {0} and set(bayes(world)) == {0}


def shares_of(world, *parts):
    """Share of every combination of some per-event codes among the events of each segment."""
    kind = world.truth[world.log.user]
    code = np.zeros(len(kind), dtype=np.int64)
    for part in parts:
        code = code * 12 + part
    size = 12 ** len(parts)
    counts = np.bincount(kind * size + code, minlength=world.k * size).reshape(world.k, size)
    return counts / counts.sum(axis=1, keepdims=True)


def apart(shares):
    """Largest distance of a segment's shares from the mean of all (total variation)."""
    return np.abs(shares - shares.mean(axis=0)).sum(axis=1).max() / 2


def test_worlds_of_order_differ_in_the_order_they_are_named_for_and_in_no_other():
    for name, seen in (("first_order", 1), ("second_order", 2), ("both_lags", 3)):
        world = draw(name, 3_000, 0)
        action = world.log.action
        place = np.arange(len(action)) - world.log.offsets[world.log.user]
        before = {lag: np.where(place >= lag, np.roll(action, lag), 11) for lag in (1, 2)}
        found = {
            0: apart(shares_of(world, action)),
            1: apart(shares_of(world, before[1], action)),
            2: apart(shares_of(world, before[2], action)),
            3: apart(shares_of(world, before[2], before[1], action)),
        }
        assert all(found[lag] < 0.06 for lag in range(seen)), (name, found)
        assert found[seen] > 0.15, (name, found)


def test_a_third_of_the_noisy_world_follows_nobody_and_is_not_judged():
    world = draw("noisy", 2_000, 0)
    nobody = world.truth == NOBODY
    assert 0.25 < nobody.mean() < 0.35
    labels = np.where(nobody, 7, world.truth)
    assert agreement(world, labels) == 1.0
    assert agreement(world, np.where(nobody, 0, world.truth)) == 1.0


def test_a_log_is_written_user_by_user_in_time_order(tmp_path):
    world = draw("value", 50, 3)
    write(world, tmp_path / "log.csv", 3)
    with (tmp_path / "log.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(world.log.user)
    assert [row["user_id"] for row in rows] == world.user_ids()[world.log.user].tolist()
    times = [(row["user_id"], row["time"]) for row in rows]
    assert times == sorted(times)
    assert float(rows[5]["price"]) == pytest.approx(world.log.price[5])


def test_users_that_a_run_left_out_or_set_aside_count_as_of_a_kind_of_their_own(tmp_path):
    world = draw("content", 40, 0)
    rows = [(user, kind, 1.0) for user, kind in zip(world.user_ids(), world.truth, strict=True)]

    def judged(kept):
        path = tmp_path / "assignments.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerows([("user_id", "segment", "confidence"), *kept])
        return judge(world, path)

    assert judged(rows) == 1.0
    aside = [(user, -1, 0.0) for user, _, _ in rows[:10]]
    assert judged([*aside, *rows[10:]]) == judged(rows[10:]) < 1.0


def test_the_command_writes_a_log_and_judges_a_run(tmp_path, capsys):
    log = tmp_path / "log.csv"
    assert main(["timing", "--out", str(log), "--users", "60", "--seed", "5"]) == 0
    assert log.read_text(encoding="utf-8").startswith("user_id,time,action,category,price\n")
    assert "segments: 4" in capsys.readouterr().out
    world = worlds.draw("timing", 60, 5)
    lines = [f"{u},{k},1" for u, k in zip(world.user_ids(), world.truth, strict=True)]
    run = tmp_path / "assignments.csv"
    run.write_text("\n".join(["user_id,segment,confidence", *lines]), encoding="utf-8")
    assert main(["timing", "--judge", str(run), "--users", "60", "--seed", "5"]) == 0
    assert f"ARI of {run}: 1.000" in capsys.readouterr().out
