"""A trained encoder read again from its state: to place users, to teach another, to be exported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch

from core.artifacts import FloatArray, Sequences, State
from core.device import DeviceName, pick, repeatable, with_room
from core.errors import FileRefused, OptionRefused
from core.representations.encoder import EventEncoder, Shape, only_teaches, projected_widths
from core.representations.inputs import Scales
from core.representations.packed import unpacked
from core.representations.placing import EVENTS_PER_BATCH, pooled_states
from core.representations.space import place
from core.representations.vectors import fitted_vectors

WEIGHT = "weight."
"""Stands before the names of an encoder's weights in a state."""
DEVICES: tuple[DeviceName, ...] = ("auto", "cuda", "mps", "cpu")
"""By place; states that were stored know a device by its place, so only ever append."""


@dataclass(frozen=True, kw_only=True)
class Trained:
    """An encoder that reads as it did when it was trained, and what belongs to it."""

    encoder: EventEncoder
    scales: Scales
    centre: FloatArray  # (H,) of the directions, see `core.representations.space`
    axes: FloatArray  # (H, D)
    device: str

    @classmethod
    def of(cls, state: State, sequences: Sequences, device: str) -> Self:
        """Read an encoder for these sequences, whose item features must be those it was fitted on.

        Raises ValueError where the state is of no encoder of this version or the features differ,
        FileRefused where it is damaged.
        """
        state = unpacked(state)
        shape, scales = known_shape(state), Scales.from_state(state)
        weights = weights_of(state)
        encoder = encoder_like(state, sequences, len(state["centre"]), shape)
        _load(encoder, weights)
        return cls(
            encoder=encoder.to(device).eval(),
            scales=scales,
            centre=state["centre"],
            axes=state["axes"],
            device=device,
        )

    def states(self, sequences: Sequences) -> FloatArray:
        """Pooled states of all users, (U, H); in smaller batches where a GPU has no room."""
        return states(self.encoder, sequences, self.scales, self.device)


def encoder_like(state: State, sequences: Sequences, hidden: int, shape: Shape) -> EventEncoder:
    """A fresh encoder that reads what the encoder of a (not packed) state reads, of any width.

    Raises ValueError where the sequences' item features are not those it was fitted on.
    """
    vectors = fitted_vectors(sequences, projected_widths(weights_of(state)))
    return EventEncoder(Scales.from_state(state), hidden, vectors, shape)


def transform(state: State, sequences: Sequences, cell: str = "lstm") -> FloatArray:
    """Place users by an encoder trained earlier, shape (U, D), where the run was told to.

    Raises ValueError where the state is not of an encoder of that cell.
    """
    found = known_shape(state).cell
    if found != cell:
        raise ValueError(
            f"This is the state of an encoder '{found}', not '{cell}': its numbers mean "
            f"nothing to one. Place users by '{found}'."
        )
    device = _device_of(state)
    with repeatable(int(state["threads"][0]), device):
        trained = Trained.of(state, sequences, device)
        return place({"centre": trained.centre, "axes": trained.axes}, trained.states(sequences))


def _device_of(state: State) -> str:
    """The device that was asked for in training; the fastest where this machine has none such."""
    wanted = DEVICES[int(state["device"][0])] if "device" in state else "auto"
    try:
        return pick(wanted).name
    except OptionRefused:
        return pick("auto").name


def states(
    encoder: EventEncoder,
    sequences: Sequences,
    scales: Scales,
    device: str,
    told: Callable[[int], None] = lambda _: None,
) -> FloatArray:
    """Pooled states of all users, (U, H); ``told`` hears of smaller batches where a GPU is full."""

    def attempt(events_per_batch: int) -> FloatArray:
        return pooled_states(encoder, sequences, scales, device, events_per_batch)

    return with_room(attempt, EVENTS_PER_BATCH, told)


def known_shape(state: State) -> Shape:
    """What the encoder of a state is built of. Raises ValueError where it is of none."""
    if "shape.cell" not in state:
        raise ValueError(
            "This is not the state of an encoder of this version: it does not say of which cell "
            "it is. Fit the log anew."
        )
    return Shape.from_state(state)


def for_placing(state: State) -> State:
    """A state, nothing packed, with all that placing users needs and none of what only taught."""
    return {
        name: values
        for name, values in unpacked(state).items()
        if not (name.startswith(WEIGHT) and only_teaches(name.removeprefix(WEIGHT)))
    }


def weights_of(state: State) -> dict[str, torch.Tensor]:
    """The weights by their names in the encoder."""
    return {
        name.removeprefix(WEIGHT): torch.from_numpy(np.array(values))
        for name, values in state.items()
        if name.startswith(WEIGHT)
    }


def _load(encoder: EventEncoder, weights: Mapping[str, torch.Tensor]) -> None:
    """Take the weights over; those that only training needs may be left out.

    Raises FileRefused where others are missing, or one is unknown or of another shape.
    """
    own = encoder.state_dict()
    missing = sorted(n for n in own.keys() - weights.keys() if not only_teaches(n))
    unknown = sorted(weights.keys() - own.keys())
    unlike = sorted(n for n in own.keys() & weights.keys() if own[n].shape != weights[n].shape)
    for wrong, names in (("lacks", missing), ("holds the unknown", unknown)):
        if names:
            raise FileRefused(f"The model is damaged: it {wrong} '{names[0]}'. {_AGAIN}")
    if unlike:
        name = unlike[0]
        found, asked = tuple(weights[name].shape), tuple(own[name].shape)
        raise FileRefused(
            f"The model is damaged: '{name}' has shape {found}, and must have {asked}. {_AGAIN}"
        )
    encoder.load_state_dict(dict(weights), strict=False)


_AGAIN = "Make the run, or the smaller model, again."
