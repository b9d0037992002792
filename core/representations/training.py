"""Training as a plain loop: iterate to train, stop iterating to pause.

The same `train` runs in one process and in several that were launched together (`ranks`), goes on
from what a `checkpoint` holds, and reads whatever `Source` yields. Every die is thrown by counters
and the seed, so that going on from any step gives the bytes of a training that was never broken.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.artifacts import EpochReport, LongArray, State, fingerprint
from core.errors import JobStopped
from core.representations._base import VERSION
from core.representations.ahead import ahead
from core.representations.batches import (
    Dice,
    SlicePlan,
    Stretches,
    epoch_batches,
    plan_slices,
    slice_pairs,
)
from core.representations.checkpoint import Checkpoints, Snapshot
from core.representations.encoder import EventEncoder, Tensors
from core.representations.objectives import NEXT_EVENT, Objectives
from core.representations.ranks import Ranks
from core.representations.source import Source, TrainingData, TrainingPlan
from core.representations.standing import (
    Standing,
    Tally,
    load_weights,
    restore,
    snapshot_of,
    weights_of,
)
from core.schedule import step_size

Tick = Callable[[float], None]
"""Called after every batch with the share of the epoch that is done, in (0, 1]."""

_RAMP = 0.4
"""Share of all steps in which the contrastive weight rises to its full size: users are told
apart only by what has been understood of them, not by what is remembered of them."""
_MOST_GRADIENT = 1.0
_ORDER, _STEP, _WATCHED = range(3)
"""What dice are thrown for."""


def train(
    encoder: EventEncoder,
    source: Source,
    plan: TrainingPlan,
    checkpoints: Checkpoints,
    tick: Tick,
) -> Generator[EpochReport, None, None]:
    """Train in place, an epoch at a time; the same plan gives the same weights (CPU).

    Ends at the weights of the epoch in which the validation users were understood best, where the
    plan has ``patience`` and there are such users; else at those of the last epoch. Goes on from
    the newest whole checkpoint of the same training, and then first repeats the reports of the
    epochs before it. Whoever stops iterating (or raises JobStopped in ``tick``) finds a checkpoint
    of the very last step.
    """
    run = _Run(encoder, source, plan, checkpoints)
    run.resume()
    yield from run.standing.history
    try:
        while not run.ended:
            yield run.epoch(tick)
    except (GeneratorExit, JobStopped):
        run.keep()
        raise
    if run.best:
        load_weights(encoder, run.best)


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """A batch where the encoder is, with all that chance has to say of it."""

    batch: Tensors
    sides: tuple[Tensors, Tensors] | None
    """Slices of the same users, row by row; None where nobody is told apart."""
    n_users: int
    n_events: int
    rng: np.random.Generator
    """For what is drawn while it is learned from."""
    seed: int
    """For PyTorch's own dice."""


