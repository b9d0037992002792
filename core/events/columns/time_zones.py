"""From the clock on the wall of a named zone to UTC, by the zone's own history of offsets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Change:
    """A moment at which the clocks of a zone were moved; offsets in seconds ahead of UTC."""

    at: datetime
    """In UTC, without zone."""
    before: int
    after: int

    @property
    def window(self) -> tuple[datetime, datetime]:
        """The wall-clock times that came twice, or never."""
        one, two = (self.at + timedelta(seconds=s) for s in (self.before, self.after))
        return min(one, two), max(one, two)

    @property
    def skipped(self) -> bool:
        """Whether the clock was put forward, so that the times in between never were."""
        return self.after > self.before


def changes(zone: str, first: datetime, last: datetime) -> tuple[int, tuple[Change, ...]]:
    """The offset in force before ``first`` and all changes up to ``last`` (UTC, give or take)."""
    known = ZoneInfo(zone)
    day, end = first - 2 * _DAY, last + 2 * _DAY
    offset = start = _offset(known, day)
    found = []
    while day < end:
        following = _offset(known, day + _DAY)
        if following != offset:
            found.append(Change(_moment(known, day, day + _DAY), offset, following))
            offset = following
        day += _DAY
    return start, tuple(found)


def utc_sql(local: str, start: int, moved: tuple[Change, ...]) -> str:
    """SQL of the time in UTC of a wall-clock time.

    Of a time that came twice the first is taken; one that never was counts as if the clocks had
    not been moved yet.
    """
    if not (start or moved):
        return local
    cases = "".join(
        f"WHEN wall < {stamp_literal(change.window[1])} THEN {change.before} " for change in moved
    )
    last = moved[-1].after if moved else start
    seconds = f"CASE {cases}ELSE {last} END" if moved else str(start)
    # the lambda names the time, so that it is worked out once however many changes there were
    return f"list_transform([{local}], lambda wall: wall - to_seconds({seconds}))[1]"


def stamp_literal(moment: datetime) -> str:
    """A moment as SQL."""
    return f"TIMESTAMP '{moment.replace(microsecond=0).isoformat(' ')}'"


def _offset(zone: ZoneInfo, utc: datetime) -> int:
    there = utc.replace(tzinfo=UTC).astimezone(zone).utcoffset()
    return int(there.total_seconds()) if there is not None else 0


def _moment(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The second at which the offset changes, between two moments that differ in it."""
    low, high = low.replace(microsecond=0), high.replace(microsecond=0)
    old = _offset(zone, low)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        low, high = (middle, high) if _offset(zone, middle) == old else (low, middle)
    return high
