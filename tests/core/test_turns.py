"""The queue by itself: threads stand for processes, since a lock belongs to an open file."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from core.turns import jobs_at_once, turn

ROOT = Path(__file__).parents[2]


class Job(threading.Thread):
    """Waits for its turn, then works until it is let go."""

    def __init__(self, queue, at_once=1):
        super().__init__(daemon=True)
        self.queue, self.at_once = queue, at_once
        self.heard, self.done = [], threading.Event()
        self.start()

    def run(self):
        with turn(self.queue, self.at_once, self.heard.append):
            self.done.wait()

    @property
    def ahead(self):
        return self.heard[-1] if self.heard else None

    def end(self):
        self.done.set()
        self.join()


def until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def jobs(tmp_path):
    """Begin jobs one after another; all have ended afterwards."""
    begun = []

    def begin(at_once=1):
        job = Job(tmp_path / "queue", at_once)
        until(lambda: job.heard)
        begun.append(job)
        return job

    yield begin
    for job in begun:
        job.done.set()
    for job in begun:
        job.join()
    assert [path.name for path in (tmp_path / "queue").iterdir()] == ["door"]


def test_who_came_first_is_served_first(jobs):
    first, second, third = jobs(), jobs(), jobs()
    assert [job.ahead for job in (first, second, third)] == [0, 1, 2]
    first.end()
    until(lambda: second.ahead == 0)
    fourth = jobs()
    until(lambda: third.ahead == 1)
    assert fourth.ahead == 2
    second.end()
    until(lambda: third.ahead == 0 and fourth.ahead == 1)


def test_two_at_a_time_where_two_may_work(jobs):
    first, second, third, fourth = (jobs(at_once=2) for _ in range(4))
    assert [job.ahead for job in (first, second, third, fourth)] == [0, 0, 1, 2]
    second.end()
    until(lambda: third.ahead == 0 and fourth.ahead == 1)
    assert first.ahead == 0


def test_nobody_waits_for_a_ticket_that_no_process_holds(jobs, tmp_path):
    (tmp_path / "queue").mkdir()
    (tmp_path / "queue" / f"{7:012d}").touch()  # left by a machine that lost its power
    assert jobs().ahead == 0
    assert not (tmp_path / "queue" / f"{7:012d}").exists()


def test_who_gives_up_waiting_leaves_the_queue(jobs, tmp_path):
    first = jobs()

    def give_up(n_ahead):
        raise TimeoutError

    with pytest.raises(TimeoutError), turn(tmp_path / "queue", 1, give_up):
        pass
    second = jobs()
    assert (first.ahead, second.ahead) == (0, 1)


def test_a_queue_costs_no_heavy_library():
    program = (
        "import sys, core.worker\n"
        "print({'numpy', 'pandas', 'duckdb', 'pyarrow', 'torch', 'core.store'} & set(sys.modules))"
    )
    call = [sys.executable, "-c", program]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("said", "meant"), [("", 1), ("3", 3), ("0", 1), ("many", 1), ("-2", 1), (" 2 ", 2)]
)
def test_how_many_work_at_once_is_said_by_the_environment(monkeypatch, said, meant):
    monkeypatch.setenv("SEGMENTLAB_JOBS", said)
    assert jobs_at_once() == meant
