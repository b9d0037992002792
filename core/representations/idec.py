"""The encoder drawn towards segments: an IDEC-style refinement, kept where it costs nothing.

Centres are found by K-means among the users' directions; Student-t soft assignments Q of the
stretches read are pulled towards a sharpened target P of the whole users, while the next event
goes on being guessed. Source: Guo et al., 2017, "Improved Deep Embedded Clustering with Local
Structure Preservation"; the target is that of Xie et al., 2016, "Unsupervised Deep Embedding for
Clustering Analysis".
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.artifacts import DoubleArray, LongArray, Metric
from core.geometry import effective_rank
from core.representations.batches import Portions, epoch_batches
from core.representations.encoder import EventEncoder
from core.representations.placing import pooled_states
from core.representations.pooling import direction
from core.representations.source import TrainingData, TrainingPlan
from core.wording import percent

_LEARNING_RATE = 1e-3
_PULL = 0.1
"""Weight of the pull beside the guesses (gamma in Guo et al.)."""
_STILL = 0.001
"""Share of users with another segment under which it ends."""
_COLLAPSED = 0.5
"""Share of the directions in use below which the points have collapsed onto the centres."""
_WATCHED_AT_ONCE = 16
_MOST_GRADIENT = 1.0
_ORDER, _HIDDEN, _WATCHED = 31, 32, 33
"""What dice are thrown for, apart from those of the training before."""
NAME = "drawn_to_segments"


@dataclass(frozen=True, kw_only=True)
class Pull:
    """How the encoder is drawn."""

    k: int
    epochs: int
    seed: int


def draw_to_segments(
    encoder: EventEncoder,
    data: TrainingData,
    plan: TrainingPlan,
    pull: Pull,
    tell: Callable[[int], None] = lambda epoch: None,
) -> Metric:
    """Refine a trained encoder in place, or leave it as it was; the finding says which and why.

    Reverted where the next events of the validation users are guessed worse on average, however
    little, where the points collapse, and where nobody is watched. It
    keeps no work of its own: begun again from the trained encoder it ends at the same bytes (CPU).
    """
    if pull.k < 2 or not len(data.validation_users):
        why = "there is but one segment" if pull.k < 2 else "nobody is left out to judge it by"
        return Metric(name=NAME, value=None, note=f"Not tried, as {why}.")
    kept = copy.deepcopy(encoder.state_dict())
    before, began = _watched(encoder, data, plan), _states(encoder, data)
    if not len(before):
        return Metric(name=NAME, value=None, note="Not tried, as no user left out has two events.")
    centres = nn.Parameter(_centres(began[data.fit_users], pull))
    first = _soft(began, centres).argmax(dim=1)
    optimizer = torch.optim.AdamW([*encoder.parameters(), centres], lr=_LEARNING_RATE)
    labels = first
    for epoch in range(1, pull.epochs + 1):
        tell(epoch)
        target = _target(_soft(_states(encoder, data), centres), data.fit_users)
        _epoch(encoder, data, plan, centres, target, optimizer, (pull.seed, epoch))
        now = _soft(_states(encoder, data), centres).argmax(dim=1)
        moved, labels = float((now != labels).float().mean()), now
        if moved < _STILL:
            break
    after, ended = _watched(encoder, data, plan), _states(encoder, data)
    ranks = (effective_rank(began.cpu().numpy()), effective_rank(ended.cpu().numpy()))
    share = float((labels != first).float().mean())
    found, stays = _verdict(before, after, ranks, share, pull.k)
    if not stays:
        encoder.load_state_dict(kept)
    return found


def _verdict(
    before: DoubleArray, after: DoubleArray, ranks: tuple[float, float], share: float, k: int
) -> tuple[Metric, bool]:
    """Whether the drawing stays, told with its figures; ``share`` of the users changed segment."""
    worse = after - before
    error = float(worse.std(ddof=1) / math.sqrt(len(worse))) if len(worse) > 1 else math.inf
    collapsed = ranks[1] < _COLLAPSED * ranks[0]
    stays = not collapsed and float(worse.mean()) <= 0.0
    verdict = "Kept" if stays else "Reverted, as the points collapsed" if collapsed else "Reverted"
    metric = Metric(
        name=NAME,
        value=share if stays else 0.0,
        note=(
            f"{verdict}: drawn towards {k} segments, {percent(share)} of the users changed "
            f"theirs; guessing the next event of users left out costs {before.mean():.4f} nats "
            f"before and {after.mean():.4f} after (difference {worse.mean():+.4f} ± {error:.4f}), "
            f"directions in use {ranks[0]:.1f} and {ranks[1]:.1f}. Such drawing makes segments "
            "look more apart than behaviour is; compare with and without."
        ),
    )
    return metric, stays


def _epoch(  # noqa: PLR0913
    encoder: EventEncoder,
    data: TrainingData,
    plan: TrainingPlan,
    centres: nn.Parameter,
    target: Tensor,
    optimizer: torch.optim.Optimizer,
    place: tuple[int, int],
) -> None:
    """Read every user to fit once."""
    encoder.train()
    rng = np.random.default_rng([*place, _HIDDEN])
    torch.manual_seed(int(rng.integers(2**62)))  # layers that throw their own dice
    parameters = [*encoder.parameters(), centres]
    for batch in epoch_batches(
        data.sequences,
        data.fit_users,
        plan.portions,
        lambda number: np.random.default_rng([*place, _ORDER, number]),
    ):
        read = data.training_tensors(batch, rng)
        if not read["real"][:, 1:].any():  # nothing follows anything
            continue
        hidden, _ = encoder(read)
        losses = encoder.next_event_losses(hidden, read)
        guesses = [plan.weights[name] * loss for name, loss in losses.items()]
        soft = _soft(direction(encoder.pool(hidden, read["real"])), centres)
        of_users = target[torch.from_numpy(data.users_of(batch))]
        pulled = F.kl_div(soft.log(), of_users, reduction="batchmean")
        optimizer.zero_grad(set_to_none=True)
        torch.stack([*guesses, _PULL * pulled]).sum().backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(parameters, _MOST_GRADIENT)
        optimizer.step()


@torch.no_grad()
def _watched(encoder: EventEncoder, data: TrainingData, plan: TrainingPlan) -> DoubleArray:
    """Loss at the next event of some validation users at a time, in nats; the same ones always."""
    encoder.eval()
    portions = Portions(batch_users=_WATCHED_AT_ONCE, window=plan.window)
    found = []
    for batch in epoch_batches(
        data.sequences,
        data.validation_users,
        portions,
        lambda number: np.random.default_rng([_WATCHED, number]),
    ):
        read = data.tensors(batch)
        if not read["real"][:, 1:].any():
            continue
        losses = encoder.next_event_losses(encoder(read)[0], read)
        found.append(sum(plan.weights[name] * float(loss) for name, loss in losses.items()))
    return np.array(found, dtype=np.float64)


def _states(encoder: EventEncoder, data: TrainingData) -> Tensor:
    """Where all users stand, by direction alone, shape (U, H)."""
    states = pooled_states(encoder, data.sequences, data.scales, data.device)
    return direction(torch.from_numpy(states).to(data.device))


def _centres(states: Tensor, pull: Pull) -> Tensor:
    from sklearn.cluster import KMeans

    found = KMeans(pull.k, n_init=10, random_state=pull.seed).fit(states.cpu().numpy())
    return torch.tensor(found.cluster_centers_, dtype=torch.float32, device=states.device)


def _soft(states: Tensor, centres: Tensor) -> Tensor:
    """Q (B, K): Student-t likeness to every centre with one degree of freedom, rows sum to 1."""
    squares = states.square().sum(dim=1, keepdim=True) + centres.square().sum(dim=1)
    apart = (squares - 2.0 * states @ centres.T).clamp(min=0.0)  # (B, K), never (B, K, H)
    likeness = 1.0 / (1.0 + apart)
    return likeness / likeness.sum(dim=1, keepdim=True)


@torch.no_grad()
def _target(soft: Tensor, fit_users: LongArray) -> Tensor:
    """P (U, K): Q squared over the size of each segment, so that none swallows the others."""
    sharp = soft.square() / soft[fit_users].sum(dim=0)
    return sharp / sharp.sum(dim=1, keepdim=True)
