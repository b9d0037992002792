"""What stands beside an exported model: all that a serving engineer needs to feed it.

Read top to bottom it says how one event becomes numbers, in JSON and plain words; a test makes the
inputs from it alone and gets the original's points.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.artifacts import Vocabulary
from core.representations.inputs import DAYPARTS, NUMBERS, PREDICTED, MaskArray, Scales
from core.representations.trained import Trained
from core.serving.encoder_graph import OUTPUT, input_names

_DTYPES = {"numeric": "float32", "real": "bool"}
_WHAT = {
    "action": "code of the action, by words.action; 0 where it is not there",
    "category": "code of the category, by words.category; 0 where it is not there",
    "platform": "code of the platform, by words.platform; 0 where it is not there",
    "daypart": "see daypart",
    "recent": "see recent",
    "item": "code of the item, by words.item; 0 where it is not there",
    "query": "code of the search text, by words.query; 0 where it is not there",
    "common_item": "code of the item among the commonest, by words.common_item; 0 where it is not",
    "classes": "whole numbers in the order of class_order; see numbers. Others than those of gap, "
    "duration and price are not read and may be 0",
    "numeric": "numbers in the order of numeric_order; see numbers",
    "real": "true at an event, false at padding, which stands after the last event",
}


def feeding(trained: Trained, vocabulary: Vocabulary) -> dict[str, Any]:
    """Inputs and output of the model of an encoder, words and scales, as plain JSON values."""
    scales, names = trained.scales, input_names(trained.encoder)
    wide = {"numeric": 2 * len(NUMBERS) + 1, "classes": len(PREDICTED) + 1}
    return {
        "inputs": [
            {
                "name": name,
                "dtype": _DTYPES.get(name, "int64"),
                "shape": ["batch", "events", *([wide[name]] if name in wide else [])],
                "what": _WHAT[name],
            }
            for name in names
        ],
        "output": {
            "name": OUTPUT,
            "dtype": "float32",
            "shape": ["batch", trained.axes.shape[1]],
            "what": "the user's point in the run's space, in which its segments were formed; zeros "
            "where no event is real",
        },
        "events": "A user's events in time order, cleaned and cut as the run's own (run.json, "
        "options clean and sequence). Padding changes nothing, whatever stands there.",
        "words": _words(scales, vocabulary, names),
        "daypart": _daypart(scales),
        "recent": _recent(scales),
        "numbers": _numbers(scales),
        "numeric_order": [*NUMBERS, *(f"{name} is known" for name in NUMBERS), "first event"],
        "class_order": [*PREDICTED, "item"],
    }


def _words(scales: Scales, words: Vocabulary, names: Sequence[str]) -> dict[str, dict[str, int]]:
    """Codes of the words that the encoder is told, by input; all others have code 0."""
    told: Mapping[str, tuple[Sequence[str], MaskArray]] = {
        "action": (words.actions, scales.shared_action),
        "category": (words.categories, scales.shared_category),
        "platform": (words.platforms, scales.shared_platform),
        "item": (words.items, scales.shared_item),
        "query": (words.queries, scales.shared_query),
        "common_item": (words.items, scales.shared_item[: int(scales.items[0]) + 1]),
    }
    return {
        name: {
            word: code
            for code, (word, is_told) in enumerate(zip(known, shared[1:], strict=False), start=1)
            if is_told
        }
        for name, (known, shared) in told.items()
        if name in names
    }


def _daypart(scales: Scales) -> str:
    if not scales.dayparts[0]:
        return "0 everywhere"
    hours = 24 // DAYPARTS
    return f"1 + the hour of the day (UTC) over {hours}, without the remainder"


def _recent(scales: Scales) -> dict[str, Any]:
    n_actions, n_codes = (int(n) for n in scales.recent)
    size = int(scales.sizes[0])
    hashed = size**n_actions > n_codes
    return {
        "actions": n_actions,
        "base": size,
        "hashed_to": n_codes if hashed else None,
        "how": "The codes of the last so many actions, this event's last, read as the digits of a "
        "number to that base; 0 for those before the first event. Where hashed_to is a number: "
        "times 0x9E3779B97F4A7C15, modulo 2**64, over 2**32 without the remainder, modulo that "
        "number.",
    }


def _numbers(scales: Scales) -> dict[str, Any]:
    units = {"gap": "seconds since the user's event before", "duration": "seconds"}
    told: dict[str, Any] = {
        name: {
            "unit": units.get(name, "currency units of the log"),
            "method": scaling.method,
            "centre": scaling.centre,
            "spread": scaling.spread,
            "edges": [float(edge) for edge in getattr(scales, f"{name}_edges")],
        }
        for name, scaling in ((n, scales.scaling_of(i)) for i, n in enumerate(NUMBERS))
    }
    told["how"] = (
        "Known: 1, else 0 (missing; a gap also where it is 0). L = sign(x) ln(1 + |x|). Scaled: "
        "(L for method log, else x, less centre) over spread, cut to -4 and 4 (0 and 1 for "
        "min_max, not cut for none); 0 where not known. Class: 1 + how many edges are at or below "
        "L, in any method; 0 where not known. First event: 1 at the user's first, else 0."
    )
    return told
