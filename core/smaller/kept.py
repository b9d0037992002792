"""Smaller models of a journey, made once in the background and kept in its store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.artifacts import Progress, Report, Sequences, State, fingerprint
from core.errors import FileRefused
from core.pipeline import Journey
from core.representations import Work
from core.smaller import STAGE, VERSION, WAYS
from core.smaller.measuring import ORIGINAL, Comparison, Original, compare

_SERVED = (ORIGINAL, "narrower")
"""Models that are exported too; the others compute with the original's numbers, or near them."""


@dataclass(frozen=True, kw_only=True)
class SmallerModels:
    """The comparison; the folder of this artifact holds the files that `model_file` names."""

    comparison: Comparison
    served: tuple[str, ...]
    """Which models stand there as ONNX too."""
    refused: str
    """Why others do not, in sentences; empty where all do that should."""
    fingerprint: str


def model_file(way: str) -> str:
    """Name of the file of a model, as safetensors."""
    return f"{way}.safetensors"


def served_file(way: str, suffix: str = "onnx") -> str:
    """Name of the file of a model as ONNX, or ("json") of what says how it is fed."""
    return f"{way}.{suffix}"


def smaller_as(journey: Journey) -> str:
    """Fingerprint of the smaller models: with the segments, where there are some by now."""
    steps = ("embeddings", "labels") if journey.ready("labels") else ("embeddings",)
    made_by = {"seed": journey.options.seed, "segments": journey.ready("labels")}
    return fingerprint(journey.fingerprint(steps[-1]), STAGE, VERSION, made_by)


def smaller_models(journey: Journey, listen: Report) -> SmallerModels:
    """Make every smaller model, compare them and export what is worth serving, once.

    Raises OptionRefused where the users were not placed by an encoder, TooLittleData where nobody
    is left to judge by.
    """
    made_from = smaller_as(journey)

    def make(folder: Path) -> SmallerModels:
        space, sequences = journey.embeddings(), journey.inputs()
        labels = journey.labels() if journey.ready("labels") else None
        original = Original(method=space.method, state=space.state, labels=labels)
        work = Work(seed=journey.options.seed, report=listen)
        found, states = compare(original, sequences, list(WAYS), work, folder)
        listen(Progress(stage=STAGE, done=0.97, text="Exporting and checking"))
        served, refused = _serve(space.method, states, sequences, folder)
        return SmallerModels(
            comparison=found, served=served, refused=refused, fingerprint=made_from
        )

    return journey.store.get_or_make(SmallerModels, made_from, make)


def _serve(
    method: str, states: dict[str, State], sequences: Sequences, folder: Path
) -> tuple[tuple[str, ...], str]:
    """Write models as ONNX; which ones, and why others could not be."""
    from core.serving.exporting import export, write

    served, refused = [], []
    for way in _SERVED:
        try:
            write(export(method, states[way], sequences), folder / served_file(way))
            served.append(way)
        except FileRefused as why:
            refused.append(str(why))
    return tuple(served), " ".join(refused)
