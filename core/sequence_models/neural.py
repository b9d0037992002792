"""The strong form: one small shared network reads a short window, each segment has its own heads.

    p(user) = sum_k pi_k prod_t p(event_t | the last few events, k)

The network corrects a mixture of Markov chains: its output is added to the logarithms of the
chain's chances, and begins at 0. So training begins at the chains, whatever segments they were made
of (those of EM, or of any other algorithm), and every step is judged on users that are not fitted.
The window must be short: a decoder that sees the whole history knows the segment from it, and the
segment explains nothing. What lasts in a user goes to the segment, what is local to the window.

Letters in shapes: N events of a batch, W window, H hidden width, K segments, V classes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.artifacts import DoubleArray, LongArray, State
from core.schedule import step_size
from core.sequence_models.mixture import bayes
from core.sequence_models.outcomes import Coding
from core.sequence_models.reading import READ, Batch, Reader

_WIDTHS = {"action": 12, "category": 12, "pause": 8, "price": 4, "duration": 4}
_BESIDE = 8
"""Width of what is known of the very event when a part of it is foretold."""
_MOST_GRADIENT = 1.0
_NATS_PER_BIT = math.log(2)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How the network is built and trained."""

    hidden: int
    window: int
    epochs: int = 8
    patience: int = 2
    """Epochs without better foretold watched users after which training ends."""
    learning_rate: float = 4e-3


def can_read(state: State) -> bool:
    """Whether events as models of this state read them tell anything that a network reads."""
    return not Coding.from_state(state).names_told().isdisjoint(READ)


class Corrections(nn.Module):
    """What the window tells beyond the chains, for everyone and for every segment."""

    def __init__(self, sizes: Mapping[str, int], told: frozenset[str], k: int, plan: Plan) -> None:
        super().__init__()
        self.fields = [name for name in READ if name in told]
        self.words = nn.ModuleDict(
            {name: nn.Embedding(sizes[name] + 1, _WIDTHS[name]) for name in self.fields}
        )
        width = sum(_WIDTHS[name] for name in self.fields)
        self.lstm = nn.LSTM(width, plan.hidden, batch_first=True)
        self.beside = nn.ModuleDict(
            {name: nn.Embedding(_beside_size(name, sizes), _BESIDE) for name in self.fields}
        )
        self.mixed = nn.ModuleDict(
            {name: nn.Linear(plan.hidden + _BESIDE, plan.hidden) for name in self.fields}
        )
        self.shared = nn.ModuleDict(
            {name: nn.Linear(plan.hidden, sizes[name]) for name in self.fields}
        )
        self.own = nn.ParameterDict(
            {name: torch.zeros(k, sizes[name], plan.hidden) for name in self.fields}
        )
        for head in self.shared.values():
            nn.init.zeros_(head.weight)  # type: ignore[arg-type]
            nn.init.zeros_(head.bias)  # type: ignore[arg-type]

    def forward(self, batch: Batch) -> Tensor:
        """Log likelihood of every event under every segment, (N, K), in nats."""
        window = torch.cat(
            [self.words[name](batch.window[name]) for name in self.fields], dim=-1
        )  # (N, W, width)
        _, (state, _) = self.lstm(window)
        total = torch.zeros(())
        for name in self.fields:
            known = torch.cat([state[0], self.beside[name](batch.beside[name])], dim=-1)
            seen = torch.tanh(self.mixed[name](known))  # (N, H)
            own = torch.einsum("nh,kvh->nkv", seen, self.own[name])
            scores = batch.chains[name] + own + self.shared[name](seen)[:, None]
            picked = F.log_softmax(scores, dim=-1).gather(
                2, batch.values[name][:, None, None].expand(-1, scores.shape[1], 1)
            )[..., 0]
            total = total + picked * batch.counted[name][:, None]
        return total


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """How training stands; bits per event on the users fitted and on those watched."""

    epoch: int
    bits: float
    watched_bits: DoubleArray  # (V,) whole log likelihood of every watched user, in bits


def train(  # noqa: PLR0913
    net: Corrections,
    shares: Tensor,
    reader: Reader,
    fitted: LongArray,
    watched: LongArray,
    plan: Plan,
    seed: int,
) -> Iterator[Epoch]:
    """Train in place, an epoch at a time; epoch 0 is the chains alone. ``shares`` (K,) are logs.

    The loss is the marginal likelihood itself: its gradient is that of EM with memberships of the
    moment, taken on mini-batches of whole users.
    """
    rng = np.random.default_rng([seed, 21])
    optimizer = torch.optim.AdamW([*net.parameters(), shares], lr=plan.learning_rate)
    n_batches = max(1, sum(1 for _ in reader.batches(fitted, np.random.default_rng(seed))))
    n_steps, step = plan.epochs * n_batches, 0
    yield Epoch(epoch=0, bits=math.nan, watched_bits=foretold(net, shares, reader, watched))
    for epoch in range(1, plan.epochs + 1):
        total, n_events = 0.0, 0
        for stretch in reader.batches(fitted, rng):
            batch = reader.read(stretch)
            each = _users(net(batch), shares, batch)
            loss = -each.sum() / len(batch.user)
            for group in optimizer.param_groups:
                group["lr"] = plan.learning_rate * step_size(step / n_steps)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(net.parameters(), _MOST_GRADIENT)
            optimizer.step()
            total += float(each.detach().sum())
            n_events += len(batch.user)
            step += 1
        yield Epoch(
            epoch=epoch,
            bits=total / max(1, n_events) / _NATS_PER_BIT,
            watched_bits=foretold(net, shares, reader, watched),
        )


def foretold(net: Corrections, shares: Tensor, reader: Reader, users: LongArray) -> DoubleArray:
    """Log likelihood of every user under the mixture, (U,), in bits."""
    return bayes(_joint(net, shares, reader, users))[1] / _NATS_PER_BIT


def memberships(net: Corrections, shares: Tensor, reader: Reader) -> DoubleArray:
    """Membership of every user of the reader by Bayes' rule, (U, K)."""
    return bayes(_joint(net, shares, reader, np.arange(reader.outcomes.n_users)))[0]


@torch.no_grad()
def _joint(net: Corrections, shares: Tensor, reader: Reader, users: LongArray) -> DoubleArray:
    """Log joint likelihood of every user and segment, (U, K), with a background (U, K + 1).

    A user's events add up, so they are read in pieces, however long its history.
    """
    found = np.array(reader.rest[users])
    for stretch in reader.pieces(users):
        batch = reader.read(stretch)
        sums = _by_user(net(batch), batch).cpu().double().numpy()
        found[stretch.rows, : sums.shape[1]] += sums
    return np.asarray(found + torch.log_softmax(shares, dim=0).cpu().double().numpy())


def _users(events: Tensor, shares: Tensor, batch: Batch) -> Tensor:
    """Log likelihood of every user under the mixture, (B,), in nats."""
    k = events.shape[1]
    sums = _by_user(events, batch)
    whole = torch.cat([sums + batch.rest[:, :k], batch.rest[:, k:]], dim=1)
    return torch.logsumexp(whole + torch.log_softmax(shares, dim=0), dim=1)


def _by_user(events: Tensor, batch: Batch) -> Tensor:
    """Sums (B, K) of what the events of every user of the batch have, (N, K)."""
    zeros = torch.zeros(len(batch.rest), events.shape[1], device=events.device)
    return zeros.index_add(0, batch.user, events)


def _beside_size(name: str, sizes: Mapping[str, int]) -> int:
    return {"pause": 1, "action": 2}.get(name, sizes["action"])
