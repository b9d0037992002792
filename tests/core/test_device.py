import pytest
import torch

from core.device import pick, repeatable
from core.errors import OptionRefused


def test_the_device_is_said_with_its_reason(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert str(pick("auto")) == "cpu (no GPU found)"
    assert str(pick("cpu")) == "cpu (as chosen)"


def test_an_apple_gpu_is_taken_where_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert str(pick("auto")) == "mps (Apple GPU found)"


def test_a_gpu_that_is_not_there_is_refused_with_what_there_is(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(OptionRefused, match=r"no NVIDIA GPU .* It has: cpu\."):
        pick("cuda")


def test_nothing_global_is_left_changed():
    before = (
        torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(),
        torch.get_rng_state().sum(),
    )
    with pytest.raises(RuntimeError, match="on the way"), repeatable(1):
        torch.manual_seed(5)
        torch.rand(3)
        assert torch.get_num_threads() == 1
        raise RuntimeError("on the way")
    assert before == (
        torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(),
        torch.get_rng_state().sum(),
    )
