"""Segments of any origin made better by the strong form, and kept only where that is seen.

Start from memberships (of the chains, of K-means, of rules), train the network on the users to fit
and look at how well the watched users are foretold; where it is not surely better than the chains
of the same start, nothing is changed and that is told.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from core.artifacts import (
    TEST,
    VALIDATE,
    BehaviourModels,
    DoubleArray,
    FloatArray,
    LongArray,
    Sequences,
    SideArray,
    State,
)
from core.device import repeatable, with_room
from core.sequence_models import background
from core.sequence_models.counts import Counts, count
from core.sequence_models.held_out import SURELY, Foretold
from core.sequence_models.mixture import Mixture, everyone_of, fit
from core.sequence_models.models import (
    NET_SHAPE,
    blocks_of_users,
    memory_of,
    mixture_of,
    state_of_one,
)
from core.sequence_models.neural import Corrections, Epoch, Plan, memberships, train
from core.sequence_models.outcomes import Coding, Outcomes, outcomes_of
from core.sequence_models.reading import EVENTS_PER_BATCH, Reader

_NET = "net."
"""What names of the network's weights begin with in a state."""


@dataclass(frozen=True, kw_only=True)
class Refined:
    """What came of a start."""

    state: State
    """What placing users needs: the chains, and the network where it was kept."""
    k: int
    kept: bool
    """Whether the network foretells the watched users surely better than the chains alone."""
    foretold: Foretold
    """The watched users by the network and by the chains alone, (V, 2), as `judged`."""
    epochs: tuple[tuple[float, float], ...]
    """Bits per event on the users fitted and on those watched, after each epoch."""
    room: str = ""
    """What is to be said where the GPU had no room for a batch of the usual size."""

    @property
    def gain(self) -> float:
        """Bits per event by which the network foretells better than the chains alone."""
        return float(self.foretold.behind(0)[0][1])

    @property
    def error(self) -> float:
        """Standard error of ``gain``."""
        return float(self.foretold.behind(0)[1][1])

    @property
    def bits(self) -> float:
        """Bits per event on the watched users of what is kept."""
        return float(self.foretold.per_event()[0 if self.kept else 1])


def refine(  # noqa: PLR0913
    models: BehaviourModels,
    sequences: Sequences,
    start: DoubleArray,
    plan: Plan,
    users: LongArray,
    seed: int,
    *,
    device: str = "cpu",
    threads: int = 1,
    tell: Callable[[int], None] = lambda epoch: None,
) -> Refined:
    """Train the network from memberships ``start`` (U, K), with a background (U, K + 1).

    ``users`` are those to train and watch on; of these the validation users are watched (every
    seventh where there is none). Test users are not looked at. ``device`` is as PyTorch calls it;
    on a CPU the same seed and threads give the same bytes.
    """
    coding, memory = Coding.from_state(models.state), memory_of(models.state)
    fitted, watched = _sides(np.asarray(sequences.split), users)
    outcomes = outcomes_of(sequences, coding, np.concatenate([fitted, watched]))
    known, unseen = np.arange(len(fitted)), np.arange(len(fitted), len(fitted) + len(watched))
    chains = _chains(count(outcomes, memory).take(known), start[fitted], models.sets_aside)
    said: list[str] = []

    def attempt(at_once: int) -> tuple[list[Epoch], _Best]:
        reader = Reader(outcomes, memory, chains, plan.window, device, at_once)
        torch.manual_seed(seed)
        net = Corrections(outcomes.sizes, outcomes.told, chains.k, plan).to(device)
        shares = _shares(chains, device)
        epochs = train(net, shares, reader, known, unseen, plan, seed)
        return _trained(epochs, net, shares, plan, tell)

    def halved(at_once: int) -> None:
        said[:] = [f"The network read {at_once:,} events at a time: the GPU had no room for more."]

    with repeatable(threads, device):
        seen, best = with_room(attempt, EVENTS_PER_BATCH, halved)
    n_events = np.diff(outcomes.offsets)[unseen]
    foretold = judged([one.watched_bits for one in seen], n_events)
    gains, errors = foretold.behind(0)
    kept = bool(gains[1] > SURELY * errors[1])
    state = state_of_one(models.state, chains)
    if kept:
        state = {**state, **_of_net(best, plan), "net_threads": np.array([threads])}
    whole = max(1, int(n_events.sum()))
    return Refined(
        state=state,
        k=chains.k,
        kept=kept,
        foretold=foretold,
        epochs=tuple((one.bits, float(one.watched_bits.sum()) / whole) for one in seen),
        room="".join(said),
    )


