"""Two real processes that train together over loopback, launched by torchrun."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.artifacts import Embeddings
from core.representations import REPRESENTATIONS, represent
from core.representations._base import Work
from core.representations.distributed import main
from core.representations.ranks import Ranks
from core.representations.standing import Tally
from core.store import load, save
from tests.core.representations.trained_alone import data_of, tiny_log

ROOT = Path(__file__).parents[3]
SETTINGS = {"hidden": 16, "epochs": 12, "batch_users": 16, "slice_users": 16, "device": "cpu"}


def torchrun(n: int, *call: str) -> str:
    """Launch n processes; what they said."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    done = subprocess.run(
        [*command, f"--nproc-per-node={n}", "-m", *call],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def launched(n: int, folder: Path, *more: str) -> tuple[str, Embeddings]:
    settings = [part for name, value in SETTINGS.items() for part in ("--set", f"{name}={value}")]
    places = [str(folder / "sequences"), str(folder / f"out-{n}")]
    said = torchrun(n, "core.representations.distributed", *places, *settings, *more)
    return said, load(Embeddings, folder / f"out-{n}")


@pytest.fixture
def stored(tmp_path):
    (tmp_path / "sequences").mkdir()
    save(tiny_log(), tmp_path / "sequences")
    return tmp_path


@pytest.mark.slow
def test_two_processes_end_with_the_same_weights_and_the_loss_falls(stored):
    said, made = launched(2, stored, "--seed", "3")
    weights = dict(re.findall(r"rank (\d) of 2: weights (\w{64})", said))
    assert weights.keys() == {"0", "1"} and weights["0"] == weights["1"]
    losses = [epoch.losses["action"] for epoch in made.history]
    assert len(losses) == 12 and losses[-1] < 0.9 * losses[0]
    watched = [epoch.validation_losses["action"] for epoch in made.history]
    assert watched[-1] < watched[0]
    assert made.values.shape == (160, 16) and np.isfinite(made.values).all()


@pytest.mark.slow
def test_one_process_gives_the_bytes_it_gives_without_being_launched(stored):
    _, made = launched(1, stored)
    options = REPRESENTATIONS["lstm"].Options(**SETTINGS)
    alone = represent(tiny_log(), "lstm", options, Work())
    assert made.values.tobytes() == alone.values.tobytes()
    for name, learned in alone.state.items():
        assert made.state[name].tobytes() == learned.tobytes(), name


@pytest.mark.slow
def test_a_training_of_two_goes_on_where_it_was_broken_off(tmp_path):
    torchrun(2, "tests.core.representations.two_ranks", str(tmp_path))
    one, other = (json.loads((tmp_path / f"rank-{n}.json").read_text()) for n in (0, 1))
    assert one == other  # weights and losses: both know what both have read
    assert one["broken"] is None
    assert one["gone on"] == one["unbroken"]
    first, *_, last = one["unequal"]["losses"]  # one rank has a batch more than the other
    assert last["action"] < first["action"]


def test_users_are_dealt_out_so_that_each_is_read_once():
    data = data_of(tiny_log())
    shards = [data.shards(rank, 3)[0] for rank in range(3)]
    for part in ("fit_users", "validation_users"):
        dealt = np.concatenate([getattr(shard, part) for shard in shards])
        assert sorted(dealt) == getattr(data, part).tolist()
        sizes = [len(getattr(shard, part)) for shard in shards]
        assert max(sizes) - min(sizes) <= 1
    assert data.shards(0, 1)[0] is data


def test_alone_nothing_is_computed():
    alone = Ranks.here(["action", "gap"])
    tally = Tally(sums={"gap": 0.1}, weights={"gap": 3}, n_events=7)
    assert (alone.rank, alone.size) == (0, 1)
    assert alone.average([], 3, tally) is tally and alone.total(tally) is tally
    assert alone.share(b"as it is") == b"as it is" and alone.most(5) == 5


def test_tallies_survive_being_summed_as_numbers():
    names = ("action", "contrastive", "gap")
    one = Tally(sums={"gap": 1.5, "action": 2.0}, weights={"gap": 3, "action": 4}, n_events=70)
    other = Tally(sums={"gap": 0.5}, weights={"gap": 1}, n_events=30)
    summed = np.add(one.to_numbers(names), other.to_numbers(names)).tolist()
    both = Tally.from_numbers(names, summed)
    assert both.means() == {"gap": 0.5, "action": 0.5} and both.n_events == 100
    one.absorb(other)
    assert one == both


def test_a_setting_that_does_not_exist_is_refused(tmp_path, capsys):
    assert main([str(tmp_path), str(tmp_path / "out"), "--set", "width=3"]) == 2
    assert "Unknown option 'lstm.width'" in capsys.readouterr().err
