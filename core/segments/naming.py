"""Readable names, distinct from one another, put together from what sets the segments apart."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from core.action_roles import Role, role_of
from core.artifacts import NOISE, Segments, fingerprint
from core.errors import OptionRefused
from core.segments.facts import Finding

NO_SEGMENT = "No segment"
EVERYONE = "Everyone"
AVERAGE = "Average shoppers"
LONGEST_NAME = 80
"""Characters of a name given by the analyst."""

_LONGEST_WORD = 30
_PARTS_AT_FIRST = 2
_MOST_ADJECTIVES = 2
_CATEGORY_SHARE = 0.2
"""A category names a segment that spends at least this share of its events there."""

_NOUNS: dict[Role, str] = {
    "purchase": "buyers",
    "view": "browsers",
    "cart": "cart fillers",
    "search": "searchers",
    "favourite": "collectors",
    "click": "clickers",
    "review": "reviewers",
    "return": "returners",
}
_STARTS: dict[Role, str] = {
    "purchase": "buy-first",
    "view": "browse-first",
    "cart": "cart-first",
    "search": "search-first",
    "favourite": "save-first",
    "click": "click-first",
    "review": "review-first",
    "return": "return-first",
}
_ADJECTIVES: dict[str, tuple[str, str]] = {
    "gap": ("unhurried", "quick"),
    "visit_events": ("long-visit", "short-visit"),
    "day_events": ("busy-day", "few-a-day"),
    "morning": ("morning", ""),
    "afternoon": ("afternoon", ""),
    "evening": ("evening", ""),
    "night": ("night", "daytime"),
    "weekend": ("weekend", "weekday"),
    "price": ("upmarket", "bargain"),
    "paid": ("upmarket", "bargain"),
    "spend": ("high-spending", "low-spending"),
    "purchases": ("keen", "reluctant"),
    "events": ("active", "occasional"),
    "active_days": ("regular", "occasional"),
    "tenure": ("long-standing", "short-lived"),
    "recency": ("lapsed", "recent"),
}
"""What a segment is called where it has more of something, and where it has less."""
_TIMES_OF_DAY = ("morning", "afternoon", "evening", "night", "daytime", "weekend", "weekday")


@dataclass(frozen=True, kw_only=True)
class _Part:
    """A word or two of a name."""

    slot: Literal["adjective", "noun", "category"]
    words: str


def names(ids: Sequence[int], found: Sequence[Sequence[Finding]]) -> tuple[str, ...]:
    """A name per segment: "Night browsers of Shoes", "Search-first buyers", "Average shoppers".

    A name takes what users do and the strongest of the other facts; where two segments would be
    called alike each takes its next fact, and a number only where nothing is left to tell them
    apart.
    """
    real = [i for i, segment in enumerate(ids) if segment != NOISE]
    if len(ids) == 1 and real:
        return (EVERYONE,)
    parts = {i: _parts(found[i]) for i in real}
    depth = dict.fromkeys(real, _PARTS_AT_FIRST)
    called = {i: _compose(parts[i][: depth[i]]) for i in real}
    while longer := [i for i in _doubles(called) if depth[i] < len(parts[i])]:
        for i in longer:
            depth[i] += 1
            called[i] = _compose(parts[i][: depth[i]])
    numbered = _numbered(called)
    return tuple(numbered.get(i, NO_SEGMENT) for i in range(len(ids)))


def rename(segments: Segments, names: Mapping[int, str]) -> Segments:
    """The segments under names of the analyst's own, by segment id; the others keep theirs.

    Blanks around and between words are tidied. Raises OptionRefused for a segment that is not
    there, a name that is empty, too long or cannot be shown, and for two names alike.
    """
    there = {segment.id: segment.name for segment in segments.segments}
    for segment in names:
        if segment not in there:
            known = ", ".join(str(i) for i in there)
            raise OptionRefused(f"There is no segment {segment}. There are: {known}.")
    given = {segment: _tidied(segment, name) for segment, name in names.items()}
    called = there | given
    _refuse_alike(called)
    return replace(
        segments,
        segments=tuple(replace(s, name=called[s.id]) for s in segments.segments),
        fingerprint=fingerprint(
            segments.fingerprint, "rename", 1, {str(i): name for i, name in given.items()}
        ),
    )


def _tidied(segment: int, name: str) -> str:
    tidy = " ".join(name.split())
    kinds = {unicodedata.category(letter) for letter in tidy}
    if not any(kind[0] in "LNPS" for kind in kinds):
        raise OptionRefused(f"The name of segment {segment} is empty. Type at least one letter.")
    if "Cc" in kinds:
        raise OptionRefused(
            f"The name of segment {segment} holds a control character that cannot be shown. "
            "Type the name again."
        )
    if len(tidy) > LONGEST_NAME:
        raise OptionRefused(
            f"The name of segment {segment} has {len(tidy)} characters. At most {LONGEST_NAME} "
            "are allowed; choose a shorter one."
        )
    return tidy


def _refuse_alike(called: Mapping[int, str]) -> None:
    met: dict[str, int] = {}
    for segment, name in called.items():
        other = met.setdefault(name.casefold(), segment)
        if other != segment:
            raise OptionRefused(
                f"Segments {other} and {segment} would both be called '{name}'. Names must "
                "differ; choose another for one of them."
            )


def _parts(found: Sequence[Finding]) -> list[_Part]:
    """What the findings offer for a name: one noun first, then what else there is by strength."""
    parts: list[_Part] = []
    used: set[str] = set()
    for finding in found:
        part = _part(finding)
        if part is None or part.words in {p.words for p in parts}:
            continue
        keys = {part.slot} if part.slot != "adjective" else set(finding.feature.alike)
        n_adjectives = sum(p.slot == "adjective" for p in parts)
        if used.isdisjoint(keys) and (part.slot != "adjective" or n_adjectives < _MOST_ADJECTIVES):
            parts.append(part)
            used |= keys
    return sorted(parts, key=lambda part: part.slot != "noun")


def _part(finding: Finding) -> _Part | None:
    feature, more = finding.feature, finding.effect > 0
    if feature.kind == "action":
        noun = _noun(feature.words[0]) if more else _shunned(feature.words[0])
        return _Part(slot="noun", words=noun) if noun else None
    if feature.kind == "transition":
        return _Part(slot="noun", words=_after(*feature.words)) if more else None
    if feature.kind == "category":
        told = more and finding.inside >= _CATEGORY_SHARE
        return _Part(slot="category", words=_short(feature.words[0])) if told else None
    adjective = _ADJECTIVES[feature.name][0 if more else 1]
    return _Part(slot="adjective", words=adjective) if adjective else None


def _noun(action: str) -> str:
    return _NOUNS.get(role_of(action)) or f"{_short(action)} users"


def _shunned(action: str) -> str:
    """Who seldom buys looks through the window."""
    return "window shoppers" if role_of(action) == "purchase" else ""


def _after(came: str, goes: str) -> str:
    """Who does one thing right after another: "search-first buyers", "repeat buyers"."""
    if came == goes:
        return f"repeat {_noun(goes)}"
    return f"{_STARTS.get(role_of(came)) or f'{_short(came)}-first'} {_noun(goes)}"


def _short(word: str) -> str:
    tidy = " ".join(word.split())
    return tidy if len(tidy) <= _LONGEST_WORD else f"{tidy[: _LONGEST_WORD - 1]}…"


def _compose(parts: Sequence[_Part]) -> str:
    if not parts:
        return AVERAGE
    adjectives = [part.words for part in parts if part.slot == "adjective"]
    adjectives.sort(key=_TIMES_OF_DAY.__contains__)  # "quick night buyers", not "night quick"
    nouns = [part.words for part in parts if part.slot == "noun"] or ["shoppers"]
    categories = [f"of {part.words}" for part in parts if part.slot == "category"]
    name = " ".join([*adjectives, *nouns, *categories])
    return name[:1].upper() + name[1:]


def _doubles(called: Mapping[int, str]) -> list[int]:
    """Segments that share their name with another."""
    times = Counter(name.casefold() for name in called.values())
    return [i for i, name in called.items() if times[name.casefold()] > 1]


def _numbered(called: Mapping[int, str]) -> dict[int, str]:
    """Number what nothing tells apart: "Average shoppers", "Average shoppers (2)"."""
    taken: set[str] = set()
    numbered: dict[int, str] = {}
    for i, name in called.items():
        number, unique = 1, name
        while unique.casefold() in taken:
            number += 1
            unique = f"{name} ({number})"
        taken.add(unique.casefold())
        numbered[i] = unique
    return numbered