def refined_members(state: State, sequences: Sequences, k: int) -> FloatArray:
    """Membership of every user by a network that was kept, (U, K) or (U, K + 1), in blocks.

    With as many threads as it was trained with, so that the same users come out the same.
    """
    coding, memory, chains = Coding.from_state(state), memory_of(state), mixture_of(state, k)
    shares = torch.from_numpy(np.array(state["net_shares"]))
    parts = [np.zeros((0, len(chains.shares)))]
    with repeatable(int(state["net_threads"][0])):
        for users in blocks_of_users(sequences):
            outcomes = outcomes_of(sequences, coding, users)
            net, window = _net_of(state, outcomes, k)
            parts.append(memberships(net, shares, Reader(outcomes, memory, chains, window)))
    return np.concatenate(parts).astype(np.float32)


def judged(epochs: Sequence[DoubleArray], n_events: LongArray) -> Foretold:
    """The watched users as the trained network foretells them, and as the chains (epoch 0) do.

    ``epochs`` hold every watched user's bits (V,). Who chooses an epoch may not judge it, or the
    best of several would look good by chance: one half of the users is judged at the epoch that
    the other half finds best.
    """
    bits = np.stack(epochs)  # (epochs, V)
    half = np.arange(bits.shape[1]) % 2 == 0
    chosen = [bits[:, part].sum(axis=1).argmax() for part in (~half, half)]
    network = np.where(half, bits[chosen[0]], bits[chosen[1]])
    return Foretold(bits=np.stack([network, bits[0]], axis=1), n_events=n_events)


@dataclass(frozen=True, kw_only=True)
class _Best:
    """The network as it was when the watched users were foretold best."""

    watched: DoubleArray  # (V,)
    weights: Mapping[str, torch.Tensor]
    shares: torch.Tensor


def _trained(
    epochs: Iterator[Epoch],
    net: Corrections,
    shares: torch.Tensor,
    plan: Plan,
    tell: Callable[[int], None],
) -> tuple[list[Epoch], _Best]:
    """Train until the watched users are foretold no better; epoch 0 is the chains alone."""
    first = next(epochs)
    seen, since = [first], 0
    best = _Best(watched=first.watched_bits, weights={}, shares=shares)
    for epoch in epochs:
        tell(epoch.epoch)
        seen.append(epoch)
        since += 1
        if epoch.watched_bits.sum() > best.watched.sum():
            weights = copy.deepcopy(net.state_dict())
            now = shares.detach().clone()
            best, since = _Best(watched=epoch.watched_bits, weights=weights, shares=now), 0
        if since >= plan.patience:
            break
    return seen, best


def _sides(split: SideArray, users: LongArray) -> tuple[LongArray, LongArray]:
    """Users to fit and users to watch; the test users are neither, where there are others."""
    others = users[split[users] != TEST]
    chosen = others if len(others) > 1 else users
    watched = split[chosen] == VALIDATE
    if not 1 < watched.sum() < len(chosen) - 1:
        watched = np.arange(len(chosen)) % 7 == 0
    return chosen[~watched], chosen[watched]


def _chains(counts: Counts, start: DoubleArray, sets_aside: bool) -> Mixture:
    """The chains of the users to fit that follow from their memberships."""
    own = background.own_likelihoods(counts, everyone_of(counts)) if sets_aside else None
    return fit(counts, start, own, hot=1.0)


def _shares(chains: Mixture, device: str) -> torch.nn.Parameter:
    logs = torch.tensor(np.log(chains.shares), dtype=torch.float32, device=device)
    return torch.nn.Parameter(logs)


def _of_net(best: _Best, plan: Plan) -> State:
    arrays = {_NET + name: value.cpu().numpy() for name, value in best.weights.items()}
    return {
        **arrays,
        "net_shares": best.shares.cpu().numpy(),
        NET_SHAPE: np.array([plan.hidden, plan.window]),
    }


def _net_of(state: State, outcomes: Outcomes, k: int) -> tuple[Corrections, int]:
    """The network of a state, and its window."""
    hidden, window = (int(value) for value in state[NET_SHAPE])
    net = Corrections(outcomes.sizes, outcomes.told, k, Plan(hidden=hidden, window=window))
    net.load_state_dict(
        {
            name.removeprefix(_NET): torch.from_numpy(np.array(value))
            for name, value in state.items()
            if name.startswith(_NET)
        }
    )
    return net, window
