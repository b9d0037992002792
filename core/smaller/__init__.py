"""Smaller copies of a trained encoder: the catalogue of ways, and what is done with it."""

from __future__ import annotations

from core.artifacts import Sequences, State
from core.errors import OptionRefused, did_you_mean
from core.representations import REPRESENTATIONS, Work
from core.representations.encoder_options import EncoderOptions
from core.smaller._base import STAGE as STAGE
from core.smaller._base import Way as Way
from core.smaller.bare import BARE
from core.smaller.int8 import INT8
from core.smaller.narrower import NARROWER
from core.smaller.pruned import PRUNED
from core.smaller.shared import SHARED

VERSION = 1

WAYS: dict[str, Way] = {way.name: way for way in (BARE, INT8, SHARED, PRUNED, NARROWER)}
"""Every way by name, the one that changes least first."""


def make(state: State, sequences: Sequences, way: str, work: Work) -> State:
    """A smaller state of an encoder, which `representations.transform` takes in its place.

    Users to fit may teach it, no others. The same seed gives the same bytes on a CPU. Raises
    OptionRefused for an unknown way, TooLittleData where there is nobody to teach by.
    """
    from core.representations.trained import for_placing  # loads PyTorch

    return WAYS[check_way(way)].make(for_placing(state), sequences, work)


def check_way(way: str) -> str:
    """The name of a way as it came. Raises OptionRefused for an unknown one."""
    if way not in WAYS:
        raise OptionRefused(
            f"There is no way '{way}' to a smaller model. Allowed: {', '.join(WAYS)}."
            f"{did_you_mean(way, WAYS)}"
        )
    return way


def check_encoder(method: str) -> None:
    """Refuse a representation that is not a trained encoder, with what to do."""
    if not is_encoder(method):
        encoders = filter(is_encoder, REPRESENTATIONS)
        raise OptionRefused(
            f"The users of this run were placed by '{method}' ({REPRESENTATIONS[method].label}), "
            "which has no "
            f"encoder that could be made smaller or exported. Encoders are: {', '.join(encoders)}. "
            "Make the run again with one of them, as with --set represent.method=lstm."
        )


def is_encoder(method: str) -> bool:
    """Whether a representation is a trained encoder."""
    return issubclass(REPRESENTATIONS[method].Options, EncoderOptions)
