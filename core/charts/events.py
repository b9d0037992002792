"""What a log looks like: over time, per user, by action and category.

Takes what `core.events.overview` counts, by shape only: a chart knows no stage.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import plotly.graph_objects as go

from core.charts.theme import (
    COLOURS,
    LESS,
    NOISE_COLOUR,
    WIDE,
    figure,
    named_positions,
    safe,
)
from core.wording import duration

_MOST_BARS = 15
_TICKS = {
    "1 s": 1,
    "10 s": 10,
    "1 min": 60,
    "10 min": 600,
    "1 h": 3600,
    "6 h": 21_600,
    "1 day": 86_400,
    "1 week": 604_800,
    "1 month": 2_629_746,
    "1 year": 31_556_952,
}


class Series(Protocol):
    """How often one action happened in every bin of a timeline."""

    @property
    def action(self) -> str: ...
    @property
    def counts(self) -> tuple[int, ...]: ...


class Timeline(Protocol):
    """Events over time; a series per action, the most frequent first."""

    @property
    def unit(self) -> str: ...
    @property
    def starts(self) -> tuple[datetime, ...]: ...
    @property
    def series(self) -> Sequence[Series]: ...


class Bin(Protocol):
    """Users that have from ``low`` to ``high`` events."""

    @property
    def low(self) -> int: ...
    @property
    def high(self) -> int: ...
    @property
    def users(self) -> int: ...


class Count(Protocol):
    """How often a word stands in the log."""

    @property
    def name(self) -> str: ...
    @property
    def events(self) -> int: ...
    @property
    def users(self) -> int: ...


class Pause(Protocol):
    """How often users wait so long between two events."""

    @property
    def name(self) -> str: ...
    @property
    def up_to(self) -> float | None: ...
    @property
    def events(self) -> int: ...


class PauseBin(Protocol):
    """Pauses from ``low`` up to but without ``high`` seconds."""

    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def pauses(self) -> int: ...


class Stage(Protocol):
    """Users that came to a stage of the way to a purchase."""

    @property
    def name(self) -> str: ...
    @property
    def actions(self) -> tuple[str, ...]: ...
    @property
    def users(self) -> int: ...
    @property
    def also(self) -> int: ...


def events_over_time(timeline: Timeline) -> go.Figure:
    """Events per day (or hour, week ...), stacked by action."""
    total = sum(sum(series.counts) for series in timeline.series)
    ends = (timeline.starts[0], timeline.starts[-1]) if timeline.starts else ()
    span = " from {:%Y-%m-%d} to {:%Y-%m-%d}".format(*ends) if ends else ""
    made = figure(
        f"Events per {timeline.unit}",
        "Gaps and sudden jumps are worth a question to who collects the data.",
        f"Stacked bars of {total:,} events per {timeline.unit}, by action{span}.",
        wrap=WIDE,
    )
    for place, series in enumerate(timeline.series):
        made.add_trace(
            go.Bar(
                x=list(timeline.starts),
                y=list(series.counts),
                name=safe(series.action, 30),
                marker={"color": COLOURS[place % len(COLOURS)], "line_width": 0},
                hovertemplate="%{y:,}",
            )
        )
    made.update_layout(barmode="stack", bargap=0.08, hovermode="x unified")
    made.update_layout(legend={"traceorder": "normal"})
    made.update_xaxes(title_text="Start (UTC)", showgrid=False)
    made.update_yaxes(title_text="Events", rangemode="tozero", tickformat=",")
    return made


def events_per_user(bins: Sequence[Bin], before: Sequence[Bin] = ()) -> go.Figure:
    """How many users have how many events; with ``before``, also how it was before cleaning."""
    n_users = sum(found.users for found in bins)
    made = figure(
        "Events per user",
        "Each bar covers twice as many events as the one before it. Users at the far left say "
        "little about themselves.",
        f"Histogram of the number of events of {n_users:,} users.",
        height=340,
    )
    longest = before if len(before) > len(bins) else bins
    if before:
        made.add_trace(_bars(before, "Before cleaning", NOISE_COLOUR))
    made.add_trace(_bars(bins, "After cleaning" if before else "Users", COLOURS[0]))
    made.update_layout(showlegend=bool(before), bargap=0.15)
    named_positions(made, [_range(found) for found in longest], axis="x")
    made.update_xaxes(title_text="Events of the user")
    made.update_yaxes(title_text="Users", rangemode="tozero", tickformat=",")
    return made


def pauses(kinds: Sequence[Pause], visit_gap_seconds: float | None = None) -> go.Figure:
    """How long users wait between two events; a line where a visit is taken to end."""
    total = sum(kind.events for kind in kinds)
    longest = max(kinds, key=lambda kind: kind.events).name if total else "none"
    made = figure(
        "Time between two events of a user",
        "Left are pauses within a visit, right those between visits. Where there is a valley, a "
        "visit ends.",
        f"Bar chart of {total:,} pauses by length. The most frequent kind is: {longest}.",
        wrap=WIDE,
    )
    made.add_trace(
        go.Bar(
            x=list(range(len(kinds))),
            y=[kind.events for kind in kinds],
            marker={"color": COLOURS[0]},
            customdata=[kind.name for kind in kinds],
            hovertemplate="%{customdata}: %{y:,} pauses<extra></extra>",
        )
    )
    named_positions(made, [kind.name for kind in kinds], axis="x")
    if visit_gap_seconds is not None:
        at = sum(kind.up_to is not None and kind.up_to <= visit_gap_seconds for kind in kinds) - 0.5
        made.add_vline(
            at,
            line={"color": LESS, "width": 2, "dash": "dash"},
            annotation={"text": "a new visit begins", "textangle": 0},
        )
    made.update_layout(bargap=0.12)
    made.update_xaxes(title_text="Pause")
    made.update_yaxes(title_text="Pauses", rangemode="tozero", tickformat=",")
    return made


def visit_pauses(bins: Sequence[PauseBin], visit_gap_seconds: float) -> go.Figure:
    """How long users wait between two events, on a scale of ratios; a line where a visit ends."""
    total = sum(found.pauses for found in bins)
    made = figure(
        "Where a visit ends",
        "Time between two events of a user. Left of the line are pauses within a visit, right "
        "those between visits.",
        f"Histogram of {total:,} pauses between events. A visit ends after a pause of "
        f"{duration(visit_gap_seconds)}.",
        height=340,
    )
    made.add_trace(
        go.Bar(
            x=[math.log2(found.low * found.high) / 2 for found in bins],
            y=[found.pauses for found in bins],
            width=[0.9 * math.log2(found.high / found.low) for found in bins],
            marker={"color": COLOURS[0]},
            customdata=[f"{duration(f.low)} to {duration(f.high)}" for f in bins],
            hovertemplate="%{customdata}: %{y:,} pauses<extra></extra>",
        )
    )
    made.add_vline(
        math.log2(visit_gap_seconds),
        line={"color": LESS, "width": 2, "dash": "dash"},
        annotation={"text": f"visit ends: {duration(visit_gap_seconds)}", "textangle": 0},
    )
    made.update_xaxes(
        title_text="Pause", tickvals=[math.log2(s) for s in _TICKS.values()], ticktext=list(_TICKS)
    )
    made.update_yaxes(title_text="Pauses", rangemode="tozero", tickformat=",")
    return made


def visits_per_user(bins: Sequence[Bin]) -> go.Figure:
    """How many users came how often."""
    n_users = sum(found.users for found in bins)
    made = figure(
        "Visits per user",
        "Users at the far left came once: nothing is known of their coming back.",
        f"Histogram of the number of visits of {n_users:,} users.",
        height=340,
    )
    made.add_trace(_bars(bins, "Users", COLOURS[2], "visits"))
    made.update_layout(showlegend=False, bargap=0.15)
    named_positions(made, [_range(found) for found in bins], axis="x")
    made.update_xaxes(title_text="Visits of the user")
    made.update_yaxes(title_text="Users", rangemode="tozero", tickformat=",")
    return made


def funnel(stages: Sequence[Stage], n_users: int) -> go.Figure:
    """How many users came to each stage of the way to a purchase, whatever the order."""
    told = "; ".join(f"{stage.users:,} {stage.name}" for stage in stages)
    made = figure(
        "The way to a purchase",
        "Users that did it at least once, in whatever order.",
        f"Bar chart of users by stage, of {n_users:,}: {told}.",
        height=130 + 62 * len(stages),
    )
    made.add_trace(
        go.Bar(
            x=[stage.users for stage in stages],
            y=list(range(len(stages))),
            orientation="h",
            marker={"color": COLOURS[0]},
            text=[_reached(stage, n_users) for stage in stages],
            textposition="auto",
            customdata=[_also(stage, place) for place, stage in enumerate(stages)],
            hovertemplate="%{x:,} users<br>%{customdata}<extra></extra>",
        )
    )
    names = [
        f"{stage.name.capitalize()}<br><i>{safe(', '.join(stage.actions), 36)}</i>"
        for stage in stages
    ]
    named_positions(made, names)
    made.update_layout(bargap=0.35)
    made.update_xaxes(title_text="Users", rangemode="tozero", tickformat=",")
    return made


def action_counts(counts: Sequence[Count]) -> go.Figure:
    """The most frequent actions."""
    return _word_bars(counts, "action", COLOURS[0])


def category_counts(counts: Sequence[Count]) -> go.Figure:
    """The most frequent categories."""
    return _word_bars(counts, "category", COLOURS[2])


def _bars(bins: Sequence[Bin], name: str, colour: str, of: str = "events") -> go.Bar:
    return go.Bar(
        x=list(range(len(bins))),
        y=[found.users for found in bins],
        name=name,
        marker={"color": colour},
        customdata=[_range(found) for found in bins],
        hovertemplate=f"%{{customdata}} {of}: %{{y:,}} users",
    )


def _reached(stage: Stage, n_users: int) -> str:
    return f"{stage.users:,} ({stage.users / max(n_users, 1):.0%})"


def _also(stage: Stage, place: int) -> str:
    return f"{stage.also:,} of them came from the stage above" if place else ""


def _range(found: Bin) -> str:
    return f"{found.low:,}" if found.low == found.high else f"{found.low:,}-{found.high:,}"


def _word_bars(counts: Sequence[Count], what: str, colour: str) -> go.Figure:
    shown = counts[:_MOST_BARS]
    plural = "categories" if what == "category" else f"{what}s"
    top = f" The most frequent is {safe(shown[0].name)} with {shown[0].events:,}." if shown else ""
    made = figure(
        f"Events by {what}",
        f"The {len(shown)} most frequent {plural}. Watch for two spellings of the same thing.",
        f"Bar chart of events by {what}.{top}",
        height=max(260, 130 + 28 * len(shown)),
    )
    made.add_trace(
        go.Bar(
            x=[count.events for count in shown],
            y=list(range(len(shown))),
            orientation="h",
            marker={"color": colour},
            customdata=[count.users for count in shown],
            hovertemplate="%{x:,} events of %{customdata:,} users<extra></extra>",
        )
    )
    named_positions(made, [safe(count.name, 30) for count in shown])
    made.update_layout(bargap=0.3)
    made.update_xaxes(title_text="Events", rangemode="tozero", tickformat=",")
    return made
