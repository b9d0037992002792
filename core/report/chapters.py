"""The report's chapter on one segment."""

from __future__ import annotations

from typing import Any

from core.artifacts import NOISE, Action, Fact, Lift, Recommendation, Segment
from core.charts import segments as charts
from core.charts.small_cells import count_text
from core.charts.theme import segment_color
from core.report.view import Draw, Published, ReportView, whole_percent
from core.segments import SUMMARY
from core.wording import figure, percent

_KINDS = {
    "product_recommendation": "Products",
    "ad_audience": "Advertising",
    "campaign": "Campaign",
    "newcomers": "Newcomers",
    "risk": "Risk",
    "customer_care": "Customer care",
}
_COUNTED = ("events", "purchases")
"""Units that the label of a figure names already."""
_LARGE_EFFECT = 2.0
"""Effects from here on fill their bar."""


def chapter(view: ReportView, segment: Segment, told: Published, draw: Draw) -> dict[str, Any]:
    """All that is told of one segment; of one with too few users only that."""
    head = {
        "id": segment.id,
        "name": segment.name,
        "colour": segment_color(segment.id),
        "size": told.size(segment.id),
        "open": segment.id not in told.hidden,
    }
    if segment.id in told.hidden:
        return head
    offered = [r for r in view.recommendations.items if r.segment == segment.id]
    actions = [a for a in view.recommendations.actions if a.segment == segment.id]
    name = f"moves-{'none' if segment.id == NOISE else segment.id}"
    return head | {
        "share": whole_percent(segment.share),
        "figures": _figures(segment),
        "facts": [_fact(fact) for fact in segment.facts],
        "categories": _lifts(segment.categories, told.min_cell),
        "items": _lifts(segment.items, told.min_cell),
        "moves": draw(name, charts.transition_graph(segment, view.segments.actions)),
        "offered": [_offered(item, segment, told) for item in offered],
        "actions": [_action(action, told.min_cell) for action in actions],
    }


def _figures(segment: Segment) -> list[dict[str, str]]:
    return [
        {
            "label": SUMMARY[name].label,
            "value": figure(value) if SUMMARY[name].unit in _COUNTED else SUMMARY[name].told(value),
            "help": SUMMARY[name].help,
        }
        for name, value in segment.summary.items()
        if value is not None
    ]


def _fact(fact: Fact) -> dict[str, Any]:
    width = min(abs(fact.effect) / _LARGE_EFFECT, 1.0)
    return {
        "text": fact.text,
        "more": fact.effect > 0,
        "effect": f"{fact.effect:+.2f}",
        "width": f"{50 * width:.1f}",
    }


def _lifts(lifts: tuple[Lift, ...], min_cell: int) -> list[dict[str, str]]:
    largest = max((lift.lift for lift in lifts), default=1.0)
    return [
        {
            "name": lift.name,
            "users": count_text(lift.users, min_cell),
            "share": percent(lift.share) if lift.users >= min_cell else "",
            "lift": f"{lift.lift:.1f} ×",
            "width": f"{100 * lift.lift / largest:.1f}",
        }
        for lift in lifts
    ]


def _offered(item: Recommendation, segment: Segment, told: Published) -> dict[str, Any]:
    """An item; the reason quotes counts and the size, so it stays out where these are not told."""
    owners = round(item.owned_share * segment.size)
    few_met, few_own = (0 < count < told.min_cell for count in (item.segment_users, owners))
    return {
        "rank": item.rank,
        "item": item.item,
        "category": item.category,
        "users": count_text(item.segment_users, told.min_cell),
        "lift": f"{item.lift:.1f} ×",
        "owned": f"<{told.min_cell} users" if few_met or few_own else percent(item.owned_share),
        "reason": "" if few_met or few_own or told.hidden else item.reason,
    }


def _action(action: Action, min_cell: int) -> dict[str, Any]:
    """An action with its evidence; where few people are behind it, without either."""
    head = {"kind": _KINDS[action.kind], "title": action.title}
    counts = [value for name, value in action.evidence.items() if name.startswith("users")]
    if any(0 < value < min_cell for value in counts):
        few = f"Fewer than {min_cell} users are behind it, so its numbers are not shown."
        return head | {"text": few, "evidence": []}
    evidence = [(name, figure(value)) for name, value in action.evidence.items()]
    return head | {"text": action.text, "evidence": evidence}
