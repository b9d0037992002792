"""Training that is broken off at any moment and on any disk, on real files."""

import errno
import json
import multiprocessing
import os
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from core.device import repeatable
from core.errors import JobStopped
from core.representations import Work, checkpoint, represent, training
from core.representations.checkpoint import Checkpoints, Snapshot
from core.representations.encoder import Shape
from core.representations.ladder import AutoOptions
from core.representations.learning import training_plan
from core.representations.training import train
from tests.core.representations.trained_alone import OPTIONS, data_of, digest, fresh, main, tiny_log

OF = "a" * 64


class Clock:
    """Seconds that pass only when told."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def snapshot(step, size=50):
    rng = np.random.default_rng(step)
    return Snapshot(
        step=step,
        weights={"lstm.weight": rng.normal(size=(4, size)).astype(np.float32)},
        optimizer={"0.step": np.float32(step), "0.exp_avg": rng.normal(size=size)},
        best={"lstm.weight": rng.normal(size=(4, size)).astype(np.float32)} if step % 2 else {},
        standing={"epochs_done": step, "history": [{"total": 1 / 3}]},
    )


def same(one, other):
    return one.to_files() == other.to_files()


@pytest.fixture
def keep(tmp_path):
    return tmp_path / "keep"


@pytest.fixture
def two_kept(keep):
    writer = Checkpoints(keep)
    for step in (1, 2, 3):
        writer.write(OF, snapshot(step))
    return keep


def folders(keep):
    return sorted(keep.iterdir(), key=lambda path: path.name)


@pytest.fixture(scope="module")
def data():
    return data_of(tiny_log())


def trained(data, checkpoints, tick=lambda share: None, encoder=None, **changes):
    with repeatable(1):
        encoder = encoder or fresh(data)
        plan = training_plan(OPTIONS.__class__(**OPTIONS.to_dict() | changes), len(data.fit_users))
        reports = list(train(encoder, data, plan, checkpoints, tick))
    return digest(encoder), reports


def stops_after(steps):
    """A listener that has had enough after so many steps."""
    left = iter(range(steps - 1))

    def tick(share):
        if next(left, None) is None:
            raise JobStopped("enough")

    return tick


@pytest.fixture(scope="module")
def unbroken(data):
    return trained(data, Checkpoints(None))


def test_what_was_kept_is_found_again_bit_by_bit_and_the_last_two_stay(two_kept):
    found = Checkpoints(two_kept).latest(OF)
    assert same(found, snapshot(3)) and found.step == 3
    assert found.optimizer["0.step"].shape == ()
    assert [int(path.name.split("-")[0]) for path in folders(two_kept)] == [2, 3]
    assert same(Snapshot.unpacked(found.packed()), found)


def test_every_one_of_100_flipped_bytes_is_found_and_the_state_before_is_used(two_kept, tmp_path):
    rng = np.random.default_rng(0)
    newest = folders(two_kept)[-1]
    files = sorted(newest.iterdir())
    sizes = np.array([path.stat().st_size for path in files])
    for place in rng.integers(0, sizes.sum(), 100):
        which = int(np.searchsorted(np.cumsum(sizes), place, side="right"))
        damaged = bytearray(files[which].read_bytes())
        whole = bytes(damaged)
        damaged[place - np.cumsum(sizes)[which]] ^= 1 << int(rng.integers(8))
        files[which].write_bytes(damaged)
        checkpoints = Checkpoints(two_kept)
        assert same(checkpoints.latest(OF), snapshot(2))
        assert f"after step 3 is damaged ({files[which].name}" in checkpoints.beginning
        files[which].write_bytes(whole)
    assert same(Checkpoints(two_kept).latest(OF), snapshot(3))


@pytest.mark.parametrize(
    "name",
    [
        "weights.safetensors",
        "optimizer.safetensors",
        "best.safetensors",
        "standing.json",
        "manifest.json",
    ],
)
@pytest.mark.parametrize("harm", ["missing", "cut", "empty"])
def test_a_missing_or_cut_file_is_found_and_the_state_before_is_used(two_kept, name, harm):
    file = folders(two_kept)[-1] / name
    content = file.read_bytes()
    file.unlink()
    if harm != "missing":
        file.write_bytes(content[:-1] if harm == "cut" else b"")
    checkpoints = Checkpoints(two_kept)
    assert same(checkpoints.latest(OF), snapshot(2))
    assert name in checkpoints.beginning


def test_damaged_states_never_push_out_the_good_one(two_kept):
    (folders(two_kept)[-1] / "manifest.json").write_bytes(b"{}")
    writer = Checkpoints(two_kept)
    writer.latest(OF)
    writer.write(OF, snapshot(3))
    assert [int(path.name.split("-")[0]) for path in folders(two_kept)] == [2, 3]
    assert same(Checkpoints(two_kept).latest(OF), snapshot(3))


def test_work_of_another_training_is_passed_over_with_a_word(two_kept):
    checkpoints = Checkpoints(two_kept)
    assert checkpoints.latest("b" * 64) is None
    assert checkpoints.beginning == (
        "Kept work of other settings, other data or another version was passed over."
    )


def test_two_trainings_in_one_folder_leave_each_others_states(two_kept):
    other = Checkpoints(two_kept)
    for step in (1, 2, 3):
        other.write("b" * 64, snapshot(10 * step))
    assert Checkpoints(two_kept).latest("b" * 64).step == 30
    assert Checkpoints(two_kept).latest(OF).step == 3
    assert len(folders(two_kept)) == 4


def test_a_folder_renamed_to_a_later_step_is_not_believed(two_kept):
    newest = folders(two_kept)[-1]
    manifest = json.loads((newest / "manifest.json").read_text())
    (newest / "manifest.json").write_text(json.dumps(manifest | {"of": "b" * 64}))
    shutil.move(newest, newest.with_name(f"{9:010d}-{OF[:16]}-{'0' * 64}"))
    assert same(Checkpoints(two_kept).latest(OF), snapshot(2))


@pytest.mark.parametrize("name", ["{} - Copy", "Copy of {}", "{}-old", "1-a-b", "0000000009-{}"])
def test_folders_that_someone_copied_there_are_passed_over(two_kept, name):
    newest = folders(two_kept)[-1]
    copy = shutil.copytree(newest, two_kept / name.format(newest.name))
    writer = Checkpoints(two_kept)
    assert same(writer.latest(OF), snapshot(3)) and writer.beginning == ""
    writer.write(OF, snapshot(4))
    assert same(Checkpoints(two_kept).latest(OF), snapshot(4))
    assert copy.is_dir()  # nobody else's folder is removed


def test_nothing_is_kept_without_a_folder_and_nothing_found_in_an_empty_one(keep):
    nowhere = Checkpoints(None)
    nowhere.write(OF, snapshot(1))
    assert nowhere.latest(OF) is None and not nowhere.due(epoch_ended=True)
    assert Checkpoints(keep).latest(OF) is None


def test_short_epochs_are_saved_every_five_seconds_and_long_ones_every_few_minutes(keep):
    clock = Clock()
    writer = Checkpoints(keep, every_minutes=2, clock=clock)
    clock.now = 4.9
    assert not writer.due(epoch_ended=True)
    clock.now = 5.0
    assert writer.due(epoch_ended=True) and not writer.due(epoch_ended=False)
    clock.now = 120.0
    assert writer.due(epoch_ended=False)
    writer.write(OF, snapshot(1))
    assert not writer.due(epoch_ended=False)


def test_a_slow_disk_is_written_to_less_often(keep, monkeypatch):
    clock = Clock()
    writer = Checkpoints(keep, clock=clock)

    def slowly(path, payload, write=checkpoint.write_durably):
        clock.now += 1.0
        write(path, payload)

    monkeypatch.setattr(checkpoint, "write_durably", slowly)
    writer.write(OF, snapshot(1))  # five files, five seconds
    began = clock.now
    clock.now = began + 99
    assert not writer.due(epoch_ended=True)
    clock.now = began + 100
    assert writer.due(epoch_ended=True)


def full_disk(monkeypatch, after):
    """Files can be written so often, then the disk is full in the middle of one."""
    left = iter(range(after))

    def fails(path, payload, write=checkpoint.write_durably):
        if next(left, None) is None:
            write(path, payload[: len(payload) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(path, payload)

    monkeypatch.setattr(checkpoint, "write_durably", fails)


def test_a_full_disk_leaves_the_last_good_state_and_is_told(two_kept, monkeypatch):
    writer = Checkpoints(two_kept)
    writer.latest(OF)
    full_disk(monkeypatch, after=2)
    writer.write(OF, snapshot(4))
    assert "could not be saved (No space left on device)" in writer.trouble
    assert "goes on from the state saved before" in writer.trouble
    assert same(Checkpoints(two_kept).latest(OF), snapshot(3))
    assert len(folders(two_kept)) == 2  # nothing half written stays
    monkeypatch.undo()
    writer.write(OF, snapshot(5))
    assert writer.trouble == "" and same(Checkpoints(two_kept).latest(OF), snapshot(5))


def test_training_goes_on_over_a_full_disk_and_every_epoch_tells(data, keep, monkeypatch, unbroken):
    monkeypatch.setattr(checkpoint, "_LEAST_SECONDS", 0.0)
    monkeypatch.setattr(checkpoint, "_WORTH", 0)
    full_disk(monkeypatch, after=5)
    weights, reports = trained(data, Checkpoints(keep))
    assert weights == unbroken[0] and len(reports) == len(unbroken[1])
    assert reports[0].note == "" and "No space left on device" in reports[-1].note
    told = trained(data, Checkpoints(keep))  # goes on from what was written before
    assert told[0] == weights and told[1][1].note.startswith("Goes on from epoch 2.")


@pytest.mark.parametrize("batch", [1, 4, 8, 9, 23, 48])
def test_stopping_after_any_step_and_going_on_gives_the_same_bits(data, keep, batch, unbroken):
    with pytest.raises(JobStopped):
        trained(data, Checkpoints(keep), stops_after(batch))
    weights, reports = trained(data, Checkpoints(keep))
    assert weights == unbroken[0]
    assert [r.losses for r in reports] == [r.losses for r in unbroken[1]]
    assert [r.validation_losses for r in reports] == [r.validation_losses for r in unbroken[1]]
    epoch, share = (batch - 1) // 8, ((batch - 1) % 8 + 1) / 8  # 128 users by 16
    note = f"Goes on from epoch {epoch + 1}, {share:.0%} of which was done."
    assert [r.note for r in reports] == [note if r.epoch == epoch + 1 else "" for r in reports]


OVERFIT = {"learning_rate": 0.03, "epochs": 40, "patience": 3, "contrastive_weight": 0}
"""Settings by which the noise below is learned by heart."""


@pytest.fixture(scope="module")
def noise():
    log = tiny_log(80)
    rng = np.random.default_rng(1)
    return data_of(replace(log, action=rng.integers(1, 4, log.n_events).astype(np.int32)))


def by_epoch(noise, **changes):
    """Weights after every epoch and at the end, and the reports."""
    encoder, seen, reports = fresh(noise), [], []
    with repeatable(1):
        options = OPTIONS.__class__(**OPTIONS.to_dict() | OVERFIT | changes)
        plan = training_plan(options, len(noise.fit_users))
        for report in train(encoder, noise, plan, Checkpoints(None), lambda share: None):
            seen.append(digest(encoder))
            reports.append(report)
    return seen, digest(encoder), reports


def test_the_weights_of_the_epoch_that_the_watched_users_liked_best_are_kept(noise):
    seen, ended, reports = by_epoch(noise)
    losses = [report.validation_losses["total"] for report in reports]
    best = int(np.argmin(losses))
    assert len(losses) - 1 - best == 3  # it ended early, three epochs after
    assert ended == seen[best] != seen[-1]
    assert reports[-1].note.startswith(f"The weights of epoch {best + 1} are kept")
    assert all(report.note == "" for report in reports[:-1])


def test_the_last_weights_stay_where_nobody_asked_for_better_or_nobody_can_tell(noise):
    for data, changes in (
        (noise, {"patience": 0, "epochs": 12}),
        (replace(noise, validation_users=noise.validation_users[:0]), {"epochs": 12}),
    ):
        seen, ended, reports = by_epoch(data, **changes)
        assert ended == seen[-1] and len(seen) == 12 and reports[-1].note == ""


def test_broken_off_after_the_best_epoch_the_same_weights_are_kept(noise, keep):
    seen, ended, _ = by_epoch(noise)
    with pytest.raises(JobStopped):  # 64 users by 16: in the middle of the last epoch but one
        trained(noise, Checkpoints(keep), stops_after(4 * len(seen) - 6), **OVERFIT)
    for _ in range(2):  # going on, and finding it finished
        assert trained(noise, Checkpoints(keep), **OVERFIT)[0] == ended


def test_a_training_that_was_finished_is_not_done_again(data, keep, unbroken):
    trained(data, Checkpoints(keep))
    ticks = []
    weights, reports = trained(data, Checkpoints(keep), ticks.append)
    assert (weights, ticks) == (unbroken[0], []) and len(reports) == 6


def test_leaving_the_loop_keeps_the_last_epoch(data, keep, unbroken):
    with repeatable(1):
        plan = training_plan(OPTIONS, len(data.fit_users))
        for report in train(fresh(data), data, plan, Checkpoints(keep), lambda share: None):
            if report.epoch == 3:
                break
    assert trained(data, Checkpoints(keep))[0] == unbroken[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"learning_rate": 0.01},
        {"window": 30},
        {"epochs": 7},
        {"dropout": 0.5},
        {"pooling": "last"},
    ],
)
def test_other_settings_begin_anew_and_say_so(data, keep, changes):
    def quick(checkpoints, epochs=2, dropout=0.0, pooling="mean", **others):
        encoder = fresh(data, Shape(dropout=dropout, pooling=pooling))
        return trained(data, checkpoints, encoder=encoder, epochs=epochs, **others)

    with pytest.raises(JobStopped):
        trained(data, Checkpoints(keep), stops_after(10), fresh(data), epochs=2)
    weights, reports = quick(Checkpoints(keep), **changes)
    assert "was passed over" in reports[0].note
    assert weights == quick(Checkpoints(None), **changes)[0]


def test_what_another_version_kept_is_not_gone_on_with(data, keep, monkeypatch):
    with pytest.raises(JobStopped):
        trained(data, Checkpoints(keep), stops_after(10))
    monkeypatch.setattr(training, "VERSION", 0)
    assert "was passed over" in trained(data, Checkpoints(keep))[1][0].note


def test_a_damaged_newest_state_costs_only_the_way_from_the_one_before(data, keep, unbroken):
    for steps in (20, 10):
        with pytest.raises(JobStopped):
            trained(data, Checkpoints(keep), stops_after(steps))
    assert [int(path.name.split("-")[0]) for path in folders(keep)] == [20, 30]
    newest = folders(keep)[-1] / "weights.safetensors"
    newest.write_bytes(newest.read_bytes()[:-7])
    weights, reports = trained(data, Checkpoints(keep))
    assert weights == unbroken[0]
    assert reports[2].note == (
        "A state kept after step 30 is damaged (weights.safetensors is not what was written) and "
        "was passed over. Goes on from epoch 3, 50% of which was done."
    )


def test_a_pause_while_representations_are_compared_stops_at_once():
    heard = []

    def stop(progress):
        heard.append(progress)
        if progress.epoch is not None:
            raise JobStopped("enough")

    options = AutoOptions(candidates=("lstm", "bag"), ladder_users=100)
    with pytest.raises(JobStopped, match="enough"):
        represent(tiny_log(), "auto", options, Work(report=stop))
    assert heard[-1].epoch.epoch == 1


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs a fork server")
def test_20_kills_at_random_moments_change_no_bit_of_the_result(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))  # for what is preloaded
    # Children run the main program's file again, which a test of a page may have put its own for.
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.core.representations.trained_alone"])

    def begun(keep, out):
        learning = processes.Event()
        process = processes.Process(target=main, args=(keep, out, 100, learning))
        process.start()
        assert learning.wait(60)
        return process

    begun(None, tmp_path / "unbroken").join()
    rng, keep, n_killed, moments = np.random.default_rng(0), tmp_path / "keep", 0, []
    while n_killed < 20:
        process = begun(keep, tmp_path / "broken")
        time.sleep(float(rng.uniform(0, 0.3)))
        assert process.exitcode is None, f"it ended after {n_killed} kills"
        process.kill()
        process.join()
        n_killed += 1
        newest = max((p.name for p in keep.glob("[0-9]*")), default="0-")
        moments.append(int(newest.split("-")[0]))
    begun(keep, tmp_path / "broken").join()
    unbroken, broken = (json.loads((tmp_path / n).read_text()) for n in ("unbroken", "broken"))
    print("\nsteps saved at the kills:", moments)
    assert broken["weights"] == unbroken["weights"]
    assert broken["losses"] == unbroken["losses"] and broken["watched"] == unbroken["watched"]
    assert len(set(moments)) > 5  # it was killed while learning
