"""What the analyst last set on a data set, noted in the workspace: a reload loses nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from core.errors import AnalystError
from core.run_options import RunOptions
from core.store import write_text

Names = dict[str, dict[int, str]]
"""Names the analyst gave: by fingerprint of the labels, then by segment."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """Settings and segment names."""

    options: RunOptions
    names: Names


def write(file: Path, draft: Draft) -> None:
    """Note a draft; the one before is replaced whole."""
    file.parent.mkdir(parents=True, exist_ok=True)
    noted = {"options": draft.options.to_dict(), "names": draft.names}
    write_text(file, json.dumps(noted, ensure_ascii=False))


def read(file: Path) -> Draft:
    """The draft as noted; the defaults where there is none or this version cannot read it."""
    try:
        noted = json.loads(file.read_text(encoding="utf-8"))
        names = {of: {int(k): str(v) for k, v in to.items()} for of, to in noted["names"].items()}
        return Draft(options=RunOptions.from_dict(noted["options"]), names=names)
    except (OSError, ValueError, KeyError, AttributeError, AnalystError):
        return Draft(options=RunOptions(), names={})
