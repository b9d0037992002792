"""A segment in figures: means per user, and what it meets more often than everyone does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.action_roles import Role, has_role, is_role
from core.artifacts import DoubleArray, Sequences
from core.segments._base import Groups, blocks, event_codes
from core.segments.features import Measures
from core.segments.sentences import shown


@dataclass(frozen=True, kw_only=True)
class Figure:
    """How a figure of the summary is called and read."""

    label: str
    unit: str
    help: str

    def told(self, value: float) -> str:
        """The value in its unit, which is not said again where the label names it."""
        said = self.unit in self.label.lower()
        return shown(self.unit, value).removesuffix(f" {self.unit}" if said else "")


SUMMARY: dict[str, Figure] = {
    "events": Figure(
        label="Events", unit="events", help="Typical number of events of a user (geometric mean)"
    ),
    "visit_events": Figure(
        label="Events per visit", unit="events", help="Typical number (geometric mean)"
    ),
    "active_days": Figure(
        label="Active days",
        unit="days",
        help="Typical number of days with events, among the events looked at",
    ),
    "gap": Figure(
        label="Pause",
        unit="seconds",
        help="Typical pause between events: geometric mean of users' medians",
    ),
    "recency": Figure(
        label="Last seen",
        unit="days",
        help="Typical time from a user's last event to the end of the log",
    ),
    "tenure": Figure(
        label="Time span", unit="days", help="Typical time from a user's first to last event"
    ),
    "night": Figure(label="At night", unit="share", help="Mean share of events between 22 and 6 h"),
    "weekend": Figure(
        label="At weekends", unit="share", help="Mean share of events on Saturday or Sunday"
    ),
    "purchases": Figure(
        label="Purchases",
        unit="purchases",
        help="Mean number of purchases of a user, among the events looked at",
    ),
    "spend": Figure(
        label="Spend",
        unit="currency units",
        help="Mean sum of prices at a user's purchases, among the events looked at",
    ),
    "price": Figure(
        label="Price met", unit="currency units", help="Typical price of what is looked at"
    ),
    "conversion": Figure(
        label="Purchases per view",
        unit="share",
        help="Purchases over views, all users of the segment together",
    ),
    "cart_completion": Figure(
        label="Purchases per cart",
        unit="share",
        help="Purchases over additions to the cart, all users together",
    ),
    "returns": Figure(
        label="Returns per purchase",
        unit="share",
        help="Returns over purchases, all users together",
    ),
}
"""Figures of `Segment.summary`, in the order to show; None where the log cannot tell.

All but "events" see the events that were kept in the sequences. "Typical" is the geometric mean
(of the value plus one), which a few extreme users cannot move far.
"""

_RATIOS: dict[str, tuple[Role, Role]] = {
    "conversion": ("purchase", "view"),
    "cart_completion": ("purchase", "cart"),
    "returns": ("return", "purchase"),
}


def summaries(
    sequences: Sequences, groups: Groups, measures: Measures
) -> tuple[dict[str, float | None], ...]:
    """The figures of `SUMMARY` for every segment."""
    with np.errstate(invalid="ignore", divide="ignore"):
        means = measures.shown(measures.total / measures.n)
    by_name = {f.name: means[:, i] for i, f in enumerate(measures.features) if f.name}
    by_name |= _ratios(sequences, groups)
    return tuple(
        {name: _finite(by_name[name][g]) if name in by_name else None for name in SUMMARY}
        for g in range(len(groups.ids))
    )


def event_shares(sequences: Sequences, groups: Groups) -> DoubleArray:
    """Share of all events (before any cut to the last ones) of each segment, (G,)."""
    events = np.bincount(groups.row, sequences.length, minlength=len(groups.ids))
    shares: DoubleArray = events / max(events.sum(), 1.0)
    return shares


def value_shares(measures: Measures, groups: Groups) -> list[float | None]:
    """Share of all purchase value of each segment; None where the log has no such value."""
    spend = [i for i, feature in enumerate(measures.features) if feature.name == "spend"]
    total = measures.total[:, spend].sum(axis=1)
    if not total.sum() > 0:
        return [None] * len(groups.ids)
    shares: list[float | None] = (total / total.sum()).tolist()
    return shares


def _ratios(sequences: Sequences, groups: Groups) -> dict[str, DoubleArray]:
    words = sequences.vocabulary.actions
    counts = np.zeros((len(groups.ids), len(words) + 1))
    for block in blocks(sequences):
        cell = groups.row[block.users][block.user] * counts.shape[1]
        cell += event_codes(sequences.action, block)
        counts += np.bincount(cell, minlength=counts.size).reshape(counts.shape)
    codes = np.arange(counts.shape[1])
    found: dict[str, DoubleArray] = {}
    for name, (part, whole) in _RATIOS.items():
        if has_role(words, part) and has_role(words, whole):
            below = counts[:, is_role(codes, words, whole)].sum(axis=1)
            above = counts[:, is_role(codes, words, part)].sum(axis=1)
            found[name] = above / np.where(below > 0, below, np.nan)
    return found


def _finite(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
