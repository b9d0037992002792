"""The invented shop: its truth is what it claims, and its files are what the command writes."""

from __future__ import annotations

import csv
import re
from collections import Counter
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from core.events.shop.behaviour import Behaviour, Shoppers, log_likelihood, simulate
from core.events.shop.goods import stock
from core.events.shop.personas import (
    ACTIONS,
    BORDER,
    PERSONAS,
    Persona,
    first_order,
    nobodies,
    second_order,
    tables,
)
from core.events.synthetic import (
    Hardness,
    World,
    bag,
    hardness,
    judge,
    main,
    shop_world,
    tiny_world,
    write,
)

SAMPLE = Path(__file__).parents[3] / "sample_data"
FILES = (
    "shop_events.csv",
    "shop_items.csv",
    "shop_labels.csv",
    "tiny_100_labels.csv",
    "tiny_100_users.csv",
)


@pytest.fixture(scope="module")
def shop() -> World:
    return shop_world()


@pytest.fixture(scope="module")
def written(shop: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    write(shop, folder)
    return folder


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def events(written: Path) -> list[dict[str, str]]:
    return rows_of(written / "shop_events.csv")


@pytest.mark.parametrize("name", FILES)
def test_the_committed_file_is_what_the_command_writes(name: str, written: Path) -> None:
    assert (SAMPLE / name).read_bytes() == (written / name).read_bytes()


def test_nothing_else_is_written_and_all_of_it_is_under_ten_megabytes(written: Path) -> None:
    assert sorted(p.name for p in written.iterdir()) == list(FILES)
    assert sum(p.stat().st_size for p in written.iterdir()) < 10_000_000


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_bytes(tmp_path: Path) -> None:
    for folder, seed in (("a", 3), ("b", 3), ("c", 4)):
        write(shop_world(120, seed), tmp_path / folder, seed)
    for name in FILES:
        a, b, c = ((tmp_path / folder / name).read_bytes() for folder in "abc")
        assert a == b
        assert a != c


def test_counting_is_not_enough_and_the_truth_can_be_found(shop: World) -> None:
    found = hardness(shop)
    assert 0.2 <= found.bag <= 0.60
    assert found.bayes >= 0.95
    assert found.as_wanted()
    assert not Hardness(bag=0.7, bayes=0.99).as_wanted()
    assert not Hardness(bag=0.3, bayes=0.8).as_wanted()


def test_the_posterior_of_the_true_parameters_is_calibrated(shop: World) -> None:
    known = shop.shoppers.kind < len(PERSONAS)
    shares = np.log([p.share for p in PERSONAS])
    joint = log_likelihood(shop.behaviour, tables(PERSONAS), shop.shoppers) + shares
    posterior = np.exp(joint - np.logaddexp.reduce(joint, axis=1, keepdims=True))[known]
    correct = posterior.argmax(axis=1) == shop.shoppers.kind[known]
    # 1,900 users: one standard error of the share correct is about 0.002.
    assert posterior.max(axis=1).mean() == pytest.approx(correct.mean(), abs=0.008)


def test_a_log_is_likeliest_on_average_under_what_it_was_drawn_from(shop: World) -> None:
    likelihood = log_likelihood(shop.behaviour, tables(PERSONAS), shop.shoppers)
    for kind in range(len(PERSONAS)):
        means = likelihood[shop.shoppers.kind == kind].mean(axis=0)
        assert means.argmax() == kind
        assert np.sort(means)[-1] - np.sort(means)[-2] > 5


def test_the_likelihood_of_a_log_of_three_events_is_what_paper_and_pencil_give() -> None:
    one = tables(PERSONAS[:1])
    columns = {
        "second": [10 * 3600, 10 * 3600 + 20, 2 * 86_400 + 13 * 3600],
        "action": [1, 0, 4],  # search, view; the day after the next: cart
        "category": [4, 4, 4],
        "item": [-1, 200, 200],
        "band": [-1, 1, 1],
        "discount": [0, 2, 0],
        "dwell": [12, 25, 0],
        "platform": [0, 0, 1],
        "oldest": [BORDER, BORDER, 0],
        "before": [BORDER, 1, BORDER],
        "pause": [-1, 8, -1],
        "days": [-1, -1, 2],
        "previous": [-1, 4, -1],
        "looked": [1, 1, 1],
        "picked": [0, 1, 1],
        "user": [0, 0, 0],
    }
    log = Behaviour(**{k: np.array(v) for k, v in columns.items()})
    shopper = Shoppers(np.array([0]), np.array([3]), np.array([3.0]), np.array([0]))
    p, step = PERSONAS[0], one.step[0]
    taste, hour, band, platform = one.taste[0][4], one.hour[0], one.band[0][1], one.platform[0]
    success = 1 / (1 + 2.0 / (1 - p.burst))
    chances = [
        step[BORDER, BORDER, 1] * hour[10] * platform[0] * taste,
        step[BORDER, 1, 0] * (p.stay + (1 - p.stay) * taste) * band * p.sale,
        step[1, 0, BORDER] * step[0, BORDER, 4] * (1 - p.burst) * success * (1 - success),
        hour[13] * platform[1] * taste * band * (1 - p.sale),
        _mass(12, 12 * p.dwell, 0.7) * _mass(25, 25 * p.dwell, 0.7) * _mass(8, p.pause, 0.8),
    ]
    got = log_likelihood(log, one, shopper)
    assert got.shape == (1, 1)
    assert got[0, 0] == pytest.approx(sum(np.log(chances)), abs=1e-9)


def _mass(seconds: int, median: float, spread: float) -> float:
    from statistics import NormalDist

    normal = NormalDist(np.log(median), spread)
    return normal.cdf(np.log(seconds + 0.5)) - normal.cdf(np.log(seconds - 0.5))


@pytest.mark.parametrize("persona", PERSONAS, ids=lambda p: p.name)
def test_habits_and_twists_leave_the_shares_of_actions_alone(persona: Persona) -> None:
    pairs = first_order(persona)
    wanted = np.array([*(persona.visit_events * np.array(persona.actions)), 1.0])
    wanted /= wanted.sum()
    assert pairs.sum(axis=1) == pytest.approx(wanted, abs=1e-6)
    assert pairs.sum(axis=0) == pytest.approx(wanted, abs=1e-6)
    step = second_order(persona)
    assert step.sum(axis=2) == pytest.approx(1.0)
    assert np.einsum("ab,abc->bc", pairs, step) == pytest.approx(pairs, abs=1e-6)


def test_two_personas_of_a_pair_share_their_actions_and_differ_in_order(shop: World) -> None:
    for one, other in ((0, 1), (2, 3), (4, 5)):
        assert PERSONAS[one].actions == PERSONAS[other].actions
        shares = [_action_shares(shop, kind) for kind in (one, other)]
        assert shares[0] == pytest.approx(shares[1], abs=0.02)
        pairs = np.abs(first_order(PERSONAS[one]) - first_order(PERSONAS[other])).sum()
        assert pairs > 0.3


def _action_shares(shop: World, kind: int) -> np.ndarray:
    mine = shop.shoppers.kind[shop.behaviour.user] == kind
    return np.bincount(shop.behaviour.action[mine], minlength=len(ACTIONS)) / mine.sum()


def test_length_says_nothing_of_the_persona(shop: World) -> None:
    length = np.bincount(shop.behaviour.user, minlength=len(shop.user_ids))
    medians = [np.median(length[shop.shoppers.kind == kind]) for kind in range(len(PERSONAS))]
    assert max(medians) / min(medians) < 1.25
    assert length.max() >= 5 * np.median(length)  # a heavy tail


def test_the_log_has_the_size_and_the_columns_it_should(
    events: list[dict[str, str]],
) -> None:
    assert list(events[0]) == [
        "user_id",
        "timestamp",
        "action",
        "item",
        "category",
        "duration",
        "price",
        "platform",
    ]
    assert 95_000 < len(events) < 105_000
    assert len({row["user_id"] for row in events} - {""}) == 2000
    assert {row["action"] for row in events} == set(ACTIONS)
    assert {row["platform"] for row in events} == {"web", "app", "shop"}
    assert all((row["item"] == "") == (row["action"] == "search") for row in events)
    assert all((row["price"] == "") == (row["item"] == "") for row in events)
    assert all(row["duration"] == "" for row in events if row["action"] == "purchase")


def test_rows_are_in_order_of_time_within_ninety_days(events: list[dict[str, str]]) -> None:
    readable = re.compile(r"2025-0\d-\d\d \d\d:\d\d:\d\d")
    times = [row["timestamp"] for row in events if readable.fullmatch(row["timestamp"])]
    assert times == sorted(times)
    first, last = (datetime.fromisoformat(times[i]) for i in (0, -1))
    assert 85 < (last - first).days < 90


def test_the_dirt_is_what_the_readme_says(events: list[dict[str, str]], shop: World) -> None:
    n = len(shop.behaviour.user)
    repeats = sum(n - 1 for n in Counter(tuple(row.values()) for row in events).values())
    assert repeats == len(events) - n == round(0.01 * n)
    assert sum(row["category"] == "" for row in events) == round(0.01 * n)
    timed = ("view", "search", "click", "review")
    assert sum(r["duration"] == "" for r in events if r["action"] in timed) == round(0.02 * n)
    assert sum(row["user_id"] == "" for row in events) == 7
    assert sum(row["price"].startswith("-") for row in events) == 3
    assert sum(row["price"] == "9999999.00" for row in events) == 2
    assert {row["timestamp"] for row in events} >= {"yesterday", "2025-13-45 99:99:99"}


def test_labels_name_every_user_once_and_ids_say_nothing(written: Path) -> None:
    rows = rows_of(written / "shop_labels.csv")
    assert len({row["user_id"] for row in rows}) == len(rows) == 2000
    sizes = Counter(row["persona"] for row in rows)
    assert sizes == {
        "errand runner": 532,
        "comparer": 418,
        "bargain hunter": 342,
        "collector": 266,
        "gift giver": 209,
        "try and return": 133,
        "nobody": 100,
    }
    first_half = Counter(row["persona"] for row in rows[:1000])
    assert 220 < first_half["errand runner"] < 312


def test_every_item_sold_is_on_the_list_at_no_more_than_its_price(
    written: Path, events: list[dict[str, str]]
) -> None:
    items = {row["item"]: row for row in rows_of(written / "shop_items.csv")}
    assert len(items) == 602
    for row in events:
        if row["item"] and float(row["price"]) < 1e6:
            listed = items[row["item"]]
            assert row["category"] in ("", listed["category"])
            assert float(row["price"]) <= float(listed["price"])


def test_the_worked_example_is_three_clear_segments_of_known_size(
    shop: World, written: Path
) -> None:
    tiny = tiny_world(shop.goods)
    assert hardness(tiny) == Hardness(bag=1.0, bayes=1.0)
    assert bag(tiny.behaviour, 100).shape == (100, 8 + 14)
    labels = rows_of(written / "tiny_100_labels.csv")
    sizes = {"window shopper": 50, "straight buyer": 30, "picky returner": 20}
    assert Counter(row["persona"] for row in labels) == sizes
    rows = rows_of(written / "tiny_100_users.csv")
    lengths = Counter(row["user_id"] for row in rows)
    assert set(lengths) == {row["user_id"] for row in labels}
    assert min(lengths.values()) >= 15
    assert max(lengths.values()) <= 25


def test_visits_keep_half_an_hour_apart_so_that_sessions_can_be_found() -> None:
    rng = np.random.default_rng(0)
    people = tables([*PERSONAS, *nobodies(14, rng)])
    shoppers = Shoppers(np.arange(20), np.full(20, 300), np.full(20, 1.2), np.zeros(20, dtype=int))
    log = simulate(people, shoppers, stock(rng), rng)
    gap, same = np.diff(log.second), np.diff(log.user) == 0
    border = log.before[1:] == BORDER
    assert gap[same & border].min() > 1800
    assert gap[same & ~border].max() < 1800
    assert gap[same].min() >= 1


def test_the_command_writes_the_files_and_prints_how_hard_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["--out", str(tmp_path / "new"), "--users", "400", "--seed", "7"])
    printed = capsys.readouterr().out
    assert code == 0
    assert (tmp_path / "new" / "shop_events.csv").exists()
    assert "users: 400" in printed
    assert re.search(r"K-means: 0\.\d{3} \(at most 0\.60\)", printed)
    assert re.search(r"true parameters: [01]\.\d{3} \(at least 0\.90\)", printed)


@pytest.mark.parametrize("wrong", [["--users", "9"], ["--seed", "-1"]])
def test_the_command_refuses_what_it_cannot_draw(
    wrong: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--out", str(tmp_path), *wrong])
    assert stopped.value.code == 2
    assert wrong[1] in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_judged_on_the_users_it_placed_that_follow_a_persona(tmp_path):
    world = shop_world(200, 3)
    names = world.persona_names()
    kinds = sorted(set(names))
    rows = [
        f"{user},{kinds.index(name)},1.0"
        for user, name in zip(world.user_ids[1:], names[1:], strict=True)
    ]
    file = tmp_path / "assignments.csv"
    file.write_text("user_id,segment,confidence\n" + "\n".join(rows), encoding="utf-8")
    n_followers = sum(name != "nobody" for name in names[1:])
    assert judge(world, file) == (1.0, n_followers)
