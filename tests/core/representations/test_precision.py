"""Precision and room: the choice, its reason, and what becomes of a batch that does not fit."""

from dataclasses import replace
from types import SimpleNamespace
from typing import get_args

import numpy as np
import pytest
import torch

from core.device import Device, DeviceName, with_room
from core.errors import OptionRefused
from core.representations import learning, precision, trained
from core.representations._base import Work
from core.representations.encoder_options import EncoderOptions
from core.representations.precision import checked, pick_precision

QUICK = EncoderOptions(hidden=8, epochs=2, batch_users=16)
HAS = {"amx_bf16": True}


@pytest.fixture
def log(of_actions):
    rng = np.random.default_rng(0)
    return of_actions({f"{u:02d}": " ".join(rng.choice(list("abc"), 9)) for u in range(40)})


@pytest.mark.parametrize(
    ("wanted", "device", "known", "name", "reason"),
    [
        ("auto", "cpu", HAS, "float32", "repeats best"),
        ("bfloat16", "cpu", HAS, "bfloat16", "as chosen"),
        ("bfloat16", "cpu", {"avx512_bf16": True}, "bfloat16", "as chosen"),
        ("bfloat16", "cpu", {}, "float32", "this processor has no bfloat16"),
        ("auto", "cpu", {}, "float32", "this processor has no bfloat16"),
        ("float32", "cuda", HAS, "float32", "as chosen"),
        ("bfloat16", "mps", HAS, "float32", "not used on an Apple GPU"),
    ],
)
def test_the_precision_is_said_with_its_reason(monkeypatch, wanted, device, known, name, reason):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: known)
    picked = pick_precision(wanted, device)
    assert picked.name == name
    assert reason in str(picked)


@pytest.mark.parametrize(("has_it", "name"), [(True, "bfloat16"), (False, "float32")])
def test_a_gpu_that_has_bfloat16_uses_it_by_itself(monkeypatch, has_it, name):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: has_it)
    assert pick_precision("auto", "cuda").name == name


def test_training_in_bfloat16_gives_much_the_same_points_and_repeats(log, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: HAS)
    exact = learning.fit(log, QUICK, Work(), "cnn")  # it reads in bfloat16 on any processor
    options = EncoderOptions(**{**vars(QUICK), "precision": "bfloat16"})
    short, again = (learning.fit(log, options, Work(), "cnn") for _ in range(2))
    assert short.device.endswith(", bfloat16 (as chosen)")
    assert exact.device.split("), ")[1].startswith("float32 (repeats best")
    assert short.values.tobytes() == again.values.tobytes()
    assert 0 < np.abs(short.values - exact.values).max() < 0.1
    np.testing.assert_array_equal(trained.transform(short.state, log, "cnn"), short.values)


def test_what_dropout_leaves_out_does_not_speak_against_bfloat16(log, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: HAS)
    options = EncoderOptions(**{**vars(QUICK), "precision": "bfloat16", "dropout": 0.5})
    assert learning.fit(log, options, Work(), "cnn").device.endswith(", bfloat16 (as chosen)")


def test_a_short_precision_in_which_users_come_out_differently_is_not_taken(log):
    class Rounder(torch.nn.Module):
        """Reads the other way round where numbers are short."""

        autocast = None

        def __call__(self, batch):
            return batch["real"].float() * (1 if self.autocast is None else -1), None

        def pool(self, hidden, real):
            return hidden

    reader = Rounder()
    batch = {"real": torch.ones(3, 4, dtype=torch.bool)}
    wanted = precision.Precision(name="bfloat16", reason="as chosen")
    found = checked(wanted, reader, batch)
    assert str(found) == "float32 (in bfloat16 a user came out differently, cosine -1.0000)"
    assert reader.autocast is None


def test_what_the_gpu_has_no_room_for_is_tried_with_half_and_said():
    tried, told = [], []

    def run(size):
        tried.append(size)
        if size > 20:
            raise torch.cuda.OutOfMemoryError("full")
        return f"done with {size}"

    assert with_room(run, 100, told.append) == "done with 12"
    assert (tried, told) == ([100, 50, 25, 12], [50, 25, 12])


def test_where_not_even_one_fits_it_is_refused_with_a_way_out():
    def run(size):
        raise torch.cuda.OutOfMemoryError("full")

    with pytest.raises(OptionRefused, match=r"no room even for 1 at a time\. Set device to cpu"):
        with_room(run, 4, lambda size: None)


