"""Settings as frozen dataclasses: default, bounds, unit and help stand once, in the field.

The same class makes the form on the page, the flags of the command line, the JSON schema and
the record of a run.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Literal, Self, get_args, get_origin

from core.errors import OptionRefused, did_you_mean


@dataclass(frozen=True, kw_only=True)
class OptionInfo:
    """What a widget, a flag or a schema must know of one option."""

    label: str
    help: str
    low: float | None = None
    high: float | None = None
    unit: str = ""
    expert: bool = False


def option(  # noqa: PLR0913
    default: Any,
    label: str,
    help: str,
    *,
    low: float | None = None,
    high: float | None = None,
    unit: str = "",
    expert: bool = False,
) -> Any:
    """Declare one option; choices come from a ``Literal`` type, bounds are inclusive."""
    info = OptionInfo(label=label, help=help, low=low, high=high, unit=unit, expert=expert)
    return field(default=default, metadata={"option": info})


@dataclass(frozen=True, kw_only=True)
class Options:
    """Base of every option class; checks each value when it is made.

    Allowed types: ``bool``, ``int``, ``float``, ``str``, ``Literal[...]``, ``tuple[str, ...]``
    and unions of them (``int | Literal["auto"]``, ``float | None``).
    """

    def __post_init__(self) -> None:
        for name, kind in option_types(type(self)).items():
            value = _fit(getattr(self, name), kind)
            object.__setattr__(self, name, value)
            _check(type(self), name, kind, value)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], *, where: str) -> Self:
        """Make the options from plain values; ``where`` names the stage in errors."""
        known = option_types(cls)
        for name in values:
            if name not in known:
                raise OptionRefused(
                    f"Unknown option '{where}.{name}'. Allowed: {', '.join(known) or 'none'}."
                    f"{did_you_mean(name, known)}"
                )
        try:
            return cls(**values)
        except OptionRefused as refused:
            raise OptionRefused(f"{where}.{refused}") from None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, tuples as lists."""
        values = {name: getattr(self, name) for name in option_types(type(self))}
        return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}


def option_types(cls: type[Options]) -> Mapping[str, Any]:
    """Resolved type of every option of a class, in order."""
    found = _TYPES.get(cls)
    if found is None:  # resolving is slow, and every fingerprint asks
        hints = typing.get_type_hints(cls)
        found = {f.name: hints[f.name] for f in fields(cls) if "option" in f.metadata}
        _TYPES[cls] = found
    return found


def option_info(cls: type[Options], name: str) -> OptionInfo:
    """Label, help, bounds and unit of one option."""
    info = cls.__dataclass_fields__[name].metadata["option"]
    assert isinstance(info, OptionInfo)
    return info


def option_default(cls: type[Options], name: str) -> Any:
    """Default of one option."""
    default = cls.__dataclass_fields__[name].default
    return None if default is MISSING else default


def choices(kind: Any) -> tuple[Any, ...]:
    """The allowed words of a ``Literal`` (alone or in a union); empty where any value goes."""
    return tuple(
        word for part in _parts(kind) if get_origin(part) is Literal for word in get_args(part)
    )


def parse_text(cls: type[Options], name: str, text: str, *, where: str) -> Any:
    """Turn the text of ``--set stage.field=text`` into a value of the option's type."""
    kinds = option_types(cls)
    if name not in kinds:
        cls.from_dict({name: text}, where=where)
    kind = kinds[name]
    if text in choices(kind):
        return text
    for part in _parts(kind):
        value = _parse_as(part, text)
        if value is not _UNPARSED:
            return value
    raise OptionRefused(f"{where}.{name} is '{text}'. Allowed: {describe(cls, name)}.")


def describe(cls: type[Options], name: str) -> str:
    """The allowed values of an option in words: "a whole number from 1 to 50, or auto"."""
    kind, info = option_types(cls)[name], option_info(cls, name)
    words = [_describe_part(part, info) for part in _parts(kind)]
    return ", or ".join(words)


def known_names(names: tuple[str, ...], known: Iterable[str], *, where: str) -> tuple[str, ...]:
    """The names without repeats. Raises OptionRefused where one is not known, or there is none."""
    allowed = list(known)
    for name in names:
        if name not in allowed:
            raise OptionRefused(
                f"{where} names '{name}'. Allowed: {', '.join(allowed)}."
                f"{did_you_mean(name, allowed)}"
            )
    if not names:
        raise OptionRefused(f"{where} is empty. Name one or more of {', '.join(allowed)}.")
    return tuple(dict.fromkeys(names))


