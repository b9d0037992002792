"""What follows from two timed runs, by a clock that only the work moves."""

import numpy as np
import pytest

from core.forecast.machine import available_bytes, most_held
from core.forecast.measuring import Cost, Gauge, Growth, peak_bytes


class Clock:
    """Tells how much was worked."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def growth_of(seconds_of, most):
    """The growth that is found where so many users take so many seconds."""
    clock, seen = Clock(), list[int]()

    def work(n_users):
        seen.append(n_users)
        clock.now += seconds_of(n_users)

    return Gauge(clock).growth(work, most), seen


def test_work_that_grows_along_a_line_is_foretold_exactly_a_thousand_times_farther():
    growth, _ = growth_of(lambda n: 1.0 + 0.001 * n, 100_000)
    assert growth.at(1_000_000).middle == pytest.approx(1001.0)


def test_work_that_grows_with_the_square_is_foretold_where_it_is_known_to_be_curved():
    growth, _ = growth_of(lambda n: 1e-7 * n**2, 100_000)
    assert growth.at(20_000, curved=True).middle == pytest.approx(40.0)


def test_what_is_timed_grows_until_it_takes_long_enough_to_tell():
    growth, seen = growth_of(lambda n: 1e-5 * n, 10**6)
    assert growth.sizes == (8_000, 32_000)  # 0.08 s is too short, 0.32 s is not
    assert max(seen) == 32_000


def test_no_more_users_are_tried_than_there_are():
    growth, seen = growth_of(lambda n: 1e-9 * n, 700)
    assert growth.sizes == (500, 700)
    assert max(seen) == 700
    alone, _ = growth_of(lambda n: 3.0, 100)
    assert alone.at(100).middle == pytest.approx(3.0)


def test_a_run_that_happened_to_be_faster_with_more_users_makes_no_forecast_fall():
    growth = Growth(sizes=(500, 2_000), seconds=(0.4, 0.3))
    assert growth.at(1_000_000).middle == pytest.approx(0.3)
    steep = Growth(sizes=(500, 2_000), seconds=(0.0, 0.4))
    assert steep.at(20_000).middle == pytest.approx(4.0)  # not below nothing at 0 users


def test_the_farther_the_forecast_the_wider_its_range():
    growth = Growth(sizes=(500, 2_000), seconds=(0.1, 0.4))
    near, far = growth.at(2_000), growth.at(2_000_000)
    assert near.high / near.low == pytest.approx(1.3**2)
    assert far.high / far.low == pytest.approx((1.3 + 3 * 0.15) ** 2)


def test_what_must_be_loaded_at_first_is_added_once_whatever_the_size():
    clock, runs = Clock(), list[int]()

    def work(n_users):
        clock.now += 0.001 * n_users + (0 if runs else 5.0)
        runs.append(n_users)

    growth = Gauge(clock).growth(work, 10_000)
    assert growth.at(10_000).middle == pytest.approx(15.0)
    assert growth.at(1_000_000).middle == pytest.approx(1005.0)


def test_costs_one_after_another_add_seconds_and_share_memory():
    first, second = Cost(low=1, high=2, memory=50), Cost(low=10, high=30, memory=20)
    assert first.then(second) == Cost(low=11, high=32, memory=50)
    assert first.either(second) == Cost(low=1, high=30, memory=50)
    assert first.perhaps(second) == Cost(low=1, high=32, memory=50)
    assert first.times(2, 3) == Cost(low=2, high=6, memory=50)


def test_arrays_are_weighed_at_their_peak_and_not_by_what_is_left():
    def work():
        np.ones(1_000_000).sum()
        np.ones(10)

    assert peak_bytes(work) == pytest.approx(8e6, rel=0.01)


def test_memory_grows_with_the_users():
    kept = list[np.ndarray]()
    growth = Gauge(Clock()).growth(lambda n: kept.append(np.zeros(1_000 * n, np.int8)), 2_000)
    assert growth.at(1_000_000).memory == pytest.approx(1e9, rel=0.01)


def test_what_a_process_held_for_a_moment_is_seen():
    before = most_held(lambda: None)
    if not before:
        pytest.skip("only Linux tells what a process holds")

    def work():
        for _ in range(30):
            np.ones(25_000_000).sum()  # 200 MB, given back at once

    assert most_held(work) - before > 1.2e8


def machine(tmp_path, *, free_kb=8_000, limit="max"):
    proc, cgroup = tmp_path / "proc", tmp_path / "cgroup"
    proc.mkdir()
    cgroup.mkdir()
    (proc / "meminfo").write_text(f"MemTotal: 9999999 kB\nMemAvailable: {free_kb} kB\n")
    (cgroup / "memory.max").write_text(f"{limit}\n")
    (cgroup / "memory.current").write_text("3000000\n")
    (cgroup / "memory.stat").write_text("anon 1000000\ninactive_file 500000\n")
    return proc, cgroup


def test_what_can_be_had_is_what_is_free_on_the_machine(tmp_path):
    assert available_bytes(*machine(tmp_path)) == 8_000 * 1024


def test_a_container_may_have_no_more_than_its_limit_leaves(tmp_path):
    assert available_bytes(*machine(tmp_path, limit="4000000")) == 1_500_000


def test_where_nothing_tells_the_memory_is_unknown(tmp_path):
    assert available_bytes(tmp_path / "none", tmp_path / "none") is None
