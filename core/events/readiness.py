"""Whether a log can carry segments at all, said in plain words before anything is learned.

The bounds stand here as constants, each with its reason. They judge what was counted, and never
what a method made of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from core.wording import counted, duration, percent, quoted

Level = Literal["good", "care", "cannot"]
Weight = Literal["cannot", "care", "note"]

FEWEST_USERS = 50
"""Below it, every segment would rest on a handful of people; the evaluation asks for as many."""
FEW_USERS = 200
"""Below it, a segment of a tenth of the users has fewer than twenty people."""
PLACED_FROM = 3
"""Events from which on a user can be placed: two transitions. Cleaning starts there too."""
SINGLE_CANNOT, SINGLE_CARE = 0.70, 0.30
"""Share of users seen once. One event has no order and no rhythm: nothing tells such users apart
but what that event was."""
PLACED_CANNOT, PLACED_CARE = 0.20, 0.60
"""Share of users that can be placed; below it segments would speak of a small minority."""
SHORTEST, SHORT = timedelta(days=1), timedelta(days=14)
"""A day shows no return to the shop; two weeks show every weekday twice."""
FEW_EVENTS = 5
"""Median of a user's events below which most users show hardly more than one visit."""
ONE_USER_CANNOT, ONE_USER_CARE = 0.90, 0.20
"""Share of the events that are one user's: a test account, a till, a program."""
HEAVY_FROM = 5000
"""More events than this are no person's; cleaning sets such users aside."""
UNUSABLE_CANNOT, UNUSABLE_CARE = 0.90, 0.05
"""Share of the rows without a user or a time."""
SHOWN_SHARE = 0.001
"""A smaller share reads as 0% and is left out of a sentence."""
SAME_TIME_CARE = 0.50
"""Share of events at the very time of the user's event before: their order is that of the file."""
HOLE_CARE = 0.10
"""Share of the span without any event at all."""


@dataclass(frozen=True, kw_only=True)
class Remark:
    """One thing to know of a log, in a sentence; ``rows`` is how many it concerns."""

    code: str
    weight: Weight
    text: str
    rows: int = 0


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a log can carry, and why."""

    level: Level
    text: str
    remarks: tuple[Remark, ...]
    """The heaviest first."""


@dataclass(frozen=True, kw_only=True)
class Measures:
    """What is counted of a log to judge it. Usable rows have a user and a time."""

    rows: int
    usable: int
    no_user: int
    no_time: int
    """Rows with a user, but without a time that could be read."""
    first: datetime | None
    last: datetime | None
    users: int
    """Users with a usable row, as all counts of users below."""
    single: int
    """Users with one event."""
    placed: int
    """Users with `PLACED_FROM` events or more."""
    median_events: float
    heavy: int
    """Users with more than `HEAVY_FROM` events."""
    heavy_rows: int
    top_user: str
    top_rows: int
    actions: int
    """Different actions, blank cells not counted."""
    top_action: str
    content: tuple[str, ...]
    """Of item, category, price, duration, quantity, search: the columns with two or more values."""
    midnight: int
    """Usable rows at midnight exactly."""
    same_time: float
    """Share of events, after a user's first, at the time of the one before."""
    hole: tuple[datetime, datetime] | None
    """The longest stretch without events."""


def judge(seen: Measures) -> Verdict:
    """The verdict on a log; what weighs most stands first, by weight and then by rows."""
    if seen.usable == 0 or seen.first is None or seen.last is None:
        return Verdict(level="cannot", text=_TEXTS["cannot"], remarks=(_nothing(seen),))
    order: dict[str, int] = {"cannot": 0, "care": 1, "note": 2}
    found = [
        *_users(seen),
        *_span(seen, seen.first, seen.last),
        *_what_is_told(seen),
        *_one_user(seen),
        *_rows(seen),
        *_times(seen),
    ]
    found.sort(key=lambda remark: (order[remark.weight], -remark.rows))  # stable
    weights = {remark.weight for remark in found}
    level: Level = "cannot" if "cannot" in weights else "care" if "care" in weights else "good"
    return Verdict(level=level, text=_TEXTS[level], remarks=tuple(found))


_TEXTS: dict[Level, str] = {
    "good": "Nothing counted here speaks against segments.",
    "care": "Segments can be tried; read them with the remarks in mind.",
    "cannot": "This log cannot carry segments.",
}


def _nothing(seen: Measures) -> Remark:
    return Remark(
        code="nothing_usable",
        weight="cannot",
        text=f"None of {counted(seen.rows, 'row', 'rows')} has both a user and a time that can be "
        "read. Look again at which column is the user and which the time.",
        rows=seen.rows,
    )


