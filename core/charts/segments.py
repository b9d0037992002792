"""What the segments are: how large, what sets them apart, what they meet more often."""

from __future__ import annotations

import plotly.graph_objects as go

from core.artifacts import Fact, Segments
from core.charts.cells import add_cells
from core.charts.small_cells import published, published_text
from core.charts.theme import (
    DIVERGING,
    figure,
    named_positions,
    safe,
    segment_color,
)
from core.charts.transitions import transition_graph

__all__ = [
    "profile_heat_map",
    "sizes",
    "transition_graph",
]

_KINDS = {"action": "action", "category": "category", "item": "item", "transition": "then"}
"""What a row is whose name is out of the data."""
_FIXED = {
    "gap": "pause between events",
    "visit_events": "events per visit",
    "day_events": "events per active day",
    "morning": "in the morning",
    "afternoon": "after noon",
    "evening": "in the evening",
    "night": "at night",
    "weekend": "at weekends",
    "price": "price of what is met",
    "paid": "price of what is bought",
    "active_days": "active days",
    "tenure": "time from first to last event",
    "recency": "time since last seen",
}
"""Fixed words of facts in the analyst's words; another one shows as it is."""
_MOST_ROWS = 18
_FULL_SHADE = 1.5
"""Effects from here on have the full shade; 0.8 already counts as large."""


def sizes(segments: Segments, min_cell: int = 0) -> go.Figure:
    """Users per segment, largest first."""
    found = segments.segments
    counts = published([segment.size for segment in found], min_cell)
    total = max(sum(segment.size for segment in found), 1)
    largest = max(found, key=lambda segment: segment.size)
    made = figure(
        "How many users each segment has",
        "Longer bars: more users. Grey: users in no segment.",
        f"Bar chart of {len(found)} segments. The largest, {safe(largest.name)}, has "
        f"{100 * largest.share:.0f}% of the users.",
        height=max(260, 120 + 38 * len(found)),
    )
    texts = [published_text(count, min_cell) for count in counts]
    shares = ["" if c is None else f"  ({100 * c / total:.0f}%)" for c in counts]
    made.add_trace(
        go.Bar(
            x=[count or 0 for count in counts],
            y=list(range(len(found))),
            orientation="h",
            marker={"color": [segment_color(segment.id) for segment in found]},
            text=[text + share for text, share in zip(texts, shares, strict=True)],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{text} users<extra></extra>",
        )
    )
    named_positions(made, [safe(segment.name, 34) for segment in found])
    made.update_layout(bargap=0.35, margin_r=90)
    made.update_xaxes(title_text="Users", rangemode="tozero", tickformat=",")
    return made


def profile_heat_map(segments: Segments) -> go.Figure:
    """Effect sizes: rows are behaviours that set some segment apart, columns are segments."""
    effects = {
        (segment.id, _key(fact)): fact.effect
        for segment in segments.segments
        for fact in segment.facts
    }
    strength = {key: 0.0 for _, key in effects}
    for (_, key), effect in effects.items():
        strength[key] = max(strength[key], abs(effect))
    rows = sorted(strength, key=lambda key: (-strength[key], key))[:_MOST_ROWS]
    ids = [segment.id for segment in segments.segments]
    values = [[effects.get((s, key), 0.0) for s in ids] for key in rows]
    text = [[_signed(effects.get((s, key))) for s in ids] for key in rows]
    made = figure(
        "What sets each segment apart",
        "Standard deviations from everyone else. Blue: more, orange: less; beyond 0.8 is large. "
        "Blank: no notable difference.",
        f"Table of {len(rows)} behaviours by {len(ids)} segments, in effect sizes.",
        height=max(280, 190 + 30 * len(rows)),
    )
    add_cells(made, values, text, "%{customdata} standard deviations")
    made.data[0].update(zmin=-_FULL_SHADE, zmid=0, zmax=_FULL_SHADE, colorscale=DIVERGING)
    named_positions(made, [_row_name(key) for key in rows])
    named_positions(made, [safe(segment.name, 28) for segment in segments.segments], axis="x")
    return made


def _key(fact: Fact) -> tuple[str, str]:
    return fact.kind, fact.subject


def _row_name(key: tuple[str, str]) -> str:
    kind, subject = key
    if kind not in _KINDS:
        return safe(_FIXED.get(subject, subject), 34)
    return f"{safe(subject, 34)} <i>({_KINDS[kind]})</i>"


def _signed(effect: float | None) -> str:
    return "" if effect is None else f"{effect:+.1f}"
