"""How many digits training calculates with.

bfloat16 keeps the range of float32 and about three digits. It is used for reading the events while
training only: losses, weights and the places of users are always float32.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from core.representations.encoder import EventEncoder, Tensors

PrecisionName = Literal["auto", "float32", "bfloat16"]

_LEAST_LIKENESS = 0.999
"""Cosine of a user's state in both precisions below which the short one is not trusted."""


@dataclass(frozen=True, kw_only=True)
class Precision:
    """A precision and why it was taken."""

    name: Literal["float32", "bfloat16"]
    reason: str

    def __str__(self) -> str:
        return f"{self.name} ({self.reason})"


def pick_precision(wanted: PrecisionName, device: str) -> Precision:
    """Take the precision asked for where the device has it; auto is bfloat16 on CUDA only.

    On a CPU auto stays with float32, of which every processor gives nearly the same result, so
    that a run can be repeated elsewhere.
    """
    if wanted == "float32":
        return Precision(name="float32", reason="as chosen")
    has_it, why_not = _has_bfloat16(device)
    if not has_it:
        return Precision(name="float32", reason=why_not)
    if wanted == "bfloat16":
        return Precision(name="bfloat16", reason="as chosen")
    if device == "cuda":
        return Precision(name="bfloat16", reason="this GPU calculates faster with it")
    return Precision(
        name="float32", reason="repeats best; with bfloat16 this processor trains an LSTM faster"
    )


def _has_bfloat16(device: str) -> tuple[bool, str]:
    """Whether the device calculates in bfloat16 itself, and what to say where it does not."""
    import torch

    if device == "cuda":
        has_it = torch.cuda.is_bf16_supported(including_emulation=False)
        return has_it, "this GPU has no bfloat16"
    if device == "cpu":
        known = torch.cpu.get_capabilities()
        has_it = any(known.get(name, False) for name in ("amx_bf16", "avx512_bf16", "bf16"))
        return has_it, "this processor has no bfloat16"
    return False, "bfloat16 is not used on an Apple GPU"


def checked(precision: Precision, encoder: EventEncoder, batch: Tensors) -> Precision:
    """Set the encoder to the precision if it reads a batch alike in it; float32 if it does not."""
    import torch
    import torch.nn.functional as F

    if precision.name == "float32":
        return precision
    states = []
    encoder.eval()  # what dropout leaves out differs from one reading to the next
    with torch.no_grad():
        for dtype in (None, torch.bfloat16):
            encoder.autocast = dtype
            states.append(encoder.pool(encoder(batch)[0], batch["real"]))
    encoder.train()
    likeness = float(F.cosine_similarity(states[0], states[1]).min())
    if likeness >= _LEAST_LIKENESS:
        return precision
    encoder.autocast = None
    return Precision(
        name="float32", reason=f"in bfloat16 a user came out differently, cosine {likeness:.4f}"
    )
