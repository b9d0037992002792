"""A comparison of smaller models in words and as a table, for the command line and the page."""

from __future__ import annotations

from core.representations import REPRESENTATIONS
from core.smaller import WAYS
from core.smaller.measuring import ORIGINAL, Comparison, Measured
from core.wording import counted, figure

COLUMNS = (
    "Model",
    "File",
    "Numbers",
    "Events/s",
    "Cosine",
    "Cosine (1 in 100 below)",
    "Same segment",
    "ARI",
    "Made in",
)
_NONE = "–"
_ALIKE = 1.1
"""A model must be faster or slower than the original by such a factor, and so in every round, for
that to be said: machines are busy now and then."""


def label(model: Measured) -> str:
    """What a model is called on screen."""
    return "Original" if model.way == ORIGINAL else WAYS[model.way].label


def size(n_bytes: int) -> str:
    """Bytes as "68.9 kB"."""
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes >= 1e6 else f"{n_bytes / 1e3:.1f} kB"


def rows(found: Comparison) -> list[tuple[str, ...]]:
    """A row per model, in the order of `COLUMNS`; a dash where nothing was measured."""
    return [
        (
            label(model),
            size(model.model_bytes),
            f"{model.weights:,}",
            f"{model.events_per_second:,.0f}",
            f"{model.cosine_mean:.4f}",
            f"{model.cosine_low:.4f}",
            _NONE if model.same_segment is None else f"{model.same_segment:.1%}",
            _NONE if model.ari is None else f"{model.ari:.3f}",
            _NONE if model.way == ORIGINAL else f"{model.seconds:.1f} s",
        )
        for model in found.models
    ]


def table(found: Comparison) -> str:
    """The table as lines of text, names to the left and figures to the right."""
    cells = [COLUMNS, *rows(found)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(COLUMNS))]
    lines = []
    for row in cells:
        name, *figures = row
        padded = [text.rjust(width) for text, width in zip(figures, widths[1:], strict=True)]
        lines.append("  ".join([name.ljust(widths[0]), *padded]))
    return "\n".join(lines)


def basis(found: Comparison) -> str:
    """By whom and how it was measured, in sentences."""
    timed = counted(found.n_timed_events, "event", "events")
    of = "" if found.n_judged == found.n_unlearned else f" of {found.n_unlearned:,}"
    return (
        f"Compared with the original {REPRESENTATIONS[found.method].label} on "
        f"{counted(found.n_judged, 'user', 'users')}{of} that taught no smaller model. "
        f"Speed: median of {found.rounds} rounds over {timed} "
        f"on one thread of this machine, {found.device}. {found.note}"
    ).strip()


def verdict(model: Measured, found: Comparison) -> str:
    """What a smaller model gains and what it does not, in a sentence."""
    original = found.original
    file = f"a file {_times(original.model_bytes / model.model_bytes)} smaller"
    kept = f"points at a mean cosine of {model.cosine_mean:.3f}"
    if model.same_segment is not None:
        kept = f"{model.same_segment:.1%} of the users in the same segment"
    return f"{label(model)}: {file}, {_speed(model, found)}, and {kept}."


def _speed(model: Measured, found: Comparison) -> str:
    ratio = model.events_per_second / found.original.events_per_second
    if ratio > _ALIKE and model.faster_in == found.rounds:
        return f"{_times(ratio)} as fast"
    if ratio < 1 / _ALIKE and model.faster_in == 0:
        return f"{_times(1 / ratio)} slower"
    return "no difference in speed that stands out"


def _times(factor: float) -> str:
    return f"{figure(factor)} times"
