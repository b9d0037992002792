"""Teaching a smaller encoder: it reads what the original reads, and learns where that places it.

Every step draws stretches of users to fit; the original's points of these very stretches are the
target, so there is no end of different lessons, and nothing is kept of the log. Its state after
every event is a target too, through a linear map that is thrown away: that is a hundred times as
much to learn from. Letters in shapes: B stretches, T events of each, H width of the smaller
encoder, W of the original, D numbers of a point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.artifacts import FIT, DoubleArray, FloatArray, LongArray, Progress, Sequences, State
from core.device import pick, repeatable
from core.errors import TooLittleData
from core.representations import Work
from core.representations.batches import Portions, Stretches, epoch_batches
from core.representations.counts import users_to_fit
from core.representations.encoder import EventEncoder, Tensors, only_teaches, to_tensors
from core.representations.inputs import gather
from core.representations.trained import WEIGHT, Trained, encoder_like, known_shape, states
from core.schedule import step_size
from core.smaller._base import STAGE

_STEPS = 800
_PORTIONS = Portions(batch_users=64, window=64)
_LEARNING_RATE = 1e-2
_TOUCH_UP = 4e-3
"""Learning rate of an encoder that has learned already."""
_MOST_GRADIENT = 1.0
_MOST_USERS = 50_000
"""More users than that are not taught by: no step would read them."""
_SHARE_OUT = 0.8
"""Of the weights that pruning takes out."""
_THINNED_BY = 0.6
"""Share of the steps after which that share is reached."""
_RIDGE = 1e-4
"""Of the mean size of a number of the states, so that no faint one is blown up."""

AfterStep = Callable[[float], None]
"""Called after every step with the share of the teaching that is done, in (0, 1]."""


class _Pupil(nn.Module):
    """An encoder and the linear map from the direction of its pooled state to a point."""

    def __init__(self, encoder: EventEncoder, trained: Trained, axes: FloatArray) -> None:
        super().__init__()
        wide, width = trained.encoder.hidden, encoder.hidden
        self.encoder = encoder
        self.widen = nn.Linear(width, wide, bias=False)  # states, only while it is taught
        centre = trained.centre if wide == width else np.zeros(width, np.float32)
        self.centre = nn.Parameter(torch.tensor(centre))
        self.axes = nn.Parameter(torch.tensor(axes))
        if wide == width:
            nn.init.eye_(self.widen.weight)

    def asked(self) -> list[nn.Parameter]:
        """All parameters that have a part in where users are placed, or in the states."""
        named = self.named_parameters()
        return [p for name, p in named if not only_teaches(name.removeprefix("encoder."))]

    def loss(self, read: Tensors, states: Tensor, points: Tensor) -> Tensor:
        """How far it is from the original's states (B, T, W) and points (B, D), 0 at best.

        Each as a share of how far they are from their mean.
        """
        hidden, _ = self.encoder(read)
        pooled = F.normalize(self.encoder.pool(hidden, read["real"]), dim=1)
        off = _share_missed((pooled - self.centre) @ self.axes, points)
        return off + _share_missed(self.widen(hidden[read["real"]]), states[read["real"]])


def _share_missed(found: Tensor, wanted: Tensor) -> Tensor:
    return F.mse_loss(found, wanted) / wanted.var().clamp(min=1e-12)


def narrower(state: State, sequences: Sequences, work: Work) -> State:
    """The state of an encoder of half the width, (H / 2) and a map (H / 2, D), taught by another.

    Tables of words are taken over as they are. The same seed gives the same bytes on a CPU.
    Raises TooLittleData where nobody to fit has an event.
    """
    device = pick("auto").name
    with repeatable(int(state["threads"][0]), device):
        torch.manual_seed(work.seed)
        teacher = Trained.of(state, sequences, device)
        pupil = _fresh(teacher, state, sequences)
        lesson = _Lesson(teacher, sequences, work, "Teaching an encoder of half the width")
        lesson.teach(pupil, _LEARNING_RATE)
        centre, axes = _mapped(teacher, pupil.encoder, lesson.users, sequences)
    return _state_of(state, pupil.encoder, centre, axes)


def pruned(state: State, sequences: Sequences, work: Work, names: tuple[str, ...]) -> State:
    """The state with four of five of the weights of each matrix in ``names`` at 0.

    The same seed gives the same bytes on a CPU. Raises TooLittleData where nobody to fit has an
    event.
    """
    device = pick("auto").name
    with repeatable(int(state["threads"][0]), device):
        torch.manual_seed(work.seed)
        teacher, trained = (Trained.of(state, sequences, device) for _ in range(2))
        pupil = _Pupil(trained.encoder, trained, trained.axes).to(device)
        own = [pupil.encoder.get_parameter(name.removeprefix(WEIGHT)) for name in names]
        lesson = _Lesson(teacher, sequences, work, "Taking weights out while the original teaches")
        lesson.teach(pupil, _TOUCH_UP, lambda done: _thin(own, done))
        centre, axes = (p.detach().cpu().numpy() for p in (pupil.centre, pupil.axes))
    return _state_of(state, pupil.encoder, centre, axes)


class _Lesson:
    """What a pupil is taught by: an encoder, users, and dice of its own for every step."""

    def __init__(self, teacher: Trained, sequences: Sequences, work: Work, says: str) -> None:
        self.teacher, self.sequences, self.work, self.says = teacher, sequences, work, says
        self.users = users_to_fit(sequences, _MOST_USERS)
        if not len(self.users) or (sequences.split[self.users] != FIT).any():
            raise TooLittleData(
                "No user on the side to fit has an event, so there is nobody to teach a smaller "
                "encoder by. Make the run again with a smaller sequence.validate_share and "
                "sequence.test_share, or with more users."
            )
        self.axes = torch.tensor(teacher.axes, device=teacher.device)
        self.centre = torch.tensor(teacher.centre, device=teacher.device)

    def teach(
        self, pupil: _Pupil, learning_rate: float, after_step: AfterStep = lambda done: None
    ) -> None:
        """Change the pupil until it places stretches where the teacher does."""
        asked = pupil.asked()
        optimizer = torch.optim.AdamW(asked, lr=learning_rate, weight_decay=0.0)
        pupil.train()
        for step, batch in enumerate(islice(self._batches(), _STEPS)):
            read = self._read(batch)
            loss = pupil.loss(read, *self._targets(read))
            optimizer.param_groups[0]["lr"] = learning_rate * step_size(step / _STEPS)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(asked, _MOST_GRADIENT)
            optimizer.step()
            with torch.no_grad():
                after_step((step + 1) / _STEPS)
            self._tell(step)
        pupil.eval()

    def _batches(self) -> Iterator[Stretches]:
        """Stretches of the users without end, in another order and at other places each time."""
        for epoch in range(_STEPS):
            words = [self.work.seed, epoch]
            yield from epoch_batches(
                self.sequences,
                self.users,
                _PORTIONS,
                lambda number, words=words: np.random.default_rng([*words, number]),  # type: ignore[misc]
            )

    def _read(self, batch: Stretches) -> Tensors:
        read = gather(self.sequences, self.teacher.scales, *batch.padded())
        return to_tensors(read, self.teacher.device)

    @torch.no_grad()
    def _targets(self, read: Tensors) -> tuple[Tensor, Tensor]:
        """The teacher's states after every event (B, T, W), and where it places them, (B, D)."""
        encoder = self.teacher.encoder
        states, _ = encoder(read)
        pooled = F.normalize(encoder.pool(states, read["real"]), dim=1)
        return states, (pooled - self.centre) @ self.axes

    def _tell(self, step: int) -> None:
        done = (step + 1) / _STEPS
        self.work.report(Progress(stage=STAGE, done=done, text=self.says))


