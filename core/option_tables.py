"""The README's option tables, written from the option classes so that they never drift apart."""

from __future__ import annotations

from collections.abc import Iterator

from core.options import Options, describe, option_default, option_info, option_types
from core.run_options import METHODS, STAGES


def markdown() -> str:
    """A table of every stage's options, with those of each method after it."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    for stage, classes in STAGES.items():
        rows = [row for cls in classes for row in _rows(stage, cls)]
        if rows:
            yield from _table(f"### `{stage}`", rows)
        for name, cls in METHODS.get(stage, {}).items():
            rows = list(_rows(stage, cls))
            if rows:
                yield from _table(f"#### with `{stage}.method={name}`", rows)


def _table(heading: str, rows: list[str]) -> Iterator[str]:
    yield from (heading, "", "| option | default | allowed | what it does |", "|---|---|---|---|")
    yield from rows
    yield ""


def _rows(stage: str, cls: type[Options]) -> Iterator[str]:
    for name in option_types(cls):
        default = option_default(cls, name)
        shown = ",".join(default) if isinstance(default, tuple) else default
        cells = [
            f"`{stage}.{name}`",
            f"`{shown}`",
            describe(cls, name),
            option_info(cls, name).help,
        ]
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
