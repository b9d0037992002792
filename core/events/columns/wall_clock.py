"""Times that name no zone, in the zone that is told."""

from __future__ import annotations

from dataclasses import dataclass

from core.artifacts import Problem
from core.events.columns.reading import kinds_where
from core.events.columns.time_column import EARLIEST, Sql, Way
from core.events.columns.time_zones import Change, changes, stamp_literal, utc_sql
from core.events.problems import plural


@dataclass(frozen=True)
class Zoned:
    """``to_utc`` makes SQL of the time in UTC from that of the time on the wall."""

    to_utc: Sql
    problems: tuple[Problem, ...] = ()


IN_UTC = Zoned(lambda wall: wall)


def in_zone(way: Way, local: Sql) -> Zoned:
    """How times without a zone become UTC, in the zone that is told."""
    zone, column = way.options.time_zone, way.column
    if zone == "UTC":
        return IN_UTC
    source = f"(SELECT *, {local('cell')} AS wall FROM cells)"
    bounds = f"wall BETWEEN {stamp_literal(EARLIEST)} AND TIMESTAMP '2199-12-31'"
    first, last = column.query(f"SELECT min(wall), max(wall) FROM {source} WHERE {bounds}")[0]
    if first is None:
        return IN_UTC
    start, moved = changes(zone, first, last)
    doubtful = {
        name: " OR ".join(_within(change) for change in moved if change.skipped == skipped)
        for name, skipped in (("never", True), ("twice", False))
    }
    found = kinds_where(column, {name: test or "false" for name, test in doubtful.items()}, source)
    texts = {
        "never": "fell into an hour that the clocks of {} skipped, taken as if they had not "
        "been moved yet",
        "twice": "fell into an hour that came twice when the clocks of {} went back, taken as the "
        "first",
    }
    return Zoned(
        lambda wall: utc_sql(wall, start, moved),
        tuple(
            column.warn(
                f"hour_{name}",
                f"{plural(kind.count, 'time')} in column '{column.name}' "
                f"{texts[name].format(zone)}: {column.spell(kind)}.",
                kind,
            )
            for name, kind in found.items()
            if kind.count
        ),
    )


def _within(change: Change) -> str:
    low, high = change.window
    return f"wall >= {stamp_literal(low)} AND wall < {stamp_literal(high)}"
