"""Where numbers are crunched: picked by itself, and said with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from core.errors import OptionRefused

DeviceName = Literal["auto", "cuda", "mps", "cpu"]
T = TypeVar("T")
COUNTED_ON = "cpu (counting needs no GPU)"


@dataclass(frozen=True, kw_only=True)
class Device:
    """A device and why it was taken."""

    name: str
    """As PyTorch calls it: cuda, mps or cpu."""
    reason: str

    def __str__(self) -> str:
        return f"{self.name} ({self.reason})"


def pick(wanted: DeviceName) -> Device:
    """Take the device asked for, or the fastest there is.

    Raises OptionRefused where the device asked for is not there.
    """
    import torch

    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if wanted == "auto":
        return _fastest(there)
    if not there[wanted]:
        found = ", ".join(name for name, is_there in there.items() if is_there)
        raise OptionRefused(
            f"device is '{wanted}', but this machine has no {_KINDS[wanted]} that can be used. "
            f"It has: {found}. Take one of these, or auto."
        )
    return Device(name=wanted, reason="as chosen")


def _fastest(there: dict[str, bool]) -> Device:
    import torch

    if there["cuda"]:
        return Device(name="cuda", reason=f"GPU found: {torch.cuda.get_device_name()}")
    if there["mps"]:
        return Device(name="mps", reason="Apple GPU found")
    return Device(name="cpu", reason="no GPU found")


_KINDS = {"cuda": "NVIDIA GPU", "mps": "Apple GPU"}


@contextmanager
def repeatable(threads: int, device: str = "cpu") -> Iterator[None]:
    """Make PyTorch give the same bits for the same seed on a CPU, and undo it afterwards.

    The number of threads is part of it: sums are split by thread. On a GPU results are close,
    not identical.
    """
    import torch

    n_before = torch.get_num_threads()
    strict_before = torch.are_deterministic_algorithms_enabled()
    warn_before = torch.is_deterministic_algorithms_warn_only_enabled()
    cudnn_before = torch.backends.cudnn.deterministic
    memory: Any = torch.utils.deterministic
    fill_before = memory.fill_uninitialized_memory
    with torch.random.fork_rng():
        try:
            torch.set_num_threads(threads)
            torch.use_deterministic_algorithms(device == "cpu")
            torch.backends.cudnn.deterministic = True
            # guards programs that read memory before writing it; a sixth of the time of training
            memory.fill_uninitialized_memory = False
            yield
        finally:
            torch.set_num_threads(n_before)
            torch.use_deterministic_algorithms(strict_before, warn_only=warn_before)
            torch.backends.cudnn.deterministic = cudnn_before
            memory.fill_uninitialized_memory = fill_before


def with_room(
    run: Callable[[int], T],
    size: int,
    told: Callable[[int], None],
    least: int = 1,
    *,
    alone: bool = True,
) -> T:
    """What ``run(size)`` gives, with half the size again and again where the GPU has no room.

    ``told`` hears every new size before it is tried. Raises OptionRefused where even the least is
    too much, and at once where this process is not ``alone``: those that train together wait for
    one another at every step, so none can read less by itself.
    """
    import torch

    while True:
        try:
            return run(size)
        except torch.cuda.OutOfMemoryError:
            if not alone:
                raise OptionRefused(
                    f"The GPU of one of the processes has no room for {size} users per step, and "
                    "processes that train together must all read as many. Set batch_users to "
                    f"{max(least, size // 2)} for all of them, or make the network smaller."
                ) from None
            if size <= least:
                raise OptionRefused(
                    f"The GPU has no room even for {size} at a time. Set device to cpu, or make "
                    "the network smaller: its width (hidden), its layers or what it looks back "
                    "(window)."
                ) from None
        # Not while handling the error, which holds on to what filled the memory.
        size = max(least, size // 2)
        torch.cuda.empty_cache()
        told(size)