def _fresh(teacher: Trained, state: State, sequences: Sequences) -> _Pupil:
    """An encoder of half the width with the teacher's tables, and a map drawn at random."""
    width = max(1, teacher.encoder.hidden // 2)
    shape = replace(known_shape(state), rebuilds=False, n_targets=0)
    encoder = encoder_like(state, sequences, width, shape)
    own, known = encoder.state_dict(), teacher.encoder.state_dict()
    alike = {
        name: values
        for name, values in known.items()
        if name in own and own[name].shape == values.shape and not name.startswith("cell.")
    }
    encoder.load_state_dict(alike, strict=False)
    n_numbers = teacher.axes.shape[1]
    axes = torch.randn(width, n_numbers).numpy() * np.float32(teacher.axes.std())
    return _Pupil(encoder, teacher, axes).to(teacher.device)


def _thin(weights: list[nn.Parameter], done: float) -> None:
    """Set the smallest weights of each matrix to 0; the share of them rises as a cubic."""
    left = max(0.0, 1.0 - done / _THINNED_BY)
    share = _SHARE_OUT * (1.0 - left**3)
    for weight in weights:
        n_out = int(share * weight.numel())
        if n_out:
            out = weight.abs().flatten().argsort(stable=True)[:n_out]
            weight.view(-1)[out] = 0.0


def _mapped(
    teacher: Trained, encoder: EventEncoder, users: LongArray, sequences: Sequences
) -> tuple[FloatArray, FloatArray]:
    """Centre (H,) and axes (H, D) that bring whole histories nearest to the teacher's points.

    Least squares over the users, which the gradient came near to.
    """
    some = sequences.of_users(users)
    found = _directions(states(encoder, some, teacher.scales, teacher.device))
    points = (_directions(teacher.states(some)) - teacher.centre) @ teacher.axes
    centre = found.mean(axis=0)
    x, y = found - centre, points.astype(np.float64)
    square = x.T @ x
    square += _RIDGE * float(np.trace(square)) / len(square) * np.eye(len(square))
    return centre.astype(np.float32), np.linalg.solve(square, x.T @ y).astype(np.float32)


def _directions(states: FloatArray) -> DoubleArray:
    x = states.astype(np.float64)
    directions: DoubleArray = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-30)
    return directions


def _state_of(state: State, encoder: EventEncoder, centre: FloatArray, axes: FloatArray) -> State:
    """A state like the original's, with another encoder in it."""
    weights = {
        WEIGHT + name: values.cpu().numpy()
        for name, values in encoder.state_dict().items()
        if not only_teaches(name)
    }
    others = {k: v for k, v in state.items() if not k.startswith(WEIGHT)}
    return {**others, **weights, "centre": centre, "axes": axes}
