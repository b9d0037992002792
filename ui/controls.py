"""Draws any Options dataclass as widgets; labels, bounds, units and help stand in its fields."""

from __future__ import annotations

import math
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, get_origin

import streamlit as st

from core.errors import OptionRefused
from core.options import OptionInfo, Options, choices, describe, option_info, option_types
from ui import session
from ui.safe_text import show_error

O = TypeVar("O", bound=Options)  # noqa: E741
_SHORT_CHOICE = 40
"""Up to so many letters in all, four more for every choice, they stand side by side; more go into
a list."""
_SAID = {
    "iqr": "Box plot",
    "sigma": "Deviations",
    "ffill": "Row before",
    "bfill": "Row after",
    "user_mean": "User's mean",
    "user_median": "User's median",
    "min_max": "Min-max",
}
"""Choices whose names are jargon, in the analyst's words."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a page wants its options drawn."""

    columns: int = 3
    door: bool = True
    """Whether expert options stand behind a door; False where the page has one around all."""
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By option that holds several names: what can be named, and what each is called on screen."""


def draw(cls: type[O], current: O, *, key: str, skip: Sequence[str] = (), look: Look = Look()) -> O:
    """The options as the analyst has set them; expert ones stand behind one door.

    The door is left out where there is nothing else.

    Works in a form and outside one. ``current`` fills the widgets, again whenever it is changed
    from elsewhere. Where the widgets were away in the run before, what they held is sent to the
    browser again, which has forgotten it. A value that is not allowed is worded below the widgets
    and ``current`` is returned. ``skip`` names options that the page draws itself.
    """
    form = _Form(cls, key, look, _changed_elsewhere(current, key), _was_away(key))
    names = [name for name in option_types(cls) if name not in skip]
    experts = [name for name in names if option_info(cls, name).expert]
    others = [name for name in names if name not in experts]
    if not look.door:
        others, experts = names, []
    values = form.draw(others or experts, current)
    if experts and others:
        with st.expander("Expert settings", icon=":material/tune:", key=f"{key}-expert"):
            values |= form.draw(experts, current)
    kept = {name: getattr(current, name) for name in option_types(cls) if name in skip}
    try:
        drawn = cls(**kept, **values)
    except OptionRefused as refused:
        show_error(refused)
        drawn = current
    st.session_state[_drawn_key(key)] = (current, drawn)
    return drawn


def _changed_elsewhere(current: Options, key: str) -> bool:
    """Whether ``current`` is neither what was given last nor what the analyst made of it.

    A page may go on giving what was confirmed while the widgets hold what is not confirmed yet.
    """
    return current not in st.session_state.get(_drawn_key(key), ())


def _drawn_key(key: str) -> str:
    return f"{key}-drawn"


def _was_away(key: str) -> bool:
    """Whether the run before did not draw these widgets; notes that this one does."""
    run, name = session.RUN.get() or 0, f"{key}-drawn-in"
    before: int = st.session_state.get(name, run)
    st.session_state[name] = run
    return before < run - 1


@dataclass(frozen=True)
class _Form:
    """The widgets of one option class.

    ``refill`` overwrites what they hold, ``again`` sends it to the browser once more: a widget that
    is drawn anew begins there with the lowest number or no choice, whatever it is known to hold.
    """

    cls: type[Options]
    key: str
    look: Look
    refill: bool
    again: bool

    def draw(self, names: Sequence[str], current: Options) -> dict[str, Any]:
        values = {}
        for row in self._rows(names):
            # A row of their own each, so that the widgets beside each other stand at one height.
            alone = self.look.columns == 1 or row[0] in self.look.words
            places = [st.container()] if alone else st.columns(self.look.columns)
            for place, name in zip(places, row, strict=False):
                with place:
                    values[name] = self._widget(name, getattr(current, name))
        return values

    def _rows(self, names: Sequence[str]) -> Iterator[list[str]]:
        """As many side by side as the page has columns; several names take a row for themselves."""
        row: list[str] = []
        for name in names:
            wide = name in self.look.words
            if row and (wide or len(row) == self.look.columns):
                yield row
                row = []
            row.append(name)
            if wide:
                yield row
                row = []
        if row:
            yield row

    def _widget(self, name: str, value: Any) -> Any:
        kind, info = option_types(self.cls)[name], option_info(self.cls, name)
        parts, words = _parts(kind), choices(kind)
        if bool in parts:
            key = self._filled(name, bool(value))
            return st.toggle(info.label, key=key, help=info.help)
        if int in parts or float in parts:
            return self._number(name, value)
        if words:
            return _choice(info, words, self._filled(name, value))
        if name in self.look.words:
            return self._several(name, value)
        if any(get_origin(part) is tuple for part in parts):
            key = self._filled(name, ", ".join(value))
            text = st.text_input(info.label, key=key, help=f"{info.help} Separate by commas.")
            return tuple(word.strip() for word in (text or "").split(",") if word.strip())
        text = st.text_input(info.label, key=self._filled(name, value or ""), help=info.help)
        return None if type(None) in parts and not text else text

    def _several(self, name: str, value: Any) -> tuple[str, ...]:
        """Names out of a catalogue, in the order in which they are picked."""
        info, words = option_info(self.cls, name), self.look.words[name]
        key = self._filled(name, [word for word in value if word in words])
        given = st.multiselect(
            info.label,
            list(words),
            format_func=words.__getitem__,
            key=key,
            help=info.help,
            wrap=True,
        )
        return tuple(given)

    def _number(self, name: str, value: Any) -> Any:
        """A number; an empty box stands for "auto" or "none" where the option allows that."""
        kind, info = option_types(self.cls)[name], option_info(self.cls, name)
        number: Any = float if float in _parts(kind) else int
        words = choices(kind)
        instead = words[0] if words else None
        may_be_empty = bool(words) or type(None) in _parts(kind)
        empty = "Automatic" if instead == "auto" else _readable(instead or "none")
        help_text = f"{info.help.rstrip('.')}. Allowed: {describe(self.cls, name)}."
        limits: dict[str, Any] = {
            "min_value": None if info.low is None else number(info.low),
            "max_value": None if info.high is None else number(info.high),
            "value": None if may_be_empty else "min",
            "step": 1 if number is int else _step(info),
        }
        given = st.number_input(
            f"{info.label} ({info.unit})" if info.unit else info.label,
            format="%d" if number is int else "%g",
            key=self._filled(name, None if value == instead else number(value)),
            help=f"{help_text} Leave empty for {empty.lower()}." if may_be_empty else help_text,
            placeholder=empty if may_be_empty else None,
            **limits,
        )
        return instead if given is None else given

    def _filled(self, name: str, value: Any) -> str:
        """Key of a widget that holds ``value`` when it is drawn for the first time."""
        key = f"{self.key}-{name}"
        if self.refill or key not in st.session_state:
            st.session_state[key] = value
        elif self.again:
            st.session_state[key] = st.session_state[key]  # what is set is sent
        return key


def _choice(info: OptionInfo, words: Sequence[Any], key: str) -> Any:
    if sum(len(_readable(word)) + 4 for word in words) <= _SHORT_CHOICE:
        return st.segmented_control(
            info.label, words, required=True, format_func=_readable, key=key, help=info.help
        )
    return st.selectbox(info.label, words, format_func=_readable, key=key, help=info.help)


def _readable(word: Any) -> str:
    text = _SAID.get(str(word), str(word)).replace("_", " ")
    return text[:1].upper() + text[1:]


def _step(info: OptionInfo) -> float:
    """About a hundredth of the range, as a power of ten; a tenth where the range is open."""
    if info.low is None or info.high is None or info.high <= info.low:
        return 0.1
    return float(10.0 ** (math.floor(math.log10(info.high - info.low)) - 1))


def _parts(kind: Any) -> tuple[Any, ...]:
    """The types of a union, or the one type."""
    found = typing.get_args(kind)
    return found if found and get_origin(kind) not in (Literal, tuple) else (kind,)