def _users(seen: Measures) -> Iterator[Remark]:
    users, placed = seen.users, seen.placed
    people = counted(users, "user", "users")
    if users < FEWEST_USERS:
        text = f"There are {people}; segments need at least {FEWEST_USERS}. Bring more users."
        yield Remark(code="few_users", weight="cannot", text=text, rows=seen.usable)
        return
    single, share = seen.single / users, placed / users
    if single >= SINGLE_CARE:
        cannot = single >= SINGLE_CANNOT
        text = f"{percent(single)} of the users ({seen.single:,}) have a single event. "
        text += (
            "One event has no order and no rhythm, so there is nothing to tell them apart by. "
            "Bring a longer period, or check that the user column names people and not visits."
            if cannot
            else "One event has no order and no rhythm; Prepare leaves such users out unless you "
            "decide otherwise."
        )
        weight: Weight = "cannot" if cannot else "care"
        yield Remark(code="single_events", weight=weight, text=text, rows=seen.single)
    if placed < FEWEST_USERS or share < PLACED_CANNOT:
        text = (
            f"Only {placed:,} of {people} have {PLACED_FROM} events or more, which is what it "
            f"takes to place a user. Segments need at least {FEWEST_USERS} such users and "
            f"{percent(PLACED_CANNOT)} of all. Bring a longer period."
        )
        yield Remark(code="few_placed", weight="cannot", text=text, rows=seen.usable)
    elif share < PLACED_CARE:
        text = (
            f"{placed:,} of {people} ({percent(share)}) have {PLACED_FROM} events or more. "
            "Segments will speak of these; Prepare leaves the others out unless you decide "
            "otherwise."
        )
        yield Remark(code="some_placed", weight="care", text=text)
    elif placed < FEW_USERS:
        text = (
            f"{placed:,} of {people} can be placed: a segment of a tenth of them would have fewer "
            f"than {FEW_USERS // 10} people."
        )
        yield Remark(code="some_users", weight="care", text=text)
    elif seen.median_events < FEW_EVENTS:
        text = (
            f"Half of the users have {seen.median_events:.0f} events or fewer: for them there is "
            "little more than one visit to go by."
        )
        yield Remark(code="few_events", weight="care", text=text)


def _span(seen: Measures, first: datetime, last: datetime) -> Iterator[Remark]:
    span = last - first
    if not span:
        text = (
            f"All events carry one time, {first:%Y-%m-%d %H:%M:%S}. Without times there is no "
            "order. Look again at which column is the time."
        )
        yield Remark(code="one_time", weight="cannot", text=text, rows=seen.usable)
    elif span < SHORTEST:
        text = (
            f"The log covers {duration(span.total_seconds())}. Segments are about how users come "
            "back, which takes days to see. Bring at least two weeks."
        )
        yield Remark(code="short_span", weight="cannot", text=text, rows=seen.usable)
    elif span < SHORT:
        text = (
            f"The log covers {duration(span.total_seconds())}: not every weekday is there twice, "
            "so a passing event can look like a habit."
        )
        yield Remark(code="brief_span", weight="care", text=text)


def _what_is_told(seen: Measures) -> Iterator[Remark]:
    if seen.actions > 1:
        return
    said = f"every event is a {quoted(seen.top_action)}" if seen.actions else "no action is named"
    if not seen.content:
        text = (
            f"Events say nothing but who and when: {said}, and there is no item, category, price "
            "or duration. Choose a column for the action or the category."
        )
        yield Remark(code="no_content", weight="cannot", text=text, rows=seen.usable)
        return
    told_by = ", ".join(seen.content[:3])
    text = (
        f"There is one kind of action ({said}): users are told apart by {told_by} and time alone."
    )
    yield Remark(code="one_action", weight="care", text=text)


def _one_user(seen: Measures) -> Iterator[Remark]:
    share = seen.top_rows / seen.usable
    if seen.users >= FEWEST_USERS and share >= ONE_USER_CARE:
        cannot = share >= ONE_USER_CANNOT
        text = f"User {quoted(seen.top_user)} has {percent(share)} of all events. "
        text += (
            "What is left is too little. Look again at which column is the user."
            if cannot
            else "That looks like a program, a till or a test account."
        )
        weight: Weight = "cannot" if cannot else "care"
        yield Remark(code="one_user", weight=weight, text=text, rows=seen.top_rows)
    if seen.heavy:
        text = (
            f"{counted(seen.heavy, 'user has', 'users have')} more than {HEAVY_FROM:,} events, "
            "likely programs or wholesalers. Prepare sets them aside unless you decide otherwise."
        )
        yield Remark(code="heavy_users", weight="note", text=text, rows=seen.heavy_rows)


def _rows(seen: Measures) -> Iterator[Remark]:
    missing = (("no_user", seen.no_user, "user"), ("no_time", seen.no_time, "readable time"))
    for code, rows, what in missing:
        if not rows:
            continue
        share = rows / seen.rows
        of_all = f" ({percent(share)})" if share >= SHOWN_SHARE else ""
        text = f"{counted(rows, 'row has', 'rows have')} no {what}{of_all} and cannot be used."
        weight: Weight = "note"
        if share >= UNUSABLE_CANNOT:
            weight, text = "cannot", f"{text} Look again at which column is which."
        elif share >= UNUSABLE_CARE:
            weight, text = "care", f"{text} Segments speak of the others only."
        yield Remark(code=code, weight=weight, text=text, rows=rows)


def _times(seen: Measures) -> Iterator[Remark]:
    if seen.midnight == seen.usable and seen.first != seen.last:
        text = "Times are whole days: the order within a day is that of the file."
        yield Remark(code="whole_days", weight="care", text=text)
    elif seen.same_time >= SAME_TIME_CARE:
        text = (
            f"{percent(seen.same_time)} of events carry the very time of the user's event before, "
            "as the lines of one invoice do: their order is that of the file."
        )
        yield Remark(code="same_time", weight="note", text=text)
    if seen.hole and seen.first and seen.last:
        begun, ended = (f"{moment:%Y-%m-%d %H:%M}" for moment in seen.hole)
        length = seen.hole[1] - seen.hole[0]
        if length / max(seen.last - seen.first, timedelta(seconds=1)) >= HOLE_CARE:
            text = f"There is not one event from {begun} to {ended}. Ask whether a file is missing."
            yield Remark(code="hole", weight="care", text=text)
