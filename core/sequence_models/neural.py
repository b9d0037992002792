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
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.artifacts import DoubleArray, LongArray, State
from core.schedule import step_size
from core.sequence_models.counts import Block, Counts, Memory, count, parts
from core.sequence_models.mixture import Mixture, log_likelihoods
from core.sequence_models.outcomes import Coding, Outcomes

READ = ("action", "category", "pause", "price", "duration")
"""What of the events in the window is read, and foretold of the next."""
_WIDTHS = {"action": 12, "category": 12, "pause": 8, "price": 4, "duration": 4}
_BESIDE = 8
"""Width of what is known of the very event when a part of it is foretold."""
EVENTS_PER_BATCH = 6_144
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
class Batch:
    """Some users' events as the network reads them."""

    window: dict[str, Tensor]  # (N, W) classes of the events before, from 1; 0 where none is
    beside: dict[str, Tensor]  # (N,) what is known of the event already
    values: dict[str, Tensor]  # (N,) what is to be foretold
    counted: dict[str, Tensor]  # (N,) 1 where it is
    chains: dict[str, Tensor]  # (N, K, V) logarithms of the chains' chances
    user: Tensor  # (N,) place of the event's user among the batch's users
    rest: Tensor  # (B, K) log likelihood of what only the chains foretell


