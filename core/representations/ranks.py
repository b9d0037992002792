"""The processes that train together, each on users of its own; alone unless launched together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

from core.representations.standing import Tally


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """Which process this is, and what all of them agree on.

    After every step all ranks hold the same weights: each has summed the same numbers. Alone,
    nothing is computed at all, so that one process gives the very bytes it gives without ranks.
    """

    rank: int
    size: int
    objectives: tuple[str, ...]
    """Names of all losses that a rank may have, in an order all agree on."""

    @classmethod
    def here(cls, objectives: Sequence[str]) -> Ranks:
        """The ranks of the process group, if there is one."""
        together = dist.is_available() and dist.is_initialized()
        rank, size = (dist.get_rank(), dist.get_world_size()) if together else (0, 1)
        return cls(rank=rank, size=size, objectives=tuple(sorted(objectives)))

    def begin_alike(self, encoder: nn.Module) -> None:
        """Give all ranks the weights of the first."""
        if self.size > 1:
            for value in encoder.state_dict().values():
                dist.broadcast(value, src=0)

    def average(self, parameters: Sequence[nn.Parameter], n_users: int, tally: Tally) -> Tally:
        """Make every gradient the mean over the ranks, weighted by users; returns what all read.

        A rank without a batch takes part with 0 users. Where no rank has a gradient there is
        none afterwards, as in a process alone. One message: gradients, who has which, and tallies.
        """
        if self.size == 1:
            return tally
        has = [p.grad is not None for p in parameters]
        weight = n_users if any(has) else 0
        told = [*map(float, has), float(weight), *tally.to_numbers(self.objectives)]
        device = parameters[0].device
        gradients = [_flat(p) * weight for p in parameters]
        buffer = torch.cat([*gradients, torch.tensor(told, device=device)])
        dist.all_reduce(buffer)
        sizes = [p.numel() for p in parameters]
        *means, known = torch.split(buffer, [*sizes, len(told)])
        numbers: list[float] = known.tolist()
        n_with, total, rest = numbers[: len(has)], numbers[len(has)], numbers[len(has) + 1 :]
        for p, gradient, n in zip(parameters, means, n_with, strict=True):
            p.grad = (gradient / total).view_as(p) if n else None
        return Tally.from_numbers(self.objectives, rest)

    def total(self, tally: Tally) -> Tally:
        """What all ranks have read together."""
        if self.size == 1:
            return tally
        numbers = torch.tensor(tally.to_numbers(self.objectives), dtype=torch.float64)
        return Tally.from_numbers(self.objectives, self._summed(numbers).tolist())

    def most(self, number: int) -> int:
        """The largest of the ranks' numbers."""
        if self.size == 1:
            return number
        return max(self._gathered(number))

    def all_have(self, number: int) -> bool:
        """Whether the number (below 2^63) is the same on all ranks."""
        return self.size == 1 or len(set(self._gathered(number))) == 1

    def share(self, payload: bytes) -> bytes:
        """What the first rank has, on every rank."""
        if self.size == 1:
            return payload
        n_bytes = self._gathered(len(payload))[0]
        if not n_bytes:
            return b""
        content = torch.zeros(n_bytes, dtype=torch.uint8)
        if self.rank == 0:
            content = torch.frombuffer(bytearray(payload), dtype=torch.uint8)
        content = content.to(self._device)
        dist.broadcast(content, src=0)
        return content.cpu().numpy().tobytes()

    def _gathered(self, number: int) -> list[int]:
        """The number of every rank."""
        own = torch.zeros(self.size, dtype=torch.int64)
        own[self.rank] = number
        return [int(n) for n in self._summed(own).tolist()]

    def _summed(self, numbers: Tensor) -> Tensor:
        numbers = numbers.to(self._device)
        dist.all_reduce(numbers)
        return numbers.cpu()

    @property
    def _device(self) -> str:
        return "cuda" if dist.get_backend() == "nccl" else "cpu"


def _flat(parameter: nn.Parameter) -> Tensor:
    gradient = parameter.grad
    return (torch.zeros_like(parameter) if gradient is None else gradient).flatten()