def test_training_that_does_not_fit_at_all_is_refused_too(log, monkeypatch):
    tried = []

    def full(encoder, data, plan, *rest):
        tried.append(plan.batch_users)
        raise torch.cuda.OutOfMemoryError("full")

    monkeypatch.setattr(learning, "train", full)
    with pytest.raises(OptionRefused, match="no room even for 2 at a time"):
        learning.fit(log, EncoderOptions(**{**vars(QUICK), "batch_users": 10}), Work())
    assert tried == [10, 5, 2]


def test_processes_that_train_together_refuse_instead_of_reading_fewer(log, monkeypatch):
    tried = []

    def full(encoder, data, plan, *rest):
        tried.append(plan.batch_users)
        raise torch.cuda.OutOfMemoryError("full")

    monkeypatch.setattr(learning, "train", full)
    monkeypatch.setattr(learning.Ranks, "here", lambda _: SimpleNamespace(rank=1, size=2))
    with pytest.raises(OptionRefused, match=r"no room for 16 users .* Set batch_users to 8"):
        learning.fit(log, QUICK, Work())
    assert tried == [16]


def test_smaller_batches_in_placing_are_said_too(log, monkeypatch):
    pooled_states = trained.pooled_states

    def crowded(encoder, sequences, scales, device, events_per_batch):
        if events_per_batch > 5_000:
            raise torch.cuda.OutOfMemoryError("full")
        return pooled_states(encoder, sequences, scales, device, events_per_batch)

    monkeypatch.setattr(trained, "pooled_states", crowded)
    fitted = learning.fit(log, QUICK, Work())
    assert fitted.device.endswith(", placed 4,096 events at a time (the GPU had no room for more)")


@pytest.mark.parametrize(
    ("asked", "there", "taken"),
    [
        ("cpu", ("cuda", "cpu"), "cpu"),
        ("auto", ("cuda", "cpu"), "cuda"),
        ("cuda", ("cpu",), "cpu"),  # where users are placed there may be none
    ],
)
def test_users_are_placed_where_the_run_was_told_to_train(log, monkeypatch, asked, there, taken):
    state = learning.fit(log, QUICK, Work()).state
    state = {**state, "device": np.array([trained.DEVICES.index(asked)])}

    def pick(wanted):
        if wanted not in (*there, "auto"):
            raise OptionRefused(f"no {wanted}")
        return Device(name=there[0] if wanted == "auto" else wanted, reason="")

    used = []

    def states(encoder, sequences, scales, device):
        used.append(device)
        return np.zeros((sequences.n_users, encoder.hidden), np.float32)

    monkeypatch.setattr(trained, "pick", pick)
    monkeypatch.setattr(trained, "states", states)
    monkeypatch.setattr(trained.EventEncoder, "to", lambda encoder, device: encoder)
    trained.transform(state, log)
    assert used == [taken]


def test_a_run_told_to_train_on_the_processor_says_so_in_its_state(log):
    told = learning.fit(log, replace(QUICK, device="cpu"), Work()).state["device"]
    assert trained.DEVICES[told[0]] == "cpu"
    assert set(trained.DEVICES) == set(get_args(DeviceName))


def test_other_errors_are_not_mistaken_for_a_lack_of_room():
    def run(size):
        raise RuntimeError("something else")

    with pytest.raises(RuntimeError, match="something else"):
        with_room(run, 4, lambda size: None)


def test_training_begins_anew_with_half_the_users_and_says_so(log, monkeypatch):
    train = learning.train
    heard = []

    def crowded(encoder, data, plan, *rest):
        if plan.batch_users > 4:
            raise torch.cuda.OutOfMemoryError("full")
        return train(encoder, data, plan, *rest)

    monkeypatch.setattr(learning, "train", crowded)
    fitted = learning.fit(log, QUICK, Work(report=heard.append))
    assert fitted.device.endswith(", 4 users per step (the GPU had no room for more)")
    assert heard[-2].text == "Placing every user" or len(heard) > 3
    plain = learning.fit(log, EncoderOptions(**{**vars(QUICK), "batch_users": 4}), Work())
    assert plain.values.tobytes() == fitted.values.tobytes()


def test_of_large_logs_a_gpu_reads_more_users_at_a_time():
    auto = EncoderOptions()
    assert learning.batch_users_of(auto, 50_000, "cuda") == 1024
    assert learning.batch_users_of(auto, 50_000, "cpu") == 256
    assert learning.batch_users_of(auto, 2_000, "cuda") == 64
    assert learning.batch_users_of(EncoderOptions(batch_users=99), 50_000, "cuda") == 99
