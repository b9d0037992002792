"""Mappings that are kept: what an analyst confirmed for one file is offered for the next like it.

Two files are alike when they have the same column names, in any order.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.artifacts import ROLES, ColumnMapping, RawLog
from core.errors import MappingRefused, OptionRefused, did_you_mean
from core.events.map_options import OF_ONE_LOG, MapOptions
from core.store import write_text

_FORMAT = 1
_OF_ONE_FILE = ("year",)
"""Options that say nothing of the next file."""


def shape_of(columns: Iterable[str]) -> str:
    """Identity of a set of column names, whatever their order (32 hex digits)."""
    names = json.dumps(sorted(columns), ensure_ascii=False)
    return hashlib.sha256(names.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def remember(
    folder: Path, raw: RawLog, mapping: ColumnMapping, options: MapOptions = MapOptions()
) -> None:
    """Keep a mapping, and how its cells are read, for the next file with the same columns.

    What is true of one file alone, the year of its dates, is not kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = {"format": _FORMAT, "columns": mapping.columns(), "options": _lasting(options)}
    write_text(_place(folder, raw), json.dumps(kept, ensure_ascii=False, indent=2))


def recall(folder: Path, raw: RawLog) -> tuple[ColumnMapping, MapOptions] | None:
    """What was kept for a file with these columns; None where nothing was, or it is damaged.

    The year of dates without one was that of the earlier file and is asked for anew.
    """
    try:
        values = json.loads(_place(folder, raw).read_text(encoding="utf-8"))
        mapping, options = _taken_apart(values, "the saved mapping")
        options = MapOptions.from_dict(_lasting(options), where="map")
    except (OSError, ValueError, MappingRefused, OptionRefused):
        return None
    if not set(mapping.columns().values()) <= set(raw.columns):
        return None
    return mapping, replace(options, year=MapOptions().year)


def mapping_from_file(path: Path) -> tuple[ColumnMapping, MapOptions]:
    """Read a mapping out of a ``run.json``, or of {"columns": {role: column}, "options": {...}}.

    Of a run, the options are those its log was read by, with what the log itself settled.
    Raises MappingRefused where the file is none of them, OptionRefused for an unknown option.
    """
    where = f"The mapping file '{path.name}'"
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MappingRefused(f"There is no mapping file '{path}'.") from None
    except OSError as unreadable:
        raise MappingRefused(f"{where} cannot be read: {unreadable.strerror}.") from None
    except ValueError as broken:
        raise MappingRefused(f"{where} is not valid JSON: {broken}.") from None
    return _taken_apart(values, where)


def _lasting(options: MapOptions) -> dict[str, Any]:
    """The options that may be true of the next file too."""
    return {name: value for name, value in options.to_dict().items() if name not in _OF_ONE_FILE}


def _place(folder: Path, raw: RawLog) -> Path:
    return folder / f"{shape_of(raw.columns)}.json"


def _taken_apart(values: Any, where: str) -> tuple[ColumnMapping, MapOptions]:
    """The mapping and the options in what was read from a file."""
    if isinstance(values, Mapping) and isinstance(values.get("source"), Mapping):
        columns = values["source"].get("mapping")
        options: Mapping[str, Any] = reusable(values["source"], values.get("options") or {}, where)
    else:
        columns = _part(values, "columns", where)
        options = _part(values, "options", where)
    if not isinstance(columns, Mapping) or not columns:
        raise MappingRefused(
            f'{where} names no columns. Give a run.json, or {{"columns": {{"user": "buyer", '
            '"time": "at"}, "options": {}}.'
        )
    chosen = {role: column for role, column in columns.items() if column is not None}
    for role, column in chosen.items():
        if role not in ROLES:
            raise MappingRefused(
                f"{where} names the role '{role}'. Allowed: {', '.join(ROLES)}."
                f"{did_you_mean(str(role), ROLES)}"
            )
        if not isinstance(column, str) or not column:
            raise MappingRefused(f"{where} gives {column!r} as the column for {role}, not a name.")
    return ColumnMapping(**chosen), MapOptions.from_dict(options, where="map")


def reusable(
    source: Mapping[str, Any], options: Any, where: str = "The record of the run"
) -> dict[str, Any]:
    """How the next log is read as a run's was, of the record's ``source`` and ``options``.

    What holds for one log alone is left out. A run recorded before it was kept what its log
    settled has its options only.
    """
    read_as = _part(source, "read_as", where) or _part(options, "map", where)
    return {name: value for name, value in read_as.items() if name not in OF_ONE_LOG}


def _part(values: Any, name: str, where: str) -> Mapping[str, Any]:
    """A named part of an object; empty where it is left out."""
    if not isinstance(values, Mapping):
        raise MappingRefused(f"{where} must hold an object of names and values.")
    part = values.get(name, {})
    if not isinstance(part, Mapping):
        raise MappingRefused(f"{where}: '{name}' must hold an object of names and values.")
    return part