def json_schema(cls: type[Options]) -> dict[str, Any]:
    """JSON schema of an option class (draft 2020-12)."""
    properties: dict[str, Any] = {}
    for name, kind in option_types(cls).items():
        info = option_info(cls, name)
        default = option_default(cls, name)
        schema: dict[str, Any] = {
            "title": info.label,
            "description": info.help,
            "default": list(default) if isinstance(default, tuple) else default,
        }
        parts = [_schema_part(part, info) for part in _parts(kind)]
        schema |= parts[0] if len(parts) == 1 else {"anyOf": parts}
        if info.unit:
            schema["x-unit"] = info.unit
        properties[name] = schema
    return {"type": "object", "additionalProperties": False, "properties": properties}


_TYPES: dict[Any, Mapping[str, Any]] = {}
_UNPARSED: Any = object()
_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
_JSON_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}


def _parts(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (typing.Union, types.UnionType) else (kind,)


def _fit(value: Any, kind: Any) -> Any:
    """Undo what JSON does to values: lists for tuples, 1 for 1.0."""
    parts = _parts(kind)
    if isinstance(value, list) and any(get_origin(p) is tuple for p in parts):
        return tuple(value)
    if isinstance(value, int) and not isinstance(value, bool) and float in parts:
        return value if int in parts else float(value)
    return value


def _check(cls: type[Options], name: str, kind: Any, value: Any) -> None:
    info = option_info(cls, name)
    if not any(_is_a(value, part) for part in _parts(kind)):
        near = did_you_mean(str(value), [str(c) for c in choices(kind)])
        raise OptionRefused(f"{name} is {value!r}. Allowed: {describe(cls, name)}.{near}")
    if isinstance(value, int | float) and not isinstance(value, bool):
        low_ok = info.low is None or value >= info.low
        high_ok = info.high is None or value <= info.high
        if not (low_ok and high_ok):
            raise OptionRefused(f"{name} is {value!r}. Allowed: {describe(cls, name)}.")


def _is_a(value: Any, part: Any) -> bool:
    if get_origin(part) is Literal:
        return value in get_args(part)
    if get_origin(part) is tuple:
        return isinstance(value, tuple) and all(isinstance(v, str) for v in value)
    if part in (int, float):
        # `value == value` turns NaN away, which no bound would.
        return isinstance(value, part) and not isinstance(value, bool) and value == value
    return isinstance(value, part)


def _parse_as(part: Any, text: str) -> Any:
    if part is types.NoneType:
        return None if text.lower() in ("none", "null", "") else _UNPARSED
    if part is bool:
        return {"true": True, "false": False}.get(text.lower(), _UNPARSED)
    if part is str:
        return text
    if get_origin(part) is tuple:
        return tuple(word for word in text.split(",") if word)
    if part in (int, float):
        try:
            return part(text)
        except ValueError:
            return _UNPARSED
    return _UNPARSED


def _describe_part(part: Any, info: OptionInfo) -> str:
    if get_origin(part) is Literal:
        return " or ".join(str(word) for word in get_args(part))
    if part is types.NoneType:
        return "none"
    if get_origin(part) is tuple:
        return "words separated by commas"
    words = _NAMES[part]
    if part in (int, float):
        bounds = {"from": info.low, "to": info.high}
        words += "".join(f" {w} {b:g}" for w, b in bounds.items() if b is not None)
        words += f" {info.unit}" if info.unit else ""
    return words


def _schema_part(part: Any, info: OptionInfo) -> dict[str, Any]:
    if get_origin(part) is Literal:
        return {"enum": list(get_args(part))}
    if part is types.NoneType:
        return {"type": "null"}
    if get_origin(part) is tuple:
        return {"type": "array", "items": {"type": "string"}}
    schema: dict[str, Any] = {"type": _JSON_TYPES[part]}
    if part in (int, float):
        schema |= {} if info.low is None else {"minimum": info.low}
        schema |= {} if info.high is None else {"maximum": info.high}
    return schema