class Reader:
    """Makes batches of users out of outcomes and the chains."""

    def __init__(  # noqa: PLR0913
        self,
        outcomes: Outcomes,
        memory: Memory,
        mixture: Mixture,
        window: int,
        device: str = "cpu",
        at_once: int = EVENTS_PER_BATCH,
    ) -> None:
        self.outcomes, self.window, self.device = outcomes, window, device
        self.at_once = at_once
        counts = count(outcomes, memory)
        self.fields = [name for name in READ if name in outcomes.told]
        self._parts = {_field(part.name): part for part in parts(outcomes, memory)}
        self._rows = {name: self._parts[name].rows() for name in self.fields}
        blocks = {_field(block.name): block for block in counts.blocks}
        self._tables = {name: _table(mixture, blocks[name]) for name in self.fields}
        self._stays = blocks["category"].stays if "category" in blocks else False
        self.rest = _rest(mixture, counts, self.fields)

    def batches(self, users: LongArray, rng: np.random.Generator | None) -> Iterator[LongArray]:
        """Users in batches of about as many events each; in random order with ``rng``."""
        order = users if rng is None else rng.permutation(users)
        cost = np.cumsum(np.diff(self.outcomes.offsets)[order])
        yield from np.split(order, np.flatnonzero(np.diff(cost // self.at_once)) + 1)

    def read(self, users: LongArray) -> Batch:
        o = self.outcomes
        lengths = np.diff(o.offsets)[users]
        user = np.repeat(np.arange(len(users)), lengths)
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        place = np.arange(len(user)) - starts[user]
        events = o.offsets[users][user] + place
        back = np.arange(self.window, 0, -1)
        there = place[:, None] >= back
        before = np.where(there, events[:, None] - back, 0)
        values = {name: getattr(o, name) for name in self.fields}
        parts = self._parts
        return Batch(
            window={
                name: self._to(np.where(there, codes[before] + 1, 0))
                for name, codes in values.items()
            },
            beside={name: self._to(_beside(name, o, events)) for name in self.fields},
            values={name: self._to(codes[events]) for name, codes in values.items()},
            counted={
                name: self._to(_counted(parts[name].counted, events).astype(np.float32))
                for name in self.fields
            },
            chains={name: self._chains(name, events) for name in self.fields},
            user=self._to(user),
            rest=self._to(self.rest[users].astype(np.float32)),
        )

    def _chains(self, name: str, events: LongArray) -> Tensor:
        """Logarithms of the chains' chances of every outcome of some events, (N, K, V)."""
        table, rows = self._tables[name], self._rows[name][events]
        if name != "category" or not self._stays:
            return self._to(table[rows])
        # Kinds: 0 first, then another and the same by turns; all outcomes but the last are others.
        other = np.where(rows == 0, 0, rows - (rows % 2 == 0))
        found = table[other]
        again = np.flatnonzero(rows > 0)
        last = self.outcomes.category[events[again] - 1]
        found[again, :, last] = table[other[again] + 1, :, last]
        return self._to(found)

    def _to(self, values: npt.NDArray[Any]) -> Tensor:
        return torch.from_numpy(values).to(self.device)


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
    n_batches = max(1, sum(1 for _ in reader.batches(fitted, None)))
    n_steps, step = plan.epochs * n_batches, 0
    yield Epoch(epoch=0, bits=math.nan, watched_bits=foretold(net, shares, reader, watched))
    for epoch in range(1, plan.epochs + 1):
        total, n_events = 0.0, 0
        for users in reader.batches(fitted, rng):
            batch = reader.read(users)
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


@torch.no_grad()
def foretold(net: Corrections, shares: Tensor, reader: Reader, users: LongArray) -> DoubleArray:
    """Log likelihood of every user under the mixture, (U,), in bits."""
    found = np.zeros(len(users))
    done = 0
    for some in reader.batches(users, None):
        batch = reader.read(some)
        each = _users(net(batch), shares, batch)
        found[done : done + len(some)] = each.cpu().double().numpy() / _NATS_PER_BIT
        done += len(some)
    return found


@torch.no_grad()
def memberships(net: Corrections, shares: Tensor, reader: Reader) -> DoubleArray:
    """Membership of every user of the reader by Bayes' rule, (U, K)."""
    users = np.arange(reader.outcomes.n_users)
    found = np.zeros((len(users), len(shares)))
    for some in reader.batches(users, None):
        batch = reader.read(some)
        scores = _joint(net(batch), shares, batch)
        found[some] = torch.softmax(scores.cpu().double(), dim=1).numpy()
    return found


def _users(events: Tensor, shares: Tensor, batch: Batch) -> Tensor:
    return torch.logsumexp(_joint(events, shares, batch), dim=1)


def _joint(events: Tensor, shares: Tensor, batch: Batch) -> Tensor:
    """Log joint likelihood of every user and segment, (B, K), with a background (B, K + 1)."""
    k = events.shape[1]
    sums = torch.zeros(len(batch.rest), k, device=events.device).index_add(0, batch.user, events)
    whole = torch.cat([sums + batch.rest[:, :k], batch.rest[:, k:]], dim=1)
    return whole + torch.log_softmax(shares, dim=0)


def _field(name: str) -> str:
    return "category" if name == "staying" else name


def _table(mixture: Mixture, block: Block) -> npt.NDArray[np.float32]:
    """Logarithms of the chances of one block, (rows, K, V)."""
    table = mixture.logs[block.columns].reshape(block.rows, block.width, mixture.k)
    return np.ascontiguousarray(np.moveaxis(table, 2, 1))


def _rest(mixture: Mixture, counts: Counts, fields: list[str]) -> DoubleArray:
    """Log likelihood (U, K) of what the network does not foretell; then that of a background."""
    logs = np.array(mixture.logs)
    for block in counts.blocks:
        if _field(block.name) in fields:
            logs[block.columns] = 0.0
    rest = np.asarray(counts.matrix @ logs, dtype=np.float64)
    if not mixture.has_background:
        return rest
    return np.column_stack([rest, log_likelihoods(mixture, counts)[:, -1]])


def _beside_size(name: str, sizes: Mapping[str, int]) -> int:
    return {"pause": 1, "action": 2}.get(name, sizes["action"])


def _beside(name: str, o: Outcomes, events: LongArray) -> LongArray:
    """What is known of an event when its ``name`` is foretold: nothing, the border, the action."""
    if name == "pause":
        return np.zeros(len(events), dtype=np.int64)
    return o.breaks[events].astype(np.int64) if name == "action" else o.action[events]


def _counted(counted: npt.NDArray[np.bool_] | None, events: LongArray) -> npt.NDArray[np.bool_]:
    return np.ones(len(events), dtype=np.bool_) if counted is None else counted[events]