class _Run:
    """The optimiser, the schedule and the dice of one training."""

    def __init__(
        self, encoder: EventEncoder, source: Source, plan: TrainingPlan, checkpoints: Checkpoints
    ) -> None:
        self.encoder, self.plan, self.checkpoints = encoder, plan, checkpoints
        self.ranks = Ranks.here(tuple(plan.weights))
        self.ranks.begin_alike(encoder)
        self.shards = source.shards(self.ranks.rank, self.ranks.size)
        self.parameters = list(encoder.parameters())
        self.optimizer = torch.optim.AdamW(self.parameters, lr=plan.learning_rate, fused=True)
        own = sum(plan.portions.n_batches(len(shard.fit_users)) for shard in self.shards)
        self.n_batches = self.ranks.most(own)
        self.objectives = Objectives(weights=plan.weights, temperature=plan.temperature)
        self.standing = Standing()
        self.best: State = {}
        """Weights of the best epoch so far; empty where the last ones count."""
        self.device = self.parameters[0].device.type
        self.identity = _identity(encoder, source, plan, self.ranks)
        self.first = 0
        self.slices: tuple[int, SlicePlan] | None = None

    @property
    def ended(self) -> bool:
        """Whether all epochs are done, or the users watched have not improved for long enough."""
        plan, now = self.plan, self.standing
        gave_up = bool(plan.patience) and now.since_best >= plan.patience
        return gave_up or now.epochs_done >= plan.epochs

    def resume(self) -> None:
        """Go on from the newest checkpoint, on all ranks alike."""
        found = self.checkpoints.latest(self.identity) if self.ranks.rank == 0 else None
        payload = self.ranks.share(found.packed() if found and self.ranks.size > 1 else b"")
        if payload:
            found = Snapshot.unpacked(payload)
        if found is not None:
            self.standing = restore(found, self.encoder, self.optimizer)
            self.best = found.best
            share = self.standing.batches_done / self.n_batches
            within = f", {share:.0%} of which was done" if share else ""
            goes_on = f"Goes on from epoch {self.standing.epochs_done + 1}{within}."
            self.checkpoints.beginning = f"{self.checkpoints.beginning} {goes_on}".strip()
        self.first = self.standing.epochs_done

    def keep(self) -> None:
        """Write where training stands."""
        if self.ranks.rank == 0:
            snapshot = snapshot_of(self.encoder, self.optimizer, self.standing, self.best)
            self.checkpoints.write(self.identity, snapshot)

    def epoch(self, tick: Tick) -> EpochReport:
        """One epoch, or the rest of it, with all that follows from how it went."""
        now = self.standing
        self._fit(tick)
        began = time.perf_counter()
        watched = self.validate()
        now.seconds += time.perf_counter() - began
        now.epochs_done, now.batches_done = now.epochs_done + 1, 0
        if watched:
            self._weigh(_understood(watched, self.plan.weights))
        report = EpochReport(
            epoch=now.epochs_done,
            n_epochs=self.plan.epochs,
            losses=_told(now.tally, self.plan.weights),
            validation_losses=watched,
            events_per_second=now.tally.n_events / max(now.fit_seconds, 1e-9),
            seconds=now.seconds,
            note=self._note(),
        )
        now.tally, now.fit_seconds = Tally(), 0.0
        now.history = (*now.history, report)
        if self.checkpoints.due(epoch_ended=True) or self.ended:
            self.keep()
        return report

    def _weigh(self, loss: float) -> None:
        """Compare the epoch's loss on the validation users with the best so far."""
        now = self.standing
        if now.best is not None and loss >= now.best:
            now.since_best += 1
            return
        now.best, now.since_best = loss, 0
        if self.plan.patience:
            self.best = weights_of(self.encoder)

    def _note(self) -> str:
        """What is to be said of the epoch that was done: how a sitting began, how training ends."""
        now, kept = self.standing, self.checkpoints
        said = [kept.beginning if now.epochs_done == self.first + 1 else "", kept.trouble]
        if self.ended and self.best and now.since_best:
            said.append(
                f"The weights of epoch {now.best_epoch} are kept, in which the validation users "
                "were understood best."
            )
        return " ".join(part for part in said if part)

    def _fit(self, tick: Tick) -> None:
        """Read every user that is left of the epoch once; the tally and the weights change."""
        now, began = self.standing, time.perf_counter()
        self.encoder.train()
        with closing(ahead(self._readings())) as readings:
            while now.batches_done < self.n_batches:
                reading = next(readings, None)  # a rank with fewer batches waits for the others
                now.tally.absorb(self._learn(reading))
                now.batches_done, now.steps_done = now.batches_done + 1, now.steps_done + 1
                took, began = time.perf_counter() - began, time.perf_counter()
                now.fit_seconds, now.seconds = now.fit_seconds + took, now.seconds + took
                tick(now.batches_done / self.n_batches)
                if self.checkpoints.due(epoch_ended=False):
                    self.keep()

    def _readings(self) -> Iterator[_Reading]:
        """All that is left of the epoch for this rank, read; every step throws dice of its own."""
        for step, (place, batch) in enumerate(self._batches(), start=self.standing.steps_done):
            rng = self._dice(_STEP)(step)
            seed, shard = int(rng.integers(2**62)), self.shards[place]
            pair = self._slices(self._slices_of(place), rng)
            yield _Reading(
                batch=shard.training_tensors(batch, rng),
                sides=shard.slice_tensors(pair, rng) if pair else None,
                n_users=len(batch.start),
                n_events=_count(batch) + (2 * _count(pair[0]) if pair else 0),
                rng=rng,
                seed=seed,
            )

    def _batches(self) -> Iterator[tuple[int, Stretches]]:
        """What is left of the epoch for this rank: place of the shard, and a batch of it."""
        epoch, skip = self.standing.epochs_done, self.standing.batches_done
        order = self._dice(_ORDER, epoch)(0).permutation(len(self.shards))
        for place in order.tolist():
            shard, portions = self.shards[place], self.plan.portions
            n_batches = portions.n_batches(len(shard.fit_users))
            dice = self._dice(_ORDER, epoch, 1 + place)
            for batch in epoch_batches(shard.sequences, shard.fit_users, portions, dice, skip):
                yield place, batch
            skip = max(0, skip - n_batches)

    def _dice(self, purpose: int, *place: int) -> Dice:
        """Generators by a number, for a purpose and a place in the training, of this rank alone."""
        words = [self.plan.seed, self.ranks.rank, purpose, *place, *(0, 0, 0)[len(place) :]]
        return lambda number: np.random.default_rng([*words, number])

    def _learn(self, reading: _Reading | None) -> Tally:
        """Change the weights by a batch; what all ranks have read in this step."""
        if reading is None:
            return self._step({}, Tally(), 0)
        _seed(self.device, reading.seed)
        losses = self.objectives.losses(self.encoder, reading.batch, reading.sides, reading.rng)
        return self._step(losses, Tally(n_events=reading.n_events), reading.n_users)

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Mean losses on the users not fitted; the same windows and slices every epoch."""
        tally = Tally()
        self.encoder.eval()
        for place, shard in enumerate(self.shards):
            dice = self._dice(_WATCHED, place)
            users, rng = shard.validation_users, self._dice(_WATCHED, place, 1)(0)
            slices = self._plan_slices(shard, users)
            for batch in epoch_batches(shard.sequences, users, self.plan.portions, dice):
                pair = self._slices(slices, rng)
                sides = shard.slice_tensors(pair, rng) if pair else None
                losses = self.objectives.losses(self.encoder, shard.tensors(batch), sides, rng)
                tally.add(_numbers(losses), len(batch.start))
        return _told(self.ranks.total(tally), self.plan.weights)

    def _step(self, losses: Mapping[str, Tensor], tally: Tally, n_users: int) -> Tally:
        """Change the weights once; a batch in which nothing follows anything changes nothing."""
        progress = self.standing.steps_done / (self.plan.epochs * self.n_batches)
        weights = {**self.plan.weights}
        weights["contrastive"] *= min(1.0, progress / _RAMP)
        weighted = [weights[name] * loss for name, loss in losses.items()]
        self.optimizer.param_groups[0]["lr"] = self.plan.learning_rate * step_size(progress)
        self.optimizer.zero_grad(set_to_none=True)
        if weighted:
            torch.stack(weighted).sum().backward()  # type: ignore[no-untyped-call]
            tally.add(_numbers(losses), n_users)  # here, as a GPU must not be waited for before
        tally = self.ranks.average(self.parameters, n_users, tally)
        torch.nn.utils.clip_grad_norm_(self.parameters, _MOST_GRADIENT)
        self.optimizer.step()
        return tally

    def _slices_of(self, place: int) -> SlicePlan:
        """Where slices are cut from in a shard; kept until another shard has its turn."""
        if self.slices is None or self.slices[0] != place:
            shard = self.shards[place]
            self.slices = place, self._plan_slices(shard, shard.fit_users)
        return self.slices[1]

    def _plan_slices(self, shard: TrainingData, users: LongArray) -> SlicePlan:
        plan = self.plan
        return plan_slices(shard.sequences, users, plan.slice_shortest, plan.slice_longest)

    def _slices(
        self, slices: SlicePlan, rng: np.random.Generator
    ) -> tuple[Stretches, Stretches] | None:
        if not (self.plan.weights["contrastive"] and slices.possible):
            return None
        return slice_pairs(slices, self.plan.slice_users, rng)


def _told(tally: Tally, weights: Mapping[str, float]) -> dict[str, float]:
    """Every mean loss, the weighted sum of the predictions as next_event, and that of all."""
    means = tally.means()
    if not means:
        return {}
    weighted = {name: weights[name] * mean for name, mean in means.items()}
    next_event = sum(value for name, value in weighted.items() if name in NEXT_EVENT)
    return {"total": sum(weighted.values()), "next_event": next_event, **means}


def _identity(encoder: EventEncoder, source: Source, plan: TrainingPlan, ranks: Ranks) -> str:
    """Fingerprint of all that decides what is learned: going on with other numbers is another."""
    made_by: dict[str, Any] = {
        "version": VERSION,
        "plan": asdict(plan),
        "shape": asdict(encoder.shape),
        "shapes": {name: list(v.shape) for name, v in encoder.state_dict().items()},
        "device": next(encoder.parameters()).device.type,
        "precision": str(encoder.autocast),
        "threads": torch.get_num_threads(),
        "torch": str(torch.__version__),
        "ranks": ranks.size,
    }
    return fingerprint(source.identity(), "training", 1, made_by)


def _understood(losses: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """What is weighed to stop early: all but telling people apart, no proof of understanding."""
    counted = [name for name in losses if name in weights and name != "contrastive"]
    return sum(weights[name] * losses[name] for name in counted) or losses["total"]


def _seed(device: str, seed: int) -> None:
    """Seed the dice of layers that throw their own (unlike torch.manual_seed, in no time)."""
    torch.default_generator.manual_seed(seed)
    if device == "cuda":
        torch.cuda.manual_seed(seed)
    elif device == "mps":
        torch.mps.manual_seed(seed)


def _numbers(losses: Mapping[str, Tensor]) -> dict[str, float]:
    """Losses as numbers, fetched from where they are in one go."""
    values = torch.stack(list(losses.values())).tolist() if losses else []
    return dict(zip(losses, values, strict=True))


def _count(stretches: Stretches) -> int:
    return int(stretches.length.sum())
